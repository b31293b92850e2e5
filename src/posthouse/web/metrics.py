"""The door of monitoring: ``GET /metrics``, ``/health/live`` and ``/health/ready`` over HTTP/1.1, and nothing else.

A door of its own, with as little HTTP as monitors speak (RFC 9112): one request on a connection, no body, ``Connection:
close``. Whoever sends anything else gets a plain refusal. Bounds: ``HEAD_SIZE`` octets of a request, ``PATIENCE``
seconds for a connection as a whole, ``CONNECTIONS`` at a time. An error of ours is 500 without a word of detail.

Not here: what the metrics and the state are (``MetricsDesk``, made by the worker). TLS and passwords are the business
of a proxy before it; a new home listens on loopback only.
Tests: ``tests/unit/web/test_metrics_door.py``, ``tests/interop/test_metrics_merged.py``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson

from posthouse.telemetry.log import Telemetry

HEAD_SIZE: Final = 8192
PATIENCE: Final = 10.0
CONNECTIONS: Final = 64
_REQUEST: Final = re.compile(rb"(GET|HEAD) (/[\x21-\x7e]*) HTTP/1\.[01]")
_METHOD: Final = re.compile(rb"[A-Z]{1,20} [^ ]+ HTTP/1\.[01]")
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(slots=True, kw_only=True)
class MetricsDesk:
    """What the doors of a worker share.

    Attributes:
        collect: returns the merged snapshot of all workers.
        missing: returns what keeps the server from being ready.
        open: connections open now.
    """

    collect: Callable[[], Awaitable[Mapping[str, Any]]]
    missing: Callable[[], Awaitable[list[str]]]
    telemetry: Telemetry
    open: set[MetricsDoor] = field(default_factory=set)


class MetricsDoor(asyncio.Protocol):
    """One connection of a monitor."""

    def __init__(self, desk: MetricsDesk) -> None:
        self._desk = desk
        self._head = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_head = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request, for a bounded time; too many connections are told to come later."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are no subclass
        if len(self._desk.open) >= CONNECTIONS:
            self._answer_plain(503)
            return
        self._desk.open.add(self)
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        """Answer once the head is whole; what comes behind it is not read."""
        if self._task is not None or self._transport is None or self._transport.is_closing():
            return
        self._head += data
        if len(self._head) > HEAD_SIZE:
            self._answer_plain(431)
        elif b"\r\n\r\n" in self._head or b"\n\n" in self._head:
            self._take(self._head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._desk.open.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self._transport = None

    def _take(self, head: bytes) -> None:
        first, *rest = head.splitlines()
        match = _REQUEST.fullmatch(first)
        if match is None:
            self._answer_plain(405 if _METHOD.fullmatch(first) else 400)
            return
        self._is_head = match[1] == b"HEAD"
        path = match[2].partition(b"?")[0].decode("ascii")
        make = _PATHS.get(path)
        if make is None:
            self._answer_plain(404)
            return
        self._task = asyncio.get_running_loop().create_task(self._serve(make, _accept(rest)))

    async def _serve(self, make: Callable[[MetricsDesk, str], Awaitable[_Answer]], accept: str) -> None:
        try:
            answer = await make(self._desk, accept)
        except Exception as error:
            self._desk.telemetry.event("metrics.failed", level="error", error=repr(error))
            self._answer_plain(500)
            return
        self._answer(*answer)

    def _answer_plain(self, code: int) -> None:
        self._answer(code, "text/plain; charset=utf-8", f"{_REASONS[code]}\n".encode())

    def _answer(self, code: int, content_type: str, body: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        allow = "Allow: GET, HEAD\r\n" if code == 405 else ""
        head = (
            f"HTTP/1.1 {code} {_REASONS[code]}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            f"{allow}Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
        )
        self._transport.write(head.encode("ascii") + (b"" if self._is_head else body))
        self._transport.close()


def _accept(lines: list[bytes]) -> str:
    """Return the values of the Accept fields."""
    values = [value for name, _, value in (line.partition(b":") for line in lines) if name.strip().lower() == b"accept"]
    return b",".join(values).decode("latin-1").strip()


_Answer = tuple[int, str, bytes]


async def _metrics(desk: MetricsDesk, accept: str) -> _Answer:
    from posthouse.web.exposition import expose  # loaded when somebody asks

    content_type, body = expose(await desk.collect(), accept)
    return 200, content_type, body


async def _live(_desk: MetricsDesk, _accept: str) -> _Answer:
    return _json(200, {"status": "ok"})


async def _ready(desk: MetricsDesk, _accept: str) -> _Answer:
    found = await desk.missing()
    return _json(503, {"status": "not ready", "missing": found}) if found else _json(200, {"status": "ok"})


def _json(code: int, value: Mapping[str, Any]) -> _Answer:
    return code, "application/json", orjson.dumps(value) + b"\n"


_PATHS: Final[dict[str, Callable[[MetricsDesk, str], Awaitable[_Answer]]]] = {
    "/metrics": _metrics,
    "/health/live": _live,
    "/health/ready": _ready,
}
