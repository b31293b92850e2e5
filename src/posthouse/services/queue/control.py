"""An administrator's hand on the queue: list, show, hold, release, retry, remove, bounce.

Answers are dictionaries of plain JSON values, in the form that the command line and the REST interface print. What
is changed is told in the message's journey with the name of who did it. Recipients under a lease are being tried at
this moment: they can be held (after the attempt) but not removed or bounced.

Tests: ``tests/unit/services/queue/test_control.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from posthouse.core import status
from posthouse.core.clock import Clock
from posthouse.core.ids import QueueId, format_queue_id
from posthouse.core.outcome import reject
from posthouse.services.queue.bounce import Attempt, Decision, decide
from posthouse.services.queue.schedule import QueuePolicy
from posthouse.store.contract import Store
from posthouse.store.rows import QueueRow
from posthouse.store.values import JourneyEntry, QueueControl, RecipientState

PAGE = 1_000

# Steps of ``services.journey.steps``, which is a sibling and is not imported; a test compares them.
HELD, RELEASED, REMOVED = "held", "released", "removed"

Writer = Callable[[Sequence[Decision]], Awaitable[None]]  # commits results with their notices: services.relay.record


def as_record(row: QueueRow, now: float) -> dict[str, Any]:
    """Return a queued recipient as plain values; times are seconds since the epoch."""
    return {
        "queue_id": format_queue_id(row.queue_id),
        "number": row.number,
        "from": row.reverse_path,
        "to": row.address,
        "destination": row.destination,
        "state": "active" if row.lease_until > now and row.lease_owner else row.state.value,
        "attempts": row.attempts,
        "received": row.received,
        "next_attempt": row.next_attempt,
        "expires": row.expires,
        "size": row.size,
        "last_reply": row.last_reply,
        "delay_notified": row.delay_notified,
    }


class QueueControls:
    """The queue as an administrator sees it.

    Args:
        store: the store.
        clock: tells the time.
        by: who acts, for the journey.
        writer: commits decisions with their notices; needed by ``bounce`` alone.
    """

    def __init__(self, store: Store, clock: Clock, *, by: str, writer: Writer | None = None) -> None:
        self._store = store
        self._clock = clock
        self._by = by
        self._writer = writer

    async def recipients(self) -> AsyncIterator[dict[str, Any]]:
        """Yield every queued recipient in order of queue id; memory is bounded by pages."""
        after = (0, 0)
        while rows := await self._store.queue_rows(after=after, limit=PAGE):
            now = self._clock.now()
            for row in rows:
                yield as_record(row, now)
            after = (rows[-1].queue_id, rows[-1].number)

    async def summary(self) -> list[dict[str, Any]]:
        """Return how many recipients wait for each destination."""
        names = ("destination", "state", "recipients", "next_attempt")
        return [dict(zip(names, entry, strict=True)) for entry in await self._store.queue_summary()]

    async def show(self, queue_id: QueueId) -> dict[str, Any] | None:
        """Return a message with all its queued recipients, or None where it is not in the queue."""
        rows = await self._store.queue_rows(queue_id=queue_id)
        if not rows:
            return None
        now = self._clock.now()
        first = rows[0]
        return {
            "queue_id": format_queue_id(queue_id),
            "from": first.reverse_path,
            "received": first.received,
            "expires": first.expires,
            "size": first.size,
            "envid": first.envid,
            "recipients": [as_record(row, now) for row in rows],
        }

    async def hold(self, queue_id: QueueId, number: int | None = None) -> int:
        """Keep recipients from being tried until they are released; return how many changed."""
        return await self._control(queue_id, number, RecipientState.HELD, HELD)

    async def release(self, queue_id: QueueId, number: int | None = None) -> int:
        """Let held recipients go, at once; return how many changed."""
        return await self._control(queue_id, number, RecipientState.WAITING, RELEASED)

    async def retry(self, queue_id: QueueId | None = None, number: int | None = None) -> int:
        """Make waiting recipients due now, of one message or (None) of all; held ones stay held."""
        changed = 0
        for found, place in await self._waiting(queue_id, number):
            changed += await self._control(found, place, RecipientState.WAITING, "")
        return changed

    async def remove(self, queue_id: QueueId, number: int | None = None) -> int:
        """Delete recipients from the queue and tell nobody; return how many went."""
        return await self._control(queue_id, number, RecipientState.REMOVED, REMOVED)

    async def bounce(self, queue_id: QueueId, number: int | None = None) -> int:
        """Give recipients up and tell the reverse-path, as if their lifetime had ended; return how many."""
        if self._writer is None:
            raise ValueError("bounce needs a writer of notices")
        now = self._clock.now()
        outcome = reject(
            "Returned by the administrator", detail_code=status.OTHER, rule="queue.bounce", detail=f"by {self._by}"
        )
        decisions = [
            decide(Attempt(row, outcome, counts=False), QueuePolicy(), now)
            for row in await self._store.queue_rows(queue_id=queue_id)
            if number in {None, row.number} and not (row.lease_owner and row.lease_until > now)
        ]
        if decisions:
            await self._writer(decisions)
        return len(decisions)

    async def _waiting(self, queue_id: QueueId | None, number: int | None) -> list[tuple[QueueId, int | None]]:
        found: list[tuple[QueueId, int | None]] = []
        after = (0, 0)
        while rows := await self._store.queue_rows(queue_id=queue_id, after=after, limit=PAGE):
            found += [
                (row.queue_id, row.number)
                for row in rows
                if row.state is RecipientState.WAITING and number in {None, row.number}
            ]
            after = (rows[-1].queue_id, rows[-1].number)
        return found

    async def _control(self, queue_id: QueueId, number: int | None, state: RecipientState, step: str) -> int:
        now = self._clock.now()
        journey: tuple[JourneyEntry, ...] = ()
        if step:
            rows = await self._store.queue_rows(queue_id=queue_id)
            journey = tuple(
                JourneyEntry(queue_id=queue_id, at=now, step=step, record={"to": row.address, "by": self._by})
                for row in rows
                if number in {None, row.number}
            )
            if not journey:
                return 0
        change = QueueControl(queue_id=queue_id, state=state, now=now, number=number, next_attempt=now, journey=journey)
        changed: int = await self._store.commit(change)
        return changed
