"""Groups and their members."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import group
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import SenderPolicy
from tests.support.desks import caller_of, do


async def test_a_group_lives_and_ends(desk):
    """Members come and go; who is in it already stays."""
    made = await do(desk, group.add, address="Team@acme.test", members=["anna@acme.test", "ANNA@acme.test"])
    assert (made.address, made.members) == ("team@acme.test", 1)
    after = await do(desk, group.add_member, address="team@acme.test", members=["anna@acme.test", "x@far.test"])
    assert after.members == 2
    listed = await do(desk, group.members, address="team@acme.test")
    assert [each.address for each in listed.items] == ["anna@acme.test", "x@far.test"]
    after = await do(desk, group.remove_member, address="team@acme.test", members=["x@far.test", "no@far.test"])
    assert after.members == 1
    after = await do(
        desk, group.set_, address="team@acme.test", senders="listed", listed=["Far.test", "B@Far.test"], name="T"
    )
    assert (after.senders, after.listed, after.name) == (SenderPolicy.LISTED, ["far.test", "b@far.test"], "T")
    await do(desk, group.remove, address="team@acme.test")
    assert await desk.store.group("team@acme.test") is None


async def test_groups_do_not_contain_themselves(desk):
    """Neither at once nor through others."""
    with pytest.raises(Refused, match="would contain itself") as caught:
        await do(desk, group.add, address="a@acme.test", members=["a@acme.test"])
    assert caught.value.field == "members"
    await do(desk, group.add, address="a@acme.test")
    await do(desk, group.add, address="b@acme.test", members=["a@acme.test"])
    await do(desk, group.add, address="c@acme.test", members=["b@acme.test"])
    with pytest.raises(Refused, match="would contain itself") as caught:
        await do(desk, group.add_member, address="a@acme.test", members=["c@acme.test"])
    assert caught.value.kind is Kind.NOT_NOW
    assert (await desk.store.group("a@acme.test")).members == 0


async def test_a_group_with_a_bad_member_is_not_made_at_all(desk):
    """One bad member, and nothing is there."""
    with pytest.raises(Refused) as caught:
        await do(desk, group.add, address="a@acme.test", members=["anna@acme.test", "no one"])
    assert caught.value.field == "members"
    assert await desk.store.group("a@acme.test") is None
    with pytest.raises(Refused) as caught:
        await do(desk, group.add, address="a@acme.test", listed=["bad..domain"])
    assert caught.value.field == "listed"


async def test_reach_and_limits(desk):
    """The group is within reach, members are anywhere, the limit holds."""
    admin = await caller_of(desk.store, "admin@acme.test")
    await do(desk, group.add, admin, address="a@acme.test", members=["rita@rival.test"])
    with pytest.raises(Refused) as caught:
        await do(desk, group.add, admin, address="a@rival.test")
    assert caught.value.kind is Kind.FORBIDDEN
    desk.settings.load([SettingRow("limit.groups", "office:acme", "1", "", 0.0)])
    with pytest.raises(Refused, match=r"limit of the post office is reached: limit\.groups is 1"):
        await do(desk, group.add, admin, address="b@acme.test")


async def test_the_groups_of_a_member_are_listed(desk):
    """Within the reach of who asks."""
    await do(desk, group.add, address="a@acme.test", members=["rita@rival.test"])
    await do(desk, group.add, address="b@rival.test", members=["rita@rival.test"])
    listed = await do(desk, group.list_, member="rita@rival.test")
    assert [each.address for each in listed.items] == ["a@acme.test", "b@rival.test"]
    boss = await caller_of(desk.store, "boss@acme.test")
    assert [each.address for each in (await do(desk, group.list_, boss, member="rita@rival.test")).items] == [
        "a@acme.test"
    ]
