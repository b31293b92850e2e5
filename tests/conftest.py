"""Fixtures for all tests: an open store in a temporary home, and the clock it uses."""

import pytest

from tests.support.stores import StillClock, make_store


@pytest.fixture
def store_clock():
    """Return the clock of ``store``."""
    return StillClock()


@pytest.fixture
async def store(tmp_path, store_clock):
    """Return an open, empty store on the embedded engine."""
    async with make_store(tmp_path / "home", clock=store_clock) as opened:
        yield opened


@pytest.fixture
async def another_store(tmp_path, store_clock):
    """Return a second open, empty store."""
    async with make_store(tmp_path / "another", clock=store_clock) as opened:
        yield opened
