"""Accounts with all their fields, further addresses, renaming, removal, the one namespace, finding."""

import dataclasses

import pytest

from posthouse.store.contract import AlreadyExists, Conflict, NotAllowed, OverQuota, Vanished
from posthouse.store.directory_rows import AccountRow, AliasRow, Found
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    AliasKind,
    ChangeMembers,
    CredentialKind,
    Level,
    NoteSignIns,
    PutAccount,
    PutAddress,
    PutAlias,
    PutBan,
    PutCredential,
    PutDomain,
    PutGroup,
    PutOffice,
    PutSetting,
    PutShare,
    RemoveAccount,
    RemoveAddress,
    RenameAccount,
)
from tests.support.stores import EPOCH, delivery, furnish

FULL = PutAccount(
    address="ann@example.org",
    kind=AccountKind.SHARED,
    password_hash="h",
    display_name="Änn",
    given_name="Ann",
    family_name="Müller",
    note="n",
    language="de",
    quota_bytes=7,
    quota_messages=3,
    state=AccountState.HELD,
    held_until=9.0,
    level=Level.OFFICE,
    must_change_password=True,
    source="ldap",
    external_id="x1",
    created=5.0,
)


async def test_every_field_of_an_account_is_kept(store):
    """What a value says is in the row; a change of one field leaves the others; a plain account has its defaults."""
    await store.commit(PutDomain(name="example.org"))
    number = await store.commit(FULL)
    row = await store.account("ann@example.org")
    said = {
        field.name: getattr(FULL, field.name) for field in dataclasses.fields(AccountRow) if hasattr(FULL, field.name)
    }
    assert {name: getattr(row, name) for name in said} == said
    await store.commit(PutAccount(address="ann@example.org", note="m", must_be_new=False, if_revision=row.revision))
    changed = await store.account_by_id(number)
    assert changed == dataclasses.replace(row, note="m", revision=changed.revision)
    assert changed.revision > row.revision
    with pytest.raises(Conflict):
        await store.commit(PutAccount(address="ann@example.org", must_be_new=False, if_revision=row.revision))
    plain = await store.commit(PutAccount(address="bob@example.org"))
    bob = await store.account_by_id(plain)
    assert bob == AccountRow(plain, "bob@example.org", created=EPOCH, revision=bob.revision)


async def test_a_new_account_has_its_mailboxes_at_once(store):
    """In the same commit: mail may be delivered by the next value of the call."""
    await store.commit(PutDomain(name="example.org"))
    number = await store.commit(PutAccount(address="ann@example.org"))
    assert [box.name for box in await store.mailboxes(number)] == [
        "INBOX",
        "Archive",
        "Drafts",
        "Junk",
        "Sent",
        "Trash",
    ]
    assert len(await store.subscriptions(number)) == 6
    _, delivered = await store.commit(PutAccount(address="bob@example.org"), delivery(number + 1))
    assert delivered.filed[0].uid == 1
    assert await store.verify() == []


async def test_accounts_are_narrowed(store):
    """By domain, office, state, level, kind and source, each in order of address and in pages."""
    await store.commit(
        PutOffice(name="o"), PutDomain(name="a.example", office="o"), PutDomain(name="b.example"),
        PutAccount(address="1@a.example", level=Level.DOMAIN, source="ldap"),
        PutAccount(address="2@a.example", state=AccountState.DISABLED),
        PutAccount(address="3@b.example", level=Level.DOMAIN, kind=AccountKind.SHARED),
        PutAccount(address="4@b.example", state=AccountState.HELD, held_until=5.0),
        PutAccount(address="5@b.example", state=AccountState.HELD, held_until=3.0),
    )  # fmt: skip

    async def found(**narrowed):
        return [row.address[0] for row in await store.accounts(**narrowed)]

    assert await found() == ["1", "2", "3", "4", "5"]
    assert await found(domain="a.example") == ["1", "2"]
    assert await found(office="o") == ["1", "2"]
    assert await found(office="") == ["3", "4", "5"]
    assert await found(level=Level.DOMAIN) == ["1", "3"]
    assert await found(level=Level.DOMAIN, domain="b.example") == ["3"]
    assert await found(level=Level.USER, limit=2, after="2") == ["2", "4"]
    assert await found(state=AccountState.HELD) == ["4", "5"]
    assert await found(state=AccountState.ACTIVE, office="") == ["3"]
    assert await found(kind=AccountKind.SHARED) == ["3"]
    assert await found(source="ldap") == ["1"]
    assert await found(source="") == ["2", "3", "4", "5"]
    assert await found(domain="nowhere.example") == []
    assert [row.address[0] for row in await store.held_accounts(9.0)] == ["5", "4"]
    assert [row.address[0] for row in await store.held_accounts(4.0)] == ["5"]


async def test_further_addresses(store):
    """An account answers at each of its addresses, in any domain, and lists them; each may be taken away."""
    (ann,) = await furnish(store, "ann@example.org")
    await store.commit(PutDomain(name="example.net"))
    for address in ("b@example.org", "a@example.net"):
        await store.commit(PutAddress(address=address, account="ann@example.org"))
        assert (await store.account(address)).id == ann
    assert await store.addresses(ann) == ["a@example.net", "b@example.org"]
    assert [row.address for row in await store.accounts()] == ["ann@example.org"]
    await store.commit(RemoveAddress(address="b@example.org", account="ann@example.org"))
    assert await store.account("b@example.org") is None
    with pytest.raises(Vanished):
        await store.commit(RemoveAddress(address="b@example.org", account="ann@example.org"))
    assert await store.verify() == []


TAKEN = [
    pytest.param("ann@example.org", "an account", id="account"),
    pytest.param("further@example.org", "a further address of ann@example.org", id="further address"),
    pytest.param("alias@example.org", "an alias", id="alias"),
    pytest.param("group@example.org", "a group", id="group"),
]
TAKERS = [
    pytest.param(lambda address: PutAccount(address=address), id="by an account"),
    pytest.param(lambda address: PutAddress(address=address, account="bob@example.org"), id="by a further address"),
    pytest.param(lambda address: PutAlias(address=address, targets=("x@y",)), id="by an alias"),
    pytest.param(lambda address: PutGroup(address=address), id="by a group"),
    pytest.param(lambda address: RenameAccount(address="bob@example.org", new_address=address), id="by renaming"),
]


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize(("address", "what"), TAKEN)
async def test_an_address_is_one_thing(store, address, what, taker):
    """Whatever has an address, nothing else gets it; the refusal names what has it."""
    await furnish(store, "ann@example.org", "bob@example.org")
    await store.commit(
        PutAddress(address="further@example.org", account="ann@example.org"),
        PutAlias(address="alias@example.org", targets=("ann@example.org",)),
        PutGroup(address="group@example.org"),
    )
    with pytest.raises(AlreadyExists, match=f"{address} is {what} already"):
        await store.commit(taker(address))
    assert await store.verify() == []


async def furnish_whole(store):
    """Add an account that everything speaks of; return its id."""
    (ann, _) = await furnish(store, "ann@example.org", "box@example.org")
    await store.commit(
        PutAddress(address="a@example.org", account="ann@example.org"),
        PutGroup(address="all@example.org"),
        ChangeMembers(group="all@example.org", add=("ann@example.org", "a@example.org", "far@example.com")),
        PutShare(account="box@example.org", member="ann@example.org"),
        PutSetting(name="n", value="1", scope="account:ann@example.org"),
        PutCredential(id="c", account="ann@example.org", kind=CredentialKind.TOTP, name="n", verifier="v"),
        PutBan(network="192.0.2.0/24", account="ann@example.org", reason="r", since=1.0, until=2.0, by="x"),
        NoteSignIns(accounts=((ann, 5.0, "192.0.2.1", "imap"),)),
    )
    return ann


async def test_a_renamed_account_keeps_what_speaks_of_it(store):
    """Mail, further addresses, memberships, shares, credentials and settings go with it; the old address is free."""
    ann = await furnish_whole(store)
    await store.commit(RenameAccount(address="ann@example.org", new_address="eve@example.org"))
    assert await store.account("ann@example.org") is None
    assert (await store.account("eve@example.org")).id == (await store.account("a@example.org")).id == ann
    assert await store.members("all@example.org") == ["a@example.org", "eve@example.org", "far@example.com"]
    assert [row.member for row in await store.shares(account="box@example.org")] == ["eve@example.org"]
    assert [row.scope for row in await store.settings()] == ["account:eve@example.org"]
    assert [row.id for row in await store.credentials("eve@example.org")] == ["c"]
    assert [row.account for row in await store.bans()] == ["eve@example.org"]
    await store.commit(PutAccount(address="ann@example.org"))
    assert [found.address for found in await store.find("eve")] == ["eve@example.org"]
    assert await store.verify() == []


async def test_an_account_may_take_its_further_address_as_its_first(store):
    """The two addresses in one group become one member."""
    await furnish_whole(store)
    await store.commit(RenameAccount(address="ann@example.org", new_address="a@example.org"))
    assert await store.members("all@example.org") == ["a@example.org", "far@example.com"]
    assert (await store.group("all@example.org")).members == 2
    assert await store.verify() == []


async def test_a_removed_account_takes_everything_with_it(store):
    """Nothing speaks of it any more, and every address of it is free."""
    ann = await furnish_whole(store)
    await store.commit(RemoveAccount(address="ann@example.org"))
    assert await store.members("all@example.org") == ["far@example.com"]
    assert (await store.group("all@example.org")).members == 1
    assert await store.shares(members=["ann@example.org"]) == []
    assert await store.settings() == []
    assert await store.credentials("ann@example.org") == []
    assert await store.bans() == []
    assert await store.last_sign_in(ann) is None
    assert await store.find("ann@") == []
    await store.commit(PutAccount(address="a@example.org"))
    assert await store.verify() == []


async def test_messages_are_limited_by_number(store):
    """A quota of messages refuses what would pass it where the filing ranks below it."""
    await store.commit(PutDomain(name="example.org"))
    number = await store.commit(PutAccount(address="ann@example.org", quota_messages=1))
    await store.commit(delivery(number, ranks_over_quota=False))
    with pytest.raises(OverQuota):
        await store.commit(delivery(number, ranks_over_quota=False))
    await store.commit(PutAccount(address="ann@example.org", quota_messages=2, must_be_new=False))
    await store.commit(delivery(number, ranks_over_quota=False))


async def test_aliases_relocate(store):
    """A relocated address names exactly one new address; a change leaves what it does not name."""
    await store.commit(PutDomain(name="example.org"))
    await store.commit(
        PutAlias(address="a@example.org", targets=("b@example.com",), kind=AliasKind.RELOCATED, note="n")
    )
    await store.commit(PutAlias(address="a@example.org", disabled=True, must_be_new=False))
    row = await store.alias("a@example.org")
    assert row == AliasRow("a@example.org", ("b@example.com",), AliasKind.RELOCATED, True, "n", row.revision)
    with pytest.raises(NotAllowed):
        await store.commit(PutAlias(address="a@example.org", targets=("b@x", "c@x"), must_be_new=False))
    with pytest.raises(NotAllowed):
        await store.commit(PutAlias(address="a@example.org", targets=(), must_be_new=False))


PEOPLE = (
    PutAccount(address="ann.mueller@acme.example", display_name="Ann Müller"),
    PutAccount(address="zoë@acme.example", display_name='Zoë "Z" O\'Hara'),
    PutAccount(address="bob@other.example", given_name="Robert", family_name="Straße"),
    PutAddress(address="boss@other.example", account="bob@other.example"),
    PutAlias(address="info@acme.example", targets=("ann.mueller@acme.example",)),
    PutGroup(address="team@acme.example", display_name="Die Mannschaft"),
    PutAccount(address="li@other.example", display_name="李娜"),
)
ANN, ZOE, BOB, BOSS = "ann.mueller@acme.example", "zoë@acme.example", "bob@other.example", "boss@other.example"
INFO, TEAM, LI = "info@acme.example", "team@acme.example", "li@other.example"
FINDS = [
    pytest.param("ann.", {}, [ANN], id="beginning"),
    pytest.param("mueller", {}, [ANN], id="middle"),
    pytest.param("MULLER", {}, [ANN], id="without accents and case"),
    pytest.param("müll", {}, [ANN], id="with accents"),
    pytest.param("acme", {}, ["acme.example", ANN, ZOE, INFO, TEAM], id="everything in a domain, itself first"),
    pytest.param("@other.example", {}, [BOB, BOSS, LI], id="end"),
    pytest.param("robert", {}, [BOB], id="given name"),
    pytest.param("strasse", {}, [BOB], id="sharp s"),
    pytest.param("mannschaft", {}, [TEAM], id="name of a group"),
    pytest.param("boss", {}, [BOSS], id="further address"),
    pytest.param("bo", {}, [BOB, BOSS], id="two letters"),
    pytest.param("er", {}, [ANN, BOB, "other.example", BOSS, LI], id="two letters anywhere"),
    pytest.param("b", {}, [BOB, BOSS], id="one letter, at the beginning"),
    pytest.param("李娜", {}, [LI], id="two characters of a name"),
    pytest.param('"z" o\'h', {}, [ZOE], id="quotes are letters"),
    pytest.param("zoe", {}, [ZOE], id="accents of addresses"),
    pytest.param("ann OR bob", {}, [], id="no words of a query language"),
    pytest.param("a*", {}, [], id="no wildcards"),
    pytest.param("", {}, [], id="nothing"),
    pytest.param("\x00\ue000 ", {}, [], id="nothing but what nobody types"),
    pytest.param("x" * 10_000, {}, [], id="very long"),
    pytest.param("example", {"office": "acme"}, ["acme.example", ANN, ZOE, INFO, TEAM], id="in a post office"),
    pytest.param("example", {"office": ""}, ["other.example", BOB, BOSS, LI], id="in the server's own domains"),
    pytest.param("example", {"domain": "other.example"}, ["other.example", BOB, BOSS, LI], id="in a domain"),
    pytest.param("b", {"domain": "acme.example"}, [], id="one letter in a domain"),
    pytest.param("bob", {"office": "acme", "domain": "other.example"}, [], id="in a domain of another office"),
    pytest.param("bob", {"office": "none"}, [], id="in no office"),
    pytest.param("bob", {"domain": "none"}, [], id="in no domain"),
]


@pytest.mark.parametrize(("text", "within", "addresses"), FINDS)
async def test_finding(store, text, within, addresses):
    """Anything is found by any part of its address or name, page by page the same."""
    await store.commit(PutOffice(name="acme"), PutDomain(name="acme.example", office="acme"))
    await store.commit(PutDomain(name="other.example"))
    for value in PEOPLE:
        await store.commit(value)
    found = await store.find(text, **within)
    assert sorted(one.address for one in found) == sorted(addresses)
    paged, after = [], ""
    while page := await store.find(text, **within, after=after, limit=2):
        paged += page
        after = page[-1].cursor
    assert paged == found


async def test_what_is_found_says_what_it_is(store):
    """Kind, name and, for a further address, whose it is; a change of name is found at once."""
    (bob,) = await furnish(store, "bob@example.org")
    await store.commit(PutAddress(address="boss@example.org", account="bob@example.org"))
    await store.commit(PutAccount(address="bob@example.org", display_name="Robert", must_be_new=False))
    (found,) = await store.find("robert")
    assert found == Found("account", "bob@example.org", "Robert", "", found.cursor)
    (found,) = await store.find("boss")
    assert (found.kind, found.account) == ("address", "bob@example.org")
    await store.commit(PutAccount(address="bob@example.org", display_name="Bobby", must_be_new=False))
    assert await store.find("robert") == []
    assert bob
