"""The queue: claims, leases, results, an administrator's hand."""

import pytest

from posthouse.store.contract import Vanished
from posthouse.store.values import (
    EVERY_OWNER,
    ClaimRecipients,
    JourneyEntry,
    QueueControl,
    QueueResult,
    RecipientResult,
    RecipientState,
    ReleaseLeases,
)
from tests.support.stores import EPOCH, queued

WAITING, HELD, DELIVERED = RecipientState.WAITING, RecipientState.HELD, RecipientState.DELIVERED
FAILED, REMOVED = RecipientState.FAILED, RecipientState.REMOVED


def claim(owner="w1", now=EPOCH + 1, lease=300, **fields):
    return ClaimRecipients(owner=owner, now=now, lease_until=now + lease, **fields)


async def test_an_entry_reads_back(store):
    """A queued recipient is read with its message's envelope."""
    value = queued("bob@far.example", ret="HDRS", envid="e1", body_type="8BITMIME", smtputf8=True)
    delivered = await store.commit(value)
    (row,) = await store.queue_rows()
    assert (row.queue_id, row.number, row.address, row.destination) == (
        value.queue_id,
        0,
        "bob@far.example",
        "mx:far.example",
    )
    assert (row.state, row.attempts, row.next_attempt, row.lease_owner) == (WAITING, 0, EPOCH, "")
    assert (row.reverse_path, row.ret, row.envid, row.body_type, row.smtputf8) == (
        "ann@example.org",
        "HDRS",
        "e1",
        "8BITMIME",
        True,
    )
    assert (row.body, row.size) == (delivered.body, value.email.facts.size)
    assert abs(row.received - EPOCH) < 1
    assert await store.next_due() == EPOCH
    assert await store.queue_summary() == [("mx:far.example", "waiting", 1, EPOCH)]


async def test_claims_are_exclusive_until_the_lease_ends(store):
    """A claimed recipient is not claimed again before its lease ends; then it is, without any care."""
    await store.commit(queued("a@x.example", "b@x.example", "c@y.example"))
    first = await store.commit(claim())
    assert [row.address for row in first] == ["a@x.example", "b@x.example", "c@y.example"]
    assert {row.lease_owner for row in first} == {"w1"}
    assert await store.commit(claim("w2")) == []
    assert await store.next_due() == EPOCH + 301
    again = await store.commit(claim("w2", now=EPOCH + 302))
    assert {row.lease_owner for row in again} == {"w2"}


async def test_a_claim_is_oldest_first_and_destinations_together(store):
    """Rows come by the age of their destination's oldest, one destination after the other."""
    for number, name in enumerate(["x", "y", "x", "z", "y"]):
        await store.commit(queued(f"{number}@{name}.example", next_attempt=EPOCH - 10 + number))
    rows = await store.commit(claim(limit=4))
    assert [row.address for row in rows] == ["0@x.example", "2@x.example", "1@y.example", "3@z.example"]
    assert [row.address for row in await store.commit(claim())] == ["4@y.example"]


async def test_what_is_not_due_is_not_claimed(store):
    """Recipients with a later next attempt stay."""
    await store.commit(queued("a@x.example", next_attempt=EPOCH + 100))
    assert await store.commit(claim()) == []
    assert len(await store.commit(claim(now=EPOCH + 100))) == 1


async def test_skipped_destinations_are_left_to_others(store):
    """A claim passes over the destinations it was told to skip."""
    await store.commit(queued("a@x.example", "b@y.example"))
    rows = await store.commit(claim(skip_destinations=("mx:x.example",)))
    assert [row.address for row in rows] == ["b@y.example"]


async def test_a_crowd_for_a_skipped_destination_hides_nobody(store, monkeypatch):
    """Due recipients behind more skipped ones than a claim looks at are still found."""
    monkeypatch.setattr("posthouse.store.sqlite.writes.queue._SCAN", 5)
    await store.commit(queued(*(f"{n}@x.example" for n in range(20)), next_attempt=EPOCH - 5))
    await store.commit(queued("b@y.example", "c@z.example"))
    rows = await store.commit(claim(skip_destinations=("mx:x.example",)))
    assert [row.address for row in rows] == ["b@y.example", "c@z.example"]


async def test_an_entry_may_enter_under_a_lease(store):
    """Recipients handed over at reception are leased from the start and come free when the lease ends."""
    await store.commit(queued("a@x.example", lease_owner="w1", lease_until=EPOCH + 60))
    assert await store.commit(claim("w2")) == []
    assert await store.commit(ReleaseLeases(owner="w1")) == 1
    assert len(await store.commit(claim("w2"))) == 1
    assert await store.commit(ReleaseLeases(owner="nobody")) == 0


async def test_a_server_that_is_alone_ends_all_leases(store):
    """The leases of every owner end together, and what had none is left as it is."""
    await store.commit(queued("a@x.example", lease_owner="w1", lease_until=EPOCH + 60))
    await store.commit(queued("b@x.example", lease_owner="w2.7", lease_until=EPOCH + 60))
    await store.commit(queued("c@x.example", next_attempt=EPOCH + 100))
    assert await store.commit(ReleaseLeases(owner=EVERY_OWNER)) == 2
    assert len(await store.commit(claim("w3"))) == 2


async def test_results_end_recipients_and_then_the_message(store):
    """Delivered and failed recipients go; with the last one the message and its body go."""
    value = queued("a@x.example", "b@x.example", "c@x.example")
    delivered = await store.commit(value)
    await store.commit(claim())
    told = JourneyEntry(queue_id=value.queue_id, at=EPOCH + 2, step="relayed", record={"to": "a@x.example"})
    await store.commit(
        QueueResult(
            results=(
                RecipientResult(queue_id=value.queue_id, number=0, state=DELIVERED),
                RecipientResult(
                    queue_id=value.queue_id,
                    number=1,
                    state=WAITING,
                    next_attempt=EPOCH + 900,
                    reply="451 later",
                    delay_notified=True,
                ),
                RecipientResult(
                    queue_id=value.queue_id, number=2, state=WAITING, next_attempt=EPOCH + 800, attempted=False
                ),
            ),
            journey=(told,),
        )
    )
    rows = await store.queue_rows(queue_id=value.queue_id)
    assert [
        (row.number, row.attempts, row.next_attempt, row.lease_owner, row.last_reply, row.delay_notified)
        for row in rows
    ] == [
        (1, 1, EPOCH + 900, "", "451 later", True),
        (2, 0, EPOCH + 800, "", "", False),
    ]
    assert await store.next_due() == EPOCH + 800
    assert [row.step for row in await store.journey(value.queue_id)] == ["queued", "relayed"]
    await store.commit(
        QueueResult(
            results=(
                RecipientResult(queue_id=value.queue_id, number=1, state=FAILED),
                RecipientResult(queue_id=value.queue_id, number=2, state=REMOVED),
            )
        )
    )
    assert await store.queue_rows() == []
    with pytest.raises(Vanished):
        await store.read_body(delivered.body, 0, 1)
    assert await store.next_due() is None
    assert await store.verify() == []


async def test_a_result_and_its_bounce_come_together(store, account):
    """A refused bounce takes the result back with it."""
    value = queued("a@x.example")
    await store.commit(value)
    result = QueueResult(results=(RecipientResult(queue_id=value.queue_id, number=0, state=FAILED),))
    from tests.support.stores import delivery

    with pytest.raises(Vanished):
        await store.commit(result, delivery(account + 99))
    assert len(await store.queue_rows()) == 1
    await store.commit(result, delivery(account))
    assert await store.queue_rows() == []
    assert (await store.usage(account)).messages == 1
    assert await store.verify() == []


async def test_holding_and_releasing(store):
    """A held recipient is not claimed; released, it is due when told."""
    value = queued("a@x.example", "b@x.example")
    await store.commit(value)
    control = QueueControl(queue_id=value.queue_id, state=HELD, now=EPOCH)
    assert await store.commit(control) == 2
    assert await store.commit(control) == 0
    assert await store.commit(claim()) == []
    assert await store.next_due() is None
    assert await store.queue_summary() == [("mx:x.example", "held", 2, EPOCH)]
    released = QueueControl(queue_id=value.queue_id, number=1, state=WAITING, now=EPOCH, next_attempt=EPOCH + 1)
    assert await store.commit(released) == 1
    assert [row.address for row in await store.commit(claim())] == ["b@x.example"]


async def test_a_hold_outlives_the_attempt_under_way(store):
    """A recipient held during an attempt stays held when the attempt is put off."""
    value = queued("a@x.example")
    await store.commit(value)
    await store.commit(claim())
    await store.commit(QueueControl(queue_id=value.queue_id, state=HELD, now=EPOCH))
    result = RecipientResult(queue_id=value.queue_id, number=0, state=WAITING, next_attempt=EPOCH + 9)
    await store.commit(QueueResult(results=(result,)))
    (row,) = await store.queue_rows()
    assert (row.state, row.attempts) == (HELD, 1)
    assert await store.commit(claim(now=EPOCH + 10)) == []


async def test_removing_spares_attempts_under_way(store):
    """Removing skips recipients under a lease and takes the message away with the last of the others."""
    value = queued("a@x.example", "b@y.example")
    await store.commit(value)
    await store.commit(claim(limit=1))
    remove = QueueControl(queue_id=value.queue_id, state=REMOVED, now=EPOCH + 1)
    assert await store.commit(remove) == 1
    assert [row.address for row in await store.queue_rows()] == ["a@x.example"]
    assert await store.commit(QueueControl(queue_id=value.queue_id, state=REMOVED, now=EPOCH + 1000)) == 1
    assert await store.queue_rows() == []
    assert await store.commit(remove) == 0
    assert await store.verify() == []


async def test_rows_are_read_page_by_page(store):
    """Pages follow each other by the key of the last row."""
    values = [queued("a@x.example", "b@x.example") for _ in range(3)]
    for value in values:
        await store.commit(value)
    seen, after = [], (0, 0)
    while page := await store.queue_rows(after=after, limit=4):
        seen += [(row.queue_id, row.number) for row in page]
        after = seen[-1]
    assert seen == [(value.queue_id, number) for value in values for number in (0, 1)]
