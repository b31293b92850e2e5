"""Lanes and connections: limits, reuse, stale connections, pauses, leases, sweeping."""

import asyncio

import pytest

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.core.outcome import defer, done, reject
from posthouse.services.relay.job import Job, make_jobs
from posthouse.services.relay.pool import FIRST_LIMIT, LANE_WAITING, Pool
from posthouse.store.directory_rows import SettingRow

KEY = "mx:example.org"
DOWN = defer("Connection refused")


class Connection:
    def __init__(self, events):
        self.events = events
        self.is_usable = True
        self.sent = 0
        self.idle_since = 0.0
        self.job = None
        self.was_quit = False

    def start(self, job):
        assert self.job is None
        self.job = job
        self.sent += 1

    def finish(self, outcome=None):
        job, self.job = self.job, None
        self.events.on_done(self, job, job.all(outcome or done()))

    def die(self, *, attempts=None):
        self.is_usable = False
        job, self.job = self.job, None
        if job is not None:
            self.events.on_done(self, job, attempts)
        self.events.on_closed(self)

    def quit(self):
        self.was_quit = True
        self.is_usable = False
        self.events.on_closed(self)

    def abort(self):
        self.die(attempts=[])

    def check(self, now):
        pass


class Bench:
    """A pool whose connections are driven by hand."""

    def __init__(self, clock, **settings):
        rows = [SettingRow(name, "server", value, "", 0) for name, value in settings.items()]
        self.connections = []
        self.answers = []
        self.ended = []
        self.unused = []
        self.errors = []
        self.rooms = []
        self.gate = None
        self.pool = Pool(
            self.connect,
            Settings(rows),
            clock,
            on_attempts=lambda job, attempts: self.ended.append((job, attempts)),
            on_unused=self.unused.append,
            on_error=self.errors.append,
            on_room=lambda: self.rooms.append(self.lane.rows_waiting),
        )

    async def connect(self, key, events):
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return answer
        self.connections.append(Connection(events))
        return self.connections[-1]

    @property
    def at_work(self):
        return [connection for connection in self.connections if connection.job is not None]

    @property
    def lane(self):
        return self.pool.lanes[KEY]


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def job(make_row, clock):
    def make(message=1, *, lease=1800.0, content=b"x"):
        return Job([make_row(message, lease_until=clock.now() + lease)], content)

    return make


@pytest.fixture
def bench(clock):
    return Bench(clock)


async def test_one_message_opens_one_connection_and_the_next_one_reuses_it(bench, job):
    """Connections are not opened ahead of need."""
    for message in (1, 2, 3):
        bench.pool.offer(KEY, job(message))
        await settle()
        bench.at_work[0].finish()
    assert len(bench.connections) == 1
    assert len(bench.ended) == 3


async def test_a_burst_opens_a_few_connections_and_success_opens_more(bench, job):
    """The limit begins low and grows with each success while work waits, up to the setting."""
    for message in range(200):
        bench.pool.offer(KEY, job(message))
    await settle()
    assert len(bench.connections) == FIRST_LIMIT
    for _ in range(60):
        bench.at_work[0].finish()
        await settle()
        bench.lane.dispatch()
        await settle()
    assert len(bench.connections) == definitions.CONNECTIONS_PER_DESTINATION.default


async def test_an_unreachable_destination_defers_all_and_pauses(bench, job, clock):
    """What waits is deferred with the reason; what comes meanwhile is deferred at once, without counting."""
    bench.answers = [DOWN, DOWN, DOWN]
    for message in range(3):
        bench.pool.offer(KEY, job(message))
    await settle()
    assert [attempts[0].outcome for _, attempts in bench.ended] == [DOWN] * 3
    assert all(attempts[0].counts for _, attempts in bench.ended)
    bench.pool.offer(KEY, job(9))
    (late,) = bench.ended[-1][1]
    assert not late.counts
    assert clock.now() < late.not_before <= clock.now() + 500
    clock.advance(4000)
    bench.pool.offer(KEY, job(10))
    await settle()
    assert len(bench.at_work) == 1


async def test_pauses_double(bench, job, clock):
    """Each further failure in a row pauses longer, up to an hour."""
    pauses = []
    for message in range(9):
        bench.answers = [DOWN]
        bench.pool.offer(KEY, job(message))
        await settle()
        pauses.append(bench.lane.paused_until - clock.monotonic())
        clock.advance(pauses[-1])
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


async def test_an_administrator_ends_pauses(bench, job):
    """After end_pauses what comes is tried at once, and the next pause is as short as the first."""
    for _ in range(2):
        bench.answers = [DOWN]
        bench.pool.offer(KEY, job(1))
        await settle()
        bench.pool.end_pauses()
    assert bench.lane.failures == 0
    bench.pool.offer(KEY, job(2))
    await settle()
    assert len(bench.at_work) == 1


async def test_a_permanent_outcome_ends_what_waits_and_does_not_pause(bench, job):
    """A domain that does not exist fails its recipients; the lane remembers nothing."""
    gone = reject("Domain not found")
    bench.answers = [gone]
    bench.pool.offer(KEY, job())
    await settle()
    assert bench.ended[0][1][0].outcome is gone
    bench.pool.sweep()
    assert bench.pool.lanes == {}


async def test_a_refused_further_connection_only_lowers_the_limit(bench, job):
    """While one connection works the destination is not dead."""
    bench.answers = [None, DOWN]
    bench.pool.offer(KEY, job(1))
    bench.pool.offer(KEY, job(2))
    await settle()
    assert bench.ended == []
    bench.at_work[0].finish()
    bench.at_work[0].finish()
    assert len(bench.ended) == 2


async def test_an_unexpected_error_defers(bench, job):
    """A bug while connecting is reported, and the mail waits."""
    bench.answers = [RuntimeError("bug")]
    bench.pool.offer(KEY, job())
    await settle()
    assert bench.ended[0][1][0].outcome.is_temporary
    assert len(bench.errors) == 1


async def test_a_stale_connection_costs_no_attempt(bench, job):
    """A reused connection that the peer had closed: the job goes to a new one, but not for ever."""
    bench.pool.offer(KEY, job())
    for _ in range(3):
        await settle()
        bench.at_work[0].die()
    await settle()
    assert bench.ended == []
    assert len(bench.connections) == 4
    bench.at_work[0].die()
    assert bench.ended[0][1][0].outcome.is_temporary


async def test_idle_connections_are_closed_after_a_while(bench, job, clock):
    """The sweep quits what was idle for the setting's time, and forgets the empty lane."""
    bench.pool.offer(KEY, job())
    await settle()
    bench.at_work[0].finish()
    bench.pool.sweep()
    assert not bench.connections[0].was_quit
    clock.advance(definitions.IDLE_TIMEOUT.default)
    bench.pool.sweep()
    assert bench.connections[0].was_quit
    assert bench.pool.lanes == {}
    assert bench.pool.open == 0


async def test_a_connection_carries_so_many_messages_and_no_more(clock, job):
    """After the setting's number of messages the connection is ended."""
    bench = Bench(clock, **{definitions.MESSAGES_PER_CONNECTION.name: "2"})
    for message in range(3):
        bench.pool.offer(KEY, job(message))
        await settle()
        bench.at_work[0].finish()
    assert len(bench.connections) == 2
    assert bench.connections[0].was_quit


async def test_the_total_of_connections_is_bounded_over_all_lanes(clock, job):
    """A lane that finds no room gets an idle connection's place at the next sweep."""
    bench = Bench(clock, **{definitions.CONNECTIONS.name: "1"})
    bench.pool.offer(KEY, job(1))
    await settle()
    bench.pool.offer("mx:other.test", job(2))
    await settle()
    assert len(bench.connections) == 1
    bench.at_work[0].finish()
    for _ in range(2):
        bench.pool.sweep()
        await settle()
    assert len(bench.connections) == 2
    assert len(bench.at_work) == 1


async def test_a_job_whose_lease_ends_soon_is_given_back(bench, job):
    """Nothing is begun that another courier might begin too."""
    bench.pool.offer(KEY, job(1, lease=60))
    await settle()
    assert len(bench.unused) == 1
    assert bench.at_work == []


async def test_a_full_lane_takes_no_more(bench, job):
    """What one slow destination cannot take stays in the store, and claims pass it over."""
    for message in range(LANE_WAITING + 5):
        bench.pool.offer(KEY, job(message))
    assert bench.pool.full_lanes() == (KEY,)
    assert len(bench.unused) == 5
    await settle()
    while not bench.rooms:
        bench.at_work[0].finish()
    assert bench.rooms == [LANE_WAITING // 2]
    assert bench.pool.full_lanes() == ()


async def test_stopping_waits_for_transactions(bench, job):
    """Jobs that were not begun are dropped, transactions under way end, idle connections quit."""
    for message in range(FIRST_LIMIT + 2):
        bench.pool.offer(KEY, job(message))
    await settle()
    bench.pool.forget_waiting()
    quiet = asyncio.ensure_future(bench.pool.quiet())
    await settle()
    for connection in bench.at_work:
        assert not quiet.done()
        connection.finish()
    await quiet
    assert all(connection.was_quit for connection in bench.connections)


def test_recipients_of_a_message_share_jobs(make_row):
    """One job for each message and destination, of a bounded number of recipients."""
    rows = [make_row(1, number=n) for n in range(1, 6)] + [make_row(2), make_row(2, number=2, destination="mx:b.test")]
    jobs = make_jobs(rows, None, 3)
    assert [(key, len(job.rows)) for key, job in jobs] == [(KEY, 3), (KEY, 2), (KEY, 1), ("mx:b.test", 1)]
