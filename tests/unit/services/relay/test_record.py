"""Recording of results: groups, notices with their results, and what happens when the store or a notice fails."""

import pytest

from posthouse.config.settings import Settings
from posthouse.core.errors import Unavailable
from posthouse.core.outcome import defer, done, reject
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.queue.bounce import Attempt
from posthouse.services.relay import notices as notices_module
from posthouse.services.relay.notices import NoticeWriter
from posthouse.services.relay.record import Recorder
from posthouse.store.contract import Vanished
from posthouse.store.values import QueueResult, RecipientState
from posthouse.testing.telemetry import RecordingTelemetry

GONE, BUSY, OK = reject("No such user"), defer("Busy"), done()
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


@pytest.fixture
def telemetry():
    return RecordingTelemetry()


@pytest.fixture
def recorder(queue_store, planner, clock, telemetry, monkeypatch):
    monkeypatch.setattr(notices_module, "compose", lambda notice, **fields: b"DSN " + fields["original"])
    writer = NoticeWriter(queue_store, planner, QueueIds(clock, 1), clock, hostname="house.test")
    made = Recorder(queue_store, writer, Settings(), clock, telemetry)
    made.pause = 0.0
    return made


def states(queue_store):
    return sorted((row.number, row.state.name) for row in (*queue_store.rows.values(), *queue_store.ended.values()))


async def test_results_that_come_together_are_written_together(recorder, queue_store, make_row):
    """Fifty transactions make one commit, with a step of the journey for each."""
    rows = queue_store.put(MESSAGE, *(make_row(number=n) for n in range(1, 51)))
    for row in rows:
        recorder.add([Attempt(row, OK if row.number % 2 else BUSY, "mx.test")])
    await recorder.drained()
    assert len(queue_store.commits) == 1
    assert {entry.step for entry in queue_store.journey} == {steps.DELIVERED, steps.ATTEMPTED}
    assert len(queue_store.ended) == 25
    assert len(queue_store.rows) == 25


async def test_a_bounce_is_committed_with_its_result(recorder, queue_store, planner, make_row):
    """Two recipients that fail share a DSN, which is in the same commit."""
    one, two = queue_store.put(MESSAGE, make_row(number=1), make_row(number=2))
    recorder.add([Attempt(one, GONE), Attempt(two, GONE)])
    await recorder.drained()
    (changes,) = queue_store.commits
    assert isinstance(changes[0], QueueResult)
    assert changes[1] in queue_store.deliveries
    assert planner.planned == [(b"DSN " + MESSAGE, "a@house.test", one.queue_id, "failure")]


async def test_the_null_reverse_path_is_never_bounced(recorder, queue_store, planner, telemetry, make_row):
    """A failed bounce ends with a step of the journey and an event, and nobody is told."""
    (row,) = queue_store.put(MESSAGE, make_row(reverse_path=""))
    recorder.add([Attempt(row, GONE)])
    await recorder.drained()
    assert planner.planned == []
    assert queue_store.ended[row.queue_id, 1].state is RecipientState.FAILED
    assert "not bounced" in queue_store.journey[0].record["note"]
    assert "queue.bounce_dropped" in telemetry.names


async def test_a_reverse_path_that_reaches_nobody_ends_without_a_notice(recorder, queue_store, planner, make_row):
    """The planner says None: the result stands alone."""
    planner.answers = [None]
    (row,) = queue_store.put(MESSAGE, make_row())
    recorder.add([Attempt(row, GONE)])
    await recorder.drained()
    assert queue_store.ended
    assert queue_store.deliveries == []


async def test_results_wait_while_the_store_cannot_write(recorder, queue_store, telemetry, make_row):
    """Nothing is forgotten over a full disk."""
    plain, failed = queue_store.put(MESSAGE, make_row(1), make_row(2))
    queue_store.away(times=3)
    recorder.add([Attempt(plain, OK)])
    recorder.add([Attempt(failed, GONE)])
    await recorder.drained()
    assert len(queue_store.ended) == 2
    assert len(queue_store.deliveries) == 1
    assert telemetry.names.count("relay.record_failed") == 3


async def test_one_refused_result_does_not_spoil_the_others(recorder, queue_store, make_row):
    """A group that the store refuses is written one by one."""
    rows = queue_store.put(MESSAGE, *(make_row(number=n) for n in range(1, 4)))
    queue_store.failures = [Vanished("group"), Vanished("the first")]
    recorder.add([Attempt(row, OK) for row in rows])
    await recorder.drained()
    assert [number for _, number in queue_store.ended] == [2, 3]


@pytest.mark.parametrize("error", [RuntimeError("bug"), Vanished("gone")])
async def test_a_notice_that_cannot_be_made_keeps_the_recipient(recorder, queue_store, planner, make_row, error):
    """An unexpected error never ends a recipient without its notice."""
    planner.answers = [error]
    (row,) = queue_store.put(MESSAGE, make_row())
    recorder.add([Attempt(row, GONE)])
    await recorder.drained()
    waiting = queue_store.rows[row.queue_id, 1]
    assert waiting.state is RecipientState.WAITING
    assert waiting.next_attempt == row.received + 300


async def test_a_confirmation_that_cannot_be_made_does_not_repeat_the_message(recorder, queue_store, planner, make_row):
    """What was delivered stays delivered."""
    planner.answers = [RuntimeError("bug")]
    (row,) = queue_store.put(MESSAGE, make_row(notify="SUCCESS"))
    recorder.add([Attempt(row, OK)])
    await recorder.drained()
    assert queue_store.ended[row.queue_id, 1].state is RecipientState.DELIVERED


async def test_the_directory_being_away_delays_the_notice(recorder, queue_store, planner, make_row):
    """Unavailable while planning is tried again until it works."""
    planner.answers = [Unavailable("locked"), Unavailable("locked")]
    (row,) = queue_store.put(MESSAGE, make_row())
    recorder.add([Attempt(row, GONE)])
    await recorder.drained()
    assert queue_store.ended
    assert len(queue_store.deliveries) == 1


async def test_a_delay_is_told_once(recorder, queue_store, planner, make_row, clock):
    """The first result after four hours tells of the delay, with the header section, and no later one does."""
    (row,) = queue_store.put(MESSAGE, make_row())
    clock.advance(4 * 3600)
    for _ in range(2):
        recorder.add([Attempt(queue_store.rows[row.queue_id, 1], BUSY)])
        await recorder.drained()
    assert [(content, kind) for content, _, _, kind in planner.planned] == [(b"DSN Subject: x\r\n\r\n", "delay")]
    assert [entry.step for entry in queue_store.journey].count(steps.DELAYED) == 1


async def test_leases_are_given_back_without_an_attempt(recorder, queue_store, make_row, clock):
    """What was not tried is due again at once, and counts nothing."""
    (row,) = queue_store.put(MESSAGE, make_row(lease_owner="w", lease_until=clock.now() + 99))
    recorder.give_back([row], at=clock.now())
    await recorder.drained()
    back = queue_store.rows[row.queue_id, 1]
    assert (back.attempts, back.lease_owner, back.next_attempt) == (0, "", clock.now())
    assert queue_store.journey == []
