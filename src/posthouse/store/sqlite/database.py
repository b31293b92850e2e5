"""The database file, its lock and its flush: everything of the committer that is not about callers.

``store.lock`` lets the workers of one machine take turns in the kernel instead of polling SQLite's lock. The
write-ahead log is flushed through a descriptor of our own, so that no lock is held meanwhile and one flush serves
every frame before it.

A failed flush leaves pages of unknown state: the kernel has marked them clean, and a second flush would succeed and
mean nothing. So the log is then not trusted any more: ``heal`` copies all of it into the database file, which is
flushed, and empties it. Until that succeeds nothing is written (ADR 0007).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from pathlib import Path

from posthouse.core.errors import Unavailable
from posthouse.store.sqlite.connection import connect


class Database:
    """One open database of one worker."""

    def __init__(self, path: Path, lock_path: Path) -> None:
        self.path = path
        self.lock_path = lock_path
        self.connection: sqlite3.Connection = None  # type: ignore[assignment]  # set by open
        self._lock = -1
        self._log = -1

    def open(self) -> None:
        """Open lock, connection and log. Raises sqlite3.Error, OSError."""
        self.open_lock()
        self.connection = connect(self.path)
        self.connection.execute("SELECT count(*) FROM counter").fetchone()  # opens the log
        self._log = os.open(f"{self.path}-wal", os.O_RDWR | os.O_CLOEXEC)

    def open_lock(self) -> None:
        """Open the lock alone, as is enough to prepare the database."""
        if self._lock < 0:
            self._lock = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Close everything; may be called twice."""
        self._close_connection()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _close_connection(self) -> None:
        if self.connection is not None:
            self.connection.close()
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def reopen(self) -> None:
        """Close connection and log and open them anew."""
        self._close_connection()
        self.open()

    def try_lock(self) -> bool:
        """Take the lock of the workers if it is free."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait_for_lock(self) -> None:
        """Take the lock, waiting in the kernel; for a thread."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def lock_within(self, seconds: float) -> None:
        """Take the lock, or give up. Raises Unavailable."""
        deadline = time.monotonic() + seconds
        while not self.try_lock():
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"another process holds {self.lock_path} for long; a server of this home that was stopped"
                    " (SIGSTOP) or hangs does so: let it go on, or kill it",
                    where="store.lock",
                )
            time.sleep(0.01)

    def unlock(self) -> None:
        """Let the next worker write."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def flush(self) -> None:
        """Put every frame that was committed so far on stable storage. Raises OSError."""
        os.fdatasync(self._log)

    @property
    def log_size(self) -> int:
        """Octets of the log file: the most it held at a time, since it is written over from its start."""
        return os.fstat(self._log).st_size

    def heal(self) -> None:
        """After a failed flush, under the lock: make the database whole without the log. Raises Unavailable."""
        connection = connect(self.path, busy_seconds=5.0)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
        if busy:
            raise Unavailable("a reader keeps the write-ahead log from being emptied", where="store.heal")
        self.flush()
