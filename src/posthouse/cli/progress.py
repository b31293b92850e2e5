"""How far long work is, on standard error: a bar at a terminal, a line now and then elsewhere.

Tests: ``tests/unit/cli/test_progress.py``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from posthouse.cli.tables import safe

Progress = Callable[[int, int, str], None]
PAUSE: Final = 5.0  # seconds between two lines


@contextmanager
def shown_progress(title: str) -> Iterator[Progress]:
    """Give what is told how far work is."""
    if sys.stderr.isatty():
        with _bar(title) as told:
            yield told
    else:
        yield Lines(title)


class Lines:
    """A line now and then, for logs."""

    def __init__(self, title: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._monotonic = monotonic
        self._next = monotonic() + PAUSE

    def __call__(self, done: int, total: int, text: str) -> None:
        """Tell, where the last line is long enough ago."""
        now = self._monotonic()
        if now >= self._next:
            self._next = now + PAUSE
            of = f" of {total}" if total else ""
            sys.stderr.write(f"{self._title}: {done}{of} {safe(text)}".rstrip() + "\n")
            sys.stderr.flush()


@contextmanager
def _bar(title: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(escape(title), total=None)

        def told(done: int, total: int, text: str) -> None:
            description = f"{title}: {safe(text)}" if text else title
            bars.update(task, completed=done, total=total or None, description=escape(description))

        yield told
