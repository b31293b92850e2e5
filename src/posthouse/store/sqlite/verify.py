"""Checks every invariant of the store, in one snapshot, with a connection of its own, while others go on working.

``invariants`` holds those that are statements; here are the soundness of the file itself and of every body's octets.
Tests: ``tests/contract/store/test_store_verify.py`` plants damage of every kind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from posthouse.store.rows import Finding
from posthouse.store.sqlite.connection import connect
from posthouse.store.sqlite.invariants import BACKUP, INVARIANTS

_SHOWN = 100  # findings of one invariant


def verify(path: Path) -> list[Finding]:
    """Return what is wrong, at most a hundred findings of each kind. Raises sqlite3.Error."""
    connection = connect(path, busy_seconds=5.0)
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("BEGIN")
        found = list(_check_file(connection))
        for invariant in INVARIANTS:
            breaches = connection.execute(invariant.statement).fetchmany(_SHOWN)
            found += [Finding(invariant.name, where, detail, invariant.remedy) for where, detail in breaches]
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
