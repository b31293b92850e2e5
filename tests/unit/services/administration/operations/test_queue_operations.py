"""The queue as operations: lists, steering with a trace, and who may."""

from __future__ import annotations

import pytest

from posthouse.core.ids import format_queue_id
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import queue
from posthouse.services.journey import steps
from posthouse.store.values import ClaimRecipients
from tests.support.desks import caller_of, do
from tests.support.stories import message, submitted, to


@pytest.fixture
async def waiting(desk):
    """Return the queue ids of a message of anna to two people, and of one of rita."""
    hers = submitted("anna@acme.test", "x@far.example", "y@near.example")
    other = submitted("rita@rival.test", "z@far.example")
    await desk.store.commit(hers, other)
    return format_queue_id(hers.queue_id), format_queue_id(other.queue_id)


async def listed(desk, caller=None, **given):
    """Return who waits."""
    page = await do(desk, queue.list_, *([caller] if caller else []), **given)
    return [item.to for item in page.items]


async def test_the_queue_is_listed_in_pages(desk, waiting) -> None:
    """In order; a page ends where it is full, and the next begins there."""
    page = await do(desk, queue.list_, limit=2)
    assert [item.to for item in page.items] == ["x@far.example", "y@near.example"]
    assert page.next
    rest = await do(desk, queue.list_, limit=2, cursor=page.next)
    assert ([item.to for item in rest.items], rest.next) == (["z@far.example"], "")
    assert getattr(rest.items[0], "from") == "rita@rival.test"
    with pytest.raises(Refused, match="cursor"):
        await do(desk, queue.list_, cursor="eHg")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"address": "RITA@rival.test"}, "z"),
        ({"address": "y@near.example"}, "y"),
        ({"destination": "mx:far.example"}, "xz"),
        ({"state": "held"}, ""),
        ({"state": "waiting"}, "xyz"),
    ],
)
async def test_lists_are_narrowed(desk, waiting, given, found) -> None:
    """By address of either side, destination and state."""
    assert "".join(each[0] for each in await listed(desk, **given)) == found


async def test_the_queue_is_counted_by_destination(desk, waiting) -> None:
    """In pages, too."""
    page = await do(desk, queue.summary, limit=1)
    rest = await do(desk, queue.summary, limit=5, cursor=page.next)
    found = [(item.destination, item.recipients) for item in [*page.items, *rest.items]]
    assert found == [("mx:far.example", 2), ("mx:near.example", 1)]


async def test_recipients_are_held_released_retried_and_removed(desk, waiting) -> None:
    """One or all of a message; each is told in its journey and in the audit log."""
    hers, _ = waiting
    assert (await do(desk, queue.hold, queue_id=hers)).recipients == 2
    assert (await do(desk, queue.hold, queue_id=hers)).recipients == 0
    assert (await do(desk, queue.retry, queue_id=hers)).recipients == 0
    shown = await do(desk, queue.show, queue_id=hers.lower())
    first = shown.recipients[0]
    assert (first.state, getattr(shown, "from")) == ("held", "anna@acme.test")
    assert (await do(desk, queue.release, queue_id=hers, recipient=first.number)).recipients == 1
    assert (await do(desk, queue.retry, all=True)).recipients == 2
    assert (await do(desk, queue.remove, queue_id=hers, recipient=first.number)).recipients == 1
    rows = await desk.store.queue_rows()
    assert len(rows) == 2
    story = [row.step for row in await desk.store.journey(rows[0].queue_id)]
    assert story == [steps.RECEIVED, steps.HELD, steps.HELD, steps.RELEASED, steps.REMOVED]
    traces = await desk.store.audit(subject=f"queue:{hers}")
    assert [trace.operation for trace in traces] == [
        "queue.remove", "queue.retry", "queue.release", "queue.hold",
    ]  # fmt: skip
    assert (traces[0].office, traces[0].domain) == ("acme", "acme.test")


async def test_a_rehearsal_steers_nothing(desk, waiting) -> None:
    """It says how many it would be."""
    hers, _ = waiting
    for one, many in ((queue.hold, 2), (queue.remove, 2), (queue.bounce, 2)):
        assert (await do(desk, one, queue_id=hers, dry_run=True)).recipients == many
    assert await listed(desk, state="waiting") == ["x@far.example", "y@near.example", "z@far.example"]


async def test_a_message_is_returned_to_its_sender(desk, waiting) -> None:
    """The notice, the results and the trace are one commit."""
    hers, _ = waiting
    assert (await do(desk, queue.bounce, queue_id=hers)).recipients == 2
    account = await desk.store.account("anna@acme.test")
    assert (await desk.store.usage(account.id)).messages == 1
    assert await listed(desk) == ["z@far.example"]
    (trace,) = await desk.store.audit(subject=f"queue:{hers}")
    assert (trace.operation, trace.after["done"]) == ("queue.bounce", "returned")


async def test_what_is_being_tried_is_neither_removed_nor_returned(desk, waiting) -> None:
    """It is active, and may be held."""
    hers, _ = waiting
    now = desk.clock.now()
    await desk.store.commit(ClaimRecipients(owner="w", now=now + 300, lease_until=now + 600, limit=3))
    assert (await do(desk, queue.remove, queue_id=hers)).recipients == 0
    assert (await do(desk, queue.bounce, queue_id=hers)).recipients == 0
    assert "x@far.example" in await listed(desk, state="active")
    assert (await do(desk, queue.hold, queue_id=hers)).recipients == 2


async def test_everybody_sees_and_steers_his_own(desk, waiting) -> None:
    """What is another's is not there for him, whatever he asks for."""
    hers, other = waiting
    anna, admin = await caller_of(desk.store, "anna@acme.test"), await caller_of(desk.store, "admin@acme.test")
    ben, chief = await caller_of(desk.store, "ben@acme.test"), await caller_of(desk.store, "chief@rival.test")
    assert await listed(desk, anna) == await listed(desk, admin) == ["x@far.example", "y@near.example"]
    assert (await listed(desk, ben), await listed(desk, chief)) == ([], ["z@far.example"])
    for verb in (queue.show, queue.hold, queue.release, queue.remove, queue.bounce):
        with pytest.raises(Refused, match="is not in the queue") as refused:
            await do(desk, verb, admin, queue_id=other)
        assert refused.value.kind is Kind.MISSING
    assert (await do(desk, queue.retry, chief, all=True)).recipients == 1
    assert (await do(desk, queue.hold, anna, queue_id=hers)).recipients == 2
    with pytest.raises(Refused, match="administrator of the server"):
        await do(desk, queue.summary, admin)


async def test_a_part_of_a_message_is_steered_alone(desk) -> None:
    """Ben's administrator does not touch what was forwarded for zoe."""
    value = message("s@else.example", to("ben@acme.test", "x@far.example"), to("zoe@sister.test", "y@far.example"))
    await desk.store.commit(value)
    admin = await caller_of(desk.store, "admin@acme.test")
    queue_id = format_queue_id(value.queue_id)
    assert [each.to for each in (await do(desk, queue.show, admin, queue_id=queue_id)).recipients] == ["x@far.example"]
    assert (await do(desk, queue.remove, admin, queue_id=queue_id)).recipients == 1
    assert await listed(desk) == ["y@far.example"]
    (trace,) = await desk.store.audit(subject=f"queue:{queue_id}")
    assert (trace.office, trace.domain) == ("acme", "acme.test")


@pytest.mark.parametrize(
    ("one", "given", "said"),
    [
        (queue.retry, {}, "name a message or all"),
        (queue.retry, {"queue_id": "1K0RD2HAZXC01", "all": True}, "name a message or all"),
        (queue.hold, {"queue_id": "odd\x1b"}, "is no queue id"),
        (queue.show, {"queue_id": "1K0RD2HAZXC01"}, "is not in the queue"),
        (queue.remove, {"queue_id": "1K0RD2HAZXC01", "recipient": 3}, "recipient 3 of"),
    ],
)
async def test_what_cannot_be_meant_is_refused(desk, one, given, said) -> None:
    """One line that names it."""
    with pytest.raises(Refused, match=said):
        await do(desk, one, **given)


async def test_a_long_queue_is_retried_in_parts(desk, monkeypatch) -> None:
    """Some hundred recipients in a commit."""
    monkeypatch.setattr(queue, "_BATCH", 3)
    for number in range(7):
        await desk.store.commit(submitted("anna@acme.test", f"r{number}@far.example"))
    assert (await do(desk, queue.retry, all=True)).recipients == 7
    assert await desk.store.next_due() == desk.clock.now()
