"""A door: one connection of one protocol, as an ``asyncio.Protocol`` that owns its bytes.

A door joins a sans-IO session to the services. This class does what all of them need: counting and refusing
connections, TLS from the first byte or by STARTTLS, write flow control, time limits by a coarse sweep, and an orderly
end. Subclasses fill in the ``on_...`` hooks.

TLS: with ``tls="implicit"`` the handshake runs before ``on_open``. ``start_tls`` stops reading, throws away what the
peer sent behind its STARTTLS (and reports it), and upgrades; bytes that arrive together with the end of the handshake
are held until the new transport is in place, so that no answer to them can go out in the clear.

Errors: an exception in a hook is reported as ``door.failed`` and ends the connection; it never reaches the loop.

    accepted -> [refused] | [handshake] -> open -> closing -> closed        (``on_closed`` follows every ``on_open``)

Tests: ``tests/unit/servers/test_door.py``, on loopback with asyncio's loop and uvloop.
"""

from __future__ import annotations

import asyncio
import ssl
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar, cast

from posthouse.config.definitions.server import WRITE_TIMEOUT
from posthouse.config.definitions.tls import HANDSHAKE_TIMEOUT
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.servers import eager
from posthouse.servers.limits import ConnectionLimits
from posthouse.servers.sweep import Sweep
from posthouse.telemetry.conversation import ConversationLog, Report, Tap
from posthouse.telemetry.log import Telemetry
from posthouse.telemetry.metrics import Metrics, Snapshot

T = TypeVar("T")
M = TypeVar("M", bound="Mask")

WRITE_HIGH: Final = 256 * 1024  # octets unsent before a writer has to wait
WRITE_LOW: Final = 64 * 1024
_SHUTDOWN_TIMEOUT: Final = 5.0  # seconds for the peer's close_notify


class Mask(Protocol):
    """Decides what of a conversation is shown; the protocol's own, see ``protocols.*.masking``."""

    def on_sent(self, data: bytes) -> None:
        """Take what we send."""
        ...


class TlsProvider(Protocol):
    """Gives the context for a handshake; ``servers.tls.TlsContexts``."""

    @property
    def server_context(self) -> ssl.SSLContext:
        """The context for a connection that begins now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerInfo:
    """What a door knows of the listener it came through (``[[listener]]`` of posthouse.toml).

    Attributes:
        protocol: ``smtp``, ``lmtp``, ``pop3``, ``imap``, ``managesieve``, ...
        tls: ``off``, ``starttls`` or ``implicit``.
        listener_class: ``mx``, ``submission`` or ``lmtp`` for SMTP; "" elsewhere.
        plaintext_auth: ``never``, ``loopback`` or ``always``: who may send a password without TLS.
    """

    name: str
    protocol: str
    tls: str = "off"
    listener_class: str = ""
    plaintext_auth: str = "loopback"


@dataclass(slots=True, kw_only=True)
class DoorContext:
    """What all doors of a worker share."""

    loop: asyncio.AbstractEventLoop
    clock: Clock
    settings: Settings
    telemetry: Telemetry
    limits: ConnectionLimits
    sweep: Sweep
    tls: TlsProvider | None = None
    hostname: str = "localhost"
    worker: int = 0
    is_draining: bool = False
    metrics: Metrics = field(default_factory=Metrics)
    conversations: ConversationLog = field(default_factory=ConversationLog)
    offers_tokens: Callable[[], bool] = lambda: False  # whether a bearer token may sign somebody in
    _sessions: int = field(default=0, init=False)

    def next_session_id(self) -> str:
        """Return a short text that no other session of this worker has: seconds it was made in, worker, number."""
        self._sessions += 1
        return f"{int(self.clock.now()) & 0xFFFFFF:x}-{self.worker:x}-{self._sessions:x}"

    def measure(self) -> Snapshot:
        """Return what open connections add to the metrics: how many they are, and the octets so far."""
        open_now: dict[tuple[str, str], int] = {}
        octets: dict[tuple[str, str], int] = {}
        for each in self.sweep.doors:
            door = cast("Door", each)
            protocol = door.listener.protocol
            key = (protocol, door.listener.name)
            open_now[key] = open_now.get(key, 0) + 1
            octets[protocol, "in"] = octets.get((protocol, "in"), 0) + door.received
            octets[protocol, "out"] = octets.get((protocol, "out"), 0) + door.sent
        return {
            "posthouse_sessions_open": [([*key], count) for key, count in open_now.items()],
            "posthouse_session_octets_total": [([*key], count) for key, count in octets.items()],
        }

    def drain(self) -> None:
        """Tell every door that the server stops; doors that open later are refused."""
        self.is_draining = True
        for door in tuple(self.sweep.doors):
            cast("Door", door).begin_drain()


class Door(asyncio.Protocol):
    """Base of the doors. Hooks are called one at a time, on the loop, never after ``on_closed``.

    Attributes:
        local_host: the address of ours that the peer connected to; ``""`` for a UNIX socket.
        peer_host, peer_port: the peer's address; ``""`` and 0 for a UNIX socket. IPv4 in IPv6 form reads as IPv4.
        is_loopback: whether the peer is on this machine.
        is_secure: whether TLS protects the connection now.
        is_closing: whether the end has begun; what is sent from then on is lost.
        session_id: stands in every log line of this connection.
        account: the address of who signed in; "" for nobody.
        telemetry: carries the session id.
        idle_limit: seconds without a ``touch`` before ``on_idle``; subclasses set it.
        touches_on_bytes: whether any bytes count as activity; a subclass that sets it False calls ``touch`` itself,
            for example at each whole command, so that one byte a minute does not keep a connection.
    """

    idle_limit: float = 300.0
    touches_on_bytes: bool = True

    def __init__(self, listener: ListenerInfo, context: DoorContext) -> None:
        self.listener = listener
        self.context = context
        self.loop = context.loop
        self.settings = context.settings
        self.telemetry = context.telemetry
        self.session_id = ""
        self.peer_host = ""
        self.local_host = ""
        self.peer_port = 0
        self.is_loopback = False
        self.is_secure = False
        self.is_closing = False
        self.account = ""
        self.received = 0
        self.sent = 0
        self._transport: asyncio.Transport | None = None
        self._admitted = False
        self._open = False
        self._finished = False
        self._handshaking = False
        self._held: list[bytes] = []
        self._held_eof = False
        self._end_reason = ""
        self._opened_at = 0.0
        self._touched = 0.0
        self._stuck_since = 0.0
        self._drained: asyncio.Future[None] | None = None
        self._is_full = False
        self._tasks: dict[asyncio.Task[Any], bool] = {}  # pending -> whether it outlives the connection
        self._peer_done = False
        self._tap: Tap | None = None  # where the conversation is logged
        self._mask: Mask | None = None

    # ---- hooks ------------------------------------------------------------------------------------------------

    def on_open(self) -> None:
        """The connection is ready (after the handshake, where TLS is implicit): send the greeting."""

    def on_bytes(self, data: bytes) -> None:
        """Bytes came."""

    def on_eof(self) -> None:
        """The peer will send no more; it may still read. The default closes once no coroutine is pending.

        Called again each time a pending coroutine ends, and when the peer has read what kept the door from going on.
        """
        if not self._tasks and not self._is_full:
            self.close("eof")

    def on_writable(self) -> None:
        """The peer has read so much that more may be sent: go on with what waited for ``is_writable``.

        A door that answers pipelined commands stops reading them while it is not writable, or a peer that reads
        nothing fills our memory with answers.
        """

    def on_secured(self) -> None:
        """TLS that ``start_tls`` asked for is in place."""

    def on_idle(self) -> None:
        """Nothing happened for ``idle_limit`` seconds. Say so and close; the default just closes."""
        self.close("idle")

    def on_drain(self) -> None:
        """The server stops: say goodbye and ``close`` now, or at the end of what is under way."""
        self.close("drain")

    def on_closed(self) -> None:
        """The connection is gone; pending coroutines have been cancelled unless they were ``kept``."""

    def refusal(self, reason: str) -> bytes:
        """Return what a peer is told that is not let in; ``reason`` is a setting's name, or ``drain``."""
        return b""

    # ---- what subclasses call ---------------------------------------------------------------------------------

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; those sent after the end began are lost. Await ``drained`` between large pieces."""
        if self.is_closing or not data:
            return
        self.sent += len(data)
        if self._mask is not None:
            self._mask.on_sent(bytes(data))
        self._transport.write(data)  # type: ignore[union-attr]

    @property
    def is_writable(self) -> bool:
        """Whether little enough is unsent that more may be sent without waiting."""
        return not self._is_full

    async def drained(self) -> None:
        """Wait until the peer has read enough. Raises ConnectionResetError: where the connection is gone."""
        if self._finished:
            raise ConnectionResetError("the connection is closed")
        if not self._is_full:
            return
        if self._drained is None:
            self._drained = self.loop.create_future()
        await asyncio.shield(self._drained)

    def pause(self) -> None:
        """Stop reading; what has arrived waits in the kernel, and the peer feels it."""
        if self._transport is not None and not self.is_closing and not self._handshaking:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self.is_closing and not self._handshaking:
            self._transport.resume_reading()

    @property
    def age(self) -> float:
        """Seconds since the connection was accepted."""
        return self.context.clock.monotonic() - self._opened_at

    def touch(self) -> None:
        """Count this moment as activity."""
        self._touched = self.context.sweep.now

    def run(
        self,
        coroutine: Coroutine[Any, Any, T],
        then: Callable[[T | None, BaseException | None], None],
        *,
        kept: bool = False,
    ) -> None:
        """Drive a coroutine, in place where it never waits; ``then(result, error)`` is called exactly once.

        Where the connection ends first, the coroutine is cancelled unless it is to be ``kept`` (because it commits
        something, say); ``then`` is called in either case and should look at ``is_closing``.
        """
        task = eager.run(self.loop, coroutine, lambda result, error: self._guarded(then, result, error))
        if task is not None:
            self._watch(task, kept=kept)

    def close(self, reason: str = "") -> None:
        """Send what is unsent, then end the connection."""
        if not self.is_closing:
            self._begin_end(reason)
            if self._transport is not None:
                self._transport.close()

    def abort(self, reason: str = "") -> None:
        """End the connection at once."""
        self._begin_end(reason)
        if self._transport is not None:
            self._transport.abort()

    def watch(self, mask: Callable[[Report], M]) -> M | None:
        """Return what the session is to tell its lines to, made by the protocol's mask; None where nobody asked."""
        if self._tap is None:
            return None
        made = mask(self._tap.report)
        self._mask = made
        return made

    def signed_in(self, account: str) -> None:
        """Say whose session this is now, for the list of sessions and for who asked to see an account's."""
        self.account = account
        if self._tap is not None:
            self._tap.signed_in(account)

    def start_tls(self, *, early: int = 0) -> None:
        """Upgrade to TLS, after the positive answer to STARTTLS was sent; ``on_secured`` follows.

        Args:
            early: octets that the session held behind the command. The session must have thrown them away
                (they are not protected, and may be an attacker's); they are reported here.
        """
        if self.is_closing or self._handshaking:
            return
        if early:
            self.telemetry.event("door.bytes_before_tls", level="warning", octets=early)
        self._begin_handshake(self.on_secured)

    # ---- asyncio.Protocol -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit or refuse; begin the handshake where TLS is implicit."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)
        self._set_peer(transport.get_extra_info("peername"))
        local = transport.get_extra_info("sockname")
        self.local_host = str(local[0]).removeprefix("::ffff:") if isinstance(local, tuple) else ""
        context = self.context
        self.session_id = context.next_session_id()
        self.telemetry = context.telemetry.bind(session=self.session_id, protocol=self.listener.protocol)
        reason = "drain" if context.is_draining else context.limits.admit(self.peer_host, exempt=self.is_loopback)
        if reason:
            self._refuse(reason)
            return
        self._admitted = True
        context.sweep.doors.add(self)
        listener = self.listener
        context.metrics.counter("posthouse_sessions_opened_total", listener.protocol, listener.name).value += 1
        if context.conversations.is_on:
            self._tap = context.conversations.open_tap(
                self.telemetry, listener.protocol, self.peer_host, self.peer_port
            )
        self._opened_at = context.clock.monotonic()
        self._touched = context.sweep.now
        if self.listener.tls == "implicit":
            self._begin_handshake(self._opened)
        else:
            self._opened()

    def data_received(self, data: bytes) -> None:
        """Hand bytes on, or hold them while a handshake ends."""
        if self._handshaking:
            self._held.append(data)
            return
        if self.is_closing:
            return
        self.received += len(data)
        if self.touches_on_bytes:
            self._touched = self.context.sweep.now
        try:
            self.on_bytes(data)
        except Exception as error:
            self._failed(error)

    def eof_received(self) -> bool:
        """Keep our half open, so that a peer that half-closes still gets its answers (plain connections)."""
        if self._handshaking:
            self._held_eof = True
        elif not self.is_closing:
            self._peer_done = True
            self._guarded(self.on_eof)
        return not (self.is_closing or self.is_secure or self._handshaking)

    def pause_writing(self) -> None:
        """Too much is unsent: ``drained`` waits, and the sweep counts."""
        self._is_full = True
        self._stuck_since = self.context.clock.monotonic()

    def resume_writing(self) -> None:
        """Wake what waits in ``drained``."""
        self._is_full = False
        self._stuck_since = self.context.clock.monotonic() if self.is_closing else 0.0
        waiter, self._drained = self._drained, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        if self._open and not self.is_closing and not self._handshaking:
            self._guarded(self.on_writable)
            if self._peer_done and not self.is_closing:
                self._guarded(self.on_eof)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Clean up, once."""
        if self._finished:
            return
        self._finished = True
        was_open, self._open = self._open, False
        self._begin_end("lost" if exc is not None else "")
        self._release()
        waiter, self._drained = self._drained, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(ConnectionResetError("the connection is closed"))
            waiter.exception()  # whoever waits gets it too; nobody has to
        for task, kept in tuple(self._tasks.items()):
            if not kept:
                task.cancel()
        if was_open:
            self._guarded(self.on_closed)
        if self._admitted:
            self.telemetry.event(
                "door.closed",
                protocol=self.listener.protocol,
                peer=self.peer_host,
                seconds=round(self.context.clock.monotonic() - self._opened_at, 1),
                received=self.received,
                sent=self.sent,
                reason=self._end_reason or "peer",
            )
        self._transport = None

    # ---- time and draining ------------------------------------------------------------------------------------

    def on_sweep(self, now: float) -> None:
        """Look at the time limits: a stuck peer is cut, an idle one is told."""
        if self._stuck_since and now - self._stuck_since > self.settings.get(WRITE_TIMEOUT):
            self.telemetry.event("door.slow_reader", level="warning", seconds=round(now - self._stuck_since))
            self.abort("slow reader")
        elif self._open and not self.is_closing and not self._is_full and now - self._touched > self.idle_limit:
            self.telemetry.event("door.idle", seconds=round(now - self._touched))
            self._guarded(self.on_idle)

    def begin_drain(self) -> None:
        """Call ``on_drain`` where the door is open; cut it where it is still in a handshake."""
        if self._open:
            self._guarded(self.on_drain)
        else:
            self.abort("drain")

    # ---- inside -----------------------------------------------------------------------------------------------

    def _set_peer(self, peername: Any) -> None:
        if not isinstance(peername, tuple) or len(peername) < 2:
            self.is_loopback = True
            return
        host = str(peername[0])
        if host.startswith("::ffff:") and "." in host:
            host = host[7:]
        self.peer_host, self.peer_port = host, int(peername[1])
        self.is_loopback = host.startswith("127.") or host == "::1"

    def _refuse(self, reason: str) -> None:
        self.telemetry.event(
            "door.refused", level="warning", listener=self.listener.name, peer=self.peer_host, reason=reason
        )
        if self.listener.tls != "implicit":
            self.send(self.refusal(reason))
        self.close(reason)

    def _opened(self) -> None:
        self._open = True
        if self.telemetry.wants("debug"):
            self.telemetry.event(
                "door.opened",
                level="debug",
                listener=self.listener.name,
                protocol=self.listener.protocol,
                peer=self.peer_host,
            )
        self._guarded(self.on_open)

    def _begin_handshake(self, then: Callable[[], None]) -> None:
        assert self.context.tls is not None, "a listener with TLS has certificates"
        assert self._transport is not None
        self._handshaking = True
        # In place, not in a task of its own: start_tls changes the transport's protocol before it first waits, so
        # that no byte of the handshake, and none that was sent in the clear, can reach data_received in between.
        task = eager.run(
            self.loop,
            self._handshake(self._transport, self.context.tls.server_context, then),
            lambda _, error: self._failed(error) if isinstance(error, Exception) else None,
        )
        if task is not None:
            self._watch(task, kept=False)

    def _watch(self, task: asyncio.Task[Any], *, kept: bool) -> None:
        self._tasks[task] = kept
        task.add_done_callback(self._task_done)
        if self._finished and not kept:
            task.cancel()

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        del self._tasks[task]
        if self._peer_done and not self.is_closing:
            self._guarded(self.on_eof)

    async def _handshake(self, transport: asyncio.Transport, context: ssl.SSLContext, then: Callable[[], None]) -> None:
        try:
            secured = await self.loop.start_tls(
                transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=self.settings.get(HANDSHAKE_TIMEOUT),
                ssl_shutdown_timeout=_SHUTDOWN_TIMEOUT,
            )
        except Exception as error:  # ssl.SSLError, ConnectionError, TimeoutError: the peer's doing
            self._handshake_failed(transport, error)
            return
        self._handshaking = False
        if secured is None or self._finished or self.is_closing:
            transport.abort()
            return
        self._transport = secured
        self._transport.set_write_buffer_limits(WRITE_HIGH, WRITE_LOW)
        self._is_full, self._stuck_since = False, 0.0  # the transport that was told so is not ours any more
        self.is_secure = True
        self.touch()
        self._report_tls(secured)
        self._guarded(then)
        self._replay()

    def _handshake_failed(self, transport: asyncio.Transport, error: Exception) -> None:
        reason = getattr(error, "reason", None) or type(error).__name__
        self.telemetry.event("door.tls_failed", peer=self.peer_host, reason=str(reason))
        self._handshaking = False
        self._begin_end("tls failed")
        transport.abort()
        self.loop.call_soon(self.connection_lost, None)

    def _report_tls(self, transport: asyncio.Transport) -> None:
        if self.telemetry.wants("debug"):
            cipher = transport.get_extra_info("cipher") or ("", "", 0)
            self.telemetry.event("door.tls_started", level="debug", version=cipher[1], cipher=cipher[0])

    def _replay(self) -> None:
        held, self._held = self._held, []
        for data in held:
            self.data_received(data)
        if self._held_eof and not self.is_closing:
            self._peer_done = True
            self._guarded(self.on_eof)

    def _begin_end(self, reason: str) -> None:
        if not self.is_closing:
            self.is_closing = True
            self._end_reason = reason
            self._stuck_since = self.context.clock.monotonic()

    def _release(self) -> None:
        if self._admitted:
            self.context.limits.release(self.peer_host, exempt=self.is_loopback)
            self.context.sweep.doors.discard(self)

    def _guarded(self, call: Callable[..., None], *arguments: Any) -> None:
        try:
            call(*arguments)
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        trace = "".join(traceback.format_exception(error))
        self.telemetry.event("door.failed", level="error", error=type(error).__name__, trace=trace)
        self.abort("failed")
