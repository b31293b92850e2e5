"""Framing of SMTP commands: octets to lines, with limits before anything else (RFC 5321 §2.3.8, §4.5.3.1.4).

Invariants: only CRLF ends a line; a CR or LF alone makes the whole line a fault; a line over the limit is dropped up
to its LF and never read as another command; each octet is looked at once, however the input was split.
Knows no command. Tests: ``tests/unit/protocols/smtp/test_smtp_lines.py``, ``tests/property/test_smtp_any_split.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from posthouse.core import limits
from posthouse.protocols.masking import Observer


class LineFault(enum.Enum):
    """Why a line cannot be read as a command."""

    TOO_LONG = "too long"
    BARE_NEWLINE = "CR or LF alone"
    NUL = "NUL octet"
    ENDLESS = "without an end"  # its end is not waited for; the session is over


class ReceiveBuffer:
    """Octets that were received and not yet read."""

    __slots__ = ("_data", "_is_skipping", "_scanned", "_skipped")

    def __init__(self) -> None:
        self._data = bytearray()
        self._scanned = 0  # octets at the front that hold no LF
        self._is_skipping = False  # inside a line that was too long
        self._skipped = 0  # octets of that line that were dropped

    def __len__(self) -> int:
        return len(self._data)

    def append(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def starts_with(self, prefix: bytes) -> bool:
        """Return whether the next octets are these."""
        return self._data.startswith(prefix)

    def clear(self) -> None:
        """Forget everything."""
        self._data.clear()
        self._scanned = 0
        self._is_skipping = False
        self._skipped = 0

    def take(self, count: int = -1) -> bytes:
        """Remove and return up to ``count`` octets, all where it is negative."""
        self._scanned = 0
        if count < 0 or count >= len(self._data):
            taken = bytes(self._data)
            self._data.clear()
            return taken
        taken = bytes(self._data[:count])
        del self._data[:count]
        return taken

    def restore(self, rest: bytes) -> None:
        """Put back in front what ``take`` returned too much of."""
        self._data[:0] = rest

    def next_line(self, limit: int) -> bytes | LineFault | None:
        """Remove and return a line without its CRLF, or what is wrong with it, or None where it has not ended.

        Args:
            limit: octets of a line with its CRLF.
        """
        data = self._data
        end = data.find(b"\n", self._scanned)
        if end < 0:
            if len(data) >= limit:
                self._is_skipping = True
            if self._is_skipping:
                self._skipped += len(data)
                data.clear()
            self._scanned = len(data)
            if self._skipped < limits.SMTP_ENDLESS_LINE:
                return None
            self._skipped = 0
            return LineFault.ENDLESS
        line = bytes(data[:end])
        del data[: end + 1]
        self._scanned = 0
        if self._is_skipping or end >= limit:
            dropped, self._skipped = self._skipped + end, 0
            self._is_skipping = False
            return LineFault.ENDLESS if dropped >= limits.SMTP_ENDLESS_LINE else LineFault.TOO_LONG
        if line.find(b"\r") != end - 1 or not line:
            return LineFault.BARE_NEWLINE
        if b"\0" in line:
            return LineFault.NUL
        return line[:-1]


class ObservedBuffer(ReceiveBuffer):
    """Tells an observer what is read. ``is_secret`` says whether lines belong to a SASL exchange now."""

    __slots__ = ("_is_secret", "_observer")

    def __init__(self, observer: Observer, is_secret: Callable[[], bool]) -> None:
        super().__init__()
        self._observer = observer
        self._is_secret = is_secret

    def take(self, count: int = -1) -> bytes:
        """Remove octets and tell how many."""
        taken = super().take(count)
        self._observer.on_content(len(taken))
        return taken

    def restore(self, rest: bytes) -> None:
        """Put octets back and tell how many."""
        super().restore(rest)
        self._observer.on_content(-len(rest))

    def next_line(self, limit: int) -> bytes | LineFault | None:
        """Remove a line and tell it."""
        line = super().next_line(limit)
        if isinstance(line, LineFault):
            self._observer.on_fault(f"line: {line.value}", 0)
        elif line is not None:
            self._observer.on_line(line, is_secret=self._is_secret())
        return line
