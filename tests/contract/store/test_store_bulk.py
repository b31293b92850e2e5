"""Many things in one commit: furniture, the chain of the audit log, what is refused, and the read that looks for many."""

import asyncio

import pytest

from posthouse.store.contract import AlreadyExists
from posthouse.store.directory_values import Audit, PutAccount, PutAddress, PutAlias, PutDomain, PutGroup
from posthouse.store.values import CreateMailbox
from tests.support.stores import delivery, furnish


def people(*numbers):
    """Return accounts with their traces."""
    changes = []
    for number in numbers:
        address = f"p{number}@example.org"
        told = {"name": "\x7fé", "number": number}
        changes.append(PutAccount(address=address))
        changes.append(Audit(at=1.5, actor="a", door="", address="", operation="t", subject=address, after=told))
    return changes


async def subjects(store):
    return [entry.subject for entry in await store.audit(after=0, limit=1000)]


async def test_each_of_many_new_accounts_is_furnished(store):
    """In a domain made in the same commit, with a mailbox made by hand in between, and mail for one at once."""
    made = await store.commit(PutDomain(name="example.org"), *people(*range(50)))
    extra = CreateMailbox(account=made[1], name="Extra")
    await store.commit(*people(50), extra, *people(51, 52), delivery(made[3], text="Hello"))
    for number in (0, 1, 49, 50, 51, 52):
        row = await store.account(f"p{number}@example.org")
        boxes = [box for box in await store.mailboxes(row.id) if box.name != "Extra"]
        assert [box.name for box in boxes] == ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"]
        assert all(box.subscribed for box in boxes)
        assert sum(box.messages for box in boxes) == (number == 1)
    assert len(await subjects(store)) == 53
    assert await store.verify() == []


async def test_a_refused_call_leaves_nothing(store):
    """Whether it is alone in its transaction or between others, and the chain goes on behind it."""
    await store.commit(PutDomain(name="example.org"), *people(0))
    with pytest.raises(AlreadyExists):
        await store.commit(*people(1, 0))
    answers = await asyncio.gather(
        *(store.commit(*people(*numbers)) for numbers in ((2, 3), (4, 0), (5, 6), (7, 7), (8,))),
        return_exceptions=True,
    )
    assert [isinstance(answer, AlreadyExists) for answer in answers] == [False, True, False, True, False]
    await store.commit(*people(9), rehearse=True)
    await store.commit(*people(1))
    assert await subjects(store) == [f"p{number}@example.org" for number in (0, 2, 3, 5, 6, 8, 1)]
    assert (await store.domain("example.org")).accounts == 7
    assert await store.verify() == []


async def test_what_has_many_addresses_is_one_read(store):
    """Kinds by address; what nobody has is left out, a domain is no address."""
    await furnish(store, "ann@example.org")
    await store.commit(
        PutAddress(address="a@example.org", account="ann@example.org"),
        PutAlias(address="b@example.org", targets=("ann@example.org",)),
        PutGroup(address="c@example.org"),
    )
    asked = ["ann@example.org", "a@example.org", "b@example.org", "c@example.org", 'd"\\@example.org', ""]
    assert await store.kinds_of(asked) == {
        "ann@example.org": "account", "a@example.org": "address", "b@example.org": "alias", "c@example.org": "group"
    }  # fmt: skip
    assert await store.kinds_of([]) == {}
