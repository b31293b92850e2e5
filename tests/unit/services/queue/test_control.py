"""An administrator's hand on the queue, on the real store."""

import pytest

from posthouse.core.ids import format_queue_id
from posthouse.message.facts import MessageFacts
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.queue import control
from posthouse.services.queue.bounce import NoticeKind
from posthouse.services.queue.control import QueueControls
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


@pytest.fixture
def controls(store, clock):
    return QueueControls(store, clock, by="tests")


async def lease(store, clock):
    clock.advance(300)
    claim = ClaimRecipients(owner="w1", now=clock.now(), lease_until=clock.now() + 60, limit=1)
    return await store.commit(claim)


async def test_the_queue_is_listed_in_plain_values(controls, queue_id, store, clock):
    """Every recipient is a dictionary for JSON; one that is being tried is active."""
    await lease(store, clock)
    records = [record async for record in controls.recipients()]
    assert [record["to"] for record in records] == ["a@example.org", "b@example.org"]
    assert [record["state"] for record in records] == ["active", "waiting"]
    assert records[0]["queue_id"] == format_queue_id(queue_id)
    assert (await controls.summary())[0]["destination"] == "mx:example.org"


async def test_a_message_is_shown_with_its_recipients(controls, queue_id):
    """Show answers with the envelope; None for a message that is not there."""
    shown = await controls.show(queue_id)
    assert (shown["from"], shown["envid"], len(shown["recipients"])) == ("me@house.test", "E1", 2)
    assert await controls.show(queue_id + 1) is None


async def test_hold_and_release(controls, queue_id, store, clock):
    """Held recipients are not tried until they are released, and the journey says who did it."""
    assert await controls.hold(queue_id) == 2
    clock.advance(999)
    assert await store.next_due() is None
    assert await controls.release(queue_id, (await store.queue_rows())[0].number) == 1
    assert await store.next_due() == clock.now()
    told = [(step.step, step.record["to"], step.record["by"]) for step in await store.journey(queue_id)]
    assert told == [
        (steps.HELD, "a@example.org", "tests"),
        (steps.HELD, "b@example.org", "tests"),
        (steps.RELEASED, "a@example.org", "tests"),
    ]


async def test_retry_makes_waiting_recipients_due_and_leaves_held_ones(controls, queue_id, store, clock):
    """All of the queue or one message; what is held stays so."""
    first, second = await store.queue_rows()
    await controls.hold(queue_id, first.number)
    assert await controls.retry() == 1
    assert await store.next_due() == clock.now()
    assert (await store.queue_rows())[0].state is RecipientState.HELD
    assert await controls.retry(queue_id, second.number) == 1


async def test_remove_leaves_what_is_being_tried(controls, queue_id, store, clock):
    """A recipient under a lease is skipped; the others go."""
    await lease(store, clock)
    assert await controls.remove(queue_id) == 1
    assert len(await store.queue_rows()) == 1
    assert await controls.remove(queue_id + 1) == 0


async def test_bounce_gives_decisions_to_the_writer(store, clock, queue_id):
    """Recipients that are not being tried fail with a notice of failure."""
    written = []

    async def writer(decisions):
        written.extend(decisions)

    await lease(store, clock)
    assert await QueueControls(store, clock, by="tests", writer=writer).bounce(queue_id) == 1
    assert [(each.result.state, each.notice) for each in written] == [(RecipientState.FAILED, NoticeKind.FAILURE)]
    with pytest.raises(ValueError, match="writer"):
        await QueueControls(store, clock, by="tests").bounce(queue_id)


def test_step_names_are_those_of_the_journey():
    """The names are repeated because siblings do not import each other."""
    assert (control.HELD, control.RELEASED, control.REMOVED) == (steps.HELD, steps.RELEASED, steps.REMOVED)
