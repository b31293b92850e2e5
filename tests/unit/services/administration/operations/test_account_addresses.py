"""Further addresses and renaming."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account, account_addresses, alias
from tests.support.desks import caller_of, do


async def test_a_further_address_comes_and_goes(desk):
    """It is found, shown, unique, and taken away again."""
    await do(desk, account_addresses.add_address, address="anna@acme.test", further="a.a@sister.test")
    assert (await desk.store.account("a.a@sister.test")).address == "anna@acme.test"
    assert (await do(desk, account.show, address="anna@acme.test")).addresses == ["a.a@sister.test"]
    with pytest.raises(Refused, match=r"a further address of anna@acme\.test") as caught:
        await do(desk, alias.add, address="a.a@sister.test", targets=["x@far.test"])
    assert caught.value.kind is Kind.EXISTS
    await do(desk, account_addresses.remove_address, address="anna@acme.test", further="A.A@sister.test")
    assert await desk.store.account("a.a@sister.test") is None


REFUSED = {
    "the first address": ("remove", "anna@acme.test", Kind.INVALID),
    "somebody else's": ("remove", "ben@acme.test", Kind.MISSING),
    "an account's": ("add", "ben@acme.test", Kind.EXISTS),
    "a domain that is not ours": ("add", "anna@far.test", Kind.MISSING),
    "no address": ("add", "anna", Kind.INVALID),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_further_addresses_are_checked(name, desk):
    """What cannot be a further address is refused by the field's name."""
    verb, further, kind = REFUSED[name]
    operation = account_addresses.add_address if verb == "add" else account_addresses.remove_address
    with pytest.raises(Refused) as caught:
        await do(desk, operation, address="anna@acme.test", further=further)
    assert (caught.value.kind, caught.value.field) == (kind, "further")


async def test_both_addresses_must_be_within_reach(desk):
    """A domain administrator gives no address in another domain."""
    admin = await caller_of(desk.store, "admin@acme.test")
    with pytest.raises(Refused) as caught:
        await do(desk, account_addresses.add_address, admin, address="anna@acme.test", further="a@sister.test")
    assert caught.value.kind is Kind.FORBIDDEN
    with pytest.raises(Refused) as caught:
        await do(desk, account_addresses.rename, admin, address="anna@acme.test", new_address="a@sister.test")
    assert caught.value.kind is Kind.FORBIDDEN


async def test_renaming_keeps_the_old_address(desk):
    """The account has the new address, and mail to the old one still arrives."""
    before = await desk.store.account("anna@acme.test")
    after = await do(desk, account_addresses.rename, address="anna@acme.test", new_address="Anne@sister.test")
    assert after.address == "anne@sister.test"
    row = await desk.store.account("anna@acme.test")
    assert (row.id, row.address) == (before.id, "anne@sister.test")
    entry = (await desk.store.audit(subject="account:anna@acme.test"))[0]
    assert entry.after["addresses"] == ["anna@acme.test"]


async def test_renaming_without_keeping_frees_the_old_address(desk):
    """The old address is nobody's then."""
    await do(desk, account_addresses.rename, address="anna@acme.test", new_address="anne@acme.test", keep=False)
    assert await desk.store.account("anna@acme.test") is None


async def test_a_further_address_becomes_the_first(desk):
    """First and further address change places."""
    await do(desk, account_addresses.add_address, address="anna@acme.test", further="anne@acme.test")
    await do(desk, account_addresses.rename, address="anna@acme.test", new_address="anne@acme.test")
    shown = await do(desk, account.show, address="anna@acme.test")
    assert (shown.address, shown.addresses) == ("anne@acme.test", ["anna@acme.test"])
    with pytest.raises(Refused, match="its address already"):
        await do(desk, account_addresses.rename, address="anne@acme.test", new_address="anne@acme.test")
    with pytest.raises(Refused, match="exists already"):
        await do(desk, account_addresses.rename, address="anne@acme.test", new_address="ben@acme.test")
