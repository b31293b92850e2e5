"""The sweep over open doors."""

from __future__ import annotations

import asyncio

from posthouse.servers import sweep as room
from posthouse.servers.sweep import Sweep
from posthouse.testing.clock import FakeClock


class Swept:
    """A door that only counts; it may leave during the sweep."""

    def __init__(self, sweep: Sweep, *, leaves: bool = False) -> None:
        self._sweep, self._leaves = sweep, leaves
        self.seen: list[float] = []
        sweep.doors.add(self)

    def on_sweep(self, now: float) -> None:
        self.seen.append(now)
        if self._leaves:
            self._sweep.doors.discard(self)


def test_a_tick_asks_every_door_even_where_some_leave() -> None:
    """Doors that close while they are swept do not disturb the others."""
    clock = FakeClock()
    sweep = Sweep(clock)
    doors = [Swept(sweep, leaves=n % 2 == 0) for n in range(10)]
    clock.advance(5)
    sweep.tick()
    sweep.tick()
    assert [len(door.seen) for door in doors] == [1, 2] * 5
    assert sweep.now == clock.monotonic() == doors[0].seen[0]


async def test_the_timer_goes_on_until_it_is_stopped(monkeypatch) -> None:
    """It ticks again and again, and no more after stop."""
    monkeypatch.setattr(room, "INTERVAL", 0.001)
    sweep = Sweep(FakeClock())
    door = Swept(sweep)
    sweep.start(asyncio.get_running_loop())
    while len(door.seen) < 3:  # noqa: ASYNC110  (the timer is what is tested)
        await asyncio.sleep(0.001)
    sweep.stop()
    count = len(door.seen)
    await asyncio.sleep(0.005)
    assert len(door.seen) == count
