"""Rows as CSV or JSON Lines, in pieces of some kilobytes.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula: ``is_safe`` puts an apostrophe
before it, which changes the text; leave it off where a program reads the file.
RFC 4180 §2. Tests: ``tests/unit/services/administration/exporting/test_export_tables.py``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import orjson

PIECE: Final = 64 * 1024
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]


def cell(value: Any, *, is_safe: bool) -> str:
    """Return a value as the text of a cell: lists divided by blanks, yes and no as 1 and 0, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    text = " ".join(value) if isinstance(value, tuple | list) else str(value)
    return f"'{text}" if is_safe and text.startswith(_FORMULA) else text


async def as_csv(rows: AsyncIterator[Row], columns: Sequence[str], *, is_safe: bool = False) -> AsyncIterator[bytes]:
    """Yield a CSV file with a first line of names, CRLF ends and UTF-8."""

    def line(writer: Any, row: Row) -> None:
        writer.writerow([cell(row.get(name), is_safe=is_safe) for name in columns])

    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(columns)
    async for piece in _pieces(rows, buffer, lambda row: line(writer, row)):
        yield piece


async def as_json_lines(rows: AsyncIterator[Row], columns: Sequence[str]) -> AsyncIterator[bytes]:
    """Yield a JSON object with the columns on each line."""
    waiting: list[bytes] = []
    size = 0
    async for row in rows:
        line = orjson.dumps({name: row.get(name) for name in columns}, option=orjson.OPT_APPEND_NEWLINE)
        waiting.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


async def _pieces(rows: AsyncIterator[Row], buffer: io.StringIO, write: Callable[[Row], None]) -> AsyncIterator[bytes]:
    async for row in rows:
        write(row)
        if buffer.tell() >= PIECE:
            yield _emptied(buffer)
    if buffer.tell():
        yield _emptied(buffer)


def _emptied(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")
