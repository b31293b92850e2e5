"""Where events go: several outputs at once, each with its form, level and choice of events; followers; metrics.

``Outputs`` is the sink behind the root ``Telemetry``. An event is counted (``metrics``), given to those who follow the
log, and to each output that wants it. ``start`` is called in each worker: from then on lines are written in blocks.

A choice of events is a list of beginnings of names, such as ``message`` or ``relay.``; one that begins with ``!``
leaves events out. Invariant: reporting never raises, and a line that is lost is counted.
Tests: ``tests/unit/telemetry/test_output.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from posthouse.core.clock import Clock
from posthouse.telemetry.log import LEVELS, Formatter
from posthouse.telemetry.metrics import Metrics

INFO: Final = LEVELS["info"]  # what metrics are counted from, however little is logged
TAIL_DELAY: Final = 0.1  # seconds that a line may wait for a follower


class Writer(Protocol):
    """Takes finished lines: a file, a standard stream, syslog or the journal."""

    lost: int
    lost_total: int

    def write(self, line: bytes) -> None:
        """Take one line. Never raises."""
        ...

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Buffer from now on; called once in each worker, after the fork."""
        ...

    def flush(self) -> None:
        """Write what has gathered."""
        ...

    def reopen(self) -> None:
        """Open the target anew."""
        ...

    def close(self) -> None:
        """Write the rest."""
        ...


class Choice:
    """Which events an output wants, by the beginnings of their names."""

    __slots__ = ("_only", "_seen", "_without")

    def __init__(self, words: Sequence[str] = ()) -> None:
        self._only = tuple(word for word in words if not word.startswith("!"))
        self._without = tuple(word[1:] for word in words if word.startswith("!"))
        self._seen: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        """Return whether an event of that name is wanted."""
        found = self._seen.get(name)
        if found is None:
            found = (not self._only or name.startswith(self._only)) and not (
                bool(self._without) and name.startswith(self._without)
            )
            if len(self._seen) < 1000:  # names are a fixed set; whoever makes some up does not fill the memory
                self._seen[name] = found
        return found


class Output:
    """One place where events go."""

    __slots__ = ("choice", "format", "threshold", "writer")

    def __init__(self, formatter: Formatter, writer: Writer, level: str = "info", events: Sequence[str] = ()) -> None:
        self.format = formatter
        self.writer = writer
        self.threshold = LEVELS[level]
        self.choice = Choice(events) if events else None


class Outputs:
    """All outputs of a process.

    Args:
        clock: tells the time of each event.
        outputs: where events go.
        follow_format: the form in which followers get them: JSON Lines.

    Attributes:
        threshold: the lowest level that anybody wants.
        metrics: counted from the events.
    """

    def __init__(self, clock: Clock, outputs: Sequence[Output], follow_format: Formatter) -> None:
        self._now = clock.now
        self._outputs = tuple(outputs)
        self._follow_format = follow_format
        self._followers: dict[int, tuple[int, Callable[[bytes], None]]] = {}
        self._tail: list[tuple[int, bytes]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next_follower = 0
        self.metrics = Metrics()
        self.threshold = 0
        self._set_threshold()

    @property
    def lost_total(self) -> int:
        """Lines lost since the process began."""
        return sum(output.writer.lost_total for output in self._outputs)

    def write(self, level: str, name: str, fields: Mapping[str, Any]) -> None:
        """Take one event. Never raises."""
        self.metrics.count_event(level, name, fields)
        rank, now = LEVELS[level], self._now()
        if self._followers:
            self._hand_on(rank, now, level, name, fields)
        for output in self._outputs:
            if rank < output.threshold or (output.choice is not None and not output.choice(name)):
                continue
            try:
                line = output.format(now, level, name, fields)
            except Exception:
                output.writer.lost += 1
                output.writer.lost_total += 1
                continue
            if line:
                output.writer.write(line)

    # ---- life -------------------------------------------------------------------------------------------------

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Buffer from now on, with the loop's timers: this process has become a worker."""
        self._loop = loop
        for output in self._outputs:
            output.writer.start(loop)

    def flush(self) -> None:
        """Write what has gathered, everywhere."""
        self._send_tail()
        for output in self._outputs:
            output.writer.flush()

    def reopen(self) -> None:
        """Open files and connections anew, after a rotation by somebody else."""
        for output in self._outputs:
            output.writer.reopen()

    def close(self) -> None:
        """Write the rest; lines that come later are written at once."""
        self._send_tail()
        self._loop = None
        for output in self._outputs:
            output.writer.close()

    # ---- followers --------------------------------------------------------------------------------------------

    def follow(self, callback: Callable[[bytes], None], level: str = "info") -> Callable[[], None]:
        """Hand JSON Lines of events of that level and above to a callback; returns what ends it.

        Events that no output keeps come too: following at ``debug`` shows what the log leaves out.
        """
        self._next_follower += 1
        key = self._next_follower
        self._followers[key] = (LEVELS.get(level, INFO), callback)
        self._set_threshold()

        def end() -> None:
            self._followers.pop(key, None)
            self._set_threshold()

        return end

    def _set_threshold(self) -> None:
        wanted = [output.threshold for output in self._outputs] + [rank for rank, _ in self._followers.values()]
        self.threshold = min(wanted + [INFO])  # noqa: RUF005  (no list in a call that is read often)

    def _hand_on(self, rank: int, now: float, level: str, name: str, fields: Mapping[str, Any]) -> None:
        if all(rank < wanted for wanted, _ in self._followers.values()):
            return
        try:
            self._tail.append((rank, self._follow_format(now, level, name, fields)))
        except Exception:
            return
        if self._loop is None or self._loop.is_closed():
            self._send_tail()
        elif len(self._tail) == 1:
            self._loop.call_later(TAIL_DELAY, self._send_tail)

    def _send_tail(self) -> None:
        tail, self._tail = self._tail, []
        if not tail:
            return
        for wanted, callback in tuple(self._followers.values()):
            block = b"".join(line for rank, line in tail if rank >= wanted)
            if block:
                callback(block)
