"""What the tables are made of: their metadata and the kinds of column.

As ``schema``, imported only to make a database, to upgrade one and by tests (``tests/unit/store/test_schema.py``).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, MetaData, Text, text

Id = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER PRIMARY KEY is the rowid itself

metadata = MetaData()


def number(name: str, *, default: int | None = 0) -> Column[int]:
    """Return a column of whole numbers; with ``default`` None it must be given."""
    return Column(name, Id, nullable=False, server_default=None if default is None else text(str(default)))


def words(name: str, *, default: str = "") -> Column[str]:
    """Return a column of text."""
    return Column(name, Text, nullable=False, server_default=text(f"'{default}'"))


def octets(name: str) -> Column[bytes]:
    """Return a column of octets."""
    return Column(name, LargeBinary, nullable=False, server_default=text("x''"))


def moment(name: str) -> Column[float]:
    """Return a column of seconds since the epoch."""
    return Column(name, Float, nullable=False, server_default=text("0"))


def key(name: str) -> Column[int]:
    """Return a column of the primary key."""
    return Column(name, Id, primary_key=True, nullable=False, autoincrement=False)


def text_key(name: str) -> Column[str]:
    """Return a column of text of the primary key."""
    return Column(name, Text, primary_key=True, nullable=False)
