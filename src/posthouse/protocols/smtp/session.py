"""The server's side of an SMTP or LMTP connection: octets in, events and replies out (RFC 5321 §4, RFC 2033).

Role: the state machine. It decides what the protocol decides (order, syntax, limits) and asks for everything else by
events; ``types`` says how a door uses it. ``STATES`` is the automaton:

    FRESH --greet--> CONNECTED --EHLO--> READY --MAIL--> MAIL --RCPT--> RCPT --DATA--> DATA --CRLF.CRLF--> READY
                         ^                 |                             |---BDAT--> CHUNK <-> CHUNKS --LAST--> READY
                         '-----STARTTLS----'--AUTH--> AUTH --235--> READY            RSET, EHLO: READY
    any --QUIT, 421--> CLOSED

Invariants: nothing is raised at the peer; while a request waits for its answer no octet behind it is read; octets
behind STARTTLS are dropped (RFC 3207 §4.2, CVE-2011-0411); octets behind DATA before 354 end the session; the data of
one message never becomes commands. A transaction is one object and reset means dropping it.

Not here: who may send what to whom, timeouts, sockets. Tests: ``tests/dialogues/smtp``, fuzz target ``smtp_session``,
``tests/unit/protocols/smtp/test_smtp_session.py``, ``tests/property/test_smtp_any_split.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from posthouse.core import limits
from posthouse.core.address import Address
from posthouse.core.envelope import MailParameters, RcptParameters, Recipient
from posthouse.core.errors import Fault, SyntaxFault
from posthouse.core.outcome import Outcome
from posthouse.protocols.masking import Observer
from posthouse.protocols.sasl.exchange import KNOWN_MECHANISMS, ServerExchange, format_challenge
from posthouse.protocols.sasl.mechanism import Cancelled, Challenge, CredentialsOffered, Step
from posthouse.protocols.smtp import grammar, words
from posthouse.protocols.smtp.conversation import Conversation
from posthouse.protocols.smtp.extensions import ehlo_lines
from posthouse.protocols.smtp.extensions.chunking import Chunk, parse_chunk
from posthouse.protocols.smtp.lines import LineFault, ObservedBuffer
from posthouse.protocols.smtp.reply import format_reply
from posthouse.protocols.smtp.states import BEFORE_TLS, STATES, State
from posthouse.protocols.smtp.transaction import Transaction
from posthouse.protocols.smtp.types import (
    AbuseKind,
    DataChunk,
    DataEnded,
    DataRefused,
    DataRequested,
    Event,
    Extension,
    HelloReceived,
    MailRequested,
    ProtocolAbuse,
    RcptRequested,
    SessionConfig,
    StartTlsRequested,
)

_HTTP = frozenset({b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT"})
_LINE_FAULTS = {
    LineFault.TOO_LONG: words.LINE_TOO_LONG,
    LineFault.BARE_NEWLINE: words.BARE_NEWLINE,
    LineFault.NUL: words.NUL_IN_COMMAND,
}
_TLS_HELLO = b"\x16\x03"  # a handshake record (RFC 8446 §5.1) in a clear port; it has no line to answer
_FLOOD = 4  # times config.receive_buffer: no door that heeds is_full gets here


class SmtpSession(Conversation):
    """The server's side of one connection; see ``Conversation`` for its attributes."""

    def __init__(self, config: SessionConfig) -> None:
        super().__init__(config)
        self._chunk: Chunk | None = None
        self._exchange: ServerExchange | None = None
        self._refusal: Outcome | None = None  # what is said once the client has read why (RFC 7628 §3.2.3)
        self._closing: Outcome | None = None  # said as soon as the pending answer is given
        self._line_limit = max(config.command_line, limits.SMTP_AUTH_LINE if config.mechanisms else 0)

    # --- what the door does

    def greet(self) -> None:
        """Queue the greeting. Octets that came before it are read after it, and told as abuse."""
        if self.state is not State.FRESH:
            return
        if len(self._buffer):
            self._events.append(ProtocolAbuse(AbuseKind.EARLY_TALKER))
        kind = b"LMTP" if self.config.is_lmtp else b"ESMTP"
        words_of_greeting = (self.config.hostname.encode(), kind, self.config.banner.encode())
        self._out.append(b"220 %b\r\n" % b" ".join(words_of_greeting).rstrip())
        self.state = State.CONNECTED

    def observe(self, observer: Observer) -> None:
        """Tell an observer what is read from now on; before anything was received."""
        self._buffer = ObservedBuffer(observer, lambda: self._exchange is not None)

    def refuse(self, outcome: Outcome) -> None:
        """Queue a refusal (554 or 421) in place of the greeting, and end (RFC 5321 §3.1)."""
        self._end(outcome)

    def receive_data(self, data: bytes) -> None:
        """Take octets from the peer; they are read by ``next_event``."""
        if self.state is State.CLOSED:
            return
        if type(self._pending) is StartTlsRequested:
            if data and not self._events:
                self._events.append(ProtocolAbuse(AbuseKind.BYTES_BEFORE_TLS))
            return
        if len(self._buffer) >= _FLOOD * self.config.receive_buffer:
            self._abuse(AbuseKind.FLOOD, words.FLOOD)
            return
        self._buffer.append(data)

    def next_event(self) -> Event | None:
        """Return the next event; None while octets or an answer are awaited."""
        events = self._events
        while not events:
            if self._pending is not None or not self._step():
                return None
        return events.popleft()

    def shutdown(self) -> None:
        """Say 421 4.3.2 and end; where a request waits for its answer, after that answer (RFC 5321 §3.8)."""
        self._close_with(words.SHUTTING_DOWN)

    def time_out(self) -> None:
        """Say 421 4.4.2 and end: the peer was silent too long (RFC 5321 §4.5.3.2.7)."""
        self._close_with(words.TIMED_OUT)

    def _close_with(self, outcome: Outcome) -> None:
        if self.state is State.CLOSED:
            return
        if type(self._pending) in {MailRequested, RcptRequested, DataRequested, DataEnded}:
            self._closing = outcome
        else:
            self._end(outcome)

    # --- answers of the services

    def answer(self, outcome: Outcome) -> None:
        """Answer MailRequested, RcptRequested, DataRequested or DataEnded; nothing where the session has ended.

        An outcome with code 421 is sent and ends the session. Raises ValueError: where ``next_event`` has not given the
        request yet, since a 250 before anybody saw the message would lose it.
        """
        pending = self._pending
        if pending is None:
            return
        if outcome.code == 421:
            self._end(outcome)
            return
        if self._events and self._events[-1] is pending:
            raise ValueError("an answer to a request that was not taken yet")
        self._pending = None
        match pending:
            case RcptRequested(address=address, parameters=parameters):
                self._answer_rcpt(address, parameters, outcome)
            case MailRequested(reverse_path=reverse_path, parameters=mail_parameters):
                self._answer_mail(reverse_path, mail_parameters, outcome)
            case DataRequested(is_chunked=is_chunked):
                self._answer_data(outcome, is_chunked=is_chunked)
            case DataEnded():
                self._answer_end([outcome] * self._replies_at_end)
            case _:
                self._pending = pending
        self._after_answer()

    def answer_recipients(self, outcomes: Sequence[Outcome]) -> None:
        """Answer DataEnded in LMTP: an outcome for each recipient granted, in order (RFC 2033 §4.2)."""
        if type(self._pending) is not DataEnded:
            return
        if len(outcomes) != self._replies_at_end:
            raise ValueError(f"{self._replies_at_end} recipients, {len(outcomes)} outcomes")
        self._pending = None
        self._answer_end(outcomes)
        self._after_answer()

    def answer_auth(self, outcome: Outcome) -> None:
        """Answer CredentialsOffered: 235 where granted, else the outcome's code, 535 mostly (RFC 4954 §6)."""
        if type(self._pending) is not CredentialsOffered:
            return
        self._pending = None
        if outcome.code == 421:
            self._end(outcome)
        elif outcome.is_done:
            self.is_authenticated = True
            self._say(words.AUTHENTICATED)
        elif self._exchange is not None and (why := self._exchange.refusal) is not None and not outcome.is_temporary:
            self._refusal = outcome
            self.state = State.AUTH
            self._out.append(b"334 %b\r\n" % format_challenge(why))
        else:
            self._refuse(outcome)
        if self._refusal is None:
            self._exchange = None
        self._after_answer()

    def tls_started(self) -> None:
        """Say that the handshake is done: all knowledge of the client is forgotten (RFC 3207 §4.2)."""
        self._pending = None
        self._buffer.clear()
        self.is_tls = True
        self.is_esmtp = self.is_authenticated = False
        self.hello_name = ""
        self.state = State.CONNECTED

    def _answer_mail(self, reverse_path: Address | None, parameters: MailParameters, outcome: Outcome) -> None:
        if not outcome.is_done:
            self._refuse(outcome)
            return
        self._transaction = Transaction(reverse_path, parameters)
        self.state = State.MAIL
        self._say(outcome, words.ORIGINATOR_VALID)

    def _answer_rcpt(self, address: Address, parameters: RcptParameters, outcome: Outcome) -> None:
        if not outcome.is_done:
            self._refuse(outcome)
            return
        assert self._transaction is not None
        self._transaction.recipients.append(Recipient(address, parameters))
        self.state = State.RCPT
        self._say(outcome, words.RECIPIENT_VALID)

    def _answer_data(self, outcome: Outcome, *, is_chunked: bool) -> None:
        transaction = self._transaction
        assert transaction is not None
        if is_chunked:
            if outcome.is_done:
                transaction.open_chunks(self.config)
            elif self._chunk is not None:
                self._chunk.refusal = outcome
        elif not outcome.is_done:
            self._reset()
            self._refuse(outcome)
        elif len(self._buffer):
            self._abuse(AbuseKind.EARLY_DATA, words.EARLY_DATA)
        else:
            transaction.open_data(self.config)
            self.state = State.DATA
            self._out.append(b"354 End data with <CR><LF>.<CR><LF>\r\n")

    @property
    def _replies_at_end(self) -> int:
        return len(self._transaction.recipients) if self.config.is_lmtp and self._transaction is not None else 1

    def _answer_end(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._say(outcome)
            if outcome.is_done:
                self._errors = self._junk = 0
        self._drop_transaction()

    def _after_answer(self) -> None:
        if self._closing is not None and self.state is not State.CLOSED:
            self._end(self._closing)

    # --- reading

    def _step(self) -> bool:
        """Read one command or one piece of content; return False where there is nothing to read."""
        state = self.state
        if state is State.DATA:
            return self._read_data()
        if state is State.CHUNK:
            return self._read_chunk()
        if state is State.FRESH or state is State.CLOSED:
            return False
        if state is State.CONNECTED and self._buffer.starts_with(_TLS_HELLO):
            self._abuse(AbuseKind.NOT_SMTP, words.NOT_SMTP)
            return True
        line = self._buffer.next_line(self._line_limit)
        if line is None:
            return False
        if isinstance(line, LineFault):
            self._refuse_line(line)
        elif self._refusal is not None:
            self._refuse_at_last(self._refusal)
        elif state is State.AUTH:
            assert self._exchange is not None
            self._take_auth_step(self._exchange.receive(line))
        else:
            self._command(line)
        return True

    def _command(self, line: bytes) -> None:
        verb, _, arguments = line.partition(b" ")
        verb = verb.upper()
        if len(line) + 2 > self.config.command_line and verb != b"AUTH":
            self._refuse_line(LineFault.TOO_LONG)
            return
        do = _DISPATCH[self.state].get(verb)
        if do is None:
            self._unknown(verb)
        elif self.config.requires_tls and not self.is_tls and verb not in BEFORE_TLS:
            self._refuse(words.TLS_REQUIRED)
            if verb == b"BDAT":  # its octets cannot be told from commands any more
                self._abuse(AbuseKind.BAD_CHUNK, words.BAD_CHUNK)
        else:
            do(self, verb, arguments.rstrip())

    def _unknown(self, verb: bytes) -> None:
        if verb in _HTTP and self.state is State.CONNECTED:
            self._abuse(AbuseKind.NOT_SMTP, words.NOT_SMTP)
        else:
            self._refuse(words.UNKNOWN_COMMAND)

    def _refuse_line(self, fault: LineFault) -> None:
        if fault is LineFault.ENDLESS:
            self._abuse(AbuseKind.LONG_LINE, words.ENDLESS_LINE)
            return
        reply = _LINE_FAULTS[fault]
        if self.state is State.AUTH:
            self._exchange = self._refusal = None
            self.state = State.READY
            if fault is LineFault.TOO_LONG:
                reply = words.AUTH_LINE_TOO_LONG  # RFC 4954 §6: 5.5.6 is for these lines alone
        kind = AbuseKind.LONG_LINE if fault is LineFault.TOO_LONG else AbuseKind.BARE_NEWLINE
        self._events.append(ProtocolAbuse(kind))
        self._refuse(reply)

    def _read_data(self) -> bool:
        if not len(self._buffer):
            return False
        assert self._transaction is not None
        assert self._transaction.data is not None
        data = self._buffer.take()
        content, used = self._transaction.data.feed(data)
        if content:
            self._events.append(DataChunk(content))
        if used >= 0:
            if used < len(data):
                self._buffer.restore(data[used:])
            gate = self._transaction.data.gate
            self._end_of_content(gate.fault, gate.size)
        return True

    def _read_chunk(self) -> bool:
        chunk = self._chunk
        assert chunk is not None
        if chunk.left and not len(self._buffer):
            return False
        data = self._buffer.take(chunk.left)
        chunk.left -= len(data)
        receiver = self._transaction.chunks if self._transaction is not None and chunk.refusal is None else None
        if receiver is not None:
            content = receiver.feed(data, is_end=chunk.is_last and not chunk.left)
            if content:
                self._events.append(DataChunk(content))
        if not chunk.left:
            self._chunk = None
            self._end_of_chunk(chunk)
        return True

    def _end_of_chunk(self, chunk: Chunk) -> None:
        """Reply to a BDAT that was read over (RFC 3030 §2); after a failure the transaction is over."""
        if chunk.refusal is not None:
            self._reset()
            self._refuse(chunk.refusal)
            return
        assert self._transaction is not None
        assert self._transaction.chunks is not None
        gate = self._transaction.chunks.gate
        if chunk.is_last or gate.fault is not None:
            self._end_of_content(gate.fault, gate.size)
        else:
            self.state = State.CHUNKS
            self._say(words.chunk_received(chunk.size))

    def _end_of_content(self, fault: Outcome | None, size: int) -> None:
        if fault is None:
            self._ask(DataEnded(size))
            return
        if fault.rule == "smtp.bare_newline":
            self._events.append(ProtocolAbuse(AbuseKind.BARE_NEWLINE))
        replies = self._replies_at_end
        self._drop_transaction()
        self._events.append(DataRefused(fault))
        for _ in range(replies - 1):
            self._say(fault)
        self._refuse(fault)

    # --- commands

    def _do_hello(self, verb: bytes, arguments: bytes) -> None:
        if (verb == b"LHLO") is not self.config.is_lmtp:  # RFC 2033 §4.1
            self._refuse(words.LHLO_ONLY if self.config.is_lmtp else words.UNKNOWN_COMMAND)
            return
        try:
            name = grammar.hello_name(arguments)
        except SyntaxFault:
            self._refuse(words.LHLO_SYNTAX if self.config.is_lmtp else words.HELLO_SYNTAX)
            return
        if self.hello_name and not self._count_junk():
            return
        self._reset()
        self.hello_name = name
        self.is_esmtp = verb != b"HELO"
        self.state = State.READY
        if self.is_esmtp:
            self._out.append(format_reply(250, ehlo_lines(self.config, is_tls=self.is_tls)))
        else:
            self._out.append(b"250 %b\r\n" % self.config.hostname.encode())
        self._events.append(HelloReceived(name, verb.decode()))

    def _do_mail(self, _verb: bytes, arguments: bytes) -> None:
        try:
            reverse_path, parameters = grammar.mail_arguments(arguments, self.config)
        except Fault as fault:
            self._refuse(fault.outcome)
            return
        if parameters.size is not None and 0 < self.config.max_size < parameters.size:
            self._refuse(words.SIZE_TOO_LARGE)
            return
        self._ask(MailRequested(reverse_path, parameters))

    def _do_rcpt(self, _verb: bytes, arguments: bytes) -> None:
        transaction = self._transaction
        assert transaction is not None
        if len(transaction.recipients) >= self.config.max_recipients:
            self._refuse_surplus(transaction)
            return
        try:
            is_utf8 = transaction.parameters.smtputf8
            address, parameters = grammar.rcpt_arguments(arguments, self.config, is_utf8=is_utf8)
        except Fault as fault:
            self._refuse(fault.outcome)
            return
        self._ask(RcptRequested(address, parameters))

    def _refuse_surplus(self, transaction: Transaction) -> None:
        """Say 452 4.5.3; a client that goes on regardless is cut off (RFC 5321 §4.5.3.1.10)."""
        transaction.surplus += 1
        self._say(words.TOO_MANY_RECIPIENTS)
        if transaction.surplus > limits.SMTP_RECIPIENT_OVERSHOOT:
            self._abuse(AbuseKind.TOO_MANY_ERRORS, words.TOO_MANY_ERRORS)

    def _do_data(self, _verb: bytes, arguments: bytes) -> None:
        if arguments:
            self._refuse(words.NO_ARGUMENTS)
        else:
            self._ask(DataRequested(is_chunked=False))

    def _do_bdat(self, _verb: bytes, arguments: bytes) -> None:
        if Extension.CHUNKING not in self.config.extensions:
            self._abuse(AbuseKind.BAD_CHUNK, words.NOT_IMPLEMENTED)
            return
        chunk = parse_chunk(arguments)
        if chunk is None:
            self._abuse(AbuseKind.BAD_CHUNK, words.BAD_CHUNK)
            return
        self._chunk = chunk
        if self.state is State.RCPT:
            self._ask(DataRequested(is_chunked=True))
        elif self.state is State.MAIL:
            chunk.refusal = words.NO_VALID_RECIPIENTS
        elif self.state is not State.CHUNKS:
            chunk.refusal = words.MAIL_FIRST if self.hello_name else words.HELLO_FIRST
        self.state = State.CHUNK

    def _do_rset(self, _verb: bytes, arguments: bytes) -> None:
        if arguments:
            self._refuse(words.NO_ARGUMENTS)
            return
        if self._transaction is None and not self._count_junk():
            return
        self._reset()
        self._say(words.OK)

    def _do_noop(self, _verb: bytes, _arguments: bytes) -> None:
        if self._count_junk():
            self._say(words.OK)

    def _do_help(self, _verb: bytes, _arguments: bytes) -> None:
        if self._count_junk():
            self._say(words.HELP)

    def _do_vrfy(self, _verb: bytes, arguments: bytes) -> None:
        if self._count_junk():
            self._say(words.CANNOT_VERIFY if arguments else words.VRFY_SYNTAX)

    def _do_quit(self, _verb: bytes, arguments: bytes) -> None:
        if arguments:
            self._refuse(words.NO_ARGUMENTS)
        else:
            self._end(words.BYE, is_quit=True)

    def _do_starttls(self, _verb: bytes, arguments: bytes) -> None:
        if Extension.STARTTLS not in self.config.extensions or not self.config.offers_tls:
            self._refuse(words.NOT_IMPLEMENTED)
        elif self.is_tls:
            self._refuse(words.TLS_ALREADY)
        elif arguments:
            self._refuse(words.NO_ARGUMENTS)
        else:
            if len(self._buffer):
                self._events.append(ProtocolAbuse(AbuseKind.BYTES_BEFORE_TLS))
                self._buffer.clear()
            self._say(words.START_TLS)
            self._ask(StartTlsRequested())

    def _do_auth(self, _verb: bytes, arguments: bytes) -> None:
        """Read ``"AUTH" SP sasl-mech [SP initial-response]`` (RFC 4954 §4)."""
        name, _, initial = arguments.partition(b" ")
        mechanism = name.decode("ascii", "replace").upper()
        if not self.config.mechanisms or Extension.AUTH not in self.config.extensions:
            self._refuse(words.NOT_IMPLEMENTED)
        elif self.is_authenticated:
            self._refuse(words.AUTHENTICATED_ALREADY)
        elif not name:
            self._refuse(words.AUTH_SYNTAX)
        elif mechanism not in self.config.mechanisms or mechanism not in KNOWN_MECHANISMS:
            self._refuse(words.UNKNOWN_MECHANISM)
        elif mechanism not in self.config.mechanisms_offered(tls_active=self.is_tls):
            self._refuse(words.MECHANISM_NEEDS_TLS)
        else:
            self._exchange = ServerExchange(mechanism)
            self.state = State.AUTH
            self._take_auth_step(self._exchange.begin(initial or None))

    def _take_auth_step(self, step: Step) -> None:
        if isinstance(step, Challenge):
            self._out.append(b"334 %b\r\n" % format_challenge(step))
            return
        self.state = State.READY
        if isinstance(step, CredentialsOffered):
            self._ask(step)
        else:
            self._exchange = None
            self._refuse(words.AUTH_CANCELLED if isinstance(step, Cancelled) else words.AUTH_MALFORMED)

    def _refuse_at_last(self, outcome: Outcome) -> None:
        """Refuse credentials now that the client has answered the challenge that said why."""
        self._exchange = self._refusal = None
        self.state = State.READY
        self._refuse(outcome)


_Do: TypeAlias = Callable[[SmtpSession, bytes, bytes], None]


def _resolve(rule: str | Outcome) -> _Do:
    """Make a rule of ``STATES`` callable: the method of that name, or the refusal."""
    if isinstance(rule, str):
        method: _Do = getattr(SmtpSession, rule)
        return method
    return lambda session, _verb, _arguments: session._refuse(rule)  # noqa: SLF001  (one class, one file)


_DISPATCH: dict[State, dict[bytes, _Do]] = {
    state: {verb: _resolve(rule) for verb, rule in rules.items()} for state, rules in STATES.items()
}
