"""One outgoing connection: an asyncio protocol that drives the SMTP client machine.

    dial: connect -> greeting, EHLO -> [STARTTLS, handshake, EHLO] -> handed to the lane
    lane: start(job) -> MAIL RCPT DATA -> content -> on_done(attempts) -> start(next job) | idle | quit

Octets in memory go out in one write; larger messages are read from the store in chunks, and the next chunk only when
the transport has room. Every job that was started ends in exactly one ``on_done``, whatever the peer, the network or
the store does: lost connections, timeouts (RFC 5321 §4.5.3.2) and errors of ours defer it. A connection that was
reused and is found dead before the peer answered MAIL reports the job as stale instead.

Not here: which host, when to try again. Tests: ``tests/unit/services/relay/test_courier.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from posthouse.core import limits, status
from posthouse.core.clock import Clock
from posthouse.core.outcome import Outcome, defer
from posthouse.protocols.smtp.client import SmtpClient
from posthouse.protocols.smtp.client_events import (
    TIMEOUTS,
    Authenticated,
    ClientConfig,
    Closed,
    DataWanted,
    Phase,
    ProtocolViolation,
    Ready,
    RecipientResult,
    Refused,
    TlsAccepted,
    TransactionDone,
)
from posthouse.protocols.smtp.masking import RelayMask
from posthouse.services.relay.hosts import NextHop
from posthouse.services.relay.job import Job
from posthouse.services.relay.outcomes import attempts_of, transaction_of
from posthouse.services.relay.pool import LaneEvents
from posthouse.store.contract import Store
from posthouse.telemetry.conversation import ConversationLog
from posthouse.telemetry.log import Telemetry, null_telemetry

TIMED_OUT = defer("Conversation timed out", detail_code=status.BAD_CONNECTION, rule="relay.timeout")
LEASE_ENDS = defer("Transmission took too long", detail_code=status.BAD_CONNECTION, rule="relay.lease")
CUT = defer("Server is stopping", detail_code=status.NOT_ACCEPTING, rule="relay.stop")
OWN_ERROR = defer("Local error in processing", rule="relay.internal")
LEASE_REST = 30.0  # seconds before the lease ends at which a transaction is cut

Step = Ready | TlsAccepted | Authenticated | Refused | Closed | ProtocolViolation


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionParts:
    """What all connections of a courier share."""

    store: Store
    clock: Clock
    hello_name: str
    on_error: Callable[[BaseException], None]
    telemetry: Telemetry = field(default_factory=null_telemetry)
    conversations: ConversationLog = field(default_factory=ConversationLog)


class RelayConnection(asyncio.Protocol):
    """Implements ``pool.Connection``.

    Attributes:
        hop: whom it leads to.
        client: the machine.
        is_usable: whether another transaction may be started when this one ends.
        sent: transactions started.
        idle_since: set by the lane.
    """

    def __init__(self, hop: NextHop, events: LaneEvents, parts: ConnectionParts) -> None:
        self.hop = hop
        self.client = SmtpClient(ClientConfig(hello_name=parts.hello_name))
        self.is_usable = False
        self.sent = 0
        self.idle_since = 0.0
        self._events = events
        self._parts = parts
        self._transport: asyncio.Transport | None = None
        self._job: Job | None = None
        self._step: asyncio.Future[Step] | None = None
        self._is_in_lane = False
        self._is_pumping = False
        self._stream: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._deadline = float("inf")
        self._mask: RelayMask | None = None  # where the conversation is logged

    # -- asyncio ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport: of the connection, or of TLS over it."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none of its subclasses
        parts = self._parts
        if parts.conversations.is_on:
            telemetry = parts.telemetry.bind(session=f"relay-{id(self):x}", relay=str(self.hop))
            tap = parts.conversations.open_tap(telemetry, "relay", self.hop.address, self.hop.port)
            self._mask = RelayMask(tap.report) if tap is not None else None

    def data_received(self, data: bytes) -> None:
        """Feed the machine."""
        if self._mask is not None:
            self._mask.on_received(data)
        self.client.receive_data(data)
        self.pump()

    def eof_received(self) -> bool:
        """The peer ended the stream; so do we."""
        self.client.receive_eof()
        self.pump()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Settle what is open, and tell the lane."""
        self.is_usable = False
        self.resume_writing()
        self.client.receive_eof()
        self.pump()
        if self._is_in_lane:
            self._is_in_lane = False
            self._events.on_closed(self)

    def pause_writing(self) -> None:
        """The peer reads slower than we send: the stream waits."""
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """There is room again."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    # -- for the dialer -----------------------------------------------------------------------------------------------

    def expect_step(self) -> asyncio.Future[Step]:
        """Return a future of the next thing that happens before the session is ready."""
        self._step = asyncio.get_running_loop().create_future()
        return self._step

    @property
    def transport(self) -> asyncio.Transport:
        """The transport; only while connected."""
        assert self._transport is not None
        return self._transport

    def tls_started(self, transport: asyncio.Transport) -> None:
        """Go on over TLS."""
        self._transport = transport
        self.client.tls_started()
        self.pump()

    def enter_lane(self) -> None:
        """The session is ready: from now on the lane is told when it ends."""
        self._step = None
        self._is_in_lane = True
        self.is_usable = self.client.is_ready

    # -- for the lane -------------------------------------------------------------------------------------------------

    def start(self, job: Job) -> None:
        """Begin a transaction."""
        self._job = job
        self.sent += 1
        try:
            self.client.begin(transaction_of(job))
        except Exception as error:  # a row that cannot be made into a transaction waits for its next attempt
            self._parts.on_error(error)
            self._job = None
            self.is_usable = self.client.is_ready
            asyncio.get_running_loop().call_soon(self._events.on_done, self, job, job.all(OWN_ERROR))
            return
        self.pump()

    def quit(self) -> None:
        """Say QUIT; the peer's answer, or ten seconds, end it."""
        self.is_usable = False
        self.client.quit()
        self.pump()

    def abort(self) -> None:
        """Cut the connection; the job under way is due again at once and counts no attempt."""
        job, self._job = self._job, None
        self._give_up(CUT)
        if job is not None:
            self._events.on_done(self, job, job.all(CUT, counts=False, not_before=self._parts.clock.now()))

    def check(self, now: float) -> None:
        """Cut a session that has waited too long, or a transaction whose lease ends."""
        if now >= self._deadline:
            self._give_up(TIMED_OUT)
        elif self._job is not None and self._parts.clock.now() >= self._job.lease_until - LEASE_REST:
            self._give_up(LEASE_ENDS)

    # -- the machine --------------------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Act on all events, then send what is to be sent."""
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            while (event := self.client.next_event()) is not None:
                handler = _HANDLERS.get(type(event))
                if handler is not None:
                    handler(self, event)
        except Exception as error:
            self._parts.on_error(error)
            self._is_pumping = False
            self._give_up(OWN_ERROR)
            return
        self._is_pumping = False
        self._flush()

    def _flush(self) -> None:
        data = self.client.data_to_send()
        if data and self._transport is not None:
            if self._mask is not None:
                self._mask.on_sent(data)
            self._transport.write(data)
        phase = self.client.phase
        is_idle = phase is Phase.READY and self._job is None
        self._deadline = float("inf") if is_idle else self._parts.clock.monotonic() + TIMEOUTS[phase]

    def _on_step(self, event: Step) -> None:
        step, self._step = self._step, None
        if step is not None and not step.done():
            step.set_result(event)

    def _on_end(self, event: Closed | ProtocolViolation) -> None:
        self.is_usable = False
        self._on_step(event)
        if self._transport is not None:
            self._transport.close()

    def _on_data_wanted(self, _event: DataWanted) -> None:
        job = self._job
        if job is None:
            return
        if self._mask is not None:
            self._mask.begin_content()
        if job.content is not None:
            self.client.send_content(job.content)
            self.client.end_content()
            return
        self._stream = asyncio.get_running_loop().create_task(self._send_stored(job))

    async def _send_stored(self, job: Job) -> None:
        try:
            offset = 0
            body = job.rows[0].body
            while piece := await self._parts.store.read_body(body, offset, limits.BODY_CHUNK):
                offset += len(piece)
                self.client.send_content(piece)
                self._flush()
                if self._room is not None:
                    await self._room
                if self.client.phase is not Phase.CONTENT:
                    return
            if offset != job.size:
                raise ValueError(f"the body has {offset} octets, {job.size} were expected")
            self.client.end_content()
            self.pump()
        except Exception as error:
            # The end of data is never sent: what the peer has is thrown away with the connection.
            self._parts.on_error(error)
            self._give_up(OWN_ERROR)
        finally:
            self._stream = None

    def _on_done(self, event: TransactionDone) -> None:
        job, self._job = self._job, None
        self.is_usable = self.client.is_ready
        if job is None:
            return  # cut: the job was reported already
        if self.sent > 1 and _is_stale(event.results):
            self._events.on_done(self, job, None)
            return
        extensions = self.client.capabilities.extensions
        self._events.on_done(self, job, attempts_of(job, event.results, self.hop, extensions))

    def _give_up(self, outcome: Outcome) -> None:
        self.is_usable = False
        self.client.receive_eof(outcome)
        self.pump()
        if self._transport is not None:
            self._transport.abort()


def _is_stale(results: tuple[RecipientResult, ...]) -> bool:
    """Whether the peer was gone, or went (421), before it answered MAIL: nothing was tried."""
    return all(
        result.phase is Phase.MAIL and (result.reply.code == 421 or (result.is_local and result.reply.code == 451))
        for result in results
    )


_HANDLERS: dict[type, Callable[[RelayConnection, Any], None]] = {
    Ready: RelayConnection._on_step,  # noqa: SLF001  (the table of this class)
    TlsAccepted: RelayConnection._on_step,  # noqa: SLF001
    Authenticated: RelayConnection._on_step,  # noqa: SLF001
    Refused: RelayConnection._on_step,  # noqa: SLF001
    Closed: RelayConnection._on_end,  # noqa: SLF001
    ProtocolViolation: RelayConnection._on_end,  # noqa: SLF001
    DataWanted: RelayConnection._on_data_wanted,  # noqa: SLF001
    TransactionDone: RelayConnection._on_done,  # noqa: SLF001
}
