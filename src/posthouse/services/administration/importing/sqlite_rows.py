"""Rows of some tables out of an SQLite file of another system, opened to read and to change nothing.

Invariants: the file is opened read-only and untrusted (no extension, no view or trigger of it runs anything); one row
is in memory at a time. Tests: ``tests/unit/services/administration/importing/test_import_hmailserver.py``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from posthouse.services.administration.importing.source import SourceFile, Unreadable
from posthouse.services.administration.importing.sql_dump import Row

MAGIC = b"SQLite format 3\0"


def is_sqlite(file: SourceFile) -> bool:
    """Whether a file is an SQLite database. Raises Unreadable."""
    with file.open() as stream:
        return stream.read(len(MAGIC)) == MAGIC


def read_sqlite(file: SourceFile, tables: Collection[str]) -> Iterator[Row]:
    """Yield the rows of the tables that are asked for. Raises Unreadable."""
    if file.path is None:
        raise Unreadable(file.name, "an SQLite file is read where it lies", "Unpack it first.")
    try:
        with closing(_connect(file.path)) as connection:
            there = {name.lower(): name for (name,) in connection.execute(_TABLES)}
            for table in tables:
                if table in there:
                    yield from _rows(connection, table, there[table])
    except sqlite3.Error as error:
        raise Unreadable(file.name, f"is no whole SQLite database ({type(error).__name__})") from None


_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table'"


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.text_factory = lambda octets: octets.decode("utf-8", "replace")
    return connection


def _rows(connection: sqlite3.Connection, table: str, spelled: str) -> Iterator[Row]:
    name = spelled.replace('"', '""')
    cursor = connection.execute(f'SELECT * FROM "{name}"')
    columns = [column[0].lower() for column in cursor.description]
    for number, values in enumerate(cursor, 1):
        cells = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]
        yield Row(table, f"{table}:{number}", dict(zip(columns, cells, strict=True)))
