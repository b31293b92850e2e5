"""Connections to the database file: how they are set up, and what SQLite's errors mean for callers.

The database file itself is never opened by other means than SQLite inside a process that serves: closing such a
descriptor would drop the process's POSIX locks (https://www.sqlite.org/howtocorrupt.html §2.2). The write-ahead log
carries no locks, so ``flush`` may hold a descriptor of it.
"""

from __future__ import annotations

import functools
import sqlite3
from pathlib import Path

from posthouse.core.errors import Bug, Fault, Unavailable

PAGE_SIZE = 4096
# 16 MiB of pages a connection. The file is not mapped: a disk error would then kill the process (SIGBUS), and
# measurements show nothing gained over the kernel's page cache.
CACHE_KIB = 16 * 1024
# Housekeeping checkpoints long before this many pages (256 MiB); then SQLite does so inside the commit that passes it.
AUTOCHECKPOINT_PAGES = 65_536
BUSY_SECONDS = 1.0  # others than our workers (a backup, a shell) may hold the database this long

# The store cannot do it now, and may later.
_TROUBLE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS, cache_kib: int = CACHE_KIB) -> sqlite3.Connection:
    """Open the database. Raises sqlite3.Error.

    Transactions are begun by hand. A commit puts its frames into the write-ahead log and does not flush them
    (``synchronous=NORMAL``): the committer does, outside the write lock.
    """
    connection = sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, cached_statements=512, check_same_thread=False
    )
    try:
        for pragma in (
            "synchronous=NORMAL",
            f"cache_size=-{cache_kib}",
            "temp_store=MEMORY",
            "secure_delete=FAST",  # Debian's default rewrites every freed page
            f"wal_autocheckpoint={AUTOCHECKPOINT_PAGES}",
            "foreign_keys=OFF",  # verify checks what keys would, without a look-up for each row
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        connection.create_function("keywords_with", 2, _keywords_with, deterministic=True)
        connection.create_function("keywords_without", 2, _keywords_without, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def is_trouble(error: BaseException) -> bool:
    """Whether the engine cannot work now, as opposed to a value that it cannot take."""
    if isinstance(error, OSError):
        return True
    return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF in _TROUBLE


def as_fault(error: BaseException, where: str) -> Fault:
    """Return the fault that callers are given for an error of SQLite or the operating system."""
    code = (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    detail = f"{name}: {error}"
    if isinstance(error, Fault):
        return error
    if is_trouble(error):
        return Unavailable(detail, where=where, storage_short=code == sqlite3.SQLITE_FULL or _is_full(error))
    return Bug(detail, where=where)


def _is_full(error: BaseException) -> bool:
    import errno

    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


# Keywords are told apart without regard to case, and shown as they were first given (RFC 3501 §2.3.2).


@functools.lru_cache(maxsize=4096)
def _keywords_with(present: str, added: str) -> str:
    words = present.split()
    seen = {word.lower() for word in words}
    for word in added.split():
        if word.lower() not in seen:
            words.append(word)
            seen.add(word.lower())
    return " ".join(words)


@functools.lru_cache(maxsize=4096)
def _keywords_without(present: str, removed: str) -> str:
    gone = {word.lower() for word in removed.split()}
    return " ".join(word for word in present.split() if word.lower() not in gone)
