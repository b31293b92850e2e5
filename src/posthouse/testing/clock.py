"""A clock that only moves when it is told to, for tests and simulations."""

from __future__ import annotations


class FakeClock:
    """Implements ``core.clock.Clock``. Both of its times move together, by ``advance`` alone.

    Args:
        now: seconds since the epoch at which it starts.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 1_000.0

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; never goes back."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move on. Raises ValueError: for a negative span."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._now += seconds
        self._monotonic += seconds
