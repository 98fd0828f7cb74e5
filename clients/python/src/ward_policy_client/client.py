"""The client: its calls, and copies of everything."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .calls import Calls
from .contract import ChangePage, ChangeType, SnapshotHead, SnapshotRow
from .exact import parse
from .problem import ProblemError
from .transport import Bytes


@dataclass(frozen=True)
class Row:
    """A thing of the service as it is now; `state` is None where it is gone, or the caller may not see it any more."""

    type: ChangeType
    id: str
    state: dict[str, Any] | None


@dataclass(frozen=True)
class Snapshot:
    """`rows` raises an error where the snapshot broke off."""

    head: SnapshotHead
    rows: Iterator[SnapshotRow]


@dataclass(frozen=True)
class MirrorStep:
    """What a copy has to do next, in one transaction. `anew`: whether everything is to be dropped first. `cursor`: to be
    stored with the rows; `mirror` goes on from it."""

    anew: bool
    rows: Iterable[Row]
    cursor: str


class WardPolicy(Calls):
    """The service. Threads may share it, if they may share its store."""

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Everything the caller may see, and the cursor from which `changes` goes on."""
        with self._send(self._url + "/v1/snapshot", {}, repeatable=True, streamed=True) as answer:
            yield Snapshot(parse(answer.body.readline()), _rows(answer.body))

    def changes(
        self,
        cursor: str,
        *,
        wait: int = 60,
        limit: int | None = None,
        type: ChangeType | list[ChangeType] | None = None,
        organization: str | list[str] | None = None,
    ) -> Iterator[ChangePage]:
        """The changes after a cursor, page by page, for ever; or until there is none, with `wait=0`. The service may hold
        an answer for `wait` seconds, up to 60, until there is a change."""
        filters = {"limit": limit, "type": type, "organization": organization, "wait": wait}
        while True:
            url = self._address("/v1/changes", {**filters, "cursor": cursor})
            page: ChangePage = parse(self._send(url, {}, repeatable=True, seconds=wait).text)
            yield page
            if wait == 0 and page["next"] == cursor:
                return
            cursor = page["next"]

    def mirror(self, cursor: str | None, *, wait: int = 60) -> Iterator[MirrorStep]:
        """Keeps a copy in step: from nothing, or from the cursor of the last step that was stored. Where the service no
        longer knows that cursor, as after its database was restored, the copy begins anew. A step comes every `wait`
        seconds at least, if only an empty one: time to ask again for what a day turns, such as evaluations."""
        while True:
            # A cursor of a snapshot that is gone before a single answer: no new snapshot would help.
            is_new = cursor is None
            if cursor is None:
                with self.snapshot() as snapshot:
                    cursor = snapshot.head["cursor"]
                    rows = (Row(row["type"], row["id"], row["state"]) for row in snapshot.rows)
                    yield MirrorStep(True, rows, cursor)
            try:
                for page in self.changes(cursor, wait=wait):
                    is_new = False
                    cursor = page["next"]
                    changed = [Row(change["type"], change["id"], change["after"]) for change in page["items"]]
                    yield MirrorStep(False, changed, cursor)
                return
            except ProblemError as problem:
                if is_new or problem.status != 410:
                    raise
                cursor = None


def _rows(body: Bytes) -> Iterator[SnapshotRow]:
    """The rows of a snapshot, whose last line says how many there are."""
    rows = 0
    for text in body:
        line = parse(text)
        if "end" in line:
            if line["rows"] != rows:
                raise EOFError(f"a snapshot of {line['rows']} rows has {rows}")
            return
        rows += 1
        yield line
    raise EOFError(f"a snapshot broke off after {rows} rows")
