"""Rights in shared mailboxes: one's own and those of groups, whichever is more."""

import pytest

from posthouse.services.identity.shares import right_in, shares_of
from posthouse.store.directory_values import AccountKind, ShareRight
from posthouse.testing.directory import MemoryDirectory

ANNA, INFO = "anna@house.test", "info@house.test"


@pytest.fixture
def store() -> MemoryDirectory:
    """Return a store with Anna, a shared mailbox, and a group within a group."""
    made = MemoryDirectory()
    made.add_domain("house.test")
    made.add_account(ANNA)
    made.add_account(INFO, kind=AccountKind.SHARED)
    made.add_group("staff@house.test", ANNA)
    made.add_group("all@house.test", "staff@house.test")
    return made


SHARES = {
    "none": ((), None),
    "one's own": (((ANNA, ShareRight.WRITE),), ShareRight.WRITE),
    "a group's": ((("staff@house.test", ShareRight.READ),), ShareRight.READ),
    "a group's around a group": ((("all@house.test", ShareRight.MANAGE),), ShareRight.MANAGE),
    "the most of several": (
        ((ANNA, ShareRight.READ), ("staff@house.test", ShareRight.MANAGE), ("all@house.test", ShareRight.WRITE)),
        ShareRight.MANAGE,
    ),
    "somebody else's": ((("ben@house.test", ShareRight.MANAGE),), None),
}


@pytest.mark.parametrize("name", SHARES)
async def test_the_right_is_the_most_of_all(store, name) -> None:
    """By oneself, through groups, through groups in groups."""
    given, expected = SHARES[name]
    for member, right in given:
        store.add_share(INFO, member, right)
    assert await right_in(store, INFO, ANNA) is expected
    assert await right_in(store, "other@house.test", ANNA) is None


async def test_all_shares_of_a_member(store) -> None:
    """Each with what it allows beside."""
    store.add_share(INFO, ANNA, ShareRight.READ, send_as=True)
    store.add_share(INFO, "all@house.test", ShareRight.WRITE)
    assert {(row.member, row.send_as) for row in await shares_of(store, ANNA)} == {
        (ANNA, True),
        ("all@house.test", False),
    }
