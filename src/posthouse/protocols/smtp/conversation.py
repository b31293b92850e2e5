"""What an SMTP server session knows and says: state, replies, events, counts of errors (RFC 5321 §4.2, §4.3.2).

The base of ``session.SmtpSession``, which reads; here is what comes of it. Invariants: after ``_end`` nothing is read,
said or asked any more; ConnectionEnding is the last event; refusals and idle commands are counted, and too many of
them end the session. Tests: ``tests/unit/protocols/smtp/test_smtp_session.py``.
"""

from __future__ import annotations

from collections import deque

from posthouse.core.envelope import Envelope
from posthouse.core.outcome import Outcome
from posthouse.core.status import Detail
from posthouse.protocols.smtp import words
from posthouse.protocols.smtp.lines import ReceiveBuffer
from posthouse.protocols.smtp.reply import format_outcome
from posthouse.protocols.smtp.states import State
from posthouse.protocols.smtp.transaction import Transaction
from posthouse.protocols.smtp.types import (
    AbuseKind,
    ConnectionEnding,
    Event,
    Extension,
    ProtocolAbuse,
    SessionConfig,
    TransactionReset,
)


class Conversation:
    """One connection as far as it has gone.

    Attributes:
        config: of the listener.
        hello_name: what the client calls itself, "" before EHLO.
        is_esmtp: whether it said EHLO or LHLO, not HELO.
        is_tls: whether TLS is active.
        is_authenticated: whether AUTH succeeded.
        state: for logs and tests.
    """

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.hello_name = ""
        self.is_esmtp = False
        self.is_tls = config.tls_active
        self.is_authenticated = False
        self.state = State.FRESH
        self._buffer = ReceiveBuffer()
        self._events: deque[Event] = deque()
        self._out: list[bytes] = []
        self._pending: Event | None = None
        self._transaction: Transaction | None = None
        self._errors = 0
        self._junk = 0
        self._is_enhanced = Extension.ENHANCED_STATUS_CODES in config.extensions

    def data_to_send(self) -> bytes:
        """Return, once, the octets that are to be sent."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    @property
    def is_full(self) -> bool:
        """Whether the door should stop reading until events were taken."""
        return len(self._buffer) >= self.config.receive_buffer

    @property
    def is_closed(self) -> bool:
        """Whether the session is over; ConnectionEnding was given or is among the next events."""
        return self.state is State.CLOSED

    @property
    def is_in_transaction(self) -> bool:
        """Whether MAIL was granted and the transaction has not ended."""
        return self._transaction is not None

    @property
    def envelope(self) -> Envelope:
        """The open transaction's envelope with the recipients granted; valid until DataEnded is answered."""
        assert self._transaction is not None
        return self._transaction.envelope

    @property
    def with_protocol(self) -> str:
        """The ``with`` word of the Received line (RFC 3848, RFC 6531 §4.3)."""
        if not self.is_esmtp:
            return "SMTP"
        name = "LMTP" if self.config.is_lmtp else "ESMTP"
        if self._transaction is not None and self._transaction.parameters.smtputf8:
            name = "UTF8LMTP" if self.config.is_lmtp else "UTF8SMTP"
        return name + ("S" if self.is_tls else "") + ("A" if self.is_authenticated else "")

    def _say(self, outcome: Outcome, detail: Detail | None = None) -> None:
        self._out.append(format_outcome(outcome, detail, enhanced=self._is_enhanced))

    def _refuse(self, outcome: Outcome) -> None:
        """Say a refusal; permanent ones are counted, as they show a client that guesses (Postfix hard error limit)."""
        if self.state is State.CLOSED:
            return
        self._say(outcome)
        if outcome.is_permanent:
            self._errors += 1
            if self._errors >= self.config.error_limit:
                self._abuse(AbuseKind.TOO_MANY_ERRORS, words.TOO_MANY_ERRORS)

    def _count_junk(self) -> bool:
        """Count a command that moves no mail; return whether the session goes on."""
        self._junk += 1
        if self._junk > self.config.junk_limit:
            self._abuse(AbuseKind.TOO_MUCH_JUNK, words.TOO_MUCH_JUNK)
        return self.state is not State.CLOSED

    def _ask(self, request: Event) -> None:
        self._pending = request
        self._events.append(request)

    def _drop_transaction(self) -> None:
        self._transaction = None
        self.state = State.READY if self.hello_name else State.CONNECTED

    def _reset(self) -> None:
        """End the transaction, if there is one, before its data did."""
        if self._transaction is not None:
            self._events.append(TransactionReset())
        self._drop_transaction()

    def _abuse(self, kind: AbuseKind, outcome: Outcome) -> None:
        self._events.append(ProtocolAbuse(kind))
        self._end(outcome)

    def _end(self, outcome: Outcome, *, is_quit: bool = False) -> None:
        if self.state is State.CLOSED:
            return
        self._say(outcome)
        if self._events and self._events[-1] is self._pending:
            self._events.pop()  # a request nobody has seen yet is not made any more
        self._pending = None
        self._transaction = None
        self._buffer.clear()
        self.state = State.CLOSED
        self._events.append(ConnectionEnding(is_quit=is_quit))
