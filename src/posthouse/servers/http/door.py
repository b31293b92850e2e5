"""The door of HTTP: uvicorn's protocol inside one of our connections (RFC 9110, RFC 9112).

uvicorn's ``H11Protocol`` parses requests and drives the application; the door around it does what every door does:
limits, TLS, draining, a stuck peer cut. The protocol sees a transport of our making (``_Line``), so that no socket,
signal or certificate is uvicorn's. WebSockets are off; HTTP/1.1 is spoken.

Time limits by what the connection waits for: the first request or the next one (``http.keep_alive``), the rest of a
header section (``http.header_timeout``, from its first octet), the rest of a body (``http.body_timeout``, from the
last octet). While the application works there is none; a reader that does not read is the door's affair.

Not here: what is answered (``web``). Tests: ``tests/unit/servers/http/test_http_door.py``.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from posthouse.config.definitions.http import BODY_TIMEOUT, HEADER_SIZE, HEADER_TIMEOUT, KEEP_ALIVE
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.servers.door import Door, DoorContext, ListenerInfo

_NEVER: Final = 10**8  # seconds; uvicorn's own timer for idle connections, which the door does better
_REFUSAL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
)
_REFUSED: Final = b'{"title":"The server has no room for another connection","status":503}'


class HttpServing:
    """An application and what all of its connections share.

    Args:
        application: ASGI. It finds the door under ``scope["state"]["door"]``.
        settings, clock: of the worker.
    """

    def __init__(self, application: Callable[..., Any], settings: Settings, clock: Clock) -> None:
        quiet = logging.getLogger("uvicorn.error")  # it would tell standard error of every bad request
        quiet.disabled = True
        self._clock = clock
        self._stamped = 0
        self.state = ServerState()
        self.config = Config(
            app=application,
            http=H11Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=_NEVER,
            h11_max_incomplete_event_size=settings.get(HEADER_SIZE),
        )
        self.config.load()

    def stamp(self) -> None:
        """Renew the Date field of answers (RFC 9110 §6.6.1)."""
        now = int(self._clock.now())
        if now != self._stamped:
            self._stamped = now
            self.state.default_headers = [(b"date", formatdate(now, usegmt=True).encode())]


class HttpDoor(Door):
    """One connection.

    Attributes:
        account: who signed in with the request under way or the last one, for the list of sessions.
    """

    touches_on_bytes = False

    def __init__(self, listener: ListenerInfo, context: DoorContext, serving: HttpServing) -> None:
        super().__init__(listener, context)
        self._serving = serving
        self._inner: H11Protocol | None = None
        self._waits = KEEP_ALIVE
        self.account = ""

    @property
    def is_draining(self) -> bool:
        """Whether the server stops, so that an answer without end should end now."""
        return self.context.is_draining or self.is_closing

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        cycle = self._inner.cycle if self._inner is not None else None
        return cycle is not None and not cycle.response_complete

    # ---- hooks ------------------------------------------------------------------------------------------------

    def on_open(self) -> None:
        """Wait for the first request."""
        self._inner = H11Protocol(self._serving.config, self._serving.state, {"door": self}, self.loop)
        self._inner.connection_made(cast("Any", _Line(self)))

    def on_bytes(self, data: bytes) -> None:
        """Hand bytes to the parser; note what is waited for from now on."""
        assert self._inner is not None
        if self.is_busy:
            self.touch()
        elif self._waits is not HEADER_TIMEOUT:
            self._waits = HEADER_TIMEOUT
            self.touch()
        self._serving.stamp()
        self._inner.data_received(data)
        self._look()

    def on_eof(self) -> None:
        """Answer what has been asked, then close; half a request is none."""
        if self._inner is not None and self.is_busy and not self._inner.cycle.more_body:
            self._inner.cycle.keep_alive = False
        else:
            self.close("eof")

    def on_drain(self) -> None:
        """Close between requests, or after the one under way."""
        if self._inner is not None:
            self._inner.shutdown()

    def on_closed(self) -> None:
        """Tell the application."""
        if self._inner is not None:
            self._inner.connection_lost(None)

    def refusal(self, reason: str) -> bytes:
        """Return an answer 503."""
        return _REFUSAL % (len(_REFUSED), _REFUSED)

    # ---- flow and time ----------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """Make the application wait."""
        super().pause_writing()
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Let the application go on."""
        super().resume_writing()
        if self._inner is not None:
            self._inner.resume_writing()

    def on_sweep(self, now: float) -> None:
        """Apply the time limit of what is waited for."""
        self._look()
        working = self.is_busy and self._inner is not None and not self._inner.cycle.more_body
        self.idle_limit = math.inf if working else self.settings.get(self._waits)
        super().on_sweep(now)

    def _look(self) -> None:
        """Note that a request began to be answered, or that it was answered."""
        if self.is_busy:
            self._waits = BODY_TIMEOUT
        elif self._waits is BODY_TIMEOUT:
            self._waits = KEEP_ALIVE
            self.touch()


class _Line:
    """What uvicorn takes for the transport: the door's sending and closing."""

    def __init__(self, door: HttpDoor) -> None:
        self._door = door

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the peer's address, and whether TLS is on."""
        if name == "peername" and self._door.peer_host:
            return (self._door.peer_host, self._door.peer_port)
        if name == "sslcontext":
            return self._door.is_secure
        return default

    def write(self, data: bytes) -> None:
        """Send."""
        self._door.send(data)

    def close(self) -> None:
        """Send the rest, then close."""
        self._door.close("answered")

    def is_closing(self) -> bool:
        """Whether the end has begun."""
        return self._door.is_closing

    def pause_reading(self) -> None:
        """Stop reading."""
        self._door.pause()

    def resume_reading(self) -> None:
        """Read on."""
        self._door.resume()
