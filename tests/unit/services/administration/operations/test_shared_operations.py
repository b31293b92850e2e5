"""Shared mailboxes and the rights of their members."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account, account_stages, group, shared
from posthouse.store.directory_values import AccountKind, ShareRight
from tests.support.desks import caller_of, do


async def test_a_shared_mailbox_lives_and_ends(desk):
    """It is an account of its kind, held when it is removed."""
    made = await do(desk, shared.add, address="info@acme.test", name="Info", quota="1G")
    assert (made.kind, made.quota) == (AccountKind.SHARED, 1 << 30)
    assert [each.address for each in (await do(desk, shared.list_)).items] == ["info@acme.test"]
    assert (await do(desk, shared.set_, address="info@acme.test", name="I")).name == "I"
    await do(desk, shared.remove, address="info@acme.test")
    assert (await do(desk, account_stages.restore, address="info@acme.test")).kind is AccountKind.SHARED


async def test_rights_are_granted_changed_and_revoked(desk):
    """A member has one right; it is replaced."""
    await do(desk, shared.add, address="info@acme.test")
    await do(desk, group.add, address="team@acme.test")
    await do(desk, shared.grant, address="info@acme.test", member="Anna@acme.test")
    await do(desk, shared.grant, address="info@acme.test", member="anna@acme.test", right="manage", send_as=True)
    await do(desk, shared.grant, address="info@acme.test", member="team@acme.test", right="write")
    shown = await do(desk, shared.show, address="info@acme.test")
    assert [(each.member, each.right, each.send_as) for each in shown.shares] == [
        ("anna@acme.test", ShareRight.MANAGE, True),
        ("team@acme.test", ShareRight.WRITE, False),
    ]
    await do(desk, shared.revoke, address="info@acme.test", member="team@acme.test")
    with pytest.raises(Refused) as caught:
        await do(desk, shared.revoke, address="info@acme.test", member="team@acme.test")
    assert (caught.value.kind, caught.value.field) == (Kind.MISSING, "member")


async def test_members_are_ours_and_within_reach(desk):
    """Neither strangers nor what another customer has."""
    await do(desk, shared.add, address="info@acme.test")
    boss = await caller_of(desk.store, "boss@acme.test")
    with pytest.raises(Refused) as caught:
        await do(desk, shared.grant, address="info@acme.test", member="x@far.test")
    assert (caught.value.kind, caught.value.field) == (Kind.MISSING, "member")
    for member in ("rita@rival.test", "nobody@rival.test"):
        with pytest.raises(Refused) as caught:
            await do(desk, shared.grant, boss, address="info@acme.test", member=member)
        assert caught.value.kind is Kind.FORBIDDEN


async def test_a_person_is_no_shared_mailbox(desk):
    """What is somebody's is not shared by mistake."""
    with pytest.raises(Refused) as caught:
        await do(desk, shared.grant, address="anna@acme.test", member="ben@acme.test")
    assert caught.value.kind is Kind.MISSING
    listed = await do(desk, account.list_, kind="person", domain="acme.test")
    assert len(listed.items) == 4
