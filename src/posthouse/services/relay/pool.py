"""Lanes: the work for each destination, and the connections that do it.

A lane opens a few connections, and more while messages wait and transactions succeed, up to a setting; a failure to
connect halves that again. A connection that has nothing to do is kept for some seconds. When no host of a destination
can be reached the lane pauses: what waits, and what comes meanwhile, is deferred at once, so that a dead host never
keeps mail for living ones waiting. The pause doubles with every further failure.

    offer -> waiting -> (idle connection | new connection) -> Attempts -> recorder

Everything here runs on the event loop without suspending, but for opening connections. A job leaves in one of three
ways, exactly once: attempts (``on_attempts``), given back (``on_unused``), or forgotten when the courier stops, which
releases its leases. Tests: ``tests/unit/services/relay/test_pool.py``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.core.outcome import Outcome, defer
from posthouse.services.queue.bounce import Attempt
from posthouse.services.relay.job import Job

FIRST_LIMIT = 5  # connections a lane may open before it has succeeded once (Postfix initial_destination_concurrency)
LANE_WAITING = 1_000  # recipients that wait in a lane; more are left in the store
MAX_PAUSE = 3_600.0
LEASE_MARGIN = 600.0  # a job is only begun while its lease lasts this long: RFC 5321 §4.5.3.2.6 waits 10 minutes
STALE_TRIES = 3
BROKEN = defer("Local error in processing", rule="relay.internal")


class Connection(Protocol):
    """``services.relay.connection.RelayConnection`` as a lane sees it."""

    is_usable: bool
    sent: int
    idle_since: float

    def start(self, job: Job) -> None:
        """Begin a transaction; ``LaneEvents.on_done`` follows exactly once, with the attempts or as stale."""
        ...

    def quit(self) -> None:
        """End the session in good order; the connection is not used again."""
        ...

    def abort(self) -> None:
        """Cut the connection."""
        ...

    def check(self, now: float) -> None:
        """Cut the connection where its peer has been silent too long; ``now`` is monotonic."""
        ...


class LaneEvents(Protocol):
    """What a connection tells its lane."""

    def on_done(self, connection: Connection, job: Job, attempts: Sequence[Attempt] | None) -> None:
        """A transaction ended; ``attempts`` None means the reused connection was dead before the peer saw it."""
        ...

    def on_closed(self, connection: Connection) -> None:
        """The connection is gone; told once, after ``on_done`` of a job under way."""
        ...


Connect = Callable[[str, LaneEvents], Awaitable["Connection | Outcome"]]


class Lane:
    """Work and connections of one destination."""

    def __init__(self, key: str, pool: Pool) -> None:
        self.key = key
        self.waiting: deque[Job] = deque()
        self.rows_waiting = 0
        self.connections: set[Connection] = set()
        self.idle: list[Connection] = []
        self.opening: set[asyncio.Task[None]] = set()
        self.limit = FIRST_LIMIT
        self.was_full = False
        self.failures = 0
        self.paused_until = 0.0  # monotonic
        self.pause_reason: Outcome | None = None
        self._pool = pool

    @property
    def is_empty(self) -> bool:
        """Whether the lane holds nothing worth remembering."""
        return not (self.waiting or self.connections or self.opening or self.pause_reason)

    @property
    def is_full(self) -> bool:
        """Whether more work for this destination should stay in the store; until half of it is done."""
        if self.rows_waiting >= LANE_WAITING:
            self.was_full = True
        return self.was_full

    def offer(self, job: Job) -> None:
        """Take a job: start it, let it wait, or defer it where the lane pauses."""
        if self.pause_reason is not None and self._defer_while_paused(job):
            return
        self.waiting.append(job)
        self.rows_waiting += len(job.rows)
        self.dispatch()

    def dispatch(self) -> None:
        """Give waiting jobs to idle connections, and open connections for the others where the limits allow."""
        while self.waiting and self.idle:
            connection = self.idle.pop()
            if connection.is_usable and (job := self._next()) is not None:
                self._start(connection, job)
        while len(self.waiting) > len(self.opening) and self._may_open():
            task = asyncio.get_running_loop().create_task(self._open())
            self.opening.add(task)
            self._pool.opening += 1
            task.add_done_callback(self._opened)

    def on_done(self, connection: Connection, job: Job, attempts: Sequence[Attempt] | None) -> None:
        """Report the attempts, and give the connection its next job."""
        self._pool.active -= 1
        if attempts is not None:
            self._pool.finish(job, attempts)
            if self.waiting and self.limit < self._pool.most_connections():
                self.limit += 1
        elif job.stale < STALE_TRIES:
            job.stale += 1
            self.waiting.appendleft(job)
            self.rows_waiting += len(job.rows)
        else:
            self._pool.finish(job, job.all(defer("Connection closed by the peer before the message was sent")))
        if connection.is_usable:
            self._reuse(connection)
        elif self.waiting:
            asyncio.get_running_loop().call_soon(self.dispatch)  # after on_closed has made room
        self._pool.check_quiet()

    def on_closed(self, connection: Connection) -> None:
        """Forget the connection, and open another one if work waits."""
        if connection in self.connections:
            self.connections.discard(connection)
            self._pool.open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if self.waiting:
            self.dispatch()

    def close_idle(self, before: float) -> None:
        """Quit connections that have had nothing to do since ``before``."""
        for connection in [each for each in self.idle if each.idle_since <= before]:
            self.idle.remove(connection)
            connection.quit()

    def _reuse(self, connection: Connection) -> None:
        if connection.sent >= self._pool.most_messages():
            connection.quit()
            return
        job = self._next()
        if job is not None:
            self._start(connection, job)
            return
        if self._pool.is_closed:
            connection.quit()
            return
        connection.idle_since = self._pool.clock.monotonic()
        self.idle.append(connection)

    def _start(self, connection: Connection, job: Job) -> None:
        self._pool.active += 1
        connection.start(job)

    def _next(self) -> Job | None:
        earliest = self._pool.clock.now() + LEASE_MARGIN
        while self.waiting:
            job = self.waiting.popleft()
            self.rows_waiting -= len(job.rows)
            if self.was_full and self.rows_waiting <= LANE_WAITING // 2:
                self.was_full = False
                self._pool.on_room()
            if job.lease_until >= earliest:
                return job
            self._pool.unused(job)
        return None

    def _may_open(self) -> bool:
        here = len(self.connections) + len(self.opening)
        if here >= min(self.limit, self._pool.most_connections()):
            return False
        return self._pool.make_room()

    async def _open(self) -> None:
        try:
            connection = await self._pool.connect(self.key, self)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._pool.on_error(error)
            connection = BROKEN.because(repr(error))
        if isinstance(connection, Outcome):
            self._unreachable(connection)
            return
        self.failures, self.pause_reason = 0, None
        self.connections.add(connection)
        self._pool.open += 1
        if connection.is_usable:
            self._reuse(connection)
        else:
            self.on_closed(connection)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self.opening.discard(task)
        self._pool.opening -= 1
        if self.waiting and not self._pool.is_closed:
            self.dispatch()

    def _unreachable(self, outcome: Outcome) -> None:
        self.limit = max(1, self.limit // 2)
        if self.connections:
            return  # the others go on: the peer just takes no more of them
        if outcome.is_temporary:
            pause = min(self._pool.first_pause() * 2**self.failures, MAX_PAUSE)
            self.failures = min(self.failures + 1, 20)
            self.paused_until = self._pool.clock.monotonic() + pause
            self.pause_reason = outcome
            self.limit = FIRST_LIMIT
        jobs, self.waiting, self.rows_waiting = self.waiting, deque(), 0
        if self.was_full:
            self.was_full = False
            self._pool.on_room()
        for job in jobs:
            self._pool.finish(job, job.all(outcome, not_before=self._pause_end()))

    def _pause_end(self) -> float:
        if self.pause_reason is None:
            return 0.0
        return self._pool.clock.now() + self.paused_until - self._pool.clock.monotonic()

    def _defer_while_paused(self, job: Job) -> bool:
        if self.pause_reason is None or self._pool.clock.monotonic() >= self.paused_until:
            # The failures are remembered: if the next connection fails too, the pause doubles.
            self.pause_reason = None
            return False
        self._pool.finish(job, job.all(self.pause_reason, counts=False, not_before=self._pause_end()))
        return True


class Pool:
    """All lanes of a courier.

    Args:
        connect: opens a connection to a destination, or says why not.
        settings, clock: limits and time.
        on_attempts: takes what transactions came to.
        on_unused: takes jobs that were not tried and whose leases should be given back.
        on_error: takes unexpected errors, for the log.
        on_room: called when a lane that was full has room again.
    """

    def __init__(
        self,
        connect: Connect,
        settings: Settings,
        clock: Clock,
        *,
        on_attempts: Callable[[Job, Sequence[Attempt]], None],
        on_unused: Callable[[Job], None],
        on_error: Callable[[BaseException], None],
        on_room: Callable[[], None],
    ) -> None:
        self.connect = connect
        self.clock = clock
        self.finish = on_attempts
        self.unused = on_unused
        self.on_error = on_error
        self.on_room = on_room
        self.lanes: dict[str, Lane] = {}
        self.open = 0
        self.active = 0  # transactions under way
        self._quiet: asyncio.Future[None] | None = None
        self.opening = 0
        self.is_closed = False
        self._settings = settings

    def make_room(self) -> bool:
        """Return whether one more connection may be opened, over all lanes; an idle one is given up for it."""
        most = self._settings.get(definitions.CONNECTIONS)
        if self.open + self.opening < most:
            return True
        for lane in self.lanes.values():
            if lane.idle:
                lane.idle.pop(0).quit()
                break
        return False  # a lane that found no room is asked again when the sweep comes by

    def most_connections(self) -> int:
        """Return the connections one lane may hold."""
        return self._settings.get(definitions.CONNECTIONS_PER_DESTINATION)

    def most_messages(self) -> int:
        """Return the messages one connection may carry."""
        return self._settings.get(definitions.MESSAGES_PER_CONNECTION)

    def first_pause(self) -> float:
        """Return the first pause of an unreachable destination."""
        return self._settings.get(definitions.DEAD_HOST_PAUSE)

    def offer(self, key: str, job: Job) -> None:
        """Take a job for a destination."""
        lane = self.lanes.get(key)
        if lane is None:
            lane = self.lanes[key] = Lane(key, self)
        elif lane.is_full:
            self.unused(job)
            return
        lane.offer(job)

    def is_full(self, key: str) -> bool:
        """Return whether a destination should get no more work now."""
        lane = self.lanes.get(key)
        return lane is not None and lane.is_full

    def full_lanes(self) -> tuple[str, ...]:
        """Return the destinations that should get no more work now."""
        return tuple(key for key, lane in self.lanes.items() if lane.is_full)

    def end_pauses(self) -> None:
        """Let every destination be tried again at once; the next pause is as short as the first."""
        for lane in self.lanes.values():
            lane.pause_reason, lane.failures = None, 0

    def sweep(self) -> None:
        """Close idle connections, ask lanes that found no room again, forget empty ones; called every second."""
        now = self.clock.monotonic()
        before = now - self._settings.get(definitions.IDLE_TIMEOUT)
        for key, lane in list(self.lanes.items()):
            for connection in list(lane.connections):
                connection.check(now)
            lane.close_idle(before)
            if lane.waiting:
                lane.dispatch()
            if lane.pause_reason is not None and now >= lane.paused_until + MAX_PAUSE:
                lane.pause_reason = None
            if lane.is_empty:
                del self.lanes[key]

    def forget_waiting(self) -> None:
        """Drop all jobs that were not begun, and quit idle connections; the pool takes nothing more."""
        self.is_closed = True
        for lane in self.lanes.values():
            lane.waiting.clear()
            lane.rows_waiting = 0
            for task in lane.opening:
                task.cancel()
            lane.close_idle(float("inf"))

    async def quiet(self) -> None:
        """Return when no transaction is under way; after ``forget_waiting``."""
        if self.active:
            self._quiet = asyncio.get_running_loop().create_future()
            await self._quiet

    def check_quiet(self) -> None:
        """Wake who waits for ``quiet``."""
        if self._quiet is not None and not self.active and not self._quiet.done():
            self._quiet.set_result(None)

    def abort(self) -> None:
        """Cut all connections."""
        for lane in self.lanes.values():
            for connection in list(lane.connections):
                connection.abort()
