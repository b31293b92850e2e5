"""Disabling, holding, restoring and destroying accounts."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import account, account_stages, alias
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import AccountState
from tests.support.desks import caller_of, do


async def test_a_removed_account_is_held_and_comes_back(desk, store_clock):
    """Removal holds for account.hold_days; restore gives everything back."""
    await do(desk, account.set_, address="anna@acme.test", name="Anna", quota="1G")
    await do(desk, account_stages.remove, address="anna@acme.test")
    held = await desk.store.account("anna@acme.test")
    assert held.state is AccountState.HELD
    assert held.held_until == store_clock.now() + 30 * 86_400
    back = await do(desk, account_stages.restore, address="anna@acme.test")
    assert (back.state, back.name, back.quota, back.held_until) == (AccountState.ACTIVE, "Anna", 1 << 30, None)


async def test_its_address_stays_taken_while_it_is_held(desk):
    """Nobody gets the address of an account that may come back."""
    await do(desk, account_stages.remove, address="anna@acme.test")
    for operation, more in ((account.add, {}), (alias.add, {"targets": ["ben@acme.test"]})):
        with pytest.raises(Refused) as caught:
            await do(desk, operation, address="anna@acme.test", **more)
        assert caught.value.kind is Kind.EXISTS


async def test_now_destroys_at_once(desk):
    """With now, and where the hold time is 0, nothing is held."""
    await do(desk, account_stages.remove, address="anna@acme.test", now=True)
    assert await desk.store.account("anna@acme.test") is None
    desk.settings.load([SettingRow("account.hold_days", "domain:acme.test", "0", "", 0.0)])
    await do(desk, account_stages.remove, address="ben@acme.test")
    assert await desk.store.account("ben@acme.test") is None
    assert (await desk.store.audit(subject="account:ben@acme.test"))[0].after is None


async def test_purge_takes_what_is_held_alone(desk):
    """An account in use is not purged; a held one goes before its time."""
    with pytest.raises(Refused) as caught:
        await do(desk, account_stages.purge, address="anna@acme.test")
    assert caught.value.kind is Kind.NOT_NOW
    await do(desk, account_stages.remove, address="anna@acme.test")
    with pytest.raises(Refused, match="removed already"):
        await do(desk, account_stages.remove, address="anna@acme.test")
    await do(desk, account_stages.purge, address="anna@acme.test")
    assert await desk.store.account("anna@acme.test") is None


STATES = {
    "disable": (account_stages.disable, {}, AccountState.DISABLED),
    "sign-in only": (account_stages.disable, {"sign_in_only": True}, AccountState.SIGN_IN_DISABLED),
    "enable": (account_stages.enable, {}, AccountState.ACTIVE),
}


@pytest.mark.parametrize("name", STATES)
async def test_states_are_set(name, desk):
    """Each verb leads to its state."""
    operation, fields, state = STATES[name]
    assert (await do(desk, operation, address="anna@acme.test", **fields)).state is state


async def test_what_is_held_is_neither_disabled_nor_enabled(desk):
    """A held account is restored first."""
    await do(desk, account_stages.remove, address="anna@acme.test")
    for operation in (account_stages.disable, account_stages.enable):
        with pytest.raises(Refused, match="is removed, and held"):
            await do(desk, operation, address="anna@acme.test")
    with pytest.raises(Refused, match="is removed, and held"):
        await do(desk, account.set_, address="anna@acme.test", disabled=False)
    with pytest.raises(Refused, match="is not removed"):
        await do(desk, account_stages.restore, address="ben@acme.test")


@pytest.mark.parametrize("operation", [account_stages.remove, account_stages.disable])
async def test_nobody_removes_or_disables_himself_or_one_above(operation, desk):
    """Oneself and higher administrators are out of bounds."""
    admin = await caller_of(desk.store, "admin@acme.test")
    with pytest.raises(Refused, match="your own account"):
        await do(desk, operation, admin, address="admin@acme.test")
    with pytest.raises(Refused, match="administers more"):
        await do(desk, operation, admin, address="boss@acme.test")
