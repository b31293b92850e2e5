"""Rotation and retention of a log file: renamed by size or by day, compressed, removed when old.

A rotated file is called ``NAME.2025-01-31T235959Z`` (UTC, when it was rotated; ``.1`` and so on where that name is
taken), and ``.gz`` behind that once it is compressed. Whoever writes renames, under an exclusive lock (see
``telemetry.writer``); every worker tidies, in a thread: after ``GRACE`` a rotated file is compressed under a lock of
its own, so that two workers never do the same, into ``.part``, which is renamed when it is on stable storage. A crash
leaves the uncompressed file, and the next round compresses it.

Tests: ``tests/unit/telemetry/test_rotation.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gzip
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

GRACE: Final = 5.0  # seconds from the renaming to the compressing
ROUND: Final = 3600.0  # seconds between two looks at what is old
RETRY: Final = 60.0  # seconds until a renaming that failed is tried again
_STAMP: Final = re.compile(r"\.\d{4}-\d\d-\d\dT\d{6}Z(?:\.\d{1,4})?(?:\.gz)?")
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """When a file is rotated, and what becomes of the old ones. 0 stands for no limit.

    Attributes:
        size: octets that a file may have.
        daily: whether each day (of the machine's zone) begins a file.
        keep_files: how many rotated files are kept.
        keep_days: for how many days.
        compress: whether rotated files are compressed.
    """

    size: int = 0
    daily: bool = True
    keep_files: int = 0
    keep_days: int = 0
    compress: bool = True


def rotated_files(path: Path) -> list[Path]:
    """Return the rotated files of a log, oldest first."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        names = os.listdir(path.parent)  # noqa: PTH208  (names are enough)
        found = [each for each in names if each.startswith(path.name) and _STAMP.fullmatch(each, len(path.name))]
    return [path.parent / each for each in sorted(found, key=lambda each: _order(each[len(path.name) :]))]


def _order(suffix: str) -> tuple[str, int]:
    stamp, _, number = suffix.removesuffix(".gz")[1:].partition(".")
    return stamp, int(number or 0)


class Rotator:
    """Rotates one file, for one writer."""

    def __init__(self, path: Path, rotation: Rotation) -> None:
        self._path = path
        self._rotation = rotation
        self._not_before = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def is_due(self, found: os.stat_result, octets: int, now: float) -> bool:
        """Return whether the file should be renamed before so many octets more are written."""
        rotation = self._rotation
        if not found.st_size or now < self._not_before:
            return False
        if rotation.size and found.st_size + octets > rotation.size:
            return True
        return rotation.daily and time.localtime(found.st_mtime)[:3] < time.localtime(now)[:3]

    def rename(self, now: float) -> None:
        """Rename the file, whose exclusive lock the caller holds; where that fails it is tried again later."""
        stamp = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime(now))
        try:
            for suffix in ("", *(f".{number}" for number in range(1, 10_000))):
                target = self._path.with_name(f"{self._path.name}.{stamp}{suffix}")
                if not target.exists() and not target.with_name(target.name + ".gz").exists():
                    self._path.rename(target)
                    break
        except OSError:
            self._not_before = now + RETRY
        self._plan(GRACE + 1.0)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tidy now and then, from soon on."""
        self._loop = loop
        self._plan(GRACE)

    def stop(self) -> None:
        """Tidy no more."""
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _plan(self, seconds: float) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._tidy_in_thread)

    def _tidy_in_thread(self) -> None:
        assert self._loop is not None
        self._timer = None
        self._plan(ROUND)
        self._loop.run_in_executor(None, tidy, self._path, self._rotation, time.time())


def tidy(path: Path, rotation: Rotation, now: float) -> None:
    """Remove rotated files that are too many or too old, and compress the others. Never raises OSError."""
    files = rotated_files(path)
    for each in _surplus(files, rotation, now):
        with contextlib.suppress(OSError):
            each.unlink()
        files.remove(each)
    if rotation.compress:
        for each in files:
            if each.suffix != ".gz":
                with contextlib.suppress(OSError):
                    _compress(each, now)


def _surplus(files: list[Path], rotation: Rotation, now: float) -> Iterator[Path]:
    many = len(files) - rotation.keep_files if rotation.keep_files else 0
    for number, each in enumerate(list(files)):
        is_old = False
        if rotation.keep_days:
            with contextlib.suppress(OSError):
                is_old = each.stat().st_mtime < now - rotation.keep_days * _DAY
        if number < many or is_old:
            yield each


def _compress(path: Path, now: float) -> None:
    """Compress a file unless it was renamed a moment ago, or somebody else does."""
    if now - path.stat().st_ctime < GRACE:  # renaming changes the ctime
        return
    with path.open("rb") as source:
        try:
            fcntl.flock(source, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        if not path.exists():  # done by another between the opening and the lock
            return
        found = os.fstat(source.fileno())
        part = path.with_name(path.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, found.st_mode & 0o777)
        with os.fdopen(descriptor, "wb") as raw:
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=int(found.st_mtime)) as target:
                shutil.copyfileobj(source, target, 1 << 20)
            raw.flush()
            os.fsync(raw.fileno())
        os.utime(part, (found.st_mtime, found.st_mtime))
        part.rename(path.with_name(path.name + ".gz"))
        path.unlink()
