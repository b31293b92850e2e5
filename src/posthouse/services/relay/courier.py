"""The courier: takes due recipients from the store and from reception, and sees to it that each is tried.

It implements ``services.queue.handover.HandOver`` for this worker. What is handed over is tried at once with the
octets that are in memory; everything else is claimed by lease from the store when a notice comes, when something falls
due, and now and then. Memory is bounded: octets of handed-over messages, recipients in flight, recipients that wait
in one lane.

Guarantees: at least once. Every recipient in flight is leased to ``lease_owner``; a result is committed or the lease
ends. The owner's name is unique among living workers and stays the same over a restart: a courier that starts gives
back what a dead predecessor of that name held, so that mail does not wait for leases to end.

Tests: ``tests/unit/services/relay/test_courier.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.core import limits
from posthouse.core.clock import Clock
from posthouse.core.errors import Fault
from posthouse.services.queue.bounce import Attempt
from posthouse.services.relay.job import Job, make_jobs
from posthouse.services.relay.pool import Connect, Pool
from posthouse.services.relay.record import Recorder
from posthouse.store.contract import Store
from posthouse.store.rows import QueueRow
from posthouse.store.values import ClaimRecipients, ReleaseLeases
from posthouse.telemetry.log import Telemetry

LEASE = 1_800.0  # seconds; a transaction is begun only while a third of it is left (pool.LEASE_MARGIN)
HAND_OVER_MEMORY = 32 * limits.MIB
HAND_OVER_SIZE = limits.INLINE_BODY  # larger messages are read from the store, in chunks
ROWS_IN_FLIGHT = 5_000
CLAIM = 500
PERIOD = 30.0  # the longest time between two looks at the store
SWEEP = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierParts:
    """What a courier needs; made in the composition root.

    Attributes:
        lease_owner: this worker's name in the store.
        connect: opens connections (``services.relay.connect.Connector.connect``).
        forget_routes: called when the directory changed.
        forget_dead: called when an administrator wants mail tried now, however dead its hosts were a moment ago.
    """

    store: Store
    settings: Settings
    clock: Clock
    telemetry: Telemetry
    recorder: Recorder
    connect: Connect
    forget_routes: Callable[[], None]
    forget_dead: Callable[[], None]
    lease_owner: str


class Courier:
    """Carries the queue of one worker. ``start`` it, ``stop`` it."""

    def __init__(self, parts: CourierParts) -> None:
        self.lease_owner = parts.lease_owner
        self._store = parts.store
        self._settings = parts.settings
        self._clock = parts.clock
        self._telemetry = parts.telemetry
        self._recorder = parts.recorder
        self._forget_routes = parts.forget_routes
        self._forget_dead = parts.forget_dead
        self._pool = Pool(
            parts.connect,
            parts.settings,
            parts.clock,
            on_attempts=self._finished,
            on_unused=self._unused,
            on_error=self._on_error,
            on_room=self._on_room,
        )
        self._memory = 0
        self._rows = 0
        self._is_taking = False
        self._wake = asyncio.Event()  # something may be due, or there is room
        self._room = asyncio.Event()  # there is room in a lane that was full
        self._tasks: list[asyncio.Task[None]] = []
        self._subscriptions: list[Callable[[], None]] = []

    # -- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Give back what a predecessor held, and begin. Raises Unavailable where the store cannot write."""
        await self._store.commit(ReleaseLeases(owner=self.lease_owner))
        self._subscriptions = [
            self._store.notices.on_queue(self._wake.set),
            self._store.notices.on_retry(self._end_pauses),
            self._store.notices.on_directory(self._forget_routes),
        ]
        self._is_taking = True
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._claim_always()), loop.create_task(self._sweep_always())]

    async def stop(self, grace: float = 10.0) -> None:
        """Take nothing more, let transactions end for ``grace`` seconds, cut the rest, give the leases back."""
        self._is_taking = False
        while self._subscriptions:
            self._subscriptions.pop()()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pool.forget_waiting()
        try:
            async with asyncio.timeout(grace):
                await self._pool.quiet()
        except TimeoutError:
            self._telemetry.event("relay.cut", transactions=self._pool.active)
        self._pool.abort()
        await asyncio.sleep(0)  # what was cut reports itself
        await self._recorder.drained()
        await self._store.commit(ReleaseLeases(owner=self.lease_owner))

    # -- hand-over --------------------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Recipients that this worker holds now."""
        return self._rows

    def has_room(self, size: int = 0, destinations: Sequence[str] = ()) -> bool:
        """Return whether a message of that size for those destinations would be taken now."""
        return (
            self._is_taking
            and self._rows < ROWS_IN_FLIGHT
            and self._memory + size <= HAND_OVER_MEMORY
            and not any(self._pool.is_full(each) for each in destinations)
        )

    def lease_until(self) -> float:
        """Return the end of a lease taken now."""
        return self._clock.now() + LEASE

    def hand_over(self, rows: Sequence[QueueRow], content: bytes | None) -> None:
        """Take committed rows of one message, leased to us."""
        if not rows:
            return
        if not self._is_taking:
            self._recorder.give_back(rows, at=self._clock.now())
            return
        if content is not None and len(content) > HAND_OVER_SIZE:
            content = None
        self._take(rows, content)

    # -- work -------------------------------------------------------------------------------------------------------

    def _take(self, rows: Sequence[QueueRow], content: bytes | None) -> None:
        most = self._settings.get(definitions.RECIPIENTS_PER_TRANSACTION)
        for destination, job in make_jobs(rows, content, most):
            self._rows += len(job.rows)
            self._memory += job.held
            self._pool.offer(destination, job)

    def _finished(self, job: Job, attempts: Sequence[Attempt]) -> None:
        self._leave(job)
        self._recorder.add(attempts)

    def _unused(self, job: Job) -> None:
        self._leave(job)
        self._recorder.give_back(job.rows, at=self._clock.now())

    def _leave(self, job: Job) -> None:
        self._rows -= len(job.rows)
        self._memory -= job.held
        if self._rows < ROWS_IN_FLIGHT - CLAIM <= self._rows + len(job.rows):
            self._wake.set()

    def _end_pauses(self) -> None:
        self._forget_dead()
        self._pool.end_pauses()

    def _on_room(self) -> None:
        self._room.set()
        self._wake.set()

    async def _claim_always(self) -> None:
        while True:
            self._wake.clear()
            self._room.clear()
            event = self._wake
            try:
                wait = await self._claim()
            except Fault as fault:
                self._telemetry.event("relay.claim_failed", level="warning", error=fault.detail)
                wait, event = SWEEP, self._room
            except Exception as error:
                self._on_error(error)
                wait, event = PERIOD, self._room
            if wait is None:  # all that is due is for lanes that are full: more of it is no news
                wait, event = SWEEP, self._room
            if wait > 0:
                await _wait(event, wait)

    async def _claim(self) -> float | None:
        """Claim a batch and take it; return the seconds until the next look, None where nothing due could be taken."""
        if self._rows + CLAIM > ROWS_IN_FLIGHT:
            return PERIOD  # woken when there is room
        now = self._clock.now()
        due = await self._store.next_due()
        if due is None or due > now:
            return PERIOD if due is None else min(due - now, PERIOD)
        claim = ClaimRecipients(
            owner=self.lease_owner,
            now=now,
            lease_until=now + LEASE,
            limit=CLAIM,
            skip_destinations=self._pool.full_lanes(),
        )
        rows: list[QueueRow] = await self._store.commit(claim)
        self._take(rows, None)
        return 0.0 if rows else None

    async def _sweep_always(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            self._pool.sweep()

    def _on_error(self, error: BaseException) -> None:
        self._telemetry.event("relay.internal_error", level="error", error=repr(error))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
