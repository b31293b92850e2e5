"""Checks every invariant of the store, in one snapshot, with a connection of its own, while others go on working.

``invariants`` holds those that are statements; here are the soundness of the file itself, of every body's octets, of
the find index and of the audit log's chain.
Tests: ``tests/contract/store/test_store_verify.py`` plants damage of every kind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from posthouse.store.rows import Finding
from posthouse.store.sqlite import chain
from posthouse.store.sqlite.connection import connect
from posthouse.store.sqlite.folding import office_mark
from posthouse.store.sqlite.invariant import BACKUP, LEAVE
from posthouse.store.sqlite.invariants import INVARIANTS

FIND_INDEX = "the find index holds every entry"
CHAIN = "the audit log is as it was written"
_SHOWN = 100  # findings of one invariant
_SAMPLE = 2_000  # entries looked for in the find index
_EVIDENCE = (
    "somebody changed the audit log outside of Posthouse; keep the file as evidence and compare it with a backup"
)


def verify(path: Path) -> list[Finding]:
    """Return what is wrong, at most a hundred findings of each kind. Raises sqlite3.Error."""
    connection = connect(path, busy_seconds=5.0)
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.find_terms USING fts5vocab('main', 'find_index', 'row')")
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        found = list(_check_file(connection))
        for invariant in INVARIANTS:
            breaches = connection.execute(invariant.statement).fetchmany(_SHOWN)
            found += [Finding(invariant.name, where, detail, invariant.remedy) for where, detail in breaches]
        found += _check_find_index(connection)[:_SHOWN]
        found += _check_chain(connection)[:_SHOWN]
        found += _check_bodies(connection)
        return found
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise
        return [Finding("the file is sound", str(path), str(error), BACKUP)]
    finally:
        connection.close()


def _check_file(connection: sqlite3.Connection) -> Iterator[Finding]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if line != "ok":
            yield Finding("the file is sound", "database", str(line), BACKUP)


def _check_find_index(connection: sqlite3.Connection) -> list[Finding]:
    """Count what is indexed for each post office, and look for entries from all over the directory."""
    found = []
    counts = connection.execute(
        "SELECT o.id, count(e.id) FROM domain d JOIN post_office o ON o.id = d.office_id"
        " JOIN entry e ON e.id >= d.id << 35 AND e.id < (d.id + 1) << 35 GROUP BY o.id"
    ).fetchall()
    for office, count in counts:
        row = connection.execute("SELECT doc FROM temp.find_terms WHERE term = ?", (office_mark(office),)).fetchone()
        indexed = row[0] if row else 0
        if indexed != count:
            found.append(Finding(FIND_INDEX, f"post office {office}", f"{indexed} indexed of {count}", LEAVE))
    step = max(1, connection.execute("SELECT count(*) FROM entry").fetchone()[0] // _SAMPLE)
    sample = "SELECT id, address, folded FROM (SELECT *, row_number() OVER () n FROM entry) WHERE n % ? = 0"
    for number, address, folded in connection.execute(sample, (step,)):
        trigrams = dict.fromkeys(folded[at : at + 3].replace('"', '""') for at in range(len(folded) - 2))
        terms = " AND ".join(f'"{one}"' for one in trigrams)
        hit = connection.execute("SELECT 1 FROM find_index WHERE find_index MATCH ? AND rowid = ?", (terms, number))
        if hit.fetchone() is None:
            found.append(Finding(FIND_INDEX, address, "cannot be found", LEAVE))
    return found


def _check_chain(connection: sqlite3.Connection) -> list[Finding]:
    """Follow the audit log's chain from its beginning."""
    found = []
    number, previous = 0, ""
    for *fields, told in connection.execute(f"SELECT {chain.COLUMNS}, digest FROM audit ORDER BY number"):
        if fields[0] != number + 1:
            found.append(Finding(CHAIN, f"entry {number + 1}", f"the next entry is {fields[0]}", _EVIDENCE))
        elif fields[-1] != previous:
            found.append(Finding(CHAIN, f"entry {fields[0]}", "does not follow the entry before it", _EVIDENCE))
        if chain.digest(tuple(fields)) != told:
            found.append(Finding(CHAIN, f"entry {fields[0]}", "is not what was written", _EVIDENCE))
        number, previous = fields[0], told
    given = connection.execute("SELECT value FROM counter WHERE name = 'audit'").fetchone()
    if given is not None and given[0] > number:
        found.append(
            Finding(CHAIN, f"entry {given[0]}", f"the newest entries are gone: the last is {number}", _EVIDENCE)
        )
    return found


def _check_bodies(connection: sqlite3.Connection) -> list[Finding]:
    """Read every body, one at a time, and compare its octets with its size and hash."""
    name = "a body is readable and true to its hash"
    found = []
    for body, size, codec, digest, content in connection.execute("SELECT id, size, codec, hash, content FROM body"):
        if codec:
            actual, seen = _hash_chunks(connection, body)
        else:
            actual, seen = sha256(content or b"").digest(), len(content or b"")
        if seen != size:
            found.append(Finding(name, f"body {body}", f"{seen} octets of {size}", BACKUP))
        elif actual != digest:
            found.append(Finding(name, f"body {body}", "the octets are not those that were stored", BACKUP))
        if len(found) >= _SHOWN:
            break
    return found


def _hash_chunks(connection: sqlite3.Connection, body: int) -> tuple[bytes, int]:
    digest, seen = sha256(), 0
    for (chunk,) in connection.execute("SELECT content FROM body_chunk WHERE body_id = ? ORDER BY number", (body,)):
        digest.update(chunk)
        seen += len(chunk)
    return digest.digest(), seen
