"""Any sequence of changes of groups leaves them without a cycle, as a naive model of them does."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from posthouse.store.contract import NotAllowed
from posthouse.store.directory_values import ChangeMembers, PutDomain, PutGroup
from tests.support.stores import make_store

NAMES = tuple(f"g{number}@x.example" for number in range(6))
names = st.sampled_from((*NAMES, "ann@x.example"))
changes = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sets(names, max_size=3), st.sets(names, max_size=2), st.booleans()),
    max_size=25,
)


def reaches(groups, start, goal):
    """Whether a group contains another address, through whatever others: by trying every way."""
    return start == goal or any(reaches(groups, member, goal) for member in groups.get(start, ()))


def expected(groups, group, add, remove, replace):
    """Return the members the model has after a change, None where it is refused."""
    if any(reaches(groups, member, group) for member in add):
        return None
    return add if replace else (groups[group] - remove) | add


@settings(max_examples=40, deadline=None)
@given(changes)
def test_groups_are_as_the_model_says(steps):
    """Each change is refused or done exactly where the model refuses or does it."""
    asyncio.run(play(steps))


async def play(steps):
    home = Path(tempfile.mkdtemp())
    try:
        async with make_store(home) as store:
            await store.commit(PutDomain(name="x.example"), *(PutGroup(address=name) for name in NAMES))
            groups = {name: set() for name in NAMES}
            for group, add, remove, replace in steps:
                value = ChangeMembers(group=group, add=tuple(add), remove=tuple(remove), replace=replace)
                wanted = expected(groups, group, add, remove, replace)
                try:
                    count = await store.commit(value)
                except NotAllowed:
                    assert wanted is None
                else:
                    assert wanted is not None
                    groups[group] = wanted
                    assert count == len(wanted)
                assert set(await store.members(group)) == groups[group]
            assert await store.verify() == []
    finally:
        shutil.rmtree(home)
