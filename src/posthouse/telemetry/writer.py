"""Writes log lines: buffered, whole lines at a time, never an error for the caller.

Lines gather for up to ``DELAY`` seconds (less where they are many) and go out together. Where the system refuses, such
as for a full disk, lines are dropped and counted; the count is written as ``log.dropped`` as soon as writing works
again. ``Buffered`` is that much; what a block of lines becomes is the business of its kinds: ``BufferedWriter`` here
(files and standard streams), ``telemetry.syslog``, ``telemetry.journal``.

A file is opened for appending and shared by several workers. Each block is written under a shared lock on the file that
the path names *now*, so a file that was renamed (by ``telemetry.rotation`` or by logrotate) gets no line any more, and
may be compressed. Each process opens the file for itself after the fork: locks belong to the opening, not the process.
A lock that somebody holds for long delays a block for milliseconds: then it is written without.

Tests: ``tests/unit/telemetry/test_writer.py``, ``tests/unit/telemetry/test_rotation.py``.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from posthouse.telemetry.rotation import Rotation, Rotator

DELAY: Final = 0.1  # seconds that a line may wait; what a person who follows the log does not notice
FULL: Final = 64 * 1024  # octets in the buffer that make it go out at once
STREAMS: Final = frozenset({"stdout", "stderr"})
_MODE: Final = 0o640
_ATTEMPTS: Final = 5  # at finding the file that the path names, while others rename it
_PAUSE: Final = 0.0005  # seconds between two attempts at a lock that is held


class Buffered:
    """Collects lines and hands them on in blocks.

    Without a loop every line goes out at once, which is what commands and the supervisor want.

    Args:
        dropped: makes the line that tells how many were lost.

    Attributes:
        lost: lines lost that nobody was told of yet.
        lost_total: lines lost since the process began.
    """

    def __init__(self, dropped: Callable[[int], bytes]) -> None:
        self._dropped = dropped
        self._lines: list[bytes] = []
        self._size = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.lost = 0
        self.lost_total = 0

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Buffer from now on, with the loop's timers; this process has just been forked."""
        self._loop = loop

    def write(self, line: bytes) -> None:
        """Take one line."""
        self._lines.append(line)
        self._size += len(line)
        if self._timer is None or self._size >= FULL:
            self._schedule()

    def flush(self) -> None:
        """Write what has gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._lines:
            return
        lines, self._lines, self._size = self._lines, [], 0
        telling = self.lost
        told = self._dropped(telling) if telling else b""
        out = self._emit([told, *lines]) - 1 if told else self._emit(lines)
        missing = len(lines) - max(0, out)
        self.lost += missing - (telling if out >= 0 else 0)
        self.lost_total += missing

    def reopen(self) -> None:
        """Open the target anew; the base has nothing to open."""
        self.flush()

    def close(self) -> None:
        """Write the rest; lines that come later are written at once."""
        self.flush()
        self._loop = None

    def _emit(self, lines: Sequence[bytes]) -> int:
        """Write lines; return how many, from the front, were written. Never raises."""
        raise NotImplementedError

    def _schedule(self) -> None:
        if self._loop is None or self._loop.is_closed() or self._size >= FULL:
            self.flush()
        else:
            self._timer = self._loop.call_later(DELAY, self.flush)


class BufferedWriter(Buffered):
    """Writes to a file or a standard stream.

    Args:
        target: ``stdout``, ``stderr`` or the path of a file.
        dropped: makes the line that tells how many were lost.
        rotation: when the file is renamed and what becomes of the old ones; None leaves that to others.
        header: what a new file begins with.
        now: the time, for rotation.

    Raises OSError: where the file cannot be opened.
    """

    def __init__(
        self,
        target: str,
        dropped: Callable[[int], bytes],
        *,
        rotation: Rotation | None = None,
        header: bytes = b"",
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(dropped)
        self._target = target
        self._header = header
        self._now = now
        self._descriptor = _open(target)
        mode = os.fstat(self._descriptor).st_mode
        self._is_file = target not in STREAMS and stat.S_ISREG(mode)
        self._rotator = Rotator(Path(target), rotation) if rotation is not None and self._is_file else None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Buffer from now on; the file is opened anew, so that its locks are this worker's own."""
        super().start(loop)
        self.reopen()
        if self._rotator is not None:
            self._rotator.start(loop)

    def reopen(self) -> None:
        """Open the file anew, after it was renamed. What cannot be opened leaves the old file in use."""
        self.flush()
        if self._target not in STREAMS:
            self._open_again()

    def close(self) -> None:
        """Write the rest, and tidy no more."""
        super().close()
        if self._rotator is not None:
            self._rotator.stop()

    def _emit(self, lines: Sequence[bytes]) -> int:
        block = b"".join(lines)
        try:
            if self._is_file:
                self._write_file(block)
            else:
                self._write_all(block)
        except OSError:
            return 0
        return len(lines)

    def _write_file(self, block: bytes) -> None:
        """Write to the file that the path names, under a shared lock; rotate it first where that is due."""
        for _ in range(_ATTEMPTS):
            is_locked = _lock(self._descriptor, fcntl.LOCK_SH)
            try:
                found = os.fstat(self._descriptor)
                if self._is_current(found):
                    if not is_locked:
                        time.sleep(_PAUSE)  # whoever renames needs microseconds
                        continue
                    if not self._is_due(found, len(block)) or not self._rotate():
                        self._write_all(block if found.st_size else self._heading() + block)
                        return
            finally:
                if is_locked:
                    fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._open_again()
        self._write_all(block)

    def _heading(self) -> bytes:
        """Return what an empty file begins with; the exclusive lock keeps two workers from both writing it."""
        if not self._header or not _lock(self._descriptor, fcntl.LOCK_EX) or os.fstat(self._descriptor).st_size:
            return b""
        return self._header

    def _is_due(self, found: os.stat_result, octets: int) -> bool:
        if self._rotator is None or self._loop is None:
            return False
        return self._rotator.is_due(found, octets, self._now())

    def _rotate(self) -> bool:
        """Rename the file, if nobody else writes it or did so; return whether the path names another file now."""
        assert self._rotator is not None
        if not _lock(self._descriptor, fcntl.LOCK_EX):
            return False
        if self._is_current(os.fstat(self._descriptor)):
            self._rotator.rename(self._now())
        return True

    def _is_current(self, found: os.stat_result) -> bool:
        try:
            named = os.stat(self._target)  # noqa: PTH116  (once for each block)
        except OSError:
            return False
        return named.st_ino == found.st_ino and named.st_dev == found.st_dev

    def _open_again(self) -> None:
        try:
            descriptor = _open(self._target)
        except OSError:
            return
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)

    def _write_all(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(self._descriptor, view) :]


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _open(target: str) -> int:
    if target == "stdout":
        return sys.__stdout__.fileno() if sys.__stdout__ else 1
    if target == "stderr":
        return sys.__stderr__.fileno() if sys.__stderr__ else 2
    return os.open(Path(target), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
