"""Reads a log with its rotated files, oldest line first, line by line: memory does not grow with the log.

Rotated files that were closed before the time asked for are passed over by their names. A compressed file that is cut
short or broken gives what can be read of it and is told. Tests: ``tests/unit/telemetry/test_archive.py``.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from posthouse.telemetry.filters import LONGEST, stamp
from posthouse.telemetry.rotation import rotated_files

_STAMP = re.compile(r"\.(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z")


def log_files(path: Path, since: float = 0.0) -> list[Path]:
    """Return the files that may hold lines from ``since`` on, oldest first, the log itself last."""
    wanted = stamp(since).decode()[:19] if since else ""
    found = [each for each in rotated_files(path) if not wanted or _closed_at(each, path) >= wanted]
    return [*found, path] if path.exists() else found


def _closed_at(rotated: Path, path: Path) -> str:
    match = _STAMP.match(rotated.name, len(path.name))
    return f"{match[1]}T{match[2]}:{match[3]}:{match[4]}" if match else "9"


def read_lines(path: Path, *, since: float = 0.0, trouble: Callable[[str], None] = lambda _: None) -> Iterator[bytes]:
    """Yield the lines of a log and its rotated files, without their ends.

    Args:
        path: of the log.
        since: files that were closed before it are passed over.
        trouble: is told of files that cannot be read, in a line each.
    """
    for each in log_files(path, since):
        try:
            with _open(each) as file:
                yield from _lines(file)
        except FileNotFoundError:
            compressed = each.with_name(each.name + ".gz")  # it was compressed in between
            if compressed.exists():
                with _open(compressed) as file:
                    yield from _lines(file)
        except (OSError, EOFError, zlib.error) as error:
            trouble(f"{each}: {getattr(error, 'strerror', None) or error}")


def _open(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LONGEST):
        if not line.endswith(b"\n") and len(line) == LONGEST:  # no line of ours; its rest is read over
            while rest := file.readline(LONGEST):
                if rest.endswith(b"\n"):
                    break
            continue
        yield line.rstrip(b"\n")
