"""SMTP replies: outcomes to octets, octets to ``Reply`` (RFC 5321 §4.2, RFC 2034, RFC 3463).

Invariants: a reply we send has no line over 512 octets with its CRLF (RFC 5321 §4.5.3.1.5) and no control octet;
what a peer sends is bounded in lines and octets before it is kept. ``format_reply`` and ``ReplyReader`` are inverse.
Tests: ``tests/unit/protocols/smtp/test_smtp_reply.py``, ``tests/property/test_smtp_inverses.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from posthouse.core import status
from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.core.outcome import Outcome
from posthouse.core.status import Detail, Disposition
from posthouse.protocols.smtp.types import Reply

REPLY_LINE = 4096  # octets taken in one line; RFC 5321 §4.5.3.1.5 allows 512, some servers explain themselves at length
REPLY_LINES = 200  # lines of one reply; the longest EHLO answers seen have about 30
_TEXT = 490  # octets of text we send in one line

# Reply-line = Reply-code [ ( SP / "-" ) textstring ]   (RFC 5321 §4.2; a bare code is tolerated as §4.2 asks)
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?: |$)")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


def format_outcome(outcome: Outcome, detail: Detail | None = None, *, enhanced: bool = True) -> bytes:
    """Format the public half of an outcome as one reply line.

    Args:
        outcome: what was decided.
        detail: used where the outcome says nothing more exact than ``status.OTHER``.
        enhanced: whether the text starts with the enhanced code (RFC 2034 §4).
    """
    text = outcome.public_text.encode("utf-8", "replace")
    if len(text) > _TEXT:
        text = text[:_TEXT].decode("utf-8", "ignore").encode()
    if not text.isascii() or not outcome.public_text.isprintable():
        text = _CONTROL.sub(b"?", text)
    if not enhanced:
        return b"%d %b\r\n" % (outcome.code, text)
    known = outcome.detail_code
    if detail is not None and known == status.OTHER:
        known = detail
    digit = outcome.code // 100 if outcome.code >= 400 else 2
    return b"%d %d.%d.%d %b\r\n" % (outcome.code, digit, known.subject, known.detail, text)


def format_reply(code: int, lines: Sequence[bytes]) -> bytes:
    """Format a reply of several lines; the lines must hold no line ends."""
    last = len(lines) - 1
    return b"".join(b"%d%b%b\r\n" % (code, b" " if n == last else b"-", line) for n, line in enumerate(lines))


def enhanced_of(reply: Reply) -> Detail | None:
    """Return subject and detail of the enhanced code a reply starts with; None where its class disagrees or is none."""
    match = _ENHANCED.match(reply.lines[0].decode("ascii", "replace"))
    if match is None or int(match[1]) != reply.code // 100:
        return None
    return Detail(int(match[2]), int(match[3]))


def outcome_of(reply: Reply, rule: str = "relay.reply") -> Outcome:
    """Return a peer's final reply as an outcome; its words, made one clean line, become public text and detail."""
    text = " ".join(reply.text.split())
    detail_code = enhanced_of(reply) or status.OTHER
    return Outcome(reply.code, detail_code, text, rule, "", f"{reply.code} {text}")


def reply_of(outcome: Outcome) -> Reply:
    """Return an outcome of ours in the form of a reply, for results that no peer had to give."""
    line = f"{outcome.enhanced} {outcome.public_text}"
    return Reply(code=outcome.code, lines=(line.encode("utf-8", "replace"),))


def disposition_of(reply: Reply) -> Disposition:
    """Return what a final reply means for the message."""
    if reply.is_positive:
        return Disposition.DONE
    return Disposition.TEMPORARY if reply.is_temporary else Disposition.PERMANENT


class ReplyReader:
    """Reads a peer's replies from octets, however they were split."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._scanned = 0
        self._lines: list[bytes] = []
        self._code = 0

    def __len__(self) -> int:
        return len(self._data)

    def receive(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def clear(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]

    def next_reply(self) -> Reply | None:
        """Remove and return the next whole reply, or None where it has not ended.

        Raises SyntaxFault: where a line is no reply line, or its code differs from that of the lines before.
        Raises LimitFault: where a line or the reply is too long. After a fault the connection is of no use.
        """
        while True:
            end = self._data.find(b"\n", self._scanned)
            if end < 0:
                self._scanned = len(self._data)
                if self._scanned > REPLY_LINE:
                    raise LimitFault("reply line too long", where="smtp.reply")
                return None
            line = bytes(self._data[: end + 1])
            del self._data[: end + 1]
            self._scanned = 0
            if self._take(line):
                reply = Reply(code=self._code, lines=tuple(self._lines))
                self._lines = []
                return reply

    def _take(self, line: bytes) -> bool:
        """Take one line; return whether it was the last of its reply."""
        if len(line) > REPLY_LINE or len(self._lines) >= REPLY_LINES:
            raise LimitFault("reply too long", where="smtp.reply")
        if not line.endswith(b"\r\n") or line.find(b"\r") != len(line) - 2:
            raise SyntaxFault("CR or LF alone in a reply", where="smtp.reply")
        match = _LINE.fullmatch(line[:-2])
        if match is None:
            raise SyntaxFault("no reply line", where="smtp.reply")
        code = int(match[1])
        if self._lines and code != self._code:
            raise SyntaxFault("the code changes within a reply", where="smtp.reply")
        self._code = code
        self._lines.append(match[3] or b"")
        return match[2] != b"-"
