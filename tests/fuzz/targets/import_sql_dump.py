"""any bytes give rows or one fault with its place, never another exception.

The first octet chooses the size of the pieces in which the dump is read; the rows do not depend on it.
"""

from __future__ import annotations

import io

from posthouse.services.administration.importing.source import SourceFile, Unreadable
from posthouse.services.administration.importing.sql_dump import read_dump

TABLES = ("hm_domains", "hm_accounts", "t")


class _Slow(io.BytesIO):
    """Gives at most so many octets at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        """Return a piece."""
        return super().read(self._size if size is None or size < 0 else min(size, self._size))


def _rows(content: bytes, size: int) -> list[object] | str:
    file = SourceFile("d", lambda: _Slow(content, size))
    try:
        return list(read_dump(file, "utf-8", TABLES))
    except Unreadable as fault:
        assert "\n" not in fault.detail
        return "unreadable"


def target(data: bytes) -> None:
    """Read the data as a dump, in large pieces and in small ones."""
    if not data:
        return
    content = data[1:]
    assert _rows(content, 1 << 20) == _rows(content, max(2, data[0]))
