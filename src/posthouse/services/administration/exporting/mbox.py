"""mboxrd: messages one after the other, each begun by a ``From `` line, in pieces.

A line of a message that is ``From `` behind any number of ``>`` gets one more ``>``, so that taking one away gives the
message again. CRLF becomes LF, as mbox files have it. RFC 4155 describes the format and leaves the quoting open.

Invariants: pure, one message at a time, a few octets are held back between pieces.
Tests: ``tests/unit/services/administration/exporting/test_export_mbox.py``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from posthouse.core.flags import Flag

_FROM: Final = b"From "
_QUOTED: Final = re.compile(rb"^(>*From )", re.MULTILINE)
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Quoting:
    """Turns one message, given in pieces of any size, into the text of an mbox."""

    def __init__(self) -> None:
        self._held = b""
        self._marks = 0  # ``>`` at the beginning of the line that is not decided yet
        self._at_start = True
        self._last = b"\n"

    def feed(self, piece: bytes) -> bytes:
        """Return what can be written after this piece."""
        data = self._held + piece
        self._held = b""
        if data.endswith(b"\r"):
            data, self._held = data[:-1], b"\r"
        out: list[bytes] = []
        self._lines(data.replace(b"\r\n", b"\n"), out)
        return self._noted(b"".join(out))

    def end(self) -> bytes:
        """Return the rest: what was held back, a line end where there is none, the empty line between messages."""
        text = self._noted(b">" * self._marks + self._held)
        self._marks, self._held = 0, b""
        return text + (b"\n" if self._last == b"\n" else b"\n\n")

    def _noted(self, text: bytes) -> bytes:
        self._last = text[-1:] or self._last
        return text

    def _lines(self, data: bytes, out: list[bytes]) -> None:
        """Write what is decided; the beginning of a line that may become ``>>From `` is held back."""
        if self._at_start:
            data = self._start_of_line(data, out)
            if self._at_start:
                return
        # From here on the first line goes on; every other line in the piece is begun in it.
        newline = data.find(b"\n")
        if newline < 0:
            out.append(data)
            return
        out.append(data[: newline + 1])
        rest = data[newline + 1 :]
        last = rest.rfind(b"\n") + 1
        out.append(_QUOTED.sub(rb">\1", rest[:last]))
        self._at_start = True
        self._lines(rest[last:], out)

    def _start_of_line(self, data: bytes, out: list[bytes]) -> bytes:
        """Decide how a line begins, if the piece is enough for it; return what follows its decided beginning."""
        bare = data.lstrip(b">")
        self._marks += len(data) - len(bare)
        if len(bare) < len(_FROM) and _FROM.startswith(bare):
            self._held = bare + self._held
            return b""
        self._at_start = False
        out.append(b">" * (self._marks + bare.startswith(_FROM)))
        self._marks = 0
        return bare


def separator(sender: str, when: int) -> bytes:
    """Return the ``From `` line of a message: its envelope's sender and when it came, in UTC."""
    at = datetime.fromtimestamp(when, UTC)
    name = re.sub(r"[^\x21-\x7e]", "_", sender) or "MAILER-DAEMON"
    moment = f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:2d} {at:%H:%M:%S} {at.year}"
    return f"From {name} {moment}\n".encode()


def status_fields(flags: Flag, keywords: str, mailbox: str) -> bytes:
    """Return the header fields by which mbox readers know flags: Status, X-Status, X-Keywords; and the mailbox."""
    status = "RO" if flags & Flag.SEEN else "O"
    marks = "".join(
        mark
        for flag, mark in ((Flag.ANSWERED, "A"), (Flag.FLAGGED, "F"), (Flag.DRAFT, "T"), (Flag.DELETED, "D"))
        if flags & flag
    )
    words = re.sub(r"[^\x21-\x7e]+", " ", keywords).strip()
    lines = [f"Status: {status}"]
    lines += [f"X-Status: {marks}"] if marks else []
    lines += [f"X-Keywords: {words}"] if words else []
    lines.append(f"X-Mailbox: {mailbox.encode('ascii', 'backslashreplace').decode()}")
    return ("\n".join(lines) + "\n").encode()
