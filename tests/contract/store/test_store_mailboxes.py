"""Mailboxes: furniture, making, renaming, deleting, subscriptions."""

import pytest

from posthouse.store.contract import AlreadyExists, NotAllowed, Vanished
from posthouse.store.rows import Field
from posthouse.store.values import CreateMailbox, DeleteMailbox, Expunge, RenameMailbox, Role, Subscribe
from tests.support.stores import delivery

ALL = ((1, 0xFFFFFFFF),)


async def names(store, account):
    return [row.name for row in await store.mailboxes(account)]


async def test_a_new_account_is_furnished(store, account):
    """A new account has INBOX and a mailbox for each special use, subscribed, INBOX first."""
    rows = await store.mailboxes(account)
    assert [(row.name, row.role) for row in rows] == [
        ("INBOX", Role.INBOX),
        ("Archive", Role.ARCHIVE),
        ("Drafts", Role.DRAFTS),
        ("Junk", Role.JUNK),
        ("Sent", Role.SENT),
        ("Trash", Role.TRASH),
    ]
    assert all(row.subscribed and not row.has_children for row in rows)
    assert len({row.uidvalidity for row in rows}) == 6
    assert await store.subscriptions(account) == sorted(row.name for row in rows)


async def test_making_a_mailbox_makes_its_parents(store, account):
    """Missing levels are made with it; the result is the id of the lowest."""
    made = await store.commit(CreateMailbox(account=account, name="a/b/c", subscribed=True))
    assert (await store.mailbox_named(account, "a/b/c")).id == made
    assert [
        (row.name, row.has_children, row.subscribed) for row in await store.mailboxes(account) if row.name[0] == "a"
    ] == [
        ("a", True, False),
        ("a/b", True, False),
        ("a/b/c", False, True),
    ]
    assert await store.verify() == []


REFUSED = [
    pytest.param("Drafts", None, AlreadyExists, id="the name is taken"),
    pytest.param("inbox", None, AlreadyExists, id="INBOX in any case"),
    pytest.param("", None, NotAllowed, id="no name"),
    pytest.param("a//b", None, NotAllowed, id="an empty level"),
    pytest.param("a/", None, NotAllowed, id="an empty last level"),
    pytest.param("More junk", Role.JUNK, NotAllowed, id="the special use is taken"),
]


@pytest.mark.parametrize(("name", "role", "refusal"), REFUSED)
async def test_making_what_cannot_be_made(store, account, name, role, refusal):
    """A refused mailbox leaves nothing, not even parents."""
    before = await names(store, account)
    with pytest.raises(refusal):
        await store.commit(CreateMailbox(account=account, name=name, role=role))
    assert await names(store, account) == before


async def test_inbox_is_found_in_any_case(store, account):
    """INBOX and the first level of names below it are not case-sensitive; other names are."""
    await store.commit(CreateMailbox(account=account, name="inbox/Sub"))
    assert (await store.mailbox_named(account, "iNbOx")).name == "INBOX"
    assert (await store.mailbox_named(account, "InBox/Sub")).name == "INBOX/Sub"
    assert await store.mailbox_named(account, "drafts") is None


async def test_renaming_takes_what_is_below_along(store, account):
    """The subtree moves with its messages and counters, making parents of the new name."""
    made = await store.commit(CreateMailbox(account=account, name="old/x/y"))
    await store.commit(CreateMailbox(account=account, name="old-b"))
    await store.commit(CreateMailbox(account=account, name="old0"))
    await store.commit(delivery(account, mailbox=made))
    before = await store.mailbox(account, made)
    await store.commit(RenameMailbox(account=account, old="old", new="new/deep"))
    assert [name for name in await names(store, account) if name[0] in "on"] == [
        "new",
        "new/deep",
        "new/deep/x",
        "new/deep/x/y",
        "old-b",
        "old0",
    ]
    after = await store.mailbox(account, made)
    assert (after.uidvalidity, after.uidnext, after.messages) == (before.uidvalidity, before.uidnext, 1)
    assert (await store.mailbox_named(account, "new")).has_children
    assert await store.verify() == []


async def test_renaming_inbox_moves_its_messages_out(store, account, inbox):
    """INBOX stays, empty; its messages are in the new mailbox; what is below INBOX stays (RFC 3501 §6.3.5)."""
    await store.commit(CreateMailbox(account=account, name="INBOX/Sub"))
    for _ in range(3):
        await store.commit(delivery(account))
    await store.commit(RenameMailbox(account=account, old="inbox", new="Old/Mail"))
    target = await store.mailbox_named(account, "Old/Mail")
    source = await store.mailbox(account, inbox)
    assert (source.name, source.messages, source.uidnext) == ("INBOX", 0, 4)
    assert (target.messages, target.uidnext) == (3, 4)
    assert await store.mailbox_named(account, "INBOX/Sub") is not None
    await store.commit(delivery(account))
    assert list(await store.uids(account, inbox)) == [4]
    assert await store.verify() == []


RENAMES = [
    pytest.param("nothing", "new", Vanished, id="it is not there"),
    pytest.param("Drafts", "Sent", AlreadyExists, id="the new name is taken"),
    pytest.param("Drafts", "Drafts", AlreadyExists, id="the same name"),
    pytest.param("Drafts", "Drafts/below", NotAllowed, id="into itself"),
    pytest.param("Drafts", "a//b", NotAllowed, id="an empty level"),
    pytest.param("Drafts", "INBOX", AlreadyExists, id="onto INBOX"),
]


@pytest.mark.parametrize(("old", "new", "refusal"), RENAMES)
async def test_renaming_what_cannot_be_renamed(store, account, old, new, refusal):
    """A refused rename changes no name."""
    before = await names(store, account)
    with pytest.raises(refusal):
        await store.commit(RenameMailbox(account=account, old=old, new=new))
    assert await names(store, account) == before


async def test_deleting_a_mailbox(store, account):
    """The mailbox goes with its messages; the space is given back; the subscription stays (RFC 3501 §6.3.4)."""
    made = await store.commit(CreateMailbox(account=account, name="gone", subscribed=True))
    delivered = await store.commit(delivery(account, mailbox=made))
    await store.commit(DeleteMailbox(account=account, name="gone"))
    assert await store.mailbox(account, made) is None
    assert (await store.usage(account)).messages == 0
    assert "gone" in await store.subscriptions(account)
    await store.housekeep()
    with pytest.raises(Vanished):
        await store.read_body(delivered.body, 0, 1)
    assert await store.verify() == []


async def test_a_mailbox_made_again_has_a_higher_uidvalidity(store, account, clock):
    """UIDVALIDITY never repeats for a name, even where the clock went back."""
    seen = []
    for step in (0, 0, -500, 3):
        clock.advance(step)
        made = await store.commit(CreateMailbox(account=account, name="again"))
        seen.append((await store.mailbox(account, made)).uidvalidity)
        await store.commit(DeleteMailbox(account=account, name="again"))
    assert seen == sorted(set(seen))


DELETIONS = [
    pytest.param("INBOX", NotAllowed, id="INBOX"),
    pytest.param("nothing", Vanished, id="it is not there"),
    pytest.param("a", NotAllowed, id="it has children"),
]


@pytest.mark.parametrize(("name", "refusal"), DELETIONS)
async def test_deleting_what_cannot_be_deleted(store, account, name, refusal):
    """INBOX, unknown names and parents are not deleted."""
    await store.commit(CreateMailbox(account=account, name="a/b"))
    with pytest.raises(refusal):
        await store.commit(DeleteMailbox(account=account, name=name))
    assert len(await names(store, account)) == 8


async def test_subscriptions_are_names(store, account):
    """A name is subscribed whether or not its mailbox exists, and survives a rename of it."""
    await store.commit(Subscribe(account=account, name="not/there", subscribed=True))
    await store.commit(Subscribe(account=account, name="not/there", subscribed=True))
    await store.commit(Subscribe(account=account, name="Junk", subscribed=False))
    assert await store.subscriptions(account) == ["Archive", "Drafts", "INBOX", "Sent", "Trash", "not/there"]
    assert not (await store.mailbox_named(account, "Junk")).subscribed


async def test_a_mailbox_of_another_account_is_not_seen(store, account, inbox):
    """Mailbox ids are looked up within their account."""
    assert await store.mailbox(account + 1, inbox) is None
    assert await store.messages(account + 1, inbox, ALL, (Field.UID,)) == []
    with pytest.raises(Vanished):
        await store.commit(Expunge(account=account + 1, mailbox=inbox, uids=ALL))
