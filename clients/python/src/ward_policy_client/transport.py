"""Requests: made, made again, kept."""

import gzip
import http.client
import random
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import IO, Any, Generic, Literal, NamedTuple, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from .exact import dump, parse
from .problem import ProblemError, problem_of
from .store import Kept, MemoryStore, Store
from .values import VERSION

T = TypeVar("T")
Bytes = IO[bytes] | gzip.GzipFile


class Tagged(NamedTuple, Generic[T]):
    """Something that was read, and the tag of its state."""

    value: T
    etag: str


class _Answer:
    """An answer, whose body may have to come yet."""

    def __init__(self, status: int, headers: Message, body: IO[bytes]) -> None:
        self.status = status
        self.headers = headers
        self.text = ""
        self._packed = body
        self.body: Bytes = gzip.GzipFile(fileobj=body) if headers.get("Content-Encoding") == "gzip" else body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.body.close()
        self._packed.close()

    def read(self) -> None:
        """Reads it to its end."""
        with self:
            self.text = self.body.read().decode()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Goes where a former name leads, with whatever method and body; never to another server, which must not get a token."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if code != 308 or urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            return None
        return urllib.request.Request(newurl, req.data, dict(req.header_items()), method=req.get_method())


class Transport:
    """What the calls have in common."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        language: Literal["ja", "en"] | None = None,
        store: Store | None = None,
        attempts: int = 5,
        longest_wait: float = 60,
        timeout: float = 30,
        handlers: tuple[urllib.request.BaseHandler, ...] = (),
    ) -> None:
        """`token`: what is public needs none. `language`: of problems. `store`: where answers are kept. `attempts`: how
        often at most a request is made, or a change tried. `longest_wait`: how many seconds at most the service may ask to
        wait before the next attempt. `timeout`: for how many seconds nothing may come. `handlers`: of urllib, for a proxy
        or certificates of your own."""
        self._url = url.rstrip("/")
        self._store: Store = MemoryStore() if store is None else store
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_Redirects, *handlers)
        self._headers = {"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": f"ward-policy-client/{VERSION}"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        if language is not None:
            self._headers["Accept-Language"] = language
        # Of the last write: what is read after it is at least as new.
        self._consistency: str | None = None

    def _address(self, path: str, parameters: Mapping[str, Any]) -> str:
        query = {}
        for name, value in parameters.items():
            # Python has some names for itself: `from_`, `with_`.
            name = name.rstrip("_")
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
            elif value is not None:
                query[name] = _text(value)
        return self._url + path + ("?" + urlencode(query) if query else "")

    def _read(self, path: str, parameters: Mapping[str, Any]) -> Tagged[Any]:
        url = self._address(path, parameters)
        kept = self._store.get(url)
        answer = self._send(url, {"If-None-Match": kept.etag} if kept else {}, repeatable=True)
        if answer.status == 304 and kept:
            return Tagged(parse(kept.body), kept.etag)
        now = Kept(answer.headers.get("ETag", ""), answer.text)
        if now.etag and "no-store" not in answer.headers.get("Cache-Control", ""):
            self._store[url] = now
        return Tagged(parse(now.body), now.etag)

    def _items(self, path: str, parameters: Mapping[str, Any]) -> Iterator[Any]:
        while True:
            page = self._read(path, parameters).value
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            parameters = {**parameters, "cursor": page["next_cursor"]}

    def _write(self, method: str, path: str, given: dict[str, Any]) -> Any:
        headers = {}
        body = given.pop("body", None)
        if body is not None:
            headers["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
        reason = given.pop("reason", None)
        if reason is not None:
            headers["Change-Reason"] = quote(reason, safe="")
        for name, header in (
            ("if_match", "If-Match"),
            ("if_none_match", "If-None-Match"),
            ("idempotency_key", "Idempotency-Key"),
        ):
            value = given.pop(name, None)
            if value is not None:
                headers[header] = value
        data = None if body is None else dump(body).encode()
        url = self._address(path, given)
        answer = self._send(url, headers, method, data, repeatable="Idempotency-Key" in headers)
        self._consistency = answer.headers.get("X-Consistency-Token", self._consistency)
        return parse(answer.text) if answer.text else None

    def _update(self, path: str, change: Callable[[Any], Any], reason: str | None, parameters: Mapping[str, Any]) -> Any:
        attempt = 1
        while True:
            value, etag = self._read(path, parameters)
            patch = change(value)
            if patch is None:
                return value
            key = str(uuid.uuid4())
            given = {**parameters, "body": patch, "reason": reason, "if_match": etag, "idempotency_key": key}
            try:
                return self._write("PATCH", path, given)
            except ProblemError as problem:
                if problem.status != 412 or attempt >= self._attempts:
                    raise
            attempt += 1

    def _send(
        self,
        url: str,
        headers: Mapping[str, str],
        method: str = "GET",
        data: bytes | None = None,
        *,
        repeatable: bool,
        seconds: float = 0,
        streamed: bool = False,
    ) -> _Answer:
        """Makes a request, and makes it again where the service is busy. What may be carried out twice without harm
        (`repeatable`) is also made again where nobody knows what became of it."""
        headers = {**self._headers, **headers}
        if self._consistency is not None and method == "GET":
            headers["X-Consistency-Token"] = self._consistency
        attempt = 1
        while True:
            failure: Exception
            wait: float = 2 ** (attempt - 1)
            try:
                request = urllib.request.Request(url, data, headers, method=method)
                response = self._opener.open(request, timeout=self._timeout + seconds)
                answer = _Answer(response.status, response.headers, response)
                if not streamed:
                    # Here, so that what breaks off before its end is asked for again, too.
                    answer.read()
                return answer
            except urllib.error.HTTPError as error:
                answer = _Answer(error.code, error.headers, error)
                answer.read()
                if error.code == 304:
                    return answer
                failure = problem_of(error.code, error.headers, answer.text, urlsplit(url).path)
                wait = _seconds_until(error.headers.get("Retry-After"), wait)
                again = error.code in (429, 503) or (error.code == 504 and repeatable)
                if not again or wait > self._longest_wait:
                    raise failure from None
            except (OSError, http.client.HTTPException) as error:
                if not repeatable:
                    raise
                failure = error
            if attempt >= self._attempts:
                raise failure
            attempt += 1
            # Not all who were told to come back come at once.
            time.sleep(wait * (1 + random.random() / 2))


def _text(value: Any) -> str:
    """A parameter in the query: `true`, one value, or several with commas between them."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _seconds_until(said: str | None, otherwise: float) -> float:
    """What `Retry-After` says: seconds, or a moment."""
    if said is None:
        return otherwise
    try:
        return max(0, float(said) if said.isdigit() else parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return otherwise
