r"""The IMAP server's side of one connection, as a machine over bytes (RFC 3501 §3, §5).

    NOT_AUTHENTICATED --authenticated--> AUTHENTICATED <--unselected / selected--> SELECTED; any --bye, LOGOUT--> LOGOUT

    phase  READING   the next command is read
           WAITING   an event that pauses was handed out; pipelined octets stay in the wire until ``complete``
           SASL      lines of AUTHENTICATE are read
           IDLING    only DONE is read
           APPENDING octets of a message are handed on, then the end of the command is awaited
           ENDED     nothing is read

The session answers alone what needs no mailbox: CAPABILITY, NAMESPACE, ID, ENABLE, LOGOUT, STARTTLS, wrong states and
malformed commands. It never raises at the peer. It does not know what mailboxes hold: the driver sends untagged
responses (``format``) and completes the tag. Passwords pass through in events and are kept nowhere.
Tests: ``tests/unit/protocols/imap/test_imap_session.py``, ``tests/property/test_imap_properties.py``,
``tests/dialogues/imap``.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable

from posthouse.core import limits
from posthouse.core.errors import Fault, LimitFault, SyntaxFault
from posthouse.protocols.imap import alone, capabilities
from posthouse.protocols.imap.commands.table import COMMANDS, Rule, enables_condstore
from posthouse.protocols.imap.grammar.strings import TAG
from posthouse.protocols.imap.types import commands, events
from posthouse.protocols.imap.types.events import Event
from posthouse.protocols.imap.types.state import BAD, NO, OK, Condition, SessionConfig, State
from posthouse.protocols.imap.wire import (
    BadLine,
    Continue,
    Flooded,
    MessageLiteral,
    ObservedWire,
    TooBig,
    Wire,
    WireObserver,
)
from posthouse.protocols.sasl.exchange import ServerExchange, format_challenge
from posthouse.protocols.sasl.mechanism import Cancelled, Challenge, CredentialsOffered, Step

_HELD_WHILE_WAITING = 256 * limits.KIB
_HELD_ANSWERS = 256  # pieces of output
_HELD_OCTETS = 64 * limits.KIB
_LONGEST_DONE = 64
_CONTINUE = b"+ OK\r\n"


class _Phase(enum.Enum):
    READING = 1
    WAITING = 2
    SASL = 3
    IDLING = 4
    APPENDING = 5
    ENDED = 6


class ImapSession:
    """The server's side of one connection.

    Attributes:
        state: where the session is (RFC 3501 §3).
        condstore: whether FETCH responses must carry MODSEQ from now on (RFC 7162 §3.1).
        is_tls: whether the connection is under TLS.
        read_only: whether the selected mailbox is.
    """

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.state = State.NOT_AUTHENTICATED
        self.condstore = False
        self.is_tls = config.tls_active
        self.read_only = False
        self._wire = Wire()
        self._out: list[bytes] = []
        self._bulk = 0  # octets of untagged responses in it; what the session says alone is short
        self._events: deque[Event] = deque()
        self._phase = _Phase.READING
        self._tag = b""  # of the command that is not completed
        self._message: MessageLiteral | None = None  # offered by APPEND and not yet accepted
        self._exchange: ServerExchange | None = None
        self._refusal: tuple[Condition, bytes, bytes | None] | None = None  # said once the client has read why
        self._idle_broken = False  # whether IDLE was ended by something that is not DONE
        self._bad_commands = 0

    # -- output -----------------------------------------------------------------------------------------------------

    def data_to_send(self) -> bytes:
        """Return and forget the bytes that are to be sent."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        self._bulk = 0
        return data

    @property
    def is_held(self) -> bool:
        """Whether so much is to be sent that no command is read until it was taken by ``data_to_send``.

        A few octets can ask for megabytes; without this, pipelined commands would fill the memory with answers.
        """
        return len(self._out) >= _HELD_ANSWERS or self._bulk >= _HELD_OCTETS

    def untagged(self, data: bytes) -> None:
        r"""Queue whole untagged responses, ready-made, each with its ``* `` and CRLF. b"" is nothing."""
        if data:
            self._out.append(data)
            self._bulk += len(data)

    def continuation(self, text: bytes) -> None:
        """Queue ``+ text``."""
        self._out.append(b"+ %b\r\n" % text)

    def _tagged(self, tag: bytes, condition: Condition, text: bytes, code: bytes | None = None) -> None:
        if code is None:
            self._out.append(b"%b %b %b\r\n" % (tag, condition.value, text))
        else:
            self._out.append(b"%b %b [%b] %b\r\n" % (tag, condition.value, code, text))

    # -- what the driver says ---------------------------------------------------------------------------------------

    def greet(self) -> None:
        """Queue ``* OK [CAPABILITY ...] greeting``."""
        self._out.append(
            b"* OK [%b] %b\r\n" % (self.capability_code(), self.config.greeting.encode("ascii", "replace"))
        )

    def observe(self, observer: WireObserver) -> None:
        """Tell an observer what is read from now on; before anything was received."""
        self._wire = ObservedWire(observer, lambda: self._exchange is not None)

    def refuse(self, text: bytes) -> None:
        """Queue ``* BYE text`` instead of a greeting, and end."""
        self._end(b"* BYE %b\r\n" % text, "refused")

    def bye(self, text: bytes) -> None:
        """Queue ``* BYE text`` and end: the server stops, or the client was silent too long."""
        if self._phase is not _Phase.ENDED:
            self._end(b"* BYE %b\r\n" % text, "bye")

    def complete(self, tag: bytes, condition: Condition, text: bytes, code: bytes | None = None) -> None:
        """Queue the tagged answer and go on to the next command; ``code`` without its brackets.

        An APPEND may be completed at any time after AppendStarted; what is left of its message is skipped.
        """
        phase = self._phase
        if phase is _Phase.ENDED:
            return
        if self._message is not None or phase is _Phase.APPENDING:
            self._refuse_literal(self._message.size if self._message else 0)
            self._message = None
        if self._idle_broken:
            self._idle_broken = False
            condition, text, code = BAD, b"DONE expected", None
        exchange, self._exchange = self._exchange, None
        if (
            exchange is not None
            and condition is NO
            and code != b"UNAVAILABLE"
            and (why := exchange.refusal) is not None
        ):
            self.continuation(format_challenge(why))
            self._exchange, self._refusal, self._phase = exchange, (condition, text, code), _Phase.SASL
            return
        self._tagged(tag, condition, text, code)
        if self._phase is not _Phase.ENDED:
            self._phase = _Phase.READING

    def accept_append(self) -> None:
        """Let the octets of the APPEND come: AppendChunk events follow, then AppendEnded."""
        message = self._message
        assert message is not None, "no APPEND waits to be accepted"
        self._message = None
        self._wire.stream()
        if message.waits:
            self._out.append(_CONTINUE)
        self._phase = _Phase.APPENDING

    def authenticated(self) -> None:
        """Credentials were right; then ``complete(tag, OK, b"Logged in", session.capability_code())``."""
        self.state = State.AUTHENTICATED
        self._wire.literal_limit = limits.IMAP_LITERAL

    def selected(self, *, read_only: bool) -> None:
        """A mailbox is selected now."""
        self.state = State.SELECTED
        self.read_only = read_only

    def unselected(self) -> None:
        """No mailbox is selected now (CLOSE, UNSELECT, or a SELECT that failed)."""
        self.state = State.AUTHENTICATED

    def tls_started(self) -> None:
        """The handshake is done; what was received before it is gone."""
        self.is_tls = True
        self._wire.clear()
        self._phase = _Phase.READING

    # -- what the driver asks ---------------------------------------------------------------------------------------

    def capability_code(self) -> bytes:
        """Return ``CAPABILITY IMAP4rev1 ...`` as it is now, for a response code."""
        return capabilities.capability_data(
            signed_in=bool(self.state & State.SIGNED_IN),
            starttls=self.config.tls_available and not self.is_tls,
            passwords=self.passwords_allowed,
            mechanisms=self.config.mechanisms,
        )

    @property
    def passwords_allowed(self) -> bool:
        """Whether LOGIN and plaintext mechanisms may be used on this connection as it is."""
        return self.is_tls or self.config.plaintext_allowed

    @property
    def is_idle(self) -> bool:
        """Whether IDLE is under way: ``untagged`` may be called at any moment."""
        return self._phase is _Phase.IDLING

    @property
    def is_full(self) -> bool:
        """Whether the door should stop reading until the pending command is answered."""
        return self._phase is _Phase.WAITING and self._wire.held > _HELD_WHILE_WAITING

    # -- input ------------------------------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer."""
        if self._phase is not _Phase.ENDED:
            self._wire.feed(data)

    def next_event(self) -> Event | None:
        """Return the next event, or None while bytes or an answer are awaited, or it ``is_held``."""
        while True:
            if self._events:
                return self._events.popleft()
            if self.is_held:
                return None
            phase = self._phase
            if phase is _Phase.READING:
                frame = self._wire.next_frame()
                if type(frame) is bytes:
                    event = self._command(frame)
                    if event is not None:
                        return event
                elif frame is None:
                    return None
                else:
                    _FRAMES[type(frame)](self, frame)
            elif phase is _Phase.WAITING or phase is _Phase.ENDED or not _PHASES[phase](self):
                return None

    def _command(self, line: bytes) -> Event | None:
        """Take a whole command; return the event where there is one at once."""
        tag, _, rest = line.partition(b" ")
        name, _, arguments = rest.partition(b" ")
        rule = COMMANDS.get(name) or COMMANDS.get(name.upper())
        if rule is None or self.state not in rule.states or not TAG.fullmatch(tag):
            self._reject_unread(tag, rule)
            return None
        command = rule.ready
        if command is None or arguments:
            try:
                command = rule.parse(arguments)
            except (SyntaxFault, LimitFault) as fault:
                self._reject_fault(tag, fault)
                return None
        self._bad_commands = 0
        answer = _ALONE.get(type(command))
        if answer is not None:
            answer(self, tag, command)
            return None
        if not self.condstore and enables_condstore(command):
            self.condstore = True
        self._tag = tag
        self._phase = _Phase.WAITING
        if type(command) is commands.Idle:
            self._phase = _Phase.IDLING
            self._out.append(b"+ idling\r\n")
        return events.CommandReceived(tag, command)  # type: ignore[arg-type]  # all others have an entry in _ALONE

    # -- refusals ---------------------------------------------------------------------------------------------------

    def _reject_unread(self, tag: bytes, rule: Rule | None) -> None:
        """Answer BAD to a command whose arguments need no look."""
        if not TAG.fullmatch(tag):
            self._reject(b"*", "malformed tag", b"Malformed tag")
        elif rule is None:
            self._reject(tag, "unknown command", b"Unknown command")
        else:
            self._reject(tag, "wrong state", b"Command not allowed now")

    def _reject(self, tag: bytes, reason: str, text: bytes) -> None:
        """Answer BAD, count it, and end the session where that is enough (``limits.IMAP_BAD_COMMANDS``)."""
        self._tagged(tag, BAD, text)
        self._events.append(events.CommandRejected(tag, reason))
        self._count_bad()

    def _count_bad(self) -> None:
        self._bad_commands += 1
        if self._bad_commands >= limits.IMAP_BAD_COMMANDS:
            self._end(b"* BYE Too many invalid commands\r\n", "too many invalid commands")

    def _reject_fault(self, tag: bytes, fault: Fault) -> None:
        condition, text, code = alone.fault_answer(fault)
        self._tagged(tag, condition, text, code)
        self._events.append(events.CommandRejected(tag, f"{fault.where}: {fault.detail}"))
        if condition is BAD:  # a name or charset we do not take is an honest question
            self._count_bad()

    def _end(self, last_words: bytes, reason: str) -> None:
        self._out.append(last_words)
        self._phase = _Phase.ENDED
        self.state = State.LOGOUT
        self._wire.clear()
        self._events.append(events.SessionEnded(reason))

    def _tag_of(self, prefix: bytes) -> bytes:
        match = TAG.match(prefix)
        return match.group() if match and prefix.startswith(b" ", match.end()) else b"*"

    def _on_bad_line(self, frame: BadLine) -> None:
        text = frame.reason[:1].upper() + frame.reason[1:]
        self._reject(self._tag_of(frame.prefix), frame.reason, text.encode("ascii"))

    def _on_flooded(self, frame: Flooded) -> None:
        self._end(b"* BYE Too much data without a command\r\n", "flooded")

    def _on_continue(self, frame: Continue) -> None:
        self._out.append(_CONTINUE)

    def _on_too_big(self, frame: TooBig) -> None:
        tag = self._tag_of(frame.prefix)
        self._tagged(tag, NO if tag != b"*" else BAD, b"Literal too large", b"TOOBIG")
        self._events.append(events.CommandRejected(tag, "literal too large"))
        self._refuse_literal(0 if frame.waits else frame.size)
        if self._phase is not _Phase.ENDED:
            self._count_bad()

    def _refuse_literal(self, size: int) -> None:
        """Skip a literal, or end the session where it is more than a member may send or a stranger should."""
        most = self.config.append_limit if self.state & State.SIGNED_IN else limits.IMAP_COMMAND_TOTAL
        if size > most and (self._message is None or not self._message.waits):
            self._end(b"* BYE Literal too large\r\n", "literal too large to skip")
        else:
            self._wire.refuse()

    # -- APPEND -----------------------------------------------------------------------------------------------------

    def _on_message(self, frame: MessageLiteral) -> None:
        """Read APPEND up to its message and offer it, or refuse."""
        self._message = frame
        tag, _, rest = frame.prefix.partition(b" ")
        rule = COMMANDS[b"APPEND"]
        if self.state not in rule.states or not TAG.fullmatch(tag):
            self._reject_unread(tag, rule)
        elif frame.size > self.config.append_limit:
            self._tagged(tag, NO, b"Message too large", b"TOOBIG")
            self._events.append(events.CommandRejected(tag, "message too large"))
        else:
            self._offer_message(tag, rest[7:], frame, rule)
            return
        self._drop_message(frame)

    def _drop_message(self, frame: MessageLiteral) -> None:
        if self._phase is not _Phase.ENDED:
            self._refuse_literal(frame.size)
        self._message = None

    def _offer_message(self, tag: bytes, arguments: bytes, frame: MessageLiteral, rule: Rule) -> None:
        try:
            command = rule.parse(arguments)
        except (SyntaxFault, LimitFault) as fault:
            self._reject_fault(tag, fault)
            self._drop_message(frame)
            return
        assert isinstance(command, commands.Append)
        self._bad_commands = 0
        self._tag = tag
        self._phase = _Phase.WAITING
        self._events.append(
            events.AppendStarted(
                tag=tag,
                mailbox=command.mailbox,
                flags=command.flags,
                keywords=command.keywords,
                internal_date=command.internal_date,
                size=frame.size,
            )
        )

    def _appending(self) -> bool:
        """Hand on what is here of the message, then await the end of the command."""
        if self._wire.streaming:
            chunk = self._wire.read_message()
            if chunk:
                self._events.append(events.AppendChunk(chunk))
            return bool(chunk)
        frame = self._wire.next_frame()
        if frame is None:
            return False
        if frame == b"":
            self._phase = _Phase.WAITING
            self._events.append(events.AppendEnded(self._tag))
            return True
        self._events.append(events.AppendAborted(self._tag))
        self._phase = _Phase.READING
        self._reject(self._tag, "garbage after the message of APPEND", b"One message, then the end of the line")
        if isinstance(frame, TooBig) and self._phase is _Phase.READING:
            self._refuse_literal(0 if frame.waits else frame.size)
        return True

    # -- AUTHENTICATE, LOGIN ----------------------------------------------------------------------------------------

    def _login(self, tag: bytes, command: commands.Login) -> None:
        if not self.passwords_allowed:
            self._tagged(tag, NO, b"Start TLS first", b"PRIVACYREQUIRED")
            return
        try:
            login, password = command.login.decode("utf-8"), command.password.decode("utf-8")
        except UnicodeDecodeError:
            self._tagged(tag, NO, b"Not UTF-8", b"AUTHENTICATIONFAILED")
            return
        offered = CredentialsOffered(mechanism="LOGIN", authzid="", login=login, password=password)
        self._tag = tag
        self._offer(offered)

    def _offer(self, step: CredentialsOffered) -> None:
        self._phase = _Phase.WAITING
        self._events.append(
            events.AuthenticateOffered(
                tag=self._tag,
                mechanism=step.mechanism,
                authzid=step.authzid,
                login=step.login,
                password=step.password,
                is_token=step.is_token,
            )
        )

    def _authenticate(self, tag: bytes, command: commands.Authenticate) -> None:
        if command.mechanism not in self.config.mechanisms:
            self._tagged(tag, NO, b"Unknown mechanism", b"CANNOT")
            return
        if not self.passwords_allowed:
            self._tagged(tag, NO, b"Start TLS first", b"PRIVACYREQUIRED")
            return
        self._tag = tag
        self._exchange = ServerExchange(command.mechanism)
        self._phase = _Phase.SASL
        self._take_step(self._exchange.begin(command.initial))

    def _sasl(self) -> bool:
        line = self._wire.next_line(limits.SMTP_AUTH_LINE)
        if line is None:
            return False
        assert self._exchange is not None
        if isinstance(line, BadLine):
            self._end(b"* BYE Malformed authentication\r\n", "malformed line in AUTHENTICATE")
        elif self._refusal is not None:  # whatever the client answers (RFC 7628 §3.2.3)
            refusal, self._refusal, self._exchange = self._refusal, None, None
            self._phase = _Phase.READING
            self._tagged(self._tag, *refusal)
        else:
            self._take_step(self._exchange.receive(line))
        return True

    def _take_step(self, step: Step) -> None:
        if isinstance(step, Challenge):
            self.continuation(format_challenge(step))
        elif isinstance(step, CredentialsOffered):
            self._offer(step)
        else:
            self._exchange = None
            self._phase = _Phase.READING
            cancelled = isinstance(step, Cancelled)
            text = b"Authentication cancelled" if cancelled else b"Malformed authentication"
            self._reject(self._tag, "cancelled" if cancelled else "malformed response of the mechanism", text)

    # -- IDLE -------------------------------------------------------------------------------------------------------

    def _idling(self) -> bool:
        line = self._wire.next_line(_LONGEST_DONE)
        if line is None:
            return False
        self._idle_broken = isinstance(line, BadLine) or line.upper() != b"DONE"
        self._phase = _Phase.WAITING
        self._events.append(events.IdleDone(self._tag))
        return True

    # -- answered alone ---------------------------------------------------------------------------------------------

    def _capability(self, tag: bytes, command: commands.Capability) -> None:
        self._out.append(b"* %b\r\n%b OK Capability completed\r\n" % (self.capability_code(), tag))

    def _namespace(self, tag: bytes, command: commands.Namespace) -> None:
        self._out.append(alone.NAMESPACE % tag)

    def _identify(self, tag: bytes, command: commands.Id) -> None:
        self._out.append(alone.format_id(self.config.server_id))
        self._tagged(tag, OK, b"Id completed")
        self._events.append(events.ClientIdentified(command.parameters))

    def _enable(self, tag: bytes, command: commands.Enable) -> None:
        named = [name for name in capabilities.ENABLED_BY_COMMAND if name in command.capabilities]
        if b"CONDSTORE" in named:
            self.condstore = True
        self._out.append(b"* %b\r\n" % b" ".join([b"ENABLED", *named]))
        self._tagged(tag, OK, b"Enabled")

    def _logout(self, tag: bytes, command: commands.Logout) -> None:
        self._end(b"* BYE Logging out\r\n%b OK Logout completed\r\n" % tag, "logout")

    def _starttls(self, tag: bytes, command: commands.StartTls) -> None:
        if self.is_tls or not self.config.tls_available:
            self._reject(tag, "STARTTLS not available", b"STARTTLS is not available")
            return
        self._tagged(tag, OK, b"Begin TLS negotiation now")
        self._phase = _Phase.WAITING
        self._events.append(events.TlsRequested(tag, self._wire.clear()))


_FRAMES: dict[type, Callable[..., None]] = {
    BadLine: ImapSession._on_bad_line,  # noqa: SLF001  (the tables of the class's own methods)
    Continue: ImapSession._on_continue,  # noqa: SLF001
    Flooded: ImapSession._on_flooded,  # noqa: SLF001
    MessageLiteral: ImapSession._on_message,  # noqa: SLF001
    TooBig: ImapSession._on_too_big,  # noqa: SLF001
}
_PHASES: dict[_Phase, Callable[[ImapSession], bool]] = {
    _Phase.SASL: ImapSession._sasl,  # noqa: SLF001
    _Phase.IDLING: ImapSession._idling,  # noqa: SLF001
    _Phase.APPENDING: ImapSession._appending,  # noqa: SLF001
}
_ALONE: dict[type, Callable[..., None]] = {
    commands.Capability: ImapSession._capability,  # noqa: SLF001
    commands.Namespace: ImapSession._namespace,  # noqa: SLF001
    commands.Id: ImapSession._identify,  # noqa: SLF001
    commands.Enable: ImapSession._enable,  # noqa: SLF001
    commands.Logout: ImapSession._logout,  # noqa: SLF001
    commands.StartTls: ImapSession._starttls,  # noqa: SLF001
    commands.Login: ImapSession._login,  # noqa: SLF001
    commands.Authenticate: ImapSession._authenticate,  # noqa: SLF001
}
