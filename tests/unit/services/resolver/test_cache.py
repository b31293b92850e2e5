"""The cache of answers: capacity, expiry, single flight, failures, cancellation."""

import asyncio

import pytest

from posthouse.services.resolver.cache import AnswerCache
from posthouse.testing.clock import FakeClock


def cache(capacity=2):
    clock = FakeClock()
    return AnswerCache(capacity, clock.monotonic), clock


async def answer(value):
    return value


async def test_the_oldest_answers_go_first():
    """The cache never passes its capacity."""
    kept, _ = cache()
    for name in "abc":
        assert await kept.get(name, lambda name=name: answer(name), lambda _: 10.0) == name
    assert len(kept) == 2
    assert (kept.peek("a"), kept.peek("c")) == (None, "c")


async def test_answers_expire_and_some_are_not_kept():
    """An answer is gone when its time ends; a time of 0 keeps nothing."""
    kept, clock = cache()
    await kept.get("a", lambda: answer("a"), lambda _: 10.0)
    await kept.get("b", lambda: answer("b"), lambda _: 0.0)
    assert (kept.peek("a"), kept.peek("b")) == ("a", None)
    clock.advance(10)
    assert kept.peek("a") is None
    assert len(kept) == 0


async def test_every_waiter_sees_a_failure_and_the_next_one_asks_again():
    """A failure is shared, and not kept."""
    kept, _ = cache()

    async def fail():
        raise OSError("down")

    ends = await asyncio.gather(*(kept.get("a", fail, lambda _: 10.0) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(end, OSError) for end in ends)
    assert await kept.get("a", lambda: answer("up"), lambda _: 10.0) == "up"


async def test_a_waiter_that_leaves_does_not_disturb_the_others():
    """Cancelling one of two waiters leaves the exchange running."""
    kept, _ = cache()
    gate = asyncio.Event()

    async def slow():
        await gate.wait()
        return "late"

    waiters = [asyncio.ensure_future(kept.get("a", slow, lambda _: 10.0)) for _ in range(2)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    gate.set()
    assert await waiters[1] == "late"
    with pytest.raises(asyncio.CancelledError):
        await waiters[0]
