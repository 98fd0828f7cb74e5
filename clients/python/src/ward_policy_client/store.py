"""Where answers are kept, to be asked for again by their tags."""

from threading import Lock
from typing import NamedTuple, Protocol


class Kept(NamedTuple):
    """An answer, and the tag by which the service knows whether it is still the newest."""

    etag: str
    body: str


class Store(Protocol):
    """Answers by their addresses: a `dict` is one, a `shelve.Shelf` is one that lasts."""

    def get(self, url: str, /) -> Kept | None: ...

    def __setitem__(self, url: str, kept: Kept, /) -> None: ...


class MemoryStore:
    """Keeps the answers that were last kept, this many."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: dict[str, Kept] = {}

    def get(self, url: str, /) -> Kept | None:
        return self._kept.get(url)

    def __setitem__(self, url: str, kept: Kept, /) -> None:
        with self._lock:
            self._kept.pop(url, None)
            self._kept[url] = kept
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
