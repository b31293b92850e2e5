"""What operations share: to find what was named, and to keep within reach."""

import pytest

from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Caller
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import key_of
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.account_models import as_account
from posthouse.store.directory_values import PutAddress, PutDomain
from tests.support.desks import ON_MACHINE, caller_of, do

NARROWED = {
    # who, domain asked, post office asked, what is listed or None where it is refused
    "the server sees all": ("root@own.test", None, None, (None, None)),
    "the server narrows": ("root@own.test", "ACME.test", None, ("acme.test", None)),
    "a post office sees its own": ("boss@acme.test", None, None, (None, "acme")),
    "a post office asks for one of its domains": ("boss@acme.test", "sister.test", None, ("sister.test", "acme")),
    "a post office asks for a foreign domain": ("boss@acme.test", "rival.test", None, None),
    "a post office asks for another": ("boss@acme.test", None, "rival", None),
    "a post office asks for the server's own": ("boss@acme.test", None, "", None),
    "a domain sees itself": ("admin@acme.test", None, None, ("acme.test", None)),
    "a domain asks for its sister": ("admin@acme.test", "sister.test", None, None),
    "a domain asks for a post office": ("admin@acme.test", None, "acme", None),
}


@pytest.mark.parametrize("name", NARROWED)
async def test_lists_are_narrowed_to_the_reach(name, desk):
    """What is asked for outside the reach is refused; what is not asked for is the reach itself."""
    who, domain, office, expected = NARROWED[name]
    call = Call(caller=await caller_of(desk.store, who), desk=desk)
    if expected is not None:
        assert await reading.narrowed(call, domain, office) == expected
        return
    with pytest.raises(Refused) as caught:
        await reading.narrowed(call, domain, office)
    assert caught.value.kind is Kind.FORBIDDEN


async def test_an_account_is_not_administered_through_a_foreign_address(desk):
    """A further address in one's domain does not bring the account within reach."""
    await desk.store.commit(PutAddress(address="zoe@acme.test", account="zoe@sister.test"))
    call = Call(caller=await caller_of(desk.store, "admin@acme.test"), desk=desk)
    with pytest.raises(Refused) as caught:
        await reading.account_row(call, "zoe@acme.test")
    assert caught.value.kind is Kind.FORBIDDEN
    ours = Call(caller=await caller_of(desk.store, "boss@acme.test"), desk=desk)
    assert (await reading.account_row(ours, "zoe@acme.test")).address == "zoe@sister.test"


async def test_an_account_is_found_under_another_name_of_its_domain(desk):
    """An address in an alias domain leads to the account."""
    await desk.store.commit(PutDomain(name="also.test", alias_of="acme.test"))
    call = Call(caller=ON_MACHINE, desk=desk)
    assert (await reading.account_row(call, "Anna@also.test")).address == "anna@acme.test"
    with pytest.raises(Refused, match=r"also\.test is another name of acme\.test"):
        await reading.home_of(call, "new@also.test")


async def test_pages_follow_each_other(desk):
    """A page says where the next begins, the last one nothing."""
    from posthouse.services.administration.operations import account

    first = await do(desk, account.list_, domain="acme.test", limit=3)
    second = await do(desk, account.list_, domain="acme.test", limit=3, cursor=first.next)
    assert [each.address for each in (*first.items, *second.items)] == [
        "admin@acme.test", "anna@acme.test", "ben@acme.test", "boss@acme.test",
    ]  # fmt: skip
    assert key_of(first.next) == "ben@acme.test"
    assert second.next == ""


async def test_a_page_of_nothing_is_the_last(desk):
    """No rows make an empty page."""
    assert reading.as_page([], 10, lambda row: row.address, as_account).model_dump() == {"items": [], "next": ""}


async def test_what_is_missing_is_named(desk):
    """Each kind of thing that is not there is refused as missing, with its field."""
    call = Call(caller=Caller.on_this_machine("root"), desk=desk)
    for find, text in (
        (reading.office_row, "nowhere"),
        (reading.domain_row, "nowhere.test"),
        (reading.account_row, "nobody@acme.test"),
        (reading.shared_row, "anna@acme.test"),
        (reading.alias_row, "nobody@acme.test"),
        (reading.group_row, "nobody@acme.test"),
    ):
        with pytest.raises(Refused) as caught:
            await find(call, text)
        assert caught.value.kind is Kind.MISSING
        assert caught.value.field
