"""Setting passwords."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account_passwords, shared
from posthouse.services.identity.passwords import hash_password
from posthouse.store.directory_values import PutAccount
from tests.support.desks import caller_of, do

NEW = "correct horse battery"
OLD = "old but gold 99"


async def test_one_changes_his_own_with_the_current_one(desk):
    """Without it, or with a wrong one, nothing changes; the refusal names the field."""
    await desk.store.commit(
        PutAccount(address="anna@acme.test", password_hash=hash_password(OLD.encode()), must_be_new=False)
    )
    anna = await caller_of(desk.store, "anna@acme.test")
    for current in (None, "wrong"):
        with pytest.raises(Refused) as caught:
            await do(
                desk, account_passwords.set_password, anna, address="anna@acme.test", password=NEW, current=current
            )
        assert caught.value.field == "current"
    await do(desk, account_passwords.set_password, anna, address="anna@acme.test", password=NEW, current=OLD)
    assert (await desk.store.account("anna@acme.test")).password_hash == f"$test${NEW.encode().hex()}"


async def test_an_administrator_needs_no_current_one_but_his_own(desk):
    """Others' passwords are set, one's own is changed."""
    admin = await caller_of(desk.store, "admin@acme.test")
    after = await do(
        desk, account_passwords.set_password, admin, address="anna@acme.test", password=NEW, must_change=True
    )
    assert after.must_change_password
    with pytest.raises(Refused, match="the current one"):
        await do(desk, account_passwords.set_password, admin, address="admin@acme.test", password=NEW)
    with pytest.raises(Refused) as caught:
        await do(desk, account_passwords.set_password, admin, address="boss@acme.test", password=NEW)
    assert caught.value.kind is Kind.FORBIDDEN


async def test_a_random_password_is_told_once(desk):
    """It fits what is stored, and is not in the audit log."""
    made = await do(desk, account_passwords.random_password, address="anna@acme.test")
    assert (await desk.store.account("anna@acme.test")).password_hash == f"$test${made.password.encode().hex()}"
    assert made.password not in str(await desk.store.audit())
    again = await do(desk, account_passwords.random_password, address="anna@acme.test")
    assert again.password != made.password


async def test_nobody_signs_in_as_a_shared_mailbox(desk):
    """It gets no password."""
    await do(desk, shared.add, address="info@acme.test")
    with pytest.raises(Refused, match="nobody signs in as it"):
        await do(desk, account_passwords.random_password, address="info@acme.test")


@pytest.mark.parametrize("password", ["short", "x" * 2_000, "password123", "line\nbreak here"])
async def test_the_policy_is_asked(password, desk):
    """What the policy refuses is refused, and not repeated."""
    with pytest.raises(Refused) as caught:
        await do(desk, account_passwords.set_password, address="anna@acme.test", password=password)
    assert caught.value.field == "password"
    assert password not in caught.value.detail
