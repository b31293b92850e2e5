"""Aliases."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import alias
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import AliasKind
from tests.support.desks import caller_of, do


async def test_an_alias_lives_and_ends(desk):
    """Targets anywhere, each once, replaced as a whole."""
    made = await do(
        desk, alias.add, address="Sales@acme.test", targets=["anna@acme.test", "x@far.test", "Anna@ACME.test"]
    )
    assert (made.address, made.targets) == ("sales@acme.test", ["anna@acme.test", "x@far.test", "Anna@acme.test"])
    after = await do(desk, alias.set_, address="sales@acme.test", targets=["ben@acme.test"], note="new")
    assert (after.targets, after.note) == (["ben@acme.test"], "new")
    assert (await do(desk, alias.set_, address="sales@acme.test", disabled=True)).targets == ["ben@acme.test"]
    await do(desk, alias.remove, address="sales@acme.test")
    assert await desk.store.alias("sales@acme.test") is None


RINGS = {
    "itself": ({}, ["ring@acme.test"]),
    "itself in other letters": ({}, ["RING@Acme.test"]),
    "itself beside others": ({}, ["anna@acme.test", "ring@acme.test"]),
    "through one": ({"b@acme.test": ["ring@acme.test"]}, ["b@acme.test"]),
    "through two": ({"b@acme.test": ["c@acme.test"], "c@acme.test": ["ring@acme.test"]}, ["b@acme.test"]),
}


@pytest.mark.parametrize("name", RINGS)
async def test_rings_are_refused(name, desk):
    """An alias does not lead to itself, whatever is between."""
    others, targets = RINGS[name]
    for address, leads in others.items():
        await do(desk, alias.add, address=address, targets=leads)
    with pytest.raises(Refused, match="would lead to itself") as caught:
        await do(desk, alias.add, address="ring@acme.test", targets=targets)
    assert caught.value.field == "targets"


BAD = {
    "no address": {"targets": ["nobody"]},
    "a control character": {"targets": ["a\n@far.test"]},
    "two for one who has moved": {"targets": ["a@far.test", "b@far.test"], "kind": "relocated"},
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_targets_are_refused(name, desk):
    """The field is named."""
    with pytest.raises(Refused) as caught:
        await do(desk, alias.add, address="x@acme.test", **BAD[name])
    assert caught.value.field == "targets"


async def test_who_has_moved_has_one_new_address(desk):
    """An alias may tell the new address."""
    made = await do(desk, alias.add, address="gone@acme.test", targets=["new@far.test"], kind="relocated")
    assert made.kind is AliasKind.RELOCATED


async def test_the_alias_itself_is_within_reach(desk):
    """Targets may be anywhere, the address may not."""
    admin = await caller_of(desk.store, "admin@acme.test")
    await do(desk, alias.add, admin, address="x@acme.test", targets=["rita@rival.test", "a@far.test"])
    with pytest.raises(Refused) as caught:
        await do(desk, alias.add, admin, address="x@sister.test", targets=["anna@acme.test"])
    assert caught.value.kind is Kind.FORBIDDEN
    assert [each.address for each in (await do(desk, alias.list_, admin)).items] == ["x@acme.test"]


async def test_addresses_are_unique_and_limited(desk):
    """An address that is taken and one too many are refused."""
    with pytest.raises(Refused, match="as an account"):
        await do(desk, alias.add, address="anna@acme.test", targets=["a@far.test"])
    desk.settings.load([SettingRow("limit.aliases", "server", "0", "", 0.0)])
    with pytest.raises(Refused, match=r"limit\.aliases is 0") as caught:
        await do(desk, alias.add, address="x@acme.test", targets=["a@far.test"])
    assert caught.value.kind is Kind.LIMIT
