"""Upkeep behind the deliveries: in bounded slices through the committer, so that nothing waits long for it.

Emails without a place and their bodies, accounts that were removed, chunks that a crash left, keys of the journey
sorted into their index, journeys and records of administration past their time. And the checkpoint: copying the
write-ahead log into the database file, in a thread of its own.
Tests: ``tests/contract/store/test_store_upkeep.py``.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
from pathlib import Path

from posthouse.store.sqlite.committer import Committer
from posthouse.store.sqlite.connection import connect
from posthouse.store.sqlite.database import Database
from posthouse.store.sqlite.slices import (
    ChangeTrimmer,
    Slice,
    apply_place_changes,
    drop_stale_chunks,
    forget_journeys,
    forget_records,
    purge_accounts,
    sort_journey_keys,
)

CHECKPOINT_OCTETS = 64 * 1024 * 1024  # of log written by this worker, roughly
_PASSES = 2  # of the log while others write: the first copies tens of MiB, the second what came during it
_SLICES = 50  # of one kind in a round


class Checkpointer:
    """Checkpoints in a thread with its own connection, when enough was written."""

    def __init__(self, database: Database, lock_path: Path) -> None:
        self._path = database.path
        self._lock_path = lock_path
        self._written = database.log_size
        self._jobs: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._running = False
        self._thread: threading.Thread | None = None

    def wrote(self, octets: int) -> None:
        """Count what a group wrote, and checkpoint when it is time."""
        self._written += octets
        if self._written > CHECKPOINT_OCTETS:
            self.urge()

    def urge(self) -> None:
        """Checkpoint now, unless one is under way."""
        if self._running or not self._written:
            return
        self._written = 0
        self._running = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="posthouse-checkpoint", daemon=True)
            self._thread.start()
        self._jobs.put(True)

    def close(self) -> None:
        """End after the checkpoint under way."""
        if self._thread is not None:
            self._jobs.put(False)
            self._thread.join()

    def _work(self) -> None:
        while self._jobs.get():
            try:
                self._checkpoint()
            except (sqlite3.Error, OSError):
                pass  # the disk is full or failing: commits meet that themselves, and the next round tries again
            self._running = False

    def _checkpoint(self) -> None:
        """Copy the log while others write; then the little that came meanwhile, while they wait.

        After the last step the log is copied whole, so that the next writer starts it from its beginning.
        """
        connection = connect(self._path, cache_kib=2048)
        try:
            for _ in range(_PASSES):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            finally:
                os.close(lock)
        finally:
            connection.close()


async def housekeep(committer: Committer, trimmer: ChangeTrimmer, journey_before: float) -> None:
    """One round: of each kind of work, slices until it is done or enough for this time."""
    for work in (
        apply_place_changes,
        purge_accounts,
        drop_stale_chunks,
        sort_journey_keys,
        trimmer.trim,
        forget_records,
        lambda group: forget_journeys(group, journey_before),
    ):
        for _ in range(_SLICES):
            if not await committer.submit((Slice(work),), (None,)):
                break
            await asyncio.sleep(0)
