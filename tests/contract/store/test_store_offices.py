"""Post offices and their domains: tallies, moves, ceilings."""

import asyncio

import pytest

from posthouse.store.contract import AlreadyExists, Conflict, LimitReached, NotAllowed, StoreRefusal, Vanished
from posthouse.store.directory_values import (
    Ceilings,
    PutAccount,
    PutAlias,
    PutDomain,
    PutGroup,
    PutOffice,
    PutSetting,
    PutWording,
    RemoveAccount,
    RemoveAlias,
    RemoveDomain,
    RemoveGroup,
    RemoveOffice,
    RenameAccount,
)


@pytest.fixture
async def acme(store):
    """Return a store with a post office that has a domain with something of each kind."""
    await store.commit(
        PutOffice(name="acme", title="Acme"),
        PutDomain(name="acme.example", office="acme"),
        PutAccount(address="ann@acme.example", display_name="Ann", quota_bytes=100),
        PutAccount(address="bob@acme.example", quota_bytes=50),
        PutAlias(address="info@acme.example", targets=("ann@acme.example",)),
        PutGroup(address="all@acme.example"),
    )
    return store


def held(row):
    """Return what a domain or post office counts."""
    return (row.accounts, row.aliases, row.groups, row.quota)


async def test_offices_live_and_go(store):
    """Post offices are added, changed field by field, listed by name in pages and removed with their settings."""
    await store.commit(PutOffice(name="b", title="B"), PutOffice(name="a"), PutOffice(name="c", note="n"))
    await store.commit(PutOffice(name="b", note="new", disabled=True, must_be_new=False))
    row = await store.office("b")
    assert (row.title, row.note, row.disabled) == ("B", "new", True)
    assert [one.name for one in await store.offices()] == ["a", "b", "c"]
    assert [one.name for one in await store.offices(after="a", limit=1)] == ["b"]
    assert await store.office("x") is None
    assert await store.office("") is None
    await store.commit(PutSetting(name="n", value="1", scope="office:b"))
    await store.commit(PutWording(scope="office:b", name="w", language="en", text="t"))
    await store.commit(RemoveOffice(name="b"))
    assert await store.office("b") is None
    assert await store.settings() == []
    assert await store.wordings() == []


async def test_a_domain_and_its_office_count_what_they_hold(acme):
    """Accounts, aliases, groups and quota are counted as they come, change and go."""
    assert held(await acme.domain("acme.example")) == held(await acme.office("acme")) == (2, 1, 1, 150)
    await acme.commit(PutAccount(address="bob@acme.example", quota_bytes=70, must_be_new=False))
    await acme.commit(RemoveAccount(address="ann@acme.example"))
    await acme.commit(RemoveAlias(address="info@acme.example"))
    await acme.commit(RemoveGroup(address="all@acme.example"))
    assert held(await acme.domain("acme.example")) == held(await acme.office("acme")) == (1, 0, 0, 70)
    assert await acme.verify() == []


async def test_a_domain_moves_with_all_it_holds(acme):
    """In another post office everything is counted, listed and found there, and the domains that stand for it follow."""
    await acme.commit(PutOffice(name="other"), PutDomain(name="acme.test", alias_of="acme.example"))
    await acme.commit(PutDomain(name="acme.example", office="other", must_be_new=False))
    assert held(await acme.office("acme")) == (0, 0, 0, 0)
    other = await acme.office("other")
    assert (held(other), other.domains) == ((2, 1, 1, 150), 2)
    assert [row.name for row in await acme.domains(office="other")] == ["acme.example", "acme.test"]
    assert [row.address for row in await acme.accounts(office="other")] == ["ann@acme.example", "bob@acme.example"]
    assert [row.address for row in await acme.aliases(office="other")] == ["info@acme.example"]
    assert [row.address for row in await acme.groups(office="other")] == ["all@acme.example"]
    assert await acme.accounts(office="acme") == []
    assert [row.address for row in await acme.find("ann", office="other")] == ["ann@acme.example"]
    assert await acme.find("ann", office="acme") == []
    assert [row.name for row in await acme.domains(alias_of="acme.example")] == ["acme.test"]
    assert await acme.verify() == []


async def test_a_disabled_office_disables_its_domains(acme):
    """A domain says that it is disabled where its post office is, and what its own switch says."""
    await acme.commit(PutOffice(name="acme", disabled=True, must_be_new=False))
    row = await acme.domain("acme.example")
    assert (row.disabled, row.own_disabled) == (True, False)


RULES = [
    pytest.param(PutOffice(name="acme"), AlreadyExists, id="office taken"),
    pytest.param(PutOffice(name=""), NotAllowed, id="office without a name"),
    pytest.param(PutOffice(name="x", must_be_new=False, if_revision=5), Vanished, id="change of no office"),
    pytest.param(RemoveOffice(name="acme"), NotAllowed, id="office with domains"),
    pytest.param(RemoveOffice(name=""), Vanished, id="the server's own"),
    pytest.param(RemoveOffice(name="x"), Vanished, id="no office"),
    pytest.param(PutDomain(name="new.example", office="x"), Vanished, id="domain in no office"),
    pytest.param(PutOffice(name="acme", must_be_new=False, if_revision=99), Conflict, id="office changed meanwhile"),
    pytest.param(
        PutDomain(name="acme.example", must_be_new=False, if_revision=99), Conflict, id="domain changed meanwhile"
    ),
    pytest.param(RemoveDomain(name="acme.example", if_revision=99), Conflict, id="removal of a changed domain"),
    pytest.param(
        PutDomain(name="new.example", office="acme", ceilings=Ceilings(office_domains=1)), LimitReached, id="domains"
    ),
    pytest.param(
        PutAccount(address="c@acme.example", ceilings=Ceilings(domain_accounts=2)), LimitReached, id="accounts"
    ),
    pytest.param(
        PutAccount(address="c@acme.example", ceilings=Ceilings(office_accounts=2)), LimitReached, id="office accounts"
    ),
    pytest.param(
        PutAccount(address="c@acme.example", quota_bytes=1, ceilings=Ceilings(domain_quota=150)),
        LimitReached,
        id="quota",
    ),
    pytest.param(
        PutAccount(address="bob@acme.example", quota_bytes=51, must_be_new=False, ceilings=Ceilings(office_quota=150)),
        LimitReached,
        id="quota raised",
    ),
    pytest.param(
        PutAlias(address="b@acme.example", targets=("x@y",), ceilings=Ceilings(domain_aliases=1)),
        LimitReached,
        id="aliases",
    ),
    pytest.param(PutGroup(address="g@acme.example", ceilings=Ceilings(office_groups=1)), LimitReached, id="groups"),
]


@pytest.mark.parametrize(("value", "refusal"), RULES)
async def test_rules_of_offices_and_ceilings(acme, value, refusal):
    """What breaks a rule or passes a ceiling is refused, and nothing of it is done."""
    version = await acme.directory_version()
    with pytest.raises(refusal):
        await acme.commit(value)
    assert await acme.directory_version() == version
    assert await acme.verify() == []


async def test_a_ceiling_that_was_lowered_hinders_only_growth(acme):
    """Above its ceiling a domain may still be made smaller and changed."""
    low = Ceilings(domain_accounts=1, domain_quota=10)
    await acme.commit(PutAccount(address="bob@acme.example", quota_bytes=40, must_be_new=False, ceilings=low))
    await acme.commit(PutAccount(address="bob@acme.example", note="n", must_be_new=False, ceilings=low))
    with pytest.raises(LimitReached) as refused:
        await acme.commit(PutAccount(address="bob@acme.example", quota_bytes=41, must_be_new=False, ceilings=low))
    assert (refused.value.limit, refused.value.ceiling) == ("domain_quota", 10)


async def test_a_renamed_account_is_counted_where_it_goes(acme):
    """A new address in another domain meets that domain's ceilings; within one domain none is in the way."""
    await acme.commit(PutDomain(name="free.example"))
    full = Ceilings(domain_accounts=0)
    rename = RenameAccount(address="ann@acme.example", new_address="ann@free.example", ceilings=full)
    with pytest.raises(LimitReached):
        await acme.commit(rename)
    assert held(await acme.domain("acme.example")) == (2, 1, 1, 150)
    await acme.commit(RenameAccount(address="ann@acme.example", new_address="ann@free.example"))
    assert held(await acme.domain("acme.example")) == (1, 1, 1, 50)
    assert held(await acme.domain("free.example")) == (1, 0, 0, 100)
    assert await acme.accounts(office="acme", domain="free.example") != []
    assert await acme.verify() == []


async def test_calls_at_once_never_pass_a_ceiling(opener):
    """Two workers that add accounts to one domain at the same time stop together at its ceiling."""
    stores = [await opener(), await opener()]
    await stores[0].commit(PutOffice(name="acme"), PutDomain(name="acme.example", office="acme"))
    ceilings = Ceilings(domain_accounts=25, office_quota=2_300)
    calls = [
        stores[number % 2].commit(PutAccount(address=f"user{number}@acme.example", quota_bytes=100, ceilings=ceilings))
        for number in range(60)
    ]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, LimitReached)]
    assert (len(refused), len([one for one in answers if isinstance(one, int)])) == (37, 23)
    assert held(await stores[1].domain("acme.example")) == (23, 0, 0, 2_300)
    assert await stores[0].verify() == []


async def test_settings_have_a_version_of_their_own(acme):
    """Settings, domains, offices, words and sources move it; accounts, aliases and groups do not."""
    before = await acme.settings_version()
    await acme.commit(PutAccount(address="c@acme.example"), PutAlias(address="d@acme.example", targets=("x@y",)))
    assert await acme.settings_version() == before
    for value in (
        PutSetting(name="n", value="1"),
        PutDomain(name="acme.example", note="n", must_be_new=False),
        PutOffice(name="acme", note="n", must_be_new=False),
        PutWording(scope="server", name="w", language="en", text="t"),
    ):
        await acme.commit(value)
        assert await acme.settings_version() > before
        before = await acme.settings_version()


async def test_a_refused_call_among_many_leaves_the_tallies_true(acme):
    """Where one value of a call is refused, what the values before it counted is taken back."""
    with pytest.raises(StoreRefusal):
        await acme.commit(
            PutAccount(address="c@acme.example", quota_bytes=5),
            PutAlias(address="e@acme.example", targets=("x@y",)),
            PutAccount(address="ann@acme.example"),
        )
    assert held(await acme.domain("acme.example")) == (2, 1, 1, 150)
    await acme.commit(PutAccount(address="c@acme.example"))
    assert await acme.verify() == []
