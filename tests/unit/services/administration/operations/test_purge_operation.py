"""Messages removed by age, mailbox, size and reading; what is flagged, held or out of reach stays."""

import pytest

from posthouse.core.flags import Flag
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account_stages, purge
from posthouse.store.values import FlagChange, FlagMode
from tests.support.desks import caller_of, do
from tests.support.stores import delivery

DAY = 86_400


@pytest.fixture
async def full(desk, store_clock):
    """Put six messages, of one day to six days ago, into two inboxes; the third is read, the fourth flagged."""
    now = int(store_clock.now())
    for address in ("anna@acme.test", "rita@rival.test"):
        row = await desk.store.account(address)
        inbox = await desk.store.mailbox_named(row.id, "INBOX")
        for days in range(1, 7):
            text = "x" * (100_000 if days == 5 else 10)
            await desk.store.commit(delivery(row.id, text, mailbox=inbox.id, internal_date=now - days * DAY - 10))
        for uid, flag in ((3, Flag.SEEN), (4, Flag.FLAGGED)):
            await desk.store.commit(
                FlagChange(account=row.id, mailbox=inbox.id, uids=[(uid, uid)], mode=FlagMode.ADD, flags=flag)
            )
    return desk


async def left(desk, address: str) -> list[int]:
    """Return the UIDs in somebody's inbox."""
    row = await desk.store.account(address)
    inbox = await desk.store.mailbox_named(row.id, "INBOX")
    return list(await desk.store.uids(row.id, inbox.id))


CASES = {
    "by age": ({"older_than": 3}, [1, 2, 4]),
    "by age with what is flagged": ({"older_than": 3, "flagged": True}, [1, 2]),
    "by size": ({"larger_than": 50_000}, [1, 2, 3, 4, 6]),
    "what was read": ({"seen": True}, [1, 2, 4, 5, 6]),
    "all that must hold": ({"older_than": 3, "larger_than": 50_000}, [1, 2, 3, 4, 6]),
    "of another mailbox": ({"older_than": 1, "mailbox": "Trash"}, [1, 2, 3, 4, 5, 6]),
    "of mailboxes by pattern": ({"older_than": 5, "mailbox": "in*"}, [1, 2, 3, 4]),
    "everything": ({"everything": True, "flagged": True}, []),
}


@pytest.mark.parametrize("name", CASES)
async def test_what_fits_goes(full, name: str):
    """A dry run counts the same and takes nothing; the real one leaves what does not fit."""
    given, stays = CASES[name]
    told = await do(full, purge.messages, account="anna@acme.test", dry_run=True, **given)
    assert told.messages == 6 - len(stays)
    assert await left(full, "anna@acme.test") == [1, 2, 3, 4, 5, 6]
    assert await do(full, purge.messages, account="anna@acme.test", **given) == told
    assert await left(full, "anna@acme.test") == stays
    assert await left(full, "rita@rival.test") == [1, 2, 3, 4, 5, 6]
    assert await full.store.verify() == []


async def test_without_a_criterion_it_is_refused(full):
    """Nobody empties every mailbox by leaving words out."""
    with pytest.raises(Refused, match="every message") as refused:
        await do(full, purge.messages)
    assert refused.value.field == "everything"


async def test_it_stays_within_reach(full):
    """An administrator purges his own; another's is refused; over the whole server all are looked at."""
    boss = await caller_of(full.store, "boss@acme.test")
    assert (await do(full, purge.messages, boss, older_than=3)).messages == 3
    assert await left(full, "rita@rival.test") == [1, 2, 3, 4, 5, 6]
    for more in ({"account": "rita@rival.test"}, {"domain": "rival.test"}, {"office": "rival"}):
        with pytest.raises(Refused) as refused:
            await do(full, purge.messages, boss, older_than=3, **more)
        assert refused.value.kind is Kind.FORBIDDEN
    assert (await do(full, purge.messages, older_than=3)).messages == 3
    (trace,) = [row for row in await full.store.audit() if row.subject == "account:rita@rival.test"]
    assert (trace.office, trace.after["purged"]) == ("rival", 3)


async def test_a_held_account_is_left_alone(full):
    """What may come back comes back with its mail."""
    await do(full, account_stages.remove, address="anna@acme.test")
    assert (await do(full, purge.messages, older_than=3, domain="acme.test")).messages == 0


async def test_it_can_be_cancelled(full):
    """A cancelled purge says so and has done whole steps only."""
    from posthouse.services.administration.call import Call, perform
    from tests.support.desks import ON_MACHINE

    call = Call(caller=ON_MACHINE, desk=full, cancelled=lambda: True)
    with pytest.raises(Refused, match="cancelled"):
        await perform(purge.messages, call, purge.PurgeMessages(older_than=1))
    assert await left(full, "anna@acme.test") == [1, 2, 3, 4, 5, 6]
