"""Routing: aliases to their ends, loops, limits, next hops."""

from __future__ import annotations

import pytest

from posthouse.config.settings import Settings
from posthouse.core.address import parse_address
from posthouse.core.envelope import Recipient
from posthouse.services.identity.directory import Directory
from posthouse.services.routing.decisions import Routed
from posthouse.services.routing.router import Router
from posthouse.store.directory_rows import SettingRow
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory


def make_store() -> MemoryDirectory:
    store = MemoryDirectory()
    store.add_domain("house.test")
    store.add_domain("catch.test", catch_all="ann@house.test")
    store.add_domain("self.test", catch_all="nobody@self.test")
    for name in ("ann", "bob"):
        store.add_account(f"{name}@house.test")
    store.add_account("off@house.test", disabled=True)
    aliases = {
        "one": ["ann@house.test"],
        "two": ["ann@house.test", "bob@house.test", "ann+x@house.test"],
        "mixed": ["ann@house.test", "far@far.test", "Far@far.test"],
        "nested": ["two@house.test", "mixed@house.test"],
        "loop1": ["loop2@house.test"],
        "loop2": ["loop1@house.test"],
        "loopout": ["loop1@house.test", "bob@house.test"],
        "self": ["self@house.test"],
        "selfplus": ["selfplus@house.test", "ann@house.test"],
        "dead": ["nobody@house.test"],
        "halfdead": ["nobody@house.test", "off@house.test", "ann@house.test"],
        "broken": ["no address"],
        "empty": [],
        "caught": ["nobody@catch.test"],
        "d0": ["ann@house.test"],
    }
    for name, targets in aliases.items():
        store.add_alias(f"{name}@house.test", *targets)
    for number in range(1, 25):
        store.add_alias(f"d{number}@house.test", f"d{number - 1}@house.test")
    return store


async def route(text: str, store: MemoryDirectory | None = None, **values: str) -> Routed:
    settings = Settings([SettingRow(name, "server", value, "", 0.0) for name, value in values.items()])
    directory = Directory(store or make_store(), FakeClock(), settings)
    return await Router(directory, settings).route(Recipient(parse_address(text)))


ENDS = {
    "an account": ("ann@house.test", ["ann@house.test"], [], []),
    "a detail stays in the final address": ("ann+x@house.test", ["ann+x@house.test"], [], []),
    "an alias": ("one@house.test", ["ann@house.test"], [], []),
    "an account reached twice is filed once": ("two@house.test", ["ann@house.test", "bob@house.test"], [], []),
    "a remote target once": ("mixed@house.test", ["ann@house.test"], ["far@far.test"], []),
    "aliases of aliases": ("nested@house.test", ["ann@house.test", "bob@house.test"], ["far@far.test"], []),
    "a catch-all": ("x@catch.test", ["ann@house.test"], [], []),
    "an alias into a catch-all": ("caught@house.test", ["ann@house.test"], [], []),
    "a remote address": ("x@far.test", [], ["x@far.test"], []),
    "nobody": ("nobody@house.test", [], [], ["5.1.1"]),
    "disabled": ("off@house.test", [], [], ["5.2.1"]),
    "a loop of two": ("loop1@house.test", [], [], ["5.4.6"]),
    "an alias of itself": ("self@house.test", [], [], ["5.4.6"]),
    "an alias of itself and another": ("selfplus@house.test", ["ann@house.test"], [], []),
    "a loop beside an account": ("loopout@house.test", ["bob@house.test"], [], []),
    "a catch-all of itself": ("x@self.test", [], [], ["5.4.6"]),
    "a dead target": ("dead@house.test", [], [], ["5.1.1"]),
    "dead targets spoil nothing": ("halfdead@house.test", ["ann@house.test"], [], ["5.1.1", "5.2.1"]),
    "a target that is no address": ("broken@house.test", [], [], ["5.4.4"]),
    "no targets at all": ("empty@house.test", [], [], ["5.4.6"]),
    "as deep as allowed": ("d19@house.test", ["ann@house.test"], [], []),
    "too deep": ("d22@house.test", [], [], ["4.2.4"]),
}


@pytest.mark.parametrize("name", ENDS)
async def test_every_recipient_ends_somewhere(name: str) -> None:
    """A recipient ends in accounts, next hops and refusals, each once."""
    text, local, remote, refusals = ENDS[name]
    routed = await route(text)
    assert sorted(each.address for each in routed.local) == local
    assert [str(each.address).lower() for each in routed.remote] == remote
    assert [each.outcome.enhanced for each in routed.refusals] == refusals
    assert (routed.refusal is None) == bool(local or remote)


async def test_an_expansion_is_bounded() -> None:
    """What becomes too many addresses reaches nobody, for now, rather than some of them."""
    store = make_store()
    store.add_alias("many@house.test", *(f"u{number}@far.test" for number in range(60)))
    routed = await route("many@house.test", store, **{"group.recipients": "50"})
    assert (routed.local, routed.remote) == ((), ())
    assert [each.outcome.rule for each in routed.refusals] == ["routing.expansion"]
    assert routed.refusal is not None
    assert routed.refusal.is_temporary


HOPS = {
    "its own MX": ("x@far.test", {}, "mx:far.test"),
    "in A-labels": ("x@bücher.test", {}, "mx:xn--bcher-kva.test"),
    "its route": ("x@far.test", {"far.test": ("10.0.0.1", 2525, False)}, "host:10.0.0.1:2525"),
    "a route with MX lookup": ("x@far.test", {"far.test": ("hub.test", 25, True)}, "mx:hub.test"),
    "a parent's route": ("x@a.far.test", {".far.test": ("10.0.0.1", 25, False)}, "host:10.0.0.1:25"),
    "the smart host": ("x@far.test", {"*": ("smart.test", 587, False)}, "host:smart.test:587"),
    "a route before the smart host": (
        "x@far.test",
        {"*": ("smart.test", 25, False), "far.test": ("near.test", 25, False)},
        "host:near.test:25",
    ),
    "an address literal": ("x@[192.0.2.1]", {}, "host:192.0.2.1:25"),
    "an IPv6 literal": ("x@[IPv6:2001:db8::1]", {}, "host:[2001:db8::1]:25"),
}


@pytest.mark.parametrize("name", HOPS)
async def test_next_hops(name: str) -> None:
    """A remote address has the destination key of its row."""
    text, routes, expected = HOPS[name]
    store = make_store()
    for domain, (host, port, mx_lookup) in routes.items():
        store.add_route(domain, host, port=port, mx_lookup=mx_lookup)
    routed = await route(text, store)
    assert [each.destination for each in routed.remote] == [expected]
