"""Writes log lines to a file or a standard stream: buffered, whole lines at a time, never an error for the caller.

Lines gather for up to ``DELAY`` seconds (less where they are many) and go out in one ``write`` call to a descriptor
opened for appending, so that several workers may share one file. Where the system refuses, such as for a full disk,
lines are dropped and counted; the count is written as ``log.dropped`` as soon as writing works again.
``reopen`` serves programs that rotate logs. Tests: ``tests/unit/telemetry/test_writer.py``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

DELAY: Final = 0.1  # seconds that a line may wait; what a person who follows the log does not notice
FULL: Final = 64 * 1024  # octets in the buffer that make it go out at once
_MODE: Final = 0o640


class BufferedWriter:
    """Collects lines and writes them in blocks.

    Without a loop every line is written at once, which is what commands and the supervisor want.

    Args:
        target: ``stdout``, ``stderr`` or the path of a file.
        dropped: makes the line that tells how many were lost.

    Raises OSError: where the file cannot be opened.
    """

    def __init__(self, target: str, dropped: Callable[[int], bytes]) -> None:
        self._target = target
        self._dropped = dropped
        self._lines: list[bytes] = []
        self._size = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._followers: list[Callable[[bytes], None]] = []
        self.lost = 0
        self._descriptor = _open(target)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Buffer from now on, with the loop's timers."""
        self._loop = loop

    def write(self, line: bytes) -> None:
        """Take one line."""
        self._lines.append(line)
        self._size += len(line)
        if self._timer is None or self._size >= FULL:
            self._schedule()

    def follow(self, callback: Callable[[bytes], None]) -> Callable[[], None]:
        """Hand every block of lines to a callback from now on; returns what ends it."""
        self._followers.append(callback)
        return lambda: self._followers.remove(callback)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._lines:
            return
        count, block = len(self._lines), b"".join(self._lines)
        self._lines, self._size = [], 0
        for follower in tuple(self._followers):
            follower(block)
        if self.lost:
            block = self._dropped(self.lost) + block
        try:
            self._write_all(block)
        except OSError:
            self.lost += count
        else:
            self.lost = 0

    def reopen(self) -> None:
        """Open the file anew, after it was renamed. What cannot be opened leaves the old file in use."""
        self.flush()
        if self._target in {"stdout", "stderr"}:
            return
        try:
            descriptor = _open(self._target)
        except OSError:
            return
        os.close(self._descriptor)
        self._descriptor = descriptor

    def close(self) -> None:
        """Write the rest; lines that come later are written at once."""
        self.flush()
        self._loop = None

    def _schedule(self) -> None:
        if self._loop is None or self._loop.is_closed() or self._size >= FULL:
            self.flush()
        else:
            self._timer = self._loop.call_later(DELAY, self.flush)

    def _write_all(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(self._descriptor, view) :]


def _open(target: str) -> int:
    if target == "stdout":
        return sys.__stdout__.fileno() if sys.__stdout__ else 1
    if target == "stderr":
        return sys.__stderr__.fileno() if sys.__stderr__ else 2
    return os.open(Path(target), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
