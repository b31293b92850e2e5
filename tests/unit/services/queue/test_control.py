"""An administrator's hand on the queue, on the real store."""

import pytest

from posthouse.core.ids import format_queue_id
from posthouse.message.facts import MessageFacts
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.queue import control
from posthouse.services.queue.bounce import NoticeKind
from posthouse.services.queue.control import Steering
from posthouse.store.sqlite.engine import SqliteStore
from posthouse.store.values import ClaimRecipients, Delivery, NewEmail, QueuedRecipient, QueueEntry, RecipientState
from posthouse.testing.clock import FakeClock

CONTENT = b"Subject: x\r\n\r\nbody\r\n"
FACTS = MessageFacts(
    size=len(CONTENT),
    header_size=14,
    message_id="",
    references=(),
    subject="x",
    base_subject="x",
    from_text="",
    to_text="",
    cc_text="",
    date=None,
    envelope=b"()",
    bodystructure=b"()",
    preview="body",
    has_attachment=False,
)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def store(tmp_path, clock):
    (tmp_path / "run").mkdir()
    opened = SqliteStore(tmp_path / "store.db", worker=1, home=tmp_path, clock=clock)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def queue_id(store, clock):
    """A message with two recipients in the queue."""
    made = QueueIds(clock, 1).next()
    recipients = tuple(
        QueuedRecipient(address=f"{name}@example.org", destination="mx:example.org", next_attempt=clock.now() + 300)
        for name in "ab"
    )
    entry = QueueEntry(reverse_path="me@house.test", recipients=recipients, expires=clock.now() + 999, envid="E1")
    await store.commit(Delivery(email=NewEmail(content=CONTENT, facts=FACTS), queue_id=made, queue=entry))
    return made


async def lease(store, clock):
    clock.advance(300)
    claim = ClaimRecipients(owner="w1", now=clock.now(), lease_until=clock.now() + 60, limit=1)
    return await store.commit(claim)


async def steer(store, clock, what, rows=None):
    """Do something to recipients; return how many changed."""
    rows = await store.queue_rows() if rows is None else rows
    changes = control.changes_for(rows, what, by="tests", now=clock.now())
    if not changes:
        return 0
    done = await store.commit(*changes)
    return done if len(changes) == 1 else sum(done)


async def test_recipients_are_told_in_plain_values(queue_id, store, clock):
    """Every recipient is a dictionary for JSON; one that is being tried is active."""
    await lease(store, clock)
    records = [control.as_record(row, clock.now()) for row in await store.queue_rows()]
    assert [record["to"] for record in records] == ["a@example.org", "b@example.org"]
    assert [record["state"] for record in records] == ["active", "waiting"]
    assert (records[0]["queue_id"], records[0]["from"]) == (format_queue_id(queue_id), "me@house.test")


async def test_hold_and_release(queue_id, store, clock):
    """Held recipients are not tried until they are released, and the journey says who did it."""
    assert await steer(store, clock, Steering.HOLD) == 2
    assert await steer(store, clock, Steering.HOLD) == 0
    clock.advance(999)
    assert await store.next_due() is None
    assert await steer(store, clock, Steering.RELEASE, (await store.queue_rows())[:1]) == 1
    assert await store.next_due() == clock.now()
    told = [(step.step, step.record["to"], step.record["by"]) for step in await store.journey(queue_id)]
    assert told == [
        (steps.HELD, "a@example.org", "tests"),
        (steps.HELD, "b@example.org", "tests"),
        (steps.RELEASED, "a@example.org", "tests"),
    ]


async def test_retry_makes_waiting_recipients_due_and_leaves_held_ones(queue_id, store, clock):
    """What is held stays so, and nothing is told in the journey."""
    await steer(store, clock, Steering.HOLD, (await store.queue_rows())[:1])
    assert await steer(store, clock, Steering.RETRY) == 1
    assert await store.next_due() == clock.now()
    assert (await store.queue_rows())[0].state is RecipientState.HELD
    assert [step.step for step in await store.journey(queue_id)] == [steps.HELD]


async def test_remove_leaves_what_is_being_tried(queue_id, store, clock):
    """A recipient under a lease is skipped; the others go."""
    await lease(store, clock)
    assert await steer(store, clock, Steering.REMOVE) == 1
    assert len(await store.queue_rows()) == 1


async def test_bounces_are_decisions_with_a_notice(queue_id, store, clock):
    """Recipients that are not being tried fail with a notice of failure."""
    await lease(store, clock)
    decisions = control.bounces_for(await store.queue_rows(), by="tests", now=clock.now())
    assert [(each.result.state, each.notice) for each in decisions] == [(RecipientState.FAILED, NoticeKind.FAILURE)]


def test_step_names_are_those_of_the_journey():
    """The names are repeated because siblings do not import each other."""
    assert (control.HELD, control.RELEASED, control.REMOVED) == (steps.HELD, steps.RELEASED, steps.REMOVED)
