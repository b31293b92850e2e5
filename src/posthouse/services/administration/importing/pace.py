"""How quickly an import goes: as fast as the machine can, or beside a server that receives and serves mail.

A batch holds the store's lock while it is written, some hundredth of a millisecond for each record, and inside a
serving worker its event loop as well; reading holds the interpreter. Beside mail both are done in short pieces with as
long a pause after each. Tests: ``tests/unit/services/administration/importing/test_import_pace.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from posthouse.core.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How an import shares the machine.

    Attributes:
        batch: records in one commit.
        read: records read in one visit to the thread.
        pause: how long to rest after a piece of work, in parts of what the piece took.
    """

    batch: int
    read: int
    pause: float = 0.0


ALONE: Final = Pace(batch=2_000, read=5_000)
BESIDE_MAIL: Final = Pace(batch=100, read=100, pause=1.0)


class Stride:
    """Keeps a pace."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do a piece of work in a thread, then rest."""
        began = self._clock.monotonic()
        result = await asyncio.to_thread(work)
        await self.rest(began)
        return result

    async def rest(self, began: float) -> None:
        """Rest after a piece of work that began then."""
        if self._pace.pause:
            await asyncio.sleep(max(0.0, self._clock.monotonic() - began) * self._pace.pause)
