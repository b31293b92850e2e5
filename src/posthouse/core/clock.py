"""Time as a value that is handed in. Rooms never ask the operating system what time it is."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """What time it is; the real one is made in ``app``, the fake one is ``posthouse.testing.clock.FakeClock``."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for measuring spans."""
        ...
