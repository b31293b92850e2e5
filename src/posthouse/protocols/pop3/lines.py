"""Framing of POP3 commands: octets to lines, with the limit before anything else (RFC 1939 §3, RFC 2449 §4).

A line ends with LF; a CR before it belongs to the end. A bare LF is accepted because nothing that passes through here
is handed on to another server. A line over the limit is dropped up to its LF, in bounded memory, and reported once.
Tests: ``tests/unit/protocols/pop3/test_pop3_session.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from posthouse.protocols.masking import Observer


class LineBuffer:
    """Octets that were received and not yet read."""

    __slots__ = ("_data", "_is_skipping", "_scanned")

    def __init__(self) -> None:
        self._data = bytearray()
        self._scanned = 0  # octets at the front that hold no LF
        self._is_skipping = False

    def __len__(self) -> int:
        return len(self._data)

    def append(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def clear(self) -> int:
        """Forget everything; return how many octets that were."""
        count = len(self._data)
        self._data.clear()
        self._scanned = 0
        self._is_skipping = False
        return count

    def next_line(self, limit: int) -> bytes | None:
        """Remove and return a line without its end; None where it has not ended.

        A line of more than ``limit`` octets is returned as ``TOO_LONG``, once it has ended.
        """
        end = self._data.find(b"\n", self._scanned)
        if end < 0:
            if len(self._data) > limit:
                self._data.clear()
                self._is_skipping = True
            self._scanned = len(self._data)
            return None
        self._scanned = 0
        if self._is_skipping or end >= limit:
            del self._data[: end + 1]
            self._is_skipping = False
            return TOO_LONG
        line = bytes(self._data[: end - 1 if end and self._data[end - 1] == 13 else end])
        del self._data[: end + 1]
        return line


TOO_LONG = b"\x00too long"  # starts with NUL, which no command may hold; compared by identity


class ObservedBuffer(LineBuffer):
    """Tells an observer what is read. ``is_secret`` says whether lines belong to a SASL exchange now."""

    __slots__ = ("_is_secret", "_observer")

    def __init__(self, observer: Observer, is_secret: Callable[[], bool]) -> None:
        super().__init__()
        self._observer = observer
        self._is_secret = is_secret

    def next_line(self, limit: int) -> bytes | None:
        """Remove a line and tell it."""
        line = super().next_line(limit)
        if line is TOO_LONG:
            self._observer.on_fault("line: too long", 0)
        elif line is not None:
            self._observer.on_line(line, is_secret=self._is_secret())
        return line
