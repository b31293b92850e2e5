r"""Framing: from octets to whole commands, with literals inside (RFC 3501 §2.2, §4.3; RFC 7888).

A command is handed on as one ``bytes``: its lines with the literals where they stood, ``{5}\r\nhello``, without the
last CRLF. Every size is checked before memory is given for it or a continuation is asked for. The message literal of
APPEND is never part of a command: it is offered (``MessageLiteral``) and then streamed or refused.

    COMMAND --line without literal--> frame ``bytes``
    COMMAND --literal within limits--> COMMAND (frame ``CONTINUE`` first where the client waits for it)
    COMMAND --literal over a limit--> frame ``TooBig``; ``refuse`` follows
    COMMAND --APPEND's message--> frame ``MessageLiteral``; ``stream`` or ``refuse`` follows
    STREAM --all octets read--> TAIL --CRLF--> COMMAND
    refuse: a literal the client holds back is forgotten; one that comes anyway is skipped, with the rest of its command

Invariants: at most ``limits.IMAP_COMMAND_TOTAL`` octets and what the last ``feed`` brought are held; octets are
searched for line ends once. Knows no grammar beyond the name APPEND.
Tests: ``tests/unit/protocols/imap/test_imap_session.py``, ``tests/property/test_imap_properties.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from posthouse.core import limits
from posthouse.protocols.masking import Observer

# tag SP "APPEND" SP and something of a mailbox: the literal that follows is the message
_BEFORE_MESSAGE = re.compile(rb"[^ ]+ APPEND [^ ]", re.IGNORECASE)
_HUGE: Final = 2**63
_LF: Final = b"\n"
_CR_CODE: Final = 13
_BRACE_CODE: Final = 125
_LITERAL_ROOM: Final = 32  # octets kept of a line that is thrown away, so that the literal at its end is seen


@dataclass(frozen=True, slots=True)
class Continue:
    """The client waits to be told to send its literal."""


@dataclass(frozen=True, slots=True)
class MessageLiteral:
    """APPEND up to its message: the text before the literal, its size, whether the client waits."""

    prefix: bytes
    size: int
    waits: bool


@dataclass(frozen=True, slots=True)
class TooBig:
    """A literal over the limit; ``refuse`` is due."""

    prefix: bytes
    size: int
    waits: bool


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line over the limit, or one that does not end with CRLF; it is already being skipped."""

    prefix: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Flooded:
    """More octets without an end than we are willing to skip: the connection should end."""


CONTINUE: Final = Continue()
FLOODED: Final = Flooded()
Frame: TypeAlias = bytes | Continue | MessageLiteral | TooBig | BadLine | Flooded


class Wire:
    """The receiving half of one connection.

    Attributes:
        literal_limit: most octets of a literal that is not a message; the session raises it after authentication.
    """

    __slots__ = (
        "_at",
        "_buffer",
        "_discard",
        "_discarded",
        "_in_tail",
        "_line",
        "_literals",
        "_pending",
        "_scan",
        "_skip",
        "_stream",
        "literal_limit",
    )

    def __init__(self) -> None:
        self.literal_limit = limits.IMAP_LITERAL_UNAUTHENTICATED
        self._buffer = b""
        self._at = 0  # start of the command
        self._line = 0  # start of its current line: after its last literal
        self._scan = 0  # where the search for a line end goes on
        self._literals = 0  # octets of this command's literals and of the text around earlier ones
        self._stream = 0  # octets of the message still to come
        self._skip = 0  # octets of a refused literal still to come
        self._discard = False  # whether the rest of the command is thrown away
        self._discarded = 0
        self._in_tail = False  # whether the end of an APPEND is awaited: no further literal is taken
        self._pending: tuple[int, bool, int] | None = None  # size, waits, and where the offered literal starts

    @property
    def held(self) -> int:
        """Octets held that no frame has taken."""
        return len(self._buffer) - self._at

    @property
    def streaming(self) -> bool:
        """Whether octets of a message are still to come."""
        return self._stream > 0

    def feed(self, data: bytes) -> None:
        """Take octets from the peer."""
        at = self._at
        self._buffer = self._buffer[at:] + data if at < len(self._buffer) else data
        self._line -= at
        self._scan -= at
        self._at = 0

    def clear(self) -> int:
        """Forget everything received and return how many octets that was (STARTTLS, RFC 3501 §6.2.1)."""
        held = self.held
        self._buffer = b""
        self._start_at(0)
        return held

    def _start_at(self, place: int) -> None:
        self._at = self._line = self._scan = place
        self._literals = 0

    # -- commands ---------------------------------------------------------------------------------------------------

    def next_frame(self) -> Frame | None:
        """Return the next frame, or None where octets are missing."""
        while True:
            if self._skip and not self._skip_octets():
                return None
            end = self._buffer.find(_LF, self._scan)
            if end < 0:
                self._scan = max(self._line, len(self._buffer))
                return self._unfinished()
            if self._discard:
                if self._discard_line(end):
                    return FLOODED
                continue
            length = end - self._line
            if length > limits.IMAP_COMMAND_LINE or length + self._literals > limits.IMAP_COMMAND_TOTAL:
                return self._bad_line("line too long")
            if not length or self._buffer[end - 1] != _CR_CODE:
                return self._bad_line("line does not end with CRLF")
            if length > 2 and self._buffer[end - 2] == _BRACE_CODE:
                literal = self._literal_at(end)
                if literal is not None:
                    frame = self._meet_literal(*literal, end + 1)
                    if frame is None:
                        continue
                    return frame
            text = self._buffer[self._at : end - 1]
            self._start_at(end + 1)
            self._in_tail = False
            return text

    def _unfinished(self) -> Frame | None:
        """Judge a line whose end has not come."""
        length = len(self._buffer) - self._line
        if not self._discard:
            return self._bad_line("line too long") if length > limits.IMAP_COMMAND_LINE else None
        if length > _LITERAL_ROOM:
            self._discarded += length - _LITERAL_ROOM
            self._buffer = self._buffer[-_LITERAL_ROOM:]
            self._start_at(0)
            self._scan = _LITERAL_ROOM
        return FLOODED if self._discarded > limits.IMAP_COMMAND_TOTAL else None

    def _bad_line(self, reason: str) -> BadLine:
        """Begin to throw away the line, and what it may announce."""
        prefix = self._buffer[self._at : self._at + limits.KIB]
        self._start_at(self._line)
        self._in_tail = False
        self._discard = True
        self._discarded = 0
        return BadLine(prefix, reason)

    def _literal_at(self, end: int) -> tuple[int, int, bool] | None:
        """Return the literal announced before a line end: place of its brace, size, whether the client waits."""
        brace = self._buffer.rfind(b"{", self._line, end)
        digits = self._buffer[brace + 1 : end - 2]
        waits = not digits.endswith(b"+")
        if not waits:
            digits = digits[:-1]
        if brace < 0 or not digits.isdigit():
            return None
        return brace, int(digits) if len(digits) < 19 else _HUGE, waits

    def _meet_literal(self, brace: int, size: int, waits: bool, place: int) -> Frame | None:
        """Take a literal into the command, or return the frame that offers or refuses it."""
        if not self._in_tail:
            prefix = self._buffer[self._at : brace]
            if _BEFORE_MESSAGE.match(prefix):
                self._pending = (size, waits, place)
                return MessageLiteral(prefix, size, waits)
            total = self._literals + place - self._line + size
            if size <= self.literal_limit and total <= limits.IMAP_COMMAND_TOTAL:
                self._literals = total
                self._line = self._scan = place + size
                return CONTINUE if waits else None
        self._pending = (size, waits, place)
        return TooBig(self._buffer[self._at : min(brace, self._at + limits.KIB)], size, waits)

    # -- what becomes of an offered literal -------------------------------------------------------------------------

    def stream(self) -> None:
        """Let the octets of the offered message come, to be read with ``read_message``."""
        assert self._pending is not None
        size, _, place = self._pending
        self._pending = None
        self._start_at(place)
        self._stream = size
        self._in_tail = True

    def read_message(self) -> bytes:
        """Return the octets of the message that are here, b"" for none."""
        at = self._at
        chunk = self._buffer[at : at + self._stream]
        self._stream -= len(chunk)
        self._start_at(at + len(chunk))
        return chunk

    def refuse(self) -> None:
        """Take no octet of the offered literal, or no more of the message that is coming."""
        size, waits, place = self._pending or (self._stream, False, self._at)
        self._pending = None
        self._stream = 0
        self._in_tail = False
        self._start_at(place)
        if not waits:
            self._skip = size
            self._discard = True
            self._discarded = 0

    def _skip_octets(self) -> bool:
        here = min(self._skip, len(self._buffer) - self._at)
        self._skip -= here
        self._start_at(self._at + here)
        return not self._skip

    def _discard_line(self, end: int) -> bool:
        """Throw a line away, and with it the literal it announces; return whether that literal is too much."""
        literal = self._literal_at(end) if self._buffer[end - 2 : end] == b"}\r" else None
        self._start_at(end + 1)
        if literal is None or literal[2]:
            self._discard = False
            return False
        self._skip = literal[1]
        return self._skip > limits.IMAP_COMMAND_TOTAL

    # -- lines that are no commands (AUTHENTICATE, IDLE) ------------------------------------------------------------

    def next_line(self, limit: int) -> bytes | BadLine | None:
        """Return a line without its CRLF, a BadLine where it is too long or ends otherwise, or None."""
        end = self._buffer.find(_LF, self._scan)
        if end < 0:
            self._scan = len(self._buffer)
            if self.held > limit:
                return self._bad_line("line too long")
            return None
        if end - self._at > limit or end == self._at or self._buffer[end - 1] != _CR_CODE:
            return self._bad_line("line too long or not ended by CRLF")
        line = self._buffer[self._at : end - 1]
        self._start_at(end + 1)
        return line


class WireObserver(Observer, Protocol):
    """Is told what is read, commands with their literals."""

    def on_literal(self, prefix: bytes, size: int) -> None:
        """Take a command up to the literal that is offered or refused."""
        ...


class ObservedWire(Wire):
    """Tells an observer what is read. ``is_secret`` says whether lines belong to a SASL exchange now."""

    __slots__ = ("_is_secret", "_observer")

    def __init__(self, observer: WireObserver, is_secret: Callable[[], bool]) -> None:
        super().__init__()
        self._observer = observer
        self._is_secret = is_secret

    def next_frame(self) -> Frame | None:
        """Return the next frame and tell it."""
        frame = super().next_frame()
        if isinstance(frame, bytes):
            self._observer.on_line(frame, is_secret=False)
        elif isinstance(frame, MessageLiteral | TooBig):
            self._observer.on_literal(frame.prefix, frame.size)
        elif isinstance(frame, BadLine):
            self._observer.on_fault(frame.reason, len(frame.prefix))
        return frame

    def read_message(self) -> bytes:
        """Return octets of the message and tell how many."""
        chunk = super().read_message()
        self._observer.on_content(len(chunk))
        return chunk

    def next_line(self, limit: int) -> bytes | BadLine | None:
        """Return a line and tell it."""
        line = super().next_line(limit)
        if isinstance(line, BadLine):
            self._observer.on_fault(line.reason, 0)
        elif line is not None:
            self._observer.on_line(line, is_secret=self._is_secret())
        return line
