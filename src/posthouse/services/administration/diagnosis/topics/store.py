"""``store.*``: the database: written and flushed, of this version, whole, its log not grown out of bounds.

Tests: ``tests/unit/services/administration/diagnosis/test_check_queue.py``.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from posthouse.core.errors import Fault
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, notice, ok, warning
from posthouse.store.sqlite.birth import HEAD
from posthouse.store.values import TakeDuty

_STORE: Final = frozenset({Need.STORE})
LOG_WARNING: Final = 1 << 30  # octets; it is copied into the database every few seconds
INTEGRITY_SECONDS: Final = 10.0
_PREFIX: Final = "sqlite:///"


def _path(examination: Examination) -> Path | None:
    configuration = examination.parts.configuration
    url = configuration.store_url
    return configuration.in_home(url.removeprefix(_PREFIX)) if url.startswith(_PREFIX) else None


async def _write(examination: Examination, _: str) -> Sequence[Finding]:
    url = examination.parts.configuration.store_url
    remedy = "See that it belongs to the server's user, and the disk."
    if examination.parts.store is None:
        return [error("cannot be opened", examination.parts.store_fault or url, remedy)]
    now = examination.parts.clock.now()
    try:
        await examination.store.commit(TakeDuty(name="check", owner=f"check-{os.getpid()}", now=now, until=now))
    except Fault as fault:
        return [error("cannot be written", fault.detail or url, remedy)]
    return [ok("opened, written and flushed", url)]


async def _schema(examination: Examination, _: str) -> Sequence[Finding]:
    path = _path(examination)
    if path is None:
        return [ok("the store is a server of its own", "its schema is checked when it is opened")]
    try:
        revision = await asyncio.to_thread(_revision, path)
    except sqlite3.Error:
        return [error("the schema cannot be read", str(path), "Restore a backup: the file is damaged or not ours.")]
    if revision == HEAD:
        return [ok(f"the schema is {revision}, as this version wants it")]
    remedy = "Start the server of this version once: it brings the schema up to date."
    if revision > HEAD:
        remedy = "Run the version that wrote it, or a later one."
    return [error(f"the schema is {revision or 'unknown'}, this version wants {HEAD}", str(path), remedy)]


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0, check_same_thread=False)


def _revision(path: Path) -> str:
    connection = _reader(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    finally:
        connection.close()
    return str(row[0]) if row else ""


async def _integrity(examination: Examination, _: str) -> Sequence[Finding]:
    path = _path(examination)
    if path is None:
        return [ok("the store is a server of its own", "`posthouse verify` looks at what is in it")]
    connection = await asyncio.to_thread(_reader, path)
    task = asyncio.ensure_future(asyncio.to_thread(_quick_check, connection))
    try:
        answer = await asyncio.wait_for(asyncio.shield(task), INTEGRITY_SECONDS)
    except TimeoutError:
        return [
            notice(
                f"not finished within {INTEGRITY_SECONDS:g} seconds: the database is large",
                str(path),
                "posthouse verify looks at all of it",
            )
        ]
    finally:
        connection.interrupt()  # also where the run's time is over; the thread then ends at once
        await asyncio.wait([task])
        connection.close()
    if answer == "ok":
        return [ok("the database is whole", "PRAGMA quick_check: ok")]
    remedy = "Stop the server, copy the home, then posthouse verify; restore a backup where it finds damage."
    return [error("the database is damaged", answer, remedy)]


def _quick_check(connection: sqlite3.Connection) -> str:
    try:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as fault:
        return "interrupted" if "interrupt" in str(fault) else "cannot be read to its end"
    except sqlite3.DatabaseError:
        return "not a database, or one that cannot be read to its end"


async def _log(examination: Examination, _: str) -> Sequence[Finding]:
    path = _path(examination)
    if path is None:
        return [ok("the store is a server of its own")]
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > LOG_WARNING:
        remedy = "Let the server run, or restart it; a program that keeps the database open for reading hinders it."
        return [warning(f"the write-ahead log has {size >> 20} MiB and is not copied back", str(log), remedy)]
    return [ok(f"the write-ahead log has {size >> 10} KiB", str(log))]


CHECKS = (
    Check(
        id="store.write",
        title="the store takes a commit",
        explanation="A commit is written and flushed. Without that no mail can be accepted.",
        remedy="See that the file belongs to the server's user, and that its disk is well.",
        look=_write,
    ),
    Check(
        id="store.schema",
        title="version of the schema",
        explanation="The tables have to be those that this version of the program knows.",
        remedy="Start the server of this version once, or run the version that wrote the database.",
        look=_schema,
        needs=_STORE,
    ),
    Check(
        id="store.integrity",
        title="integrity",
        explanation="A quick look through the structure of the database for damage, of ten seconds at most; "
        "`posthouse verify` looks at everything.",
        remedy="Stop the server, copy the home, run posthouse verify, restore a backup where it finds damage.",
        look=_integrity,
        needs=_STORE,
    ),
    Check(
        id="store.log",
        title="size of the write-ahead log",
        explanation="What is committed stands in a log first and is copied into the database every few seconds. A log "
        "that grows and grows means that something hinders that.",
        remedy="Restart the server; end programs that keep the database open.",
        look=_log,
        needs=_STORE,
    ),
)
