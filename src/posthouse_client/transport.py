"""Requests to a server: one connection at a time, TLS verified, and what may be repeated is repeated.

Standard library only. Reading, and writing with an idempotency key (which every write gets), are tried again after a
connection broke or the server was busy; so a request is carried out once however often it is sent. Not safe for use
by several threads at once: make one for each. Tests: ``tests/unit/client/test_client_transport.py``.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Self
from urllib.parse import urlencode, urlsplit

from posthouse_client.errors import PosthouseError, Refused, Unreachable

TRIES: Final = 4
LONGEST_WAIT: Final = 30.0  # seconds between two tries, whatever the server asks for
BASE: Final = "/api/v1"
_BUSY: Final = frozenset({429, 502, 503, 504})
_LARGEST: Final = 256 << 20
_CHUNK: Final = 1 << 16


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end; names of fields are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is empty. Raises Unreachable: where it is something else."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            raise Unreachable("the answer is not JSON; is that a Posthouse server?") from None


class Download:
    """A file that the server sends; a context. ``name`` is what the server calls it."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._response = response
        self.media_type = response.headers.get_content_type()
        self.name = response.headers.get_filename("")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the connection."""
        self._response.close()
        self._connection.close()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the octets. Raises Unreachable: where they end before their time."""
        try:
            while block := self._response.read(_CHUNK):
                yield block
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the file ended before its time: {error}") from error
        if self._response.length:  # octets that were announced and did not come; reading in pieces does not tell
            raise Unreachable(f"the file ended {self._response.length} octets before its time")

    def read(self) -> bytes:
        """Return all of it."""
        return b"".join(self)


class Transport:
    """Sends requests to one server.

    Args:
        url: such as ``https://mail.example.org``.
        token: of the API; or
        login: an address, with its password.
        password: see ``login``.
        context: for TLS; by default certificates are verified against the system's authorities.
        timeout: seconds to wait for an answer.
        sleep: waits between tries.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        login: str = "",
        password: str = "",
        context: ssl.SSLContext | None = None,
        timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise PosthouseError(f"{url!r} is not an address such as https://mail.example.org")
        self._parts = parts
        self._context = context
        self._timeout = timeout
        self._sleep = sleep
        self._connection: http.client.HTTPConnection | None = None
        self._fields = {"Accept": "application/json", "User-Agent": "posthouse-client"}
        if token:
            self._fields["Authorization"] = f"Bearer {token}"
        elif login:
            both = base64.b64encode(f"{login}:{password}".encode()).decode()
            self._fields["Authorization"] = f"Basic {both}"

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request with an object as JSON; return the answer. Raises Refused, Unreachable."""
        fields = dict(headers or {})
        octets = None
        if body is not None:
            octets = json.dumps(body).encode()
            fields["Content-Type"] = "application/json"
        if method not in {"GET", "HEAD"}:
            fields.setdefault("Idempotency-Key", str(uuid.uuid4()))
        for attempt in range(TRIES):
            is_last = attempt == TRIES - 1
            try:
                reply = self._exchange(method, _target(path, query), octets, fields)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if is_last or isinstance(error, ssl.SSLCertVerificationError):
                    raise Unreachable(f"{self._parts.netloc} does not answer: {error}") from error
                self._sleep(0.2 * 2**attempt)
                continue
            if reply.status not in _BUSY or is_last:
                return _good(reply)
            self._sleep(_pause(reply, attempt))
        raise AssertionError("the last try returns or raises")

    def upload(
        self, method: str, path: str, file: BinaryIO | bytes, media_type: str, query: Mapping[str, Any] | None = None
    ) -> Reply:
        """Send a file; return the answer. It is sent once: a file that is read as it is sent cannot be repeated."""
        fields = {"Content-Type": media_type, "Idempotency-Key": str(uuid.uuid4())}
        self.close()
        try:
            return _good(self._exchange(method, _target(path, query), file, fields))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(f"{self._parts.netloc} does not answer: {error}") from error

    def download(self, path: str, query: Mapping[str, Any] | None = None) -> Download:
        """Fetch a file, on a connection of its own. Raises Refused, Unreachable."""
        return Download(*self._open(path, query, "*/*"))

    def events(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Yield the JSON of server-sent events until the server ends them. Raises Refused, Unreachable.

        How many events were dropped because this end was slow is not told; events have numbers for who must know.
        """
        connection, response = self._open(path, query, "text/event-stream")
        try:
            yield from _parsed(response)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the events ended: {error}") from error
        finally:
            response.close()
            connection.close()

    # ---- inside -----------------------------------------------------------------------------------------------

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        if self._context is None:
            self._context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._context)

    def _exchange(self, method: str, target: str, body: BinaryIO | bytes | None, fields: Mapping[str, str]) -> Reply:
        if self._connection is None:
            self._connection = self._connect()
        path = self._parts.path.rstrip("/") + target
        self._connection.request(method, path, body=body, headers={**self._fields, **fields})
        response = self._connection.getresponse()
        octets = response.read(_LARGEST)
        if response.will_close:
            self.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, octets)

    def _open(
        self, path: str, query: Mapping[str, Any] | None, accept: str
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Return an answer to be read, with the connection of its own that is to be closed after it."""
        connection = self._connect()
        target = self._parts.path.rstrip("/") + _target(path, query)
        try:
            connection.request("GET", target, headers={**self._fields, "Accept": accept})
            response = connection.getresponse()
            refusal = response.read(_LARGEST) if response.status >= 300 else b""
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Unreachable(f"{self._parts.netloc} does not answer: {error}") from error
        if response.status >= 300:
            connection.close()
            _good(Reply(response.status, {}, refusal))
            raise Unreachable(f"{self._parts.netloc} answered {response.status}")
        return connection, response


def _target(path: str, query: Mapping[str, Any] | None) -> str:
    pairs: list[tuple[str, str]] = []
    for name, value in (query or {}).items():
        if value is None:
            continue
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        pairs += [(name, _text(each)) for each in values]
    return BASE + path + (f"?{urlencode(pairs)}" if pairs else "")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _good(reply: Reply) -> Reply:
    if reply.status < 400:
        return reply
    problem: Any = None
    with contextlib.suppress(PosthouseError):
        problem = reply.json
    raise Refused(reply.status, problem if isinstance(problem, dict) else {})


def _pause(reply: Reply, attempt: int) -> float:
    asked = reply.headers.get("retry-after", "")
    return min(LONGEST_WAIT, float(asked)) if asked.isdigit() else 0.5 * 2**attempt


def _parsed(lines: http.client.HTTPResponse) -> Iterator[Any]:
    kind, data = "", []
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if line.startswith("event:"):
            kind = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line:
            if kind == "end":
                return
            if data and not kind:
                yield json.loads("\n".join(data))
            kind, data = "", []
