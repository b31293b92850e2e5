"""What addresses mean, how long that is remembered, and what is never remembered."""

from __future__ import annotations

import pytest

from posthouse.config.definitions.address import DEFAULT_DOMAIN, EXTENSION_DELIMITER
from posthouse.config.settings import Settings
from posthouse.core.address import Address, parse_address
from posthouse.core.errors import Unavailable
from posthouse.services.identity import directory as room
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.resolution import (
    AliasTargets,
    CatchAll,
    Disabled,
    GroupMembers,
    LocalAccount,
    NotOurs,
    RelayDomain,
    Relocated,
    UnknownUser,
)
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import AccountKind, AccountState, Level
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory


def settings(**values: str) -> Settings:
    return Settings([SettingRow(name.replace("__", "."), "server", value, "", 0.0) for name, value in values.items()])


def make_store() -> MemoryDirectory:
    store = MemoryDirectory()
    store.add_domain("house.test")
    store.add_domain("catch.test", catch_all="ann@house.test")
    store.add_domain("off.test", disabled=True)
    store.add_domain("also.test", alias_of="house.test")
    store.add_domain("deep.test", alias_of="also.test")
    store.add_domain("ring.test", alias_of="ring2.test")
    store.add_domain("ring2.test", alias_of="ring.test")
    store.add_domain("own.test")
    store.add_account("ann@house.test")
    store.add_account("bob@house.test", disabled=True)
    store.add_account("c+d@house.test")
    store.add_account("root@house.test", is_admin=True)
    store.add_account("postmaster@own.test")
    store.add_alias("team@house.test", "ann@house.test", "out@far.test")
    store.add_domain("acme.test", office="acme", postmaster="ann@house.test", abuse="abuse@far.test")
    store.add_domain("self.test", office="acme", postmaster="Postmaster@self.test")
    store.add_account("boss@acme.test", level=Level.OFFICE)
    store.add_account("box@house.test", kind=AccountKind.SHARED)
    store.add_account("quiet@house.test", state=AccountState.SIGN_IN_DISABLED)
    store.add_account("held@house.test", state=AccountState.HELD)
    store.add_account('"a b"@house.test')
    store.add_account("dörte@house.test")
    store.add_address("ann@own.test", "ann@house.test")
    store.add_alias("gone@house.test", "new@far.test", relocated=True)
    store.add_alias("off@house.test", "ann@house.test", disabled=True)
    store.add_group("all@house.test", "ann@house.test")
    store.add_group("quiet-group@house.test", disabled=True)
    store.add_route("gate.test", "10.0.0.1", recipients_local=True)
    store.add_route(".sub.test", "10.0.0.2", recipients_local=True)
    store.add_route("plain.test", "10.0.0.3")
    store.add_route("*", "smart.test", recipients_local=True)
    return store


MEANINGS = {
    "an account": ("ann@house.test", LocalAccount, "ann@house.test"),
    "an account in other letters": ("ANN@house.test", LocalAccount, "ann@house.test"),
    "plus-addressing": ("ann+Lists@house.test", LocalAccount, "ann+Lists@house.test"),
    "plus-addressing with two": ("ann+a+b@house.test", LocalAccount, "ann+a+b@house.test"),
    "an account that has a plus itself": ("c+d@house.test", LocalAccount, "c+d@house.test"),
    "a plus with nobody before it": ("+x@house.test", UnknownUser, None),
    "a disabled account": ("bob@house.test", Disabled, "account"),
    "a disabled account with a detail": ("bob+x@house.test", Disabled, "account"),
    "an alias": ("team@house.test", AliasTargets, ("ann@house.test", "out@far.test")),
    "an alias with a detail": ("team+x@house.test", AliasTargets, ("ann@house.test", "out@far.test")),
    "an alias domain": ("ann@also.test", LocalAccount, "ann@house.test"),
    "an alias of an alias domain": ("ann@deep.test", LocalAccount, "ann@house.test"),
    "alias domains in a ring": ("ann@ring.test", NotOurs, None),
    "nobody": ("nobody@house.test", UnknownUser, None),
    "nobody in a domain with a catch-all": ("nobody@catch.test", CatchAll, "ann@house.test"),
    "a disabled domain": ("ann@off.test", Disabled, "domain"),
    "a postmaster nobody made": ("PostMaster@house.test", LocalAccount, "root@house.test"),
    "a postmaster of a domain without administrators": ("postmaster@catch.test", LocalAccount, "root@house.test"),
    "a postmaster somebody made": ("postmaster@own.test", LocalAccount, "postmaster@own.test"),
    "a further address": ("ann@own.test", LocalAccount, "ann@house.test"),
    "a further address with a detail": ("ann+x@own.test", LocalAccount, "ann+x@house.test"),
    "a shared mailbox": ("box@house.test", LocalAccount, "box@house.test"),
    "who may not sign in gets mail": ("quiet@house.test", LocalAccount, "quiet@house.test"),
    "who is held gets none": ("held@house.test", Disabled, "account"),
    "a local part in quotes": ('"A b"@house.test', LocalAccount, '"a b"@house.test'),
    "a local part in quotes that it does not need": ('"ann"@house.test', LocalAccount, "ann@house.test"),
    "letters in two parts": ("Do\u0308rte@house.test", LocalAccount, "dörte@house.test"),
    "who has moved": ("gone@house.test", Relocated, "new@far.test"),
    "a disabled alias": ("off@house.test", Disabled, "alias"),
    "a group": ("All@house.test", GroupMembers, "all@house.test"),
    "a disabled group": ("quiet-group@house.test", Disabled, "group"),
    "a postmaster that was named": ("postmaster@acme.test", AliasTargets, ("ann@house.test",)),
    "an abuse address that was named": ("abuse@acme.test", AliasTargets, ("abuse@far.test",)),
    "abuse goes to the postmaster": ("abuse@house.test", LocalAccount, "root@house.test"),
    "a postmaster that names itself is the office's": ("postmaster@self.test", LocalAccount, "boss@acme.test"),
    "a relay domain": ("x@gate.test", RelayDomain, "10.0.0.1"),
    "below a relay domain": ("x@a.b.sub.test", RelayDomain, "10.0.0.2"),
    "a parent that is not below itself": ("x@sub.test", NotOurs, None),
    "a route that is no relay domain": ("x@plain.test", NotOurs, None),
    "a stranger, for a smart host lets nobody relay": ("x@far.test", NotOurs, None),
    "an address literal": ("x@[192.0.2.1]", NotOurs, None),
}


@pytest.mark.parametrize("name", MEANINGS)
async def test_every_address_means_one_thing(name: str) -> None:
    """An address resolves to the one value that its row names."""
    text, kind, detail = MEANINGS[name]
    directory = Directory(make_store(), FakeClock(), settings())
    found = await directory.resolve(parse_address(text))
    assert type(found) is kind
    if isinstance(found, LocalAccount):
        assert found.address == detail
    elif isinstance(found, RelayDomain):
        assert found.route.host == detail
    elif isinstance(found, GroupMembers):
        assert found.group.address == detail
    elif isinstance(found, Relocated):
        assert found.new_address == detail
    elif isinstance(found, AliasTargets | CatchAll | Disabled):
        assert detail in (getattr(found, "targets", None), getattr(found, "target", None), getattr(found, "what", None))


@pytest.mark.parametrize(
    ("values", "expected"),
    [({}, "root@house.test"), ({DEFAULT_DOMAIN.name.replace(".", "__"): "own.test"}, "postmaster@own.test")],
)
async def test_bare_postmaster_belongs_to_the_default_domain(values: dict[str, str], expected: str) -> None:
    """The path <postmaster> goes to the first domain, or to the one that is set (RFC 5321 §4.1.1.3)."""
    directory = Directory(make_store(), FakeClock(), settings(**values))
    found = await directory.resolve(Address("postmaster", ""))
    assert isinstance(found, LocalAccount)
    assert found.account.address == expected


HOST = {
    "its postmaster": ("PostMaster@mx.house.test", "root@house.test"),
    "the sender of reports": ("MAILER-DAEMON@mx.house.test", "root@house.test"),
    "somebody else there": ("ann@mx.house.test", None),
    "the same at another host": ("mailer-daemon@mx.far.test", None),
}


@pytest.mark.parametrize("name", HOST)
async def test_whoever_answers_a_report_reaches_the_postmaster(name: str) -> None:
    """The host's own name has a postmaster and the sender of our reports, and nobody else (RFC 3464 §2)."""
    text, expected = HOST[name]
    directory = Directory(make_store(), FakeClock(), settings(), hostname="MX.house.test")
    found = await directory.resolve(parse_address(text))
    assert (found.address if isinstance(found, LocalAccount) else None) == expected


async def test_a_host_that_is_a_domain_of_its_own_answers_to_reports_too() -> None:
    """Where the host's name is a domain with accounts, its postmaster gets the answers (RFC 3464 §2)."""
    directory = Directory(make_store(), FakeClock(), settings(), hostname="own.test")
    found = await directory.resolve(parse_address("mailer-daemon@own.test"))
    assert isinstance(found, LocalAccount)
    assert found.address == "postmaster@own.test"


async def test_the_delimiter_is_a_setting() -> None:
    """Another delimiter cuts elsewhere, and the old one no longer does."""
    directory = Directory(make_store(), FakeClock(), settings(**{EXTENSION_DELIMITER.name.replace(".", "__"): "-"}))
    assert isinstance(await directory.resolve(parse_address("ann-x@house.test")), LocalAccount)
    assert isinstance(await directory.resolve(parse_address("ann+x@house.test")), UnknownUser)


ROUTES = {
    "its own": ("plain.test", "10.0.0.3"),
    "its parent's": ("x.sub.test", "10.0.0.2"),
    "the smart host": ("far.test", "smart.test"),
}


@pytest.mark.parametrize("name", ROUTES)
async def test_routes_go_from_near_to_far(name: str) -> None:
    """A domain's own route wins over its parent's, and that over the smart host."""
    domain, host = ROUTES[name]
    route = await Directory(make_store(), FakeClock(), settings()).route_for(domain)
    assert route is not None
    assert route.host == host


async def test_without_routes_there_is_none() -> None:
    """A store without routes gives none."""
    assert await Directory(MemoryDirectory(), FakeClock(), settings()).route_for("far.test") is None


async def test_answers_are_remembered_until_the_directory_changes() -> None:
    """A second question reads nothing; after a notice the store is read again."""
    store = make_store()
    directory = Directory(store, FakeClock(), settings())
    ann = parse_address("ann@house.test")
    await directory.resolve(ann)
    before = store.reads
    await directory.resolve(ann)
    assert store.reads == before
    store.add_account("ann@house.test", disabled=True)
    assert isinstance(await directory.resolve(ann), Disabled)


async def test_a_lost_notice_costs_a_second() -> None:
    """A change without a notice is seen when the version is compared, at most once a second."""
    store, clock = make_store(), FakeClock()
    directory = Directory(store, clock, settings())
    ann = parse_address("ann@house.test")
    await directory.resolve(ann)
    callbacks, store.notices.directory = store.notices.directory, []
    store.add_account("ann@house.test", disabled=True)
    assert isinstance(await directory.resolve(ann), LocalAccount)
    clock.advance(1.1)
    assert isinstance(await directory.resolve(ann), Disabled)
    assert callbacks


async def test_a_closed_directory_listens_no_more() -> None:
    """After close the store holds no callback."""
    store = make_store()
    directory = Directory(store, FakeClock(), settings())
    directory.close()
    assert store.notices.directory == []


async def test_unknown_addresses_are_forgotten_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address nobody has is asked again after seconds; what exists is not."""
    store, clock = make_store(), FakeClock()
    directory = Directory(store, clock, settings())
    for text in ("nobody@house.test", "ann@house.test"):
        await directory.resolve(parse_address(text))
    clock.advance(room.UNKNOWN_SECONDS + 1)
    before = store.reads
    await directory.resolve(parse_address("ann@house.test"))
    assert store.reads == before
    await directory.resolve(parse_address("nobody@house.test"))
    assert store.reads > before


async def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guesser does not make the cache grow."""
    monkeypatch.setattr(room, "CACHE_SIZE", 10)
    directory = Directory(make_store(), FakeClock(), settings())
    for number in range(100):
        await directory.resolve(Address(f"x{number}", f"d{number}.test"))
    assert len(directory._addresses) <= 10
    assert len(directory._domains) <= 10


async def test_an_unreadable_store_is_unavailable() -> None:
    """A failing read is raised, and nothing wrong is remembered."""
    store = make_store()
    directory = Directory(store, FakeClock(), settings())
    store.unreadable = Unavailable("locked")
    with pytest.raises(Unavailable):
        await directory.resolve(parse_address("ann@house.test"))
    store.unreadable = None
    assert isinstance(await directory.resolve(parse_address("ann@house.test")), LocalAccount)


async def test_changes_that_come_fast_do_not_empty_the_cache_each_time() -> None:
    """The first few take effect at once; in an import the rest waits for the next second, and no longer."""
    store, clock = make_store(), FakeClock()
    directory = Directory(store, clock, settings())
    address = parse_address("ann@house.test")
    await directory.resolve(address)
    for number in range(room.DROPS_IN_A_SECOND):
        store.add_account(f"early{number}@house.test")
    assert isinstance(await directory.resolve(parse_address("early9@house.test")), LocalAccount)
    await directory.resolve(address)
    before = store.reads
    for number in range(1_000):
        store.add_account(f"late{number}@house.test")
        await directory.resolve(address)
    assert store.reads == before
    store.add_account("ann@house.test", disabled=True)
    clock.advance(room.VERSION_SECONDS)
    assert isinstance(await directory.resolve(address), Disabled)


async def test_members_are_remembered_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second question reads nothing; large groups do not pile up; a change is seen."""
    monkeypatch.setattr(room, "MEMBERS_SIZE", 5)
    store = make_store()
    directory = Directory(store, FakeClock(), settings())
    store.add_group("three@house.test", "a@far.test", "b@far.test", "c@far.test")
    assert await directory.members("three@house.test", 10) == ("a@far.test", "b@far.test", "c@far.test")
    before = store.reads
    await directory.members("three@house.test", 10)
    assert store.reads == before
    assert await directory.members("three@house.test", 2) == ("a@far.test", "b@far.test")
    store.add_group("four@house.test", "a@far.test", "b@far.test", "c@far.test", "d@far.test")
    assert len(await directory.members("four@house.test", 10)) == 4
    store.add_group("three@house.test", "d@far.test")
    assert await directory.members("three@house.test", 10) == ("d@far.test",)


DEFAULTS = {
    "the first of the server's own": ({}, "house.test"),
    "the first of a post office": ({"address__default_office": "acme"}, "acme.test"),
    "of a post office that has none": ({"address__default_office": "empty"}, "house.test"),
    "the one that is set": ({"address__default_office": "acme", "address__default_domain": "own.test"}, "own.test"),
}


@pytest.mark.parametrize("name", DEFAULTS)
async def test_the_default_domain(name: str) -> None:
    """Names without a domain are of the one that the settings lead to."""
    values, expected = DEFAULTS[name]
    assert await Directory(make_store(), FakeClock(), settings(**values)).default_domain() == expected
