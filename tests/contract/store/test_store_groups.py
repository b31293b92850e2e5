"""Groups, members, nesting, shares."""

import itertools

import pytest

from posthouse.store.contract import Conflict, NotAllowed, Vanished
from posthouse.store.directory_rows import GroupRow, ShareRow
from posthouse.store.directory_values import (
    ChangeMembers,
    PutAlias,
    PutDomain,
    PutGroup,
    PutShare,
    RemoveAlias,
    RemoveGroup,
    RemoveShare,
    SenderPolicy,
    ShareRight,
)
from tests.support.stores import furnish


@pytest.fixture
async def house(store):
    """Return a store with three people and three groups."""
    await furnish(store, "ann@x.example", "bob@x.example", "box@x.example")
    for name in ("g1", "g2", "g3"):
        await store.commit(PutGroup(address=f"{name}@x.example"))
    return store


async def change(store, group, *add, **more):
    """Add members to a group; return how many it has."""
    return await store.commit(
        ChangeMembers(group=f"{group}@x.example", add=tuple(f"{name}@x.example" for name in add), **more)
    )


async def test_groups_are_changed_field_by_field(house):
    """A change leaves what it does not name; a stale revision is refused."""
    value = PutGroup(
        address="g1@x.example",
        display_name="One",
        senders=SenderPolicy.LISTED,
        listed=("y.example",),
        must_be_new=False,
    )
    await house.commit(value)
    await house.commit(PutGroup(address="g1@x.example", note="n", disabled=True, must_be_new=False))
    row = await house.group("g1@x.example")
    assert row == GroupRow("g1@x.example", "One", "n", SenderPolicy.LISTED, ("y.example",), True, 0, row.revision)
    with pytest.raises(Conflict):
        await house.commit(PutGroup(address="g1@x.example", must_be_new=False, if_revision=1))
    assert [one.address for one in await house.groups(domain="x.example", after="g1@x.example", limit=1)] == [
        "g2@x.example"
    ]


async def test_members_come_and_go(house):
    """Adding is idempotent, replacing sets the whole list, and the number of members is answered and kept."""
    assert await change(house, "g1", "ann", "bob", "ann") == 2
    assert await change(house, "g1", "ann") == 2
    assert await change(house, "g1", "box", remove=("bob@x.example", "none@x.example")) == 2
    assert await house.members("g1@x.example") == ["ann@x.example", "box@x.example"]
    assert await house.members("g1@x.example", after="ann@x.example") == ["box@x.example"]
    assert await change(house, "g1", "bob", replace=True) == 1
    assert (await house.group("g1@x.example")).members == 1
    assert await change(house, "g1", replace=True) == 0
    with pytest.raises(Vanished):
        await change(house, "none", "ann")
    assert await house.verify() == []


async def test_a_large_list_of_members(house):
    """Thousands of members in one value."""
    many = tuple(f"user{number}@far.example" for number in range(5_000))
    assert await house.commit(ChangeMembers(group="g1@x.example", add=many, replace=True)) == 5_000
    assert await house.commit(ChangeMembers(group="g1@x.example", remove=many[:4_000])) == 1_000


async def test_groups_of_a_member(house):
    """Directly, and through other groups."""
    await change(house, "g1", "g2")
    await change(house, "g2", "g3", "ann")
    await change(house, "g3", "bob", "ann")
    assert await house.groups_of("bob@x.example") == ["g3@x.example"]
    assert await house.groups_of("bob@x.example", nested=True) == ["g1@x.example", "g2@x.example", "g3@x.example"]
    assert await house.groups_of("ann@x.example") == ["g2@x.example", "g3@x.example"]
    assert await house.groups_of("nobody@x.example", nested=True) == []


async def test_no_group_contains_itself(house):
    """Not directly, not through others, and not in one list with harmless members; nothing of it is done."""
    await change(house, "g1", "g2")
    await change(house, "g2", "g3")
    for group, member in (("g1", "g1"), ("g2", "g1"), ("g3", "g1"), ("g3", "g2")):
        with pytest.raises(NotAllowed, match="contain itself"):
            await change(house, group, "ann", member)
    assert await house.members("g3@x.example") == []
    await change(house, "g1", "g3")  # two ways to the same group are no cycle


async def test_a_group_that_comes_after_its_membership_makes_no_cycle(house):
    """An address may be a member before it is a group."""
    await change(house, "g1", "later")
    await house.commit(PutGroup(address="later@x.example"))
    with pytest.raises(NotAllowed):
        await change(house, "later", "g1")


async def test_groups_nest_only_so_deep(house):
    """A chain may have sixteen groups, not more, wherever it is made longer."""
    names = [f"n{number}" for number in range(17)]
    for name in names:
        await house.commit(PutGroup(address=f"{name}@x.example"))
    for outer, inner in itertools.pairwise(names[:16]):
        await change(house, outer, inner)
    assert await change(house, names[15], "ann", "bob") == 2
    await change(house, "g1", "ann")
    with pytest.raises(NotAllowed, match="nested"):
        await change(house, names[15], "g1")
    with pytest.raises(NotAllowed, match="nested"):
        await change(house, "g1", names[0])
    await change(house, names[15], names[16])
    with pytest.raises(NotAllowed, match="nested"):
        await change(house, names[16], "ann")


async def test_a_removed_group_leaves_its_place(house):
    """Its members are forgotten, and it is in no group and no share any more."""
    await change(house, "g1", "g2", "ann")
    await change(house, "g2", "bob")
    await house.commit(PutShare(account="box@x.example", member="g2@x.example"))
    await house.commit(RemoveGroup(address="g2@x.example"))
    assert await house.members("g1@x.example") == ["ann@x.example"]
    assert (await house.group("g1@x.example")).members == 1
    assert await house.members("g2@x.example") == []
    assert await house.shares(account="box@x.example") == []
    await house.commit(PutAlias(address="al@x.example", targets=("ann@x.example",)))
    await change(house, "g1", "al")
    await house.commit(RemoveAlias(address="al@x.example"))
    assert (await house.group("g1@x.example")).members == 1
    assert await house.verify() == []


async def test_shares(house):
    """Rights are given to accounts and groups, changed, listed both ways and taken away."""
    await house.commit(PutShare(account="box@x.example", member="ann@x.example"))
    await house.commit(PutShare(account="box@x.example", member="g1@x.example", right=ShareRight.MANAGE, send_as=True))
    await house.commit(
        PutShare(account="box@x.example", member="ann@x.example", right=ShareRight.WRITE, send_on_behalf=True)
    )
    ann = ShareRow("box@x.example", "ann@x.example", ShareRight.WRITE, False, True)
    group = ShareRow("box@x.example", "g1@x.example", ShareRight.MANAGE, True, False)
    assert await house.shares(account="box@x.example") == [ann, group]
    assert await house.shares(members=["g1@x.example", "bob@x.example"]) == [group]
    assert await house.shares() == []
    await house.commit(RemoveShare(account="box@x.example", member="ann@x.example"))
    assert await house.shares(account="box@x.example") == [group]


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        pytest.param(PutShare(account="none@x.example", member="ann@x.example"), Vanished, id="of nothing"),
        pytest.param(PutShare(account="box@x.example", member="far@y.example"), Vanished, id="for a stranger"),
        pytest.param(PutShare(account="box@x.example", member="box@x.example"), NotAllowed, id="for itself"),
        pytest.param(RemoveShare(account="box@x.example", member="ann@x.example"), Vanished, id="not there"),
        pytest.param(RemoveGroup(address="none@x.example"), Vanished, id="no group"),
        pytest.param(PutGroup(address="g@nowhere.example"), Vanished, id="group in no domain"),
    ],
)
async def test_rules_of_groups(house, value, refusal):
    """What cannot be is refused."""
    await house.commit(PutDomain(name="y.example"))
    with pytest.raises(refusal):
        await house.commit(value)
