"""Making the database, and seeing on opening that it is the one this code knows.

A new database is made from ``schema`` in one transaction and marked with the newest revision, without Alembic. An
older one is refused until it was upgraded (``upgrading``, with Alembic). A newer one is refused.
Tests: ``tests/unit/store``.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from posthouse.core.errors import Unavailable
from posthouse.store.sqlite.connection import PAGE_SIZE
from posthouse.store.upgrade import OlderSchema

HEAD = "0002"  # the newest revision in migrations/versions
APPLICATION_ID = 0x50735468  # "PsTh", in the header of the file
_WHERE = "store.open"


def prepare(path: Path) -> None:
    """Make or check the database at ``path``; the workers' lock is held.

    Raises OlderSchema: it has to be upgraded first. Unavailable: with the remedy, where the file is not ours or of
    another time. sqlite3.Error, OSError.
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            _make(connection)
            return
        revision = _revision(connection, path)
        if revision == HEAD:
            connection.execute("PRAGMA journal_mode=WAL")  # a copy that was put back has no log
    finally:
        connection.close()
    refuse_newer(path, revision)
    if revision != HEAD:
        raise OlderSchema(
            f"{path} was written by an older Posthouse (schema {revision or 'of before the first'}, this one needs"
            f" {HEAD}); run `posthouse store upgrade`, which keeps a copy",
            where=_WHERE,
        )


def refuse_newer(path: Path, revision: str) -> None:
    """Raise Unavailable where a database is of a later time than this code."""
    if revision > HEAD:
        raise Unavailable(
            f"{path} was written by a newer Posthouse (schema {revision}, this one knows {HEAD});"
            " run that version or a later one, or, where this version upgraded it, `posthouse store rollback` there",
            where=_WHERE,
        )


def revision_of(path: Path) -> str:
    """Return the revision of a database's schema. Raises Unavailable, sqlite3.Error."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        return _revision(connection, path)
    finally:
        connection.close()


def _revision(connection: sqlite3.Connection, path: Path) -> str:
    """Return the revision of the schema, "" for the state before the first."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise Unavailable(
            f"{path} is a database of another program; give the store a path of its own (store.url)", where=_WHERE
        )
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _make(connection: sqlite3.Connection) -> None:
    from posthouse.store.sqlite import schema

    connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    for statement in schema.statements():
        connection.execute(statement)
    connection.execute(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute("INSERT INTO alembic_version (version_num) VALUES (?)", (HEAD,))
    connection.execute("COMMIT")


def upgrade(path: Path, *, patience: float = 5.0) -> None:
    """Bring a database to the newest revision with Alembic, in one transaction, and flush it.

    The transaction is begun by hand: the driver would leave statements that make tables outside of one.
    Raises sqlalchemy.exc.SQLAlchemyError: where it is locked by others for more than ``patience`` seconds, too.
    """
    import sqlalchemy
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    engine = sqlalchemy.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(path, isolation_level=None, timeout=patience), poolclass=NullPool
    )
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA locking_mode=EXCLUSIVE")
            connection.exec_driver_sql("PRAGMA synchronous=FULL")
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
