"""Domains, aliases, groups and accounts that do not fit together, in a real store."""

from __future__ import annotations

import pytest

from posthouse.services.administration.diagnosis.examination import Selection
from posthouse.services.administration.diagnosis.leads import Leads
from posthouse.store.directory_values import (
    AccountState,
    ChangeMembers,
    Level,
    PutAccount,
    PutAlias,
    PutDomain,
    PutGroup,
    PutRoute,
)
from tests.support.stores import furnish
from tests.unit.services.administration.diagnosis.conftest import seen

D = "house.org"
GOOD_HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$WSvdFRyQ0C4BV0GVZRNMGdDdMyBoMPqtVyUAsSKDuDY"


@pytest.fixture
async def house(store):
    """Return a store in which everything fits."""
    await furnish(store, f"ann@{D}", f"ben@{D}")
    await store.commit(PutAccount(address=f"ann@{D}", level=Level.SERVER, password_hash=GOOD_HASH, must_be_new=False))
    await store.commit(PutAccount(address=f"ben@{D}", password_hash=GOOD_HASH, must_be_new=False))
    await store.commit(PutAlias(address=f"abuse@{D}", targets=(f"ann@{D}",)))
    await store.commit(PutGroup(address=f"team@{D}"))
    await store.commit(ChangeMembers(group=f"team@{D}", add=(f"ann@{D}", f"ben@{D}")))
    return store


CHECKS = (
    "directory.domains",
    "directory.administrators",
    "directory.disabled_domains",
    "directory.aliases",
    "directory.groups",
    "directory.catch_all",
    "directory.passwords",
    "directory.schemes",
    "directory.postmaster",
    "directory.routes",
    "relay.domains",
)


@pytest.mark.parametrize("check", CHECKS)
async def test_a_directory_that_is_well(look, house, check) -> None:
    """Nothing is said but that all is well."""
    assert {severity for severity, _ in seen(await look(check, D, store=house))} == {"ok"}


ROWS = [
    pytest.param("directory.aliases", [PutAlias(address=f"a@{D}", targets=(f"x@{D}",))],
                 ("warning", f"a@{D}: leads to x@{D}, which is not there"), id="an alias that leads nowhere"),
    pytest.param("directory.aliases", [PutAlias(address=f"a@{D}", targets=(f"b@{D}",)),
                                       PutAlias(address=f"b@{D}", targets=(f"a@{D}",))],
                 ("warning", f"a@{D}: leads back to itself"), id="aliases in a circle"),
    pytest.param("directory.aliases", [PutAccount(address=f"ben@{D}", state=AccountState.DISABLED, must_be_new=False),
                                       PutAlias(address=f"a@{D}", targets=(f"ben@{D}",))],
                 ("warning", f"a@{D}: leads to ben@{D}, which is disabled"), id="an alias to a disabled account"),
    pytest.param("directory.aliases", [PutAlias(address=f"a@{D}", targets=("someone@far.net", f"x@{D}"))],
                 ("ok", "every alias leads somewhere"), id="an alias that reaches somebody"),
    pytest.param("directory.aliases", [PutAlias(address=f"a@{D}", targets=(f"ben+lists@{D}", f"postmaster@{D}"))],
                 ("ok", "every alias leads somewhere"), id="an alias with a detail, and to postmaster"),
    pytest.param("directory.groups", [PutGroup(address=f"g@{D}")],
                 ("warning", f"g@{D}: has no member: mail for it is lost sight of"), id="an empty group"),
    pytest.param("directory.groups", [PutGroup(address=f"g@{D}"), ChangeMembers(group=f"g@{D}", add=(f"x@{D}",))],
                 ("warning", f"g@{D}: leads to x@{D}, which is not there"), id="a group of nobody"),
    pytest.param("directory.catch_all", [PutDomain(name=D, catch_all=f"x@{D}", must_be_new=False)],
                 ("error", f"{D}: its catch-all leads back to itself"), id="a catch-all that catches itself"),
    pytest.param("directory.catch_all", [PutDomain(name=D, catch_all=f"ann@{D}", must_be_new=False)],
                 ("ok", "every catch-all leads somewhere"), id="a catch-all that is well"),
    pytest.param("directory.passwords", [PutAccount(address=f"eve@{D}")],
                 ("notice", f"eve@{D}: has no password"), id="an account without a password"),
    pytest.param("directory.schemes", [PutAccount(address=f"eve@{D}", password_hash="{PLAIN}secret")],
                 ("warning", "1 account with a password kept as PLAIN"), id="a password in the clear"),
    pytest.param("directory.administrators", [PutAccount(address=f"ann@{D}", level=Level.USER, must_be_new=False)],
                 ("error", "no administrator: mail for postmaster is refused"), id="no administrator"),
    pytest.param("directory.administrators", [PutAccount(address=f"ann@{D}", password_hash="", must_be_new=False)],
                 ("warning", "no administrator has a password"), id="an administrator who cannot sign in"),
    pytest.param("directory.disabled_domains", [PutDomain(name=D, disabled=True, must_be_new=False)],
                 ("notice", f"{D}: is disabled and has 2 accounts"), id="a disabled domain"),
    pytest.param("directory.postmaster", [PutAccount(address=f"ann@{D}", level=Level.USER, must_be_new=False)],
                 ("error", f"{D}: has no postmaster address"), id="no postmaster"),
    pytest.param("directory.postmaster", [PutDomain(name=D, abuse=f"x@{D}", must_be_new=False)],
                 ("warning", f"{D}: abuse leads to x@{D}, which is not there"), id="abuse leads nowhere"),
    pytest.param("directory.routes", [PutRoute(domain="far.net", host="127.0.0.1", port=25)],
                 ("error", "far.net: the route leads back to this server"), id="a route to ourselves"),
    pytest.param("directory.routes", [PutRoute(domain=D, host="192.0.2.9")],
                 ("notice", f"{D}: the route is not used: it is a domain of ours"), id="a route of our own domain"),
    pytest.param("relay.domains", [PutRoute(domain=".org", host="192.0.2.9", recipients_local=True)],
                 ("error", ".org: open relay: strangers may send to a whole top-level domain"), id="half the world"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "changes", "expected"), ROWS)
async def test_what_does_not_fit_is_named(look, house, check, changes, expected) -> None:
    """With the address it is about."""
    for change in changes:
        await house.commit(change)
    found = await look(check, D, store=house)
    assert expected in seen(found)
    assert all(each.remedy for each in found if each.severity.rank > 1)


async def test_an_empty_store_has_no_domain(look, store) -> None:
    """Nothing is accepted then."""
    assert seen(await look("directory.domains", store=store)) == [("error", "no domain: no mail is accepted")]


async def test_one_domain_is_looked_at_alone(look, house) -> None:
    """Aliases of other domains are left out."""
    await furnish(house, "eve@other.org")
    await house.commit(PutAlias(address="a@other.org", targets=("x@other.org",)))
    assert len(await look("directory.aliases", store=house)) == 1
    found = await look("directory.aliases", store=house, selection=Selection(domain=D))
    assert seen(found) == [("ok", "every alias leads somewhere")]


async def test_many_faults_are_counted(look, house) -> None:
    """Twenty are told, the rest is a number."""
    for number in range(25):
        await house.commit(PutAlias(address=f"a{number}@{D}", targets=(f"x@{D}",)))
    found = await look("directory.aliases", store=house)
    assert (len(found), found[-1].what) == (21, "5 more like these")


async def test_a_way_without_end_is_cut(house) -> None:
    """Aliases over aliases are followed so far and no further; alias domains are followed."""
    for number in range(60):
        await house.commit(PutAlias(address=f"c{number}@{D}", targets=(f"c{number + 1}@{D}",)))
    assert "more than 50" in await Leads(house).fault_of(f"c0@{D}")
    await house.commit(PutDomain(name="alias.org", alias_of=D))
    assert not await Leads(house).fault_of("ann@alias.org")
