"""Attacks by way of settings and of records: values that are the server's, ceilings, histories of others.

Each test is an attack that must come to nothing.
"""

from __future__ import annotations

import pytest

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.setting import Authority, Scope
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import cursor_of
from posthouse.services.administration.operations import account, audit, domain, setting
from posthouse.store.directory_values import Level, PutAccount, PutAddress, RemoveAccount, RemoveDomain
from tests.support.desks import caller_of, do, make_desk, people

BOSS, ADMIN, ANNA = "boss@acme.test", "admin@acme.test", "anna@acme.test"
OWN_SCOPE = {BOSS: "office:acme", ADMIN: "domain:acme.test", ANNA: "account:anna@acme.test"}


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return a desk on two post offices with people of every level, one of the server's administrators among them."""
    await people(store)
    await store.commit(PutAccount(address="root@acme.test", level=Level.SERVER))
    return make_desk(store, store_clock, tmp_path)


async def refused(desk, operation, who: str, kind: Kind, /, **fields) -> Refused:
    """Return the refusal that an attack comes to."""
    caller = await caller_of(desk.store, who)
    with pytest.raises(Refused) as told:
        await do(desk, operation, caller, **fields)
    assert told.value.kind is kind, told.value
    return told.value


async def put(desk, name: str, value: str, scope: str = "server") -> None:
    """Set a setting, as the server's administrator."""
    await do(desk, setting.set_, name=name, value=value, scope=scope)


@pytest.mark.parametrize("who", OWN_SCOPE)
@pytest.mark.parametrize("operation", [setting.get, setting.explain], ids=["get", "explain"])
async def test_what_is_set_for_the_server_alone_is_not_read_through_ones_own_scope(desk, who, operation):
    """Inheriting is no way to read it; what one's scope may have is read."""
    for name, definition in DEFINITIONS.items():
        if Scope(OWN_SCOPE[who].partition(":")[0]) not in definition.scopes:
            told = await refused(desk, operation, who, Kind.INVALID, name=name, scope=OWN_SCOPE[who])
            assert "cannot be set for one" in told.detail
        else:
            await do(desk, operation, await caller_of(desk.store, who), name=name, scope=OWN_SCOPE[who])


@pytest.mark.parametrize("who", OWN_SCOPE)
async def test_nobody_sets_what_is_the_servers_or_anothers(desk, who):
    """Every setting in every scope that is not the caller's: refused, and nothing is written."""
    places = ["server", "office:rival", "domain:rival.test", "account:rita@rival.test", "domain:none.test"]
    before = await desk.store.settings()
    for name, definition in DEFINITIONS.items():
        for scope in places:
            if Scope(scope.partition(":")[0]) in definition.scopes:
                value = definition.format(definition.default)
                await refused(desk, setting.set_, who, Kind.FORBIDDEN, name=name, value=value, scope=scope)
                await refused(desk, setting.unset, who, Kind.FORBIDDEN, name=name, scope=scope)
    assert await desk.store.settings() == before


async def test_files_sources_and_senders_are_the_servers(desk):
    """A file of the server named by a customer would tell its lines; whose mail one may send concerns all customers."""
    ours = {name for name, each in DEFINITIONS.items() if each.authority is Authority.SERVER}
    assert ours == {
        "auth.password_breached_file", "auth.password_dictionary", "auth.sources", "smtp.sender_must_own",
    }  # fmt: skip
    for name in ours:
        value = DEFINITIONS[name].format(DEFINITIONS[name].default)
        for scope in ("office:acme", "domain:acme.test"):
            await refused(desk, setting.set_, BOSS, Kind.FORBIDDEN, name=name, value=value, scope=scope)


CEILINGS = {
    "no limit at all": ("limit.accounts", "5", "-1"),
    "more": ("limit.accounts", "5", "6"),
    "more mail": ("limit.total_quota", "1G", "2G"),
    "any amount of mail": ("limit.account_quota", "1G", "0"),
    "larger messages": ("smtp.message_size", "1M", "2M"),
    "longer tokens": ("rest.token_lifetime", "1d", "2d"),
    "app passwords for ever": ("auth.app_password_lifetime", "1d", "0"),
    "more app passwords": ("auth.app_password_count", "3", "4"),
}


@pytest.mark.parametrize("name", CEILINGS)
@pytest.mark.parametrize("given", ["server", "office:acme"])
async def test_nobody_gives_more_than_he_was_given(desk, name, given):
    """A ceiling of the server or the post office is not lifted for a domain; less than it may be set."""
    setting_name, had, wanted = CEILINGS[name]
    scope = given if Scope(given.partition(":")[0]) in DEFINITIONS[setting_name].scopes else "server"
    await put(desk, setting_name, had, scope)
    place = "domain:acme.test" if Scope.DOMAIN in DEFINITIONS[setting_name].scopes else "account:anna@acme.test"
    told = await refused(desk, setting.set_, BOSS, Kind.LIMIT, name=setting_name, value=wanted, scope=place)
    assert told.field == "value"
    await do(desk, setting.set_, await caller_of(desk.store, BOSS), name=setting_name, value=had, scope=place)


async def test_nobody_gives_an_account_more_recipients_than_the_server_does(desk):
    """The number of an account stands for that of the server; those of domains are counted beside it."""
    await put(desk, "limit.recipients_per_hour", "100")
    fields = {"name": "limit.recipients_per_hour", "value": "5000"}
    await refused(desk, setting.set_, ADMIN, Kind.LIMIT, scope="account:anna@acme.test", **fields)
    await do(desk, setting.set_, await caller_of(desk.store, BOSS), scope="domain:acme.test", **fields)


async def test_undo_lifts_no_ceiling(desk):
    """Taking a change back is setting a value: the one before may be more than one has now."""
    await put(desk, "limit.accounts", "1000", "domain:acme.test")
    await put(desk, "limit.accounts", "10", "domain:acme.test")
    await put(desk, "limit.accounts", "10", "office:acme")
    await refused(desk, setting.undo, BOSS, Kind.LIMIT, name="limit.accounts", scope="domain:acme.test")
    await refused(desk, setting.undo, ADMIN, Kind.FORBIDDEN, name="limit.accounts", scope="domain:acme.test")


async def test_settings_of_those_above_are_not_touched(desk):
    """Who administers a domain does not say by which protocols the server's administrator signs in."""
    await refused(
        desk, setting.set_, ADMIN, Kind.FORBIDDEN,
        name="auth.protocols", value="imap", scope="account:root@acme.test",
    )  # fmt: skip


async def test_a_further_address_is_no_way_to_settings(desk):
    """A scope is that of the account behind the address, wherever it is; the refusal does not tell where."""
    await desk.store.commit(PutAddress(address="door@acme.test", account="rita@rival.test"))
    for operation, fields in ((setting.set_, {"value": "imap"}), (setting.get, {}), (setting.unset, {})):
        told = await refused(
            desk, operation, ADMIN, Kind.FORBIDDEN, name="auth.protocols", scope="account:door@acme.test", **fields
        )
        assert "rita" not in told.detail


async def test_a_cursor_of_another_list_is_refused(desk):
    """The history of settings reads numbers alone."""
    for key in ("anna@acme.test", "-1", "9" * 30, "\N{ARABIC-INDIC DIGIT ONE}"):
        await refused(desk, setting.history, ADMIN, Kind.INVALID, scope="domain:acme.test", cursor=cursor_of(key))
        await refused(desk, audit.list_entries, ADMIN, Kind.INVALID, cursor=cursor_of(key))


# ---- records ----------------------------------------------------------------------------------------------------


async def test_the_history_of_a_domain_stays_with_the_customer_who_had_it(desk):
    """A domain that goes and comes again for another customer brings none of the first one's records along."""
    await do(desk, account.set_, address="zoe@sister.test", note="owes us money")
    await put(desk, "account.language", "de", "domain:sister.test")
    await desk.store.commit(RemoveAccount(address="zoe@sister.test"), RemoveDomain(name="sister.test"))
    await do(desk, domain.add, name="sister.test", office="rival")
    await desk.store.commit(PutAccount(address="new@sister.test", level=Level.DOMAIN))
    for who in ("new@sister.test", "chief@rival.test"):
        caller = await caller_of(desk.store, who)
        entries = (await do(desk, audit.list_entries, caller)).items
        assert {each.operation for each in entries} <= {"domain.add"}
        history = await do(desk, setting.history, caller, scope="domain:sister.test")
        assert history.items == []
        if who == "new@sister.test":
            await refused(desk, setting.undo, who, Kind.MISSING, name="account.language", scope="domain:sister.test")
    old = (await do(desk, audit.list_entries, await caller_of(desk.store, BOSS))).items
    assert "setting.set" in {each.operation for each in old}


async def test_an_entry_of_another_tenant_is_as_one_that_is_not_there(desk):
    """By its number too."""
    await do(desk, account.set_, address="rita@rival.test", name="Rita")
    number = (await desk.store.audit(limit=1))[0].number
    theirs = await refused(desk, audit.show, ADMIN, Kind.MISSING, number=number)
    none = await refused(desk, audit.show, ADMIN, Kind.MISSING, number=number + 10)
    assert theirs.detail.replace(str(number), "*") == none.detail.replace(str(number + 10), "*")
    assert not (
        await do(desk, audit.list_entries, await caller_of(desk.store, ADMIN), subject="account:rita@rival.test")
    ).items
