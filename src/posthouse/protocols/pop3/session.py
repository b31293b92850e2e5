r"""A POP3 session, the server's side (RFC 1939; CAPA RFC 2449, STLS RFC 2595, response codes RFC 3206, AUTH RFC 5034).

    AUTHORIZATION --(sign-in, open_maildrop)--> TRANSACTION --QUIT--> UPDATE --> ENDED
         \--QUIT, abuse--> ENDED                    \--lost connection: nothing is deleted

Bytes in by ``receive_data``, requests out by ``next_event``, answers in by the methods the event names, bytes out by
``data_to_send``. After a request the session is paused until it is answered; what is pipelined behind it waits
(``is_full`` says when to stop reading). STAT, LIST, UIDL, DELE, RSET are answered here, from the maildrop.

Invariants: any bytes give events and replies, never an exception; every command gets exactly one reply, in order;
passwords are in no reply and no repr; after ``limits.POP3_BAD_COMMANDS`` bad commands the session ends.
Tests: ``tests/unit/protocols/pop3``, ``tests/dialogues/pop3``, ``tests/property/test_pop3.py``, fuzz ``pop3_session``.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from posthouse.core import limits
from posthouse.core.errors import SyntaxFault
from posthouse.protocols.masking import Observer
from posthouse.protocols.pop3.grammar import Command, number, parse_command
from posthouse.protocols.pop3.lines import TOO_LONG, LineBuffer, ObservedBuffer
from posthouse.protocols.pop3.stuffing import DotStuffer
from posthouse.protocols.pop3.types import (
    ConnectionEnding,
    DeletionsRequested,
    Event,
    Maildrop,
    MessageRequested,
    SessionConfig,
    StartTlsRequested,
    State,
)
from posthouse.protocols.sasl.exchange import ServerExchange, format_challenge
from posthouse.protocols.sasl.mechanism import Cancelled, Challenge, CredentialsOffered, Step

_FAILED_SIGN_IN_COUNTS = 4  # a wrong password weighs as much as so many bad commands: five end the session
_HELD_REPLIES = 256  # short replies that may wait to be sent
_SYNTAX = b"-ERR Syntax error\r\n"
_NO_MESSAGE = b"-ERR No such message\r\n"
_TEMPORARY = b"-ERR [SYS/TEMP] Temporary failure, please try again later\r\n"
_NEEDS_TLS = b"-ERR [AUTH] Use STLS before you send a password\r\n"


class Pop3Session:
    """The machine of one connection."""

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.state = State.AUTHORIZATION
        self.maildrop: Maildrop | None = None
        self._tls_active = config.tls_active
        self._buffer = LineBuffer()
        self._out: list[bytes] = []
        self._out_size = 0  # of what may be large: listings and messages
        self._login: bytes | None = None
        self._exchange: ServerExchange | None = None
        self._refusal = b""  # what is said once the client has read why (RFC 7628 §3.2.3)
        self._stuffer: DotStuffer | None = None
        self._is_paused = False
        self._ending: ConnectionEnding | None = None
        self._bad = 0

    # ---- bytes ------------------------------------------------------------------------------------------------

    def observe(self, observer: Observer) -> None:
        """Tell an observer what is read from now on; before anything was received."""
        self._buffer = ObservedBuffer(observer, lambda: self._exchange is not None)

    def greet(self) -> None:
        """Say hello. No APOP timestamp: APOP needs passwords in the clear (RFC 1939 §7)."""
        self._out.append(f"+OK {self.config.hostname} Posthouse POP3 ready\r\n".encode())

    def receive_data(self, data: bytes) -> None:
        """Take bytes; the end of a session makes the rest of no interest."""
        if self.state is not State.ENDED:
            self._buffer.append(data)

    @property
    def is_full(self) -> bool:
        """Whether more is buffered than a paused session should hold: stop reading until it is answered."""
        return len(self._buffer) > limits.POP3_RECEIVE_BUFFER

    @property
    def is_held(self) -> bool:
        """Whether so much is to be sent that nothing more is read until it was taken by ``data_to_send``.

        A few octets can ask for megabytes; without this, pipelined commands would fill the memory with replies.
        """
        return self._out_size >= limits.POP3_UNSENT or len(self._out) >= _HELD_REPLIES

    @property
    def is_sending(self) -> bool:
        """Whether a message was begun and has not ended."""
        return self._stuffer is not None

    def data_to_send(self) -> bytes:
        """Return, once, what is to be sent."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        self._out_size = 0
        return data

    def next_event(self) -> Event | None:
        """Return the next request; None where more bytes, or an answer, are needed first, or it ``is_held``."""
        while not self._is_paused and not self.is_held:
            if self._ending is not None:
                return self._end()
            line = self._buffer.next_line(limits.SMTP_AUTH_LINE if self._exchange else limits.POP3_COMMAND_LINE)
            if line is None:
                return None
            event = self._on_line(line)
            if event is not None:
                self._is_paused = True
                return event
        return None

    # ---- answers ----------------------------------------------------------------------------------------------

    def open_maildrop(self, maildrop: Maildrop) -> None:
        """The credentials are right: enter TRANSACTION."""
        self.maildrop = maildrop
        self.state = State.TRANSACTION
        self._exchange = None
        self._resume(b"+OK Maildrop has %d messages (%d octets)\r\n" % (maildrop.count, maildrop.octets))

    def refuse_sign_in(self, *, is_temporary: bool = False, reason: str = "") -> None:
        """The credentials are wrong, or cannot be checked now (RFC 3206 §4).

        ``reason`` is for who showed the right ones and may not sign in nevertheless; one printable line.
        """
        self._login = None
        exchange, self._exchange = self._exchange, None
        if is_temporary:
            self._resume(_TEMPORARY)
            return
        self._count_bad(_FAILED_SIGN_IN_COUNTS)
        reply = b"-ERR [AUTH] %s\r\n" % (reason.encode() or b"Invalid login or password")
        why = exchange.refusal if exchange is not None else None
        if why is None:
            self._resume(reply)
        else:
            self._exchange, self._refusal = exchange, reply
            self._resume(b"+ %b\r\n" % format_challenge(why))

    def begin_message(self, octets: int | None = None) -> None:
        """The message is there and follows; RETR tells its size, TOP does not."""
        self._stuffer = DotStuffer()
        self._out.append(b"+OK\r\n" if octets is None else b"+OK %d octets\r\n" % octets)

    def add_content(self, chunk: bytes) -> None:
        """Send a piece of the message."""
        assert self._stuffer is not None, "begin_message comes first"
        self._out_size += len(chunk)
        self._out.append(self._stuffer.stuff(chunk))

    def end_message(self) -> None:
        """The message is complete."""
        assert self._stuffer is not None, "begin_message comes first"
        stuffer, self._stuffer = self._stuffer, None
        self._resume(stuffer.end())

    def refuse(self, *, is_gone: bool = False) -> None:
        """The message cannot be had: it is gone (another session removed it), or something failed for now."""
        self._resume(b"-ERR The message was removed by another session\r\n" if is_gone else _TEMPORARY)

    def deletions_done(self, *, succeeded: bool) -> None:
        """The messages marked as deleted are removed, or are not (RFC 1939 §6); the session ends."""
        self._ending = ConnectionEnding(is_quit=True)
        self._resume(b"+OK Bye\r\n" if succeeded else b"-ERR [SYS/TEMP] Some messages were not removed\r\n")

    def tls_started(self) -> None:
        """The handshake is done: what the client said before does not count any more (RFC 2595 §4)."""
        self._tls_active = True
        self._login = None
        self._is_paused = False

    # ---- lines ------------------------------------------------------------------------------------------------

    def _on_line(self, line: bytes) -> Event | None:
        if line is TOO_LONG:
            self._exchange, self._refusal = None, b""
            return self._bad_command(b"-ERR Line too long\r\n")
        if self._refusal:
            self._out.append(self._refusal)
            self._exchange, self._refusal = None, b""
            return None
        if self._exchange is not None:
            return self._step(self._exchange.receive(line))
        try:
            command = parse_command(line)
            handler = self._HANDLERS[self.state].get(command.keyword)
            if handler is None:
                return self._bad_command(self._unknown(command))
            return handler(self, command)
        except SyntaxFault:
            return self._bad_command(_SYNTAX)

    def _unknown(self, command: Command) -> bytes:
        if any(command.keyword in commands for commands in self._HANDLERS.values()):
            return b"-ERR Not now\r\n"
        return b"-ERR Unknown command\r\n"

    def _bad_command(self, reply: bytes) -> Event | None:
        self._out.append(reply)
        self._count_bad(1)
        return None

    def _count_bad(self, weight: int) -> None:
        self._bad += weight
        if self._bad >= limits.POP3_BAD_COMMANDS and self._ending is None:
            self._ending = ConnectionEnding(is_quit=False)

    def _resume(self, reply: bytes) -> None:
        self._out.append(reply)
        self._is_paused = False

    def _end(self) -> ConnectionEnding | None:
        ending, self._ending = self._ending, None
        self.state = State.ENDED
        self._is_paused = True
        self._buffer.clear()
        return ending

    # ---- AUTHORIZATION ----------------------------------------------------------------------------------------

    @property
    def _may_sign_in(self) -> bool:
        return self._tls_active or self.config.auth_in_clear

    def _do_user(self, command: Command) -> Event | None:
        """USER: the answer is the same whoever is named (RFC 1939 §7)."""
        if not self._may_sign_in:
            return self._bad_command(_NEEDS_TLS)
        if not command.rest.strip():
            raise SyntaxFault("no name", where="pop3.user")
        self._login = command.rest.strip()
        self._out.append(b"+OK\r\n")
        return None

    def _do_pass(self, command: Command) -> Event | None:
        """PASS: the password is all of the line behind the first space (RFC 1939 §7)."""
        if self._login is None:
            return self._bad_command(b"-ERR USER comes first\r\n")
        login, self._login = self._login, None
        try:
            return CredentialsOffered(
                mechanism="USER", authzid="", login=login.decode("utf-8"), password=command.rest.decode("utf-8")
            )
        except UnicodeDecodeError:
            self.refuse_sign_in()
            return None

    def _do_auth(self, command: Command) -> Event | None:
        """AUTH mechanism [initial-response] (RFC 5034 §4); alone it lists the mechanisms, as clients expect."""
        arguments = command.arguments
        if not arguments:
            names = b"".join(name.encode() + b"\r\n" for name in self._mechanisms())
            self._out.append(b"+OK\r\n" + names + b".\r\n")
            return None
        if not self._may_sign_in:
            return self._bad_command(_NEEDS_TLS)
        name = arguments[0].decode("ascii", "replace").upper()
        if name not in self.config.mechanisms or len(arguments) > 2:
            return self._bad_command(b"-ERR No such mechanism\r\n" if len(arguments) <= 2 else _SYNTAX)
        self._exchange = ServerExchange(name)
        return self._step(self._exchange.begin(arguments[1] if len(arguments) == 2 else None))

    def _step(self, step: Step) -> Event | None:
        if isinstance(step, Challenge):
            self._out.append(b"+ " + format_challenge(step) + b"\r\n")
            return None
        if isinstance(step, CredentialsOffered):
            return step
        self._exchange = None
        return self._bad_command(b"-ERR Cancelled\r\n" if isinstance(step, Cancelled) else _SYNTAX)

    def _do_stls(self, command: Command) -> Event | None:
        """STLS: only before sign-in and once (RFC 2595 §4)."""
        if not self.config.offers_tls or self._tls_active:
            return self._bad_command(b"-ERR Not available\r\n")
        self._out.append(b"+OK Begin TLS\r\n")
        return StartTlsRequested(early=self._buffer.clear())

    def _mechanisms(self) -> tuple[str, ...]:
        return self.config.mechanisms if self._may_sign_in else ()

    # ---- any state --------------------------------------------------------------------------------------------

    def _do_capa(self, command: Command) -> Event | None:
        """CAPA (RFC 2449 §5): in AUTHORIZATION it tells what may be used now."""
        lines = ["+OK", "TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "EXPIRE NEVER"]
        if self.state is State.AUTHORIZATION:
            if self.config.offers_tls and not self._tls_active:
                lines.append("STLS")
            if self._may_sign_in:
                lines.append("USER")
        if self._mechanisms():
            lines.append("SASL " + " ".join(self._mechanisms()))
        lines += ["IMPLEMENTATION Posthouse", ".", ""]
        self._out.append("\r\n".join(lines).encode())
        return None

    def _do_quit(self, command: Command) -> Event | None:
        """QUIT: in TRANSACTION what is marked is removed now (RFC 1939 §6)."""
        if self.maildrop is not None and self.maildrop.deleted:
            self.state = State.UPDATE
            return DeletionsRequested(tuple(self.maildrop.uids[index] for index in sorted(self.maildrop.deleted)))
        self._out.append(b"+OK Bye\r\n")
        self._ending = ConnectionEnding(is_quit=True)
        return None

    def _do_noop(self, command: Command) -> Event | None:
        self._out.append(b"+OK\r\n")
        return None

    # ---- TRANSACTION ------------------------------------------------------------------------------------------

    def _opened(self) -> Maildrop:
        assert self.maildrop is not None, "TRANSACTION has a maildrop"
        return self.maildrop

    def _index(self, argument: bytes) -> int | None:
        """Return the index of a message that is there, or answer that it is not."""
        index = number(argument) - 1
        maildrop = self._opened()
        if 0 <= index < len(maildrop.uids) and index not in maildrop.deleted:
            return index
        self._bad_command(_NO_MESSAGE)
        return None

    def _do_stat(self, command: Command) -> Event | None:
        maildrop = self._opened()
        self._out.append(b"+OK %d %d\r\n" % (maildrop.count, maildrop.kept_octets))
        return None

    def _do_list(self, command: Command) -> Event | None:
        return self._listing(command, b"%d %d\r\n", self._opened().sizes)

    def _do_uidl(self, command: Command) -> Event | None:
        maildrop = self._opened()
        return self._listing(command, b"%%d %d.%%d\r\n" % maildrop.uidvalidity, maildrop.uids)

    def _listing(self, command: Command, row: bytes, values: array[int]) -> Event | None:
        """Answer LIST and UIDL, for one message or all (RFC 1939 §5, §7)."""
        arguments = command.arguments
        if arguments:
            index = self._index(arguments[0])
            if index is not None:
                self._out.append(b"+OK " + row % (index + 1, values[index]))
            return None
        deleted = self._opened().deleted
        rows = [row % (at, value) for at, value in enumerate(values, 1) if at - 1 not in deleted]
        listing = b"".join(rows)
        self._out_size += len(listing)
        self._out += [b"+OK\r\n", listing, b".\r\n"]
        return None

    def _do_retr(self, command: Command) -> Event | None:
        (argument,) = _exactly(command, 1)
        index = self._index(argument)
        return None if index is None else MessageRequested(self._opened().uids[index])

    def _do_top(self, command: Command) -> Event | None:
        argument, lines = _exactly(command, 2)
        wanted = number(lines)
        index = self._index(argument)
        return None if index is None else MessageRequested(self._opened().uids[index], wanted)

    def _do_dele(self, command: Command) -> Event | None:
        (argument,) = _exactly(command, 1)
        index = self._index(argument)
        if index is not None:
            self._opened().deleted.add(index)
            self._out.append(b"+OK Marked\r\n")
        return None

    def _do_rset(self, command: Command) -> Event | None:
        self._opened().deleted.clear()
        return self._do_stat(command)

    # what may be said in which state (RFC 1939 §3)
    _HANDLERS: dict[State, dict[bytes, Callable[[Pop3Session, Command], Event | None]]] = {
        State.AUTHORIZATION: {
            b"CAPA": _do_capa,
            b"USER": _do_user,
            b"PASS": _do_pass,
            b"AUTH": _do_auth,
            b"STLS": _do_stls,
            b"QUIT": _do_quit,
        },
        State.TRANSACTION: {
            b"CAPA": _do_capa,
            b"STAT": _do_stat,
            b"LIST": _do_list,
            b"UIDL": _do_uidl,
            b"RETR": _do_retr,
            b"TOP": _do_top,
            b"DELE": _do_dele,
            b"RSET": _do_rset,
            b"NOOP": _do_noop,
            b"QUIT": _do_quit,
        },
        State.UPDATE: {},
        State.ENDED: {},
    }


def _exactly(command: Command, count: int) -> list[bytes]:
    arguments = command.arguments
    if len(arguments) != count:
        raise SyntaxFault("wrong number of arguments", where="pop3." + command.keyword.decode().lower())
    return arguments
