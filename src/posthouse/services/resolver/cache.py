"""A bounded cache of answers with single flight: equal questions asked at once share one exchange.

Answers are kept for their own time to live. When the cache is full the oldest entries go first, which needs no clock
and no scan. Time is a number the caller gives. Tests: ``tests/unit/services/resolver/test_cache.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

A = TypeVar("A")


class AnswerCache(Generic[A]):
    """Answers by question.

    Args:
        capacity: answers kept at most.
        monotonic: seconds that never go back.
    """

    def __init__(self, capacity: int, monotonic: Callable[[], float]) -> None:
        self._capacity = capacity
        self._monotonic = monotonic
        self._kept: dict[Hashable, tuple[float, A]] = {}
        self._flights: dict[Hashable, asyncio.Future[A]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def peek(self, question: Hashable) -> A | None:
        """Return the answer that is kept and still good."""
        entry = self._kept.get(question)
        if entry is None:
            return None
        if entry[0] <= self._monotonic():
            del self._kept[question]
            return None
        return entry[1]

    async def get(self, question: Hashable, ask: Callable[[], Awaitable[A]], ttl: Callable[[A], float]) -> A:
        """Return the kept answer, or the one of the exchange under way, or that of ``ask``.

        ``ttl`` says for how long the answer is kept; 0 or less is not kept. If ``ask`` raises, every waiter sees it.
        A waiter that is cancelled does not disturb the others.
        """
        kept = self.peek(question)
        if kept is not None:
            return kept
        flight = self._flights.get(question)
        if flight is None:
            flight = asyncio.ensure_future(self._fly(question, ask, ttl))
            self._flights[question] = flight
            flight.add_done_callback(lambda done: self._land(question, done))
        return await asyncio.shield(flight)

    async def _fly(self, question: Hashable, ask: Callable[[], Awaitable[A]], ttl: Callable[[A], float]) -> A:
        answer = await ask()
        seconds = ttl(answer)
        if seconds > 0:
            self._keep(question, answer, seconds)
        return answer

    def _keep(self, question: Hashable, answer: A, seconds: float) -> None:
        self._kept.pop(question, None)
        while len(self._kept) >= self._capacity:
            del self._kept[next(iter(self._kept))]
        self._kept[question] = (self._monotonic() + seconds, answer)

    def _land(self, question: Hashable, flight: asyncio.Future[A]) -> None:
        if self._flights.get(question) is flight:
            del self._flights[question]
        if not flight.cancelled():
            flight.exception()  # seen, even where every waiter went away
