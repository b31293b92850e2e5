"""Adding, changing, showing, listing and finding accounts."""

import asyncio

import pytest
from pydantic import ValidationError

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account, group
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import AccountState, Level, PutAccount
from tests.support.desks import ON_MACHINE, caller_of, do

HOSTILE = {
    # what is given, the field that is blamed
    "no at sign": ({"address": "anna"}, "address"),
    "no local part": ({"address": "@acme.test"}, "address"),
    "no domain": ({"address": "anna@"}, "address"),
    "two at signs": ({"address": "a@b@acme.test"}, "address"),
    "a space": ({"address": "an na@acme.test"}, "address"),
    "a control character": ({"address": "an\x07na@acme.test"}, "address"),
    "a line end": ({"address": "anna@acme.test\r\nX: y"}, "address"),
    "a NUL": ({"address": "anna\0@acme.test"}, "address"),
    "a surrogate": ({"address": "an\udc80na@acme.test"}, "address"),
    "dots side by side": ({"address": "a..b@acme.test"}, "address"),
    "a dot in front": ({"address": ".a@acme.test"}, "address"),
    "an address literal": ({"address": "anna@[192.0.2.1]"}, "address"),
    "an empty local part in quotes": ({"address": '""@acme.test'}, "address"),
    "a local part of 65 octets": ({"address": "a" * 65 + "@acme.test"}, "address"),
    "a local part of 66 octets in 33 letters": ({"address": "ä" * 33 + "@acme.test"}, "address"),
    "an address of 900 characters": ({"address": "a@" + "b." * 449 + "c"}, "address"),
    "a domain that is not there": ({"address": "x@nowhere.test"}, "address"),
    "somebody's address": ({"address": "ANNA@acme.test"}, "address"),
    "a tab in the name": ({"address": "x@acme.test", "name": "A\tB"}, "name"),
    "an escape in the name": ({"address": "x@acme.test", "name": "A\x1b[31m"}, "name"),
    "a name that turns text around": ({"address": "x@acme.test", "name": "A\u202eB"}, "name"),
    "a line end in the note": ({"address": "x@acme.test", "note": "a\nb"}, "note"),
    "a language that is none": ({"address": "x@acme.test", "language": "german!"}, "language"),
    "a password that is common and short": ({"address": "x@acme.test", "password": "123"}, "password"),
    "a password with a NUL": ({"address": "x@acme.test", "password": "abcdefgh\0ijk"}, "password"),
    "admin against the level": ({"address": "x@acme.test", "level": "domain", "admin": True}, "admin"),
}

FORMS = {
    # what is given, the address it becomes
    "letters of another case": ("Dora@ACME.test", "dora@acme.test"),
    "quotes that need not be": ('"dora"@acme.test', "dora@acme.test"),
    "quotes that must be": ('"dora day"@acme.test', '"dora day"@acme.test'),
    "an escape that need not be": ('"do\\ra"@acme.test', "dora@acme.test"),
    "letters that are not ASCII": ("Dörte@acme.test", "dörte@acme.test"),
    "letters in two parts": ("Do\u0308rte@acme.test", "dörte@acme.test"),
    "signs that an atom may have": ("a!#$%&'*+-/=?^_`{|}~@acme.test", "a!#$%&'*+-/=?^_`{|}~@acme.test"),
    "64 octets": ("a" * 64 + "@acme.test", "a" * 64 + "@acme.test"),
    "a final dot of the domain": ("dora@acme.test.", "dora@acme.test"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_bad_fields_are_named(name, desk):
    """A bad field is refused by its name, in one line that can be printed, and nothing is written."""
    given, field = HOSTILE[name]
    before = await desk.store.directory_version()
    with pytest.raises((Refused, ValidationError)) as caught:
        await do(desk, account.add, **given)
    if isinstance(caught.value, Refused):
        assert caught.value.field == field
        assert caught.value.detail.isprintable()
    else:
        assert caught.value.errors()[0]["loc"][0] == field
    assert await desk.store.directory_version() == before


@pytest.mark.parametrize("name", FORMS)
async def test_every_form_of_an_address_has_one_key(name, desk):
    """What RFC 5321 and RFC 6531 allow is taken, in one form."""
    given, expected = FORMS[name]
    assert (await do(desk, account.add, address=given)).address == expected
    assert (await do(desk, account.show, address=given)).address == expected


async def test_an_account_is_added_with_everything(desk):
    """What is given is there, the password as a hash alone."""
    made = await do(
        desk, account.add, address="dora@acme.test", password="correct horse battery", name="Dora", quota="2G",
        quota_messages=500, level="domain", language="de", note="new", must_change_password=True,
    )  # fmt: skip
    assert (made.name, made.quota, made.quota_messages, made.level) == ("Dora", 2 << 30, 500, Level.DOMAIN)
    assert made.has_password
    assert made.must_change_password
    row = await desk.store.account("dora@acme.test")
    assert row.password_hash.startswith("$test$")
    entry = (await desk.store.audit(subject="account:dora@acme.test"))[0]
    assert entry.operation == "account.add"
    assert "test" not in str(entry.after.get("password"))
    assert "horse" not in str(entry)


async def test_a_dry_run_writes_nothing(desk):
    """A rehearsal says what would be and keeps nothing."""
    told = await do(desk, account.add, address="dora@acme.test", dry_run=True)
    assert told.address == "dora@acme.test"
    assert await desk.store.account("dora@acme.test") is None


async def test_what_changed_in_the_meantime_is_refused(desk):
    """Two administrators edit one account; the second is told to read again."""
    seen = await do(desk, account.show, address="anna@acme.test")
    await do(desk, account.set_, address="anna@acme.test", name="One", if_revision=seen.revision)
    with pytest.raises(Refused) as caught:
        await do(desk, account.set_, address="anna@acme.test", name="Two", if_revision=seen.revision)
    assert caught.value.kind is Kind.CHANGED
    assert (await desk.store.account("anna@acme.test")).display_name == "One"


async def test_only_what_is_given_changes(desk):
    """What is not given stays, what is empty is emptied."""
    await do(desk, account.set_, address="anna@acme.test", name="Anna", quota="1G", note="x")
    after = await do(desk, account.set_, address="anna@acme.test", note="", disabled=True)
    assert (after.name, after.quota, after.note, after.state) == ("Anna", 1 << 30, "", AccountState.DISABLED)


GUARDED = {
    # who does it, what, the kind of refusal
    "a domain administrator makes a server's": ("admin@acme.test", {"address": "anna@acme.test", "admin": True}, "f"),
    "a domain administrator makes an office's": (
        "admin@acme.test",
        {"address": "anna@acme.test", "level": "office"},
        "f",
    ),
    "a domain administrator touches one above": ("admin@acme.test", {"address": "boss@acme.test", "name": "x"}, "f"),
    "a domain administrator reaches out": ("admin@acme.test", {"address": "zoe@sister.test", "name": "x"}, "f"),
    "an office administrator reaches out": ("boss@acme.test", {"address": "rita@rival.test", "name": "x"}, "f"),
    "an office administrator asks for nobody elsewhere": (
        "boss@acme.test",
        {"address": "nobody@rival.test", "name": "x"},
        "f",
    ),
    "a person changes another": ("anna@acme.test", {"address": "ben@acme.test", "name": "x"}, "f"),
    "a person raises his quota": ("anna@acme.test", {"address": "anna@acme.test", "quota": "9G"}, "f"),
    "a person makes himself administrator": ("anna@acme.test", {"address": "anna@acme.test", "level": "domain"}, "f"),
    "an administrator steps down": ("admin@acme.test", {"address": "admin@acme.test", "level": "user"}, "n"),
    "an administrator disables himself": ("admin@acme.test", {"address": "admin@acme.test", "disabled": True}, "n"),
}


@pytest.mark.parametrize("name", GUARDED)
async def test_nobody_does_more_than_he_may(name, desk):
    """Levels, reach and oneself are guarded."""
    who, fields, kind = GUARDED[name]
    with pytest.raises(Refused) as caught:
        await do(desk, account.set_, await caller_of(desk.store, who), **fields)
    assert caught.value.kind is (Kind.FORBIDDEN if kind == "f" else Kind.NOT_NOW)


async def test_a_person_changes_his_name_and_language(desk):
    """What is his own about himself is his."""
    anna = await caller_of(desk.store, "anna@acme.test")
    after = await do(desk, account.set_, anna, address="anna@acme.test", name="Anna A.", language="fr")
    assert (after.name, after.language) == ("Anna A.", "fr")
    assert (await do(desk, account.show, anna, address="anna@acme.test")).addresses == []


async def test_show_tells_what_belongs_to_an_account(desk):
    """Groups, also nested ones, and use are shown."""
    await do(desk, group.add, address="team@acme.test", members=["anna@acme.test"])
    await do(desk, group.add, address="all@acme.test", members=["team@acme.test"])
    shown = await do(desk, account.show, address="anna@acme.test")
    assert (shown.groups, shown.used, shown.messages) == (["all@acme.test", "team@acme.test"], 0, 0)
    assert shown.last_sign_in is None


async def test_finding_stays_within_reach(desk):
    """A part of an address is found in one's own reach alone."""
    boss = await caller_of(desk.store, "boss@acme.test")
    found = await do(desk, account.find, boss, text="OS")
    assert {each.address for each in found.items} == {"boss@acme.test"}
    assert not any("rival" in each.address for each in found.items)
    with pytest.raises(Refused) as caught:
        await do(desk, account.find, ON_MACHINE, text="  ")
    assert caught.value.field == "text"


async def test_new_accounts_get_the_quota_of_their_domain(desk):
    """account.quota holds where nothing else is said."""
    desk.settings.load([SettingRow("account.quota", "domain:acme.test", "3 GiB", "", 0.0)])
    assert (await do(desk, account.add, address="dora@acme.test")).quota == 3 << 30
    assert (await do(desk, account.add, address="dora@sister.test")).quota == 0
    assert (await do(desk, account.add, address="emil@acme.test", quota=0)).quota == 0


async def test_calls_at_the_same_time_do_not_pass_a_limit(desk):
    """Twenty calls at once for five places make five accounts and fifteen refusals that name the setting."""
    desk.settings.load([SettingRow("limit.accounts", "domain:sister.test", "6", "", 0.0)])
    results = await asyncio.gather(
        *(do(desk, account.add, address=f"p{number}@sister.test") for number in range(20)), return_exceptions=True
    )
    refusals = [each for each in results if isinstance(each, Refused)]
    assert len(refusals) == 15
    assert {each.kind for each in refusals} == {Kind.LIMIT}
    assert "limit.accounts is 6" in refusals[0].detail
    assert (await desk.store.domain("sister.test")).accounts == 6


async def test_the_same_address_at_the_same_time_is_made_once(desk):
    """Of two calls for one address one is refused as existing."""
    results = await asyncio.gather(
        *(do(desk, account.add, address="twin@acme.test") for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(each, Exception) for each in results) == 1
    assert {each.kind for each in results if isinstance(each, Refused)} == {Kind.EXISTS}


async def test_an_account_of_a_source_keeps_its_password_there(desk):
    """No password of ours is set where another source answers for it."""
    await desk.store.commit(PutAccount(address="ldap@acme.test", source="corp"))
    with pytest.raises(Refused, match="signs in by the source corp"):
        await do(desk, account.set_, address="ldap@acme.test", password="correct horse battery")
