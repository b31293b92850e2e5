"""Attacks on the borders between tenants, and on the levels within one: credentials, mail and the people above.

Each test is an attack that must come to nothing. The sweep over every operation of the catalogue is in
``test_tenancy_sweep.py``; settings and records are attacked in ``test_tenancy_settings.py``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.jobs import JobRunner, start_job
from posthouse.services.administration.operations import (
    account,
    account_addresses,
    account_passwords,
    account_stages,
    alias,
    app_password,
    domain,
    domain_purge,
    setting,
    shared,
    token,
)
from posthouse.services.administration.tokens import TokenDesk
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.store.directory_values import (
    AccountState,
    Level,
    PutAccount,
    PutAddress,
    PutDomain,
    PutOffice,
    RemoveAccount,
)
from posthouse.telemetry.log import null_telemetry
from tests.support.desks import caller_of, do, make_desk, people

DAY = 86_400.0


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return a desk on two post offices with people of every level; a second administrator of acme.test, and above."""
    await people(store)
    await store.commit(
        PutAccount(address="peer@acme.test", level=Level.DOMAIN),
        PutAccount(address="root@acme.test", level=Level.SERVER),
    )
    return make_desk(store, store_clock, tmp_path)


async def refused(desk, operation, caller, kind=Kind.FORBIDDEN, /, **fields) -> Refused:
    """Return the refusal that an attack comes to."""
    with pytest.raises(Refused) as told:
        await do(desk, operation, caller, **fields)
    assert told.value.kind is kind, told.value
    return told.value


async def signed_in(desk, secret: str):
    """Return who calls with a token now."""
    tokens = TokenDesk(desk.store, desk.clock, SignInNotes(desk.store, desk.clock))
    return await tokens.caller(secret, door="rest", address="192.0.2.1")


# ---- credentials in the names of others -------------------------------------------------------------------------


async def test_an_address_of_mine_is_no_way_to_a_token_of_whom_it_leads_to(desk):
    """A further address in one's domain does not make the account behind it one's own, nor tell which it is."""
    await desk.store.commit(PutAddress(address="door@acme.test", account="rita@rival.test"))
    admin = await caller_of(desk.store, "admin@acme.test")
    for operation, fields in (
        (token.add, {"name": "x"}),
        (token.list_tokens, {}),
        (app_password.add, {"name": "x"}),
    ):
        told = await refused(desk, operation, admin, account="door@acme.test", **fields)
        assert "rita" not in f"{told.detail} {told.remedy}"
    for operation in (account.show, account_passwords.random_password):
        told = await refused(desk, operation, admin, address="door@acme.test")
        assert "rita" not in f"{told.detail} {told.remedy}"


@pytest.mark.parametrize("operation", [token.add, app_password.add], ids=["token", "app password"])
@pytest.mark.parametrize("whose", ["peer@acme.test", "boss@acme.test", "root@acme.test"])
async def test_nobody_makes_a_credential_of_his_equal_or_of_whom_is_above(desk, operation, whose):
    """With it he could act as that administrator, past the second factor and unseen."""
    admin = await caller_of(desk.store, "admin@acme.test")
    await refused(desk, operation, admin, account=whose, name="x")
    assert not await desk.store.credentials(whose)


async def test_a_token_made_for_somebody_does_not_grow_with_him(desk):
    """Who makes a token in another's name notes his own role in it: promoting the owner promotes no token of others."""
    admin = await caller_of(desk.store, "admin@acme.test")
    made = await do(desk, token.add, admin, account="anna@acme.test", name="later")
    await desk.store.commit(PutAccount(address="anna@acme.test", level=Level.SERVER, must_be_new=False))
    assert (await signed_in(desk, made.token)).role is Role.DOMAIN
    await refused(desk, app_password.add, admin, account="ben@acme.test", name="x", scopes=["api"])


async def test_a_token_makes_no_credential_that_outlives_it(desk):
    """Whoever finds a token of a day has it for a day."""
    first = await do(desk, token.add, account="admin@acme.test", name="day", days=1)
    caller = await signed_in(desk, first.token)
    await refused(desk, token.add, caller, Kind.LIMIT, name="year", days=365)
    second = await do(desk, token.add, caller, name="as long as allowed")
    assert second.expires == first.expires
    made = await do(desk, app_password.add, caller, name="phone")
    assert made.expires.timestamp() == pytest.approx(first.expires)


async def test_a_narrow_token_makes_no_administrator(desk):
    """With the scope account:write alone nobody makes an account that may more, nor gives one a password."""
    admin = replace(await caller_of(desk.store, "admin@acme.test"), scopes=frozenset({"account:write"}))
    await refused(desk, account.add, admin, address="new@acme.test", level=Level.DOMAIN, password="long enough 7")
    await refused(desk, account.set_, admin, address="anna@acme.test", level=Level.DOMAIN)
    for operation, fields in (
        (account_passwords.set_password, {"password": "long enough 7"}),
        (account_passwords.random_password, {}),
        (account.set_, {"password": "long enough 7"}),
    ):
        await refused(desk, operation, admin, address="peer@acme.test", **fields)
    await do(desk, account.set_, admin, address="anna@acme.test", password="Quite-long-and-new-7")


async def test_a_token_alone_does_not_take_the_account_over(desk):
    """One's own password is changed with the one so far, by whichever operation."""
    admin = await caller_of(desk.store, "admin@acme.test")
    await refused(desk, account.set_, admin, Kind.NOT_NOW, address="admin@acme.test", password="Quite-new-7777")
    await refused(desk, account_passwords.random_password, admin, Kind.NOT_NOW, address="admin@acme.test")


# ---- whose rights have ended ------------------------------------------------------------------------------------

ENDS = {
    "account disabled": [PutAccount(address="boss@acme.test", state=AccountState.DISABLED, must_be_new=False)],
    "sign-in disabled": [PutAccount(address="boss@acme.test", state=AccountState.SIGN_IN_DISABLED, must_be_new=False)],
    "account removed": [RemoveAccount(address="boss@acme.test")],
    "domain disabled": [PutDomain(name="acme.test", disabled=True, must_be_new=False)],
    "post office disabled": [PutOffice(name="acme", disabled=True, must_be_new=False)],
}


@pytest.mark.parametrize("name", ENDS)
async def test_a_token_dies_with_the_right_to_sign_in(desk, name):
    """From the next call on."""
    made = await do(desk, token.add, account="boss@acme.test", name="x")
    assert await signed_in(desk, made.token) is not None
    await desk.store.commit(*ENDS[name])
    assert await signed_in(desk, made.token) is None


async def test_a_token_of_a_demoted_administrator_may_what_he_may(desk):
    """From the next call on."""
    made = await do(desk, token.add, account="boss@acme.test", name="x")
    await desk.store.commit(PutAccount(address="boss@acme.test", level=Level.USER, must_be_new=False))
    assert (await signed_in(desk, made.token)).role is Role.ACCOUNT


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"role": "office", "office": "acme"}, PutOffice(name="acme", disabled=True, must_be_new=False)),
        ({"role": "domain", "domain": "acme.test"}, PutOffice(name="acme", disabled=True, must_be_new=False)),
        ({"role": "domain", "domain": "acme.test"}, PutDomain(name="acme.test", disabled=True, must_be_new=False)),
    ],
    ids=["of an office", "of a domain of the office", "of a domain"],
)
async def test_a_token_of_the_server_dies_with_its_place(desk, fields, end):
    """A token without an account ends with the post office or the domain that it is for."""
    made = await do(desk, token.add, name="x", **fields)
    assert await signed_in(desk, made.token) is not None
    await desk.store.commit(end)
    assert await signed_in(desk, made.token) is None


# ---- addresses that catch what is not one's own -------------------------------------------------------------------


async def test_addresses_of_others_are_not_taken_in(desk):
    """Nobody renames into, or gives an address in, a domain beyond his reach; refusals name what was asked alone."""
    admin = await caller_of(desk.store, "admin@acme.test")
    for theirs in ("new@rival.test", "rita@rival.test", "x@nowhere.test", "x@sister.test"):
        told = await refused(desk, account_addresses.rename, admin, address="anna@acme.test", new_address=theirs)
        assert told.detail == f"{theirs} is outside what you administer"
        await refused(desk, account_addresses.add_address, admin, address="anna@acme.test", further=theirs)


# ---- between the look and the deed --------------------------------------------------------------------------------


class Racing:
    """A store in which something happens just before the caller's own commit."""

    def __init__(self, store, *changes) -> None:
        self._store = store
        self._changes = changes

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def commit(self, *changes, **known):
        """Let the other one be first."""
        first, self._changes = self._changes, ()
        if first:
            await self._store.commit(*first)
        return await self._store.commit(*changes, **known)


MOVES_AWAY = PutDomain(name="acme.test", office="rival", must_be_new=False)
RACES = {
    "password": (account_passwords.set_password, {"address": "anna@acme.test", "password": "Quite-new-7777"}),
    "new account": (account.add, {"address": "new@acme.test"}),
    "change": (account.set_, {"address": "anna@acme.test", "name": "Other"}),
    "removal": (account_stages.remove, {"address": "anna@acme.test", "now": True}),
    "rename into it": (account_addresses.rename, {"address": "zoe@sister.test", "new_address": "zoe@acme.test"}),
    "further address": (account_addresses.add_address, {"address": "zoe@sister.test", "further": "zoe@acme.test"}),
    "alias": (alias.add, {"address": "all@acme.test", "targets": ["zoe@sister.test"]}),
    "domain": (domain.set_, {"name": "acme.test", "catch_all": "zoe@sister.test"}),
    "token": (token.add, {"account": "anna@acme.test", "name": "x"}),
    "share": (shared.grant, {"address": "info@sister.test", "member": "anna@acme.test"}),
    "setting": (setting.set_, {"name": "account.language", "value": "de", "scope": "domain:acme.test"}),
}


@pytest.mark.parametrize("name", RACES)
async def test_a_domain_that_moves_meanwhile_takes_its_people_with_it(desk, name):
    """What was found within reach must be so in the very commit; else nothing of it is written."""
    operation, fields = RACES[name]
    await do(desk, shared.add, address="info@sister.test")
    boss = Caller(role=Role.OFFICE, name="boss@sister.test", office="acme", domain="sister.test")
    before = await desk.store.audit(limit=1)
    racing = replace(desk, store=Racing(desk.store, MOVES_AWAY))
    with pytest.raises(Refused, match=r"acme\.test is outside what you administer"):
        await do(racing, operation, boss, **fields)
    assert await desk.store.audit(limit=1) == before


async def test_another_name_that_moves_meanwhile_is_another_customers(desk):
    """Who administers a domain changes its other names as long as they are its own."""
    await desk.store.commit(PutDomain(name="acme.example", alias_of="acme.test"))
    admin = await caller_of(desk.store, "admin@acme.test")
    racing = replace(
        desk,
        store=Racing(desk.store, PutDomain(name="acme.example", alias_of="rival.test", must_be_new=False)),
    )
    with pytest.raises(Refused, match="outside"):
        await do(racing, domain.set_, admin, name="acme.example", catch_all="admin@acme.test")
    assert (await desk.store.domain("acme.example")).catch_all == ""


@pytest.mark.parametrize("name", ENDS)
async def test_a_job_does_not_begin_for_whom_has_lost_his_rights(desk, name):
    """What waits in the queue of jobs is done in the name of who he is then."""
    boss = await caller_of(desk.store, "boss@acme.test")
    call = Call(caller=boss, desk=desk)
    row = await start_job(call, domain_purge.purge, domain_purge.purge.input(name="sister.test"))
    await desk.store.commit(*ENDS[name], PutDomain(name="sister.test", disabled=True, must_be_new=False))
    runner = JobRunner(desk, "worker", null_telemetry())
    await runner.claim()
    await runner.idle()
    row = await desk.store.job(row.id)
    assert row.state == "failed"
    assert row.result["error"] == "you may not do this any more"
    assert await desk.store.account("zoe@sister.test") is not None


async def test_a_stream_ends_with_what_it_was_opened_with(desk):
    """A demoted administrator sees no more of what happens, a second later."""
    made = await do(desk, token.add, account="admin@acme.test", name="x")
    tokens = TokenDesk(desk.store, desk.clock, SignInNotes(desk.store, desk.clock))
    caller = await signed_in(desk, made.token)
    assert await tokens.is_valid(caller)
    await desk.store.commit(PutAccount(address="admin@acme.test", level=Level.USER, must_be_new=False))
    assert not await tokens.is_valid(caller)
