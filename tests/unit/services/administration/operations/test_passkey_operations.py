"""Passkeys as operations: made by their owner alone, with recovery codes at first; the last one goes with a code."""

from __future__ import annotations

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import passkey, second_factor
from posthouse.services.identity.passkeys import Passkeys
from posthouse.services.identity.second_factor import SecondFactor
from tests.support.authenticator import SoftAuthenticator
from tests.support.desks import caller_of, do

ANNA = "anna@acme.test"


async def register(desk, caller, device=None, name="laptop"):
    """Go through both steps; return the new passkey and the device."""
    device = device or SoftAuthenticator()
    begun = await do(desk, passkey.begin, caller)
    return await do(
        desk, passkey.finish, caller, name=name, state=begun.state, response=device.create(begun.options)
    ), device


async def test_a_passkey_is_made_used_listed_and_removed(desk, store_clock) -> None:
    """It is a second factor: the first one comes with recovery codes, the last one goes with one."""
    anna = await caller_of(desk.store, ANNA)
    made, device = await register(desk, anna)
    assert (made.account, made.domain, len(made.recovery_codes)) == (ANNA, "mx.example.test", 10)
    assert (await do(desk, second_factor.show, anna)).on
    assert await SecondFactor(desk.store, desk.sealing, desk.clock).is_on(await desk.store.account(ANNA))
    store_clock.advance(1)
    passkeys = Passkeys(desk.store, desk.sealing, desk.clock, desk.settings, desk.hostname)
    options, state = await passkeys.begin_sign_in(None)
    assert (await passkeys.finish_sign_in(state, device.sign(options))).account == ANNA
    assert [each.name for each in (await do(desk, passkey.list_, anna)).items] == ["laptop"]
    for code in ("", "wrong-wrong1"):
        with pytest.raises(Refused) as caught:
            await do(desk, passkey.remove, anna, id=made.id, code=code)
        assert caught.value.field == "code"
    await do(desk, passkey.remove, anna, id=made.id, code=made.recovery_codes[0])
    assert not (await do(desk, second_factor.show, anna)).on


async def test_a_second_one_brings_no_codes_and_goes_without(desk) -> None:
    """The device that is registered is not registered again."""
    anna = await caller_of(desk.store, ANNA)
    _, device = await register(desk, anna)
    more, _ = await register(desk, anna, name="key")
    assert more.recovery_codes == []
    with pytest.raises(Refused) as caught:
        await register(desk, anna, device)
    assert caught.value.kind is Kind.EXISTS
    begun = await do(desk, passkey.begin, anna)
    assert len(begun.options["excludeCredentials"]) == 2
    await do(desk, passkey.remove, anna, id=more.id)


async def test_nobody_makes_one_for_somebody_else(desk) -> None:
    """Not even the server's administrator; a state of Anna's is not Ben's."""
    anna, ben = await caller_of(desk.store, ANNA), await caller_of(desk.store, "ben@acme.test")
    with pytest.raises(Refused, match="by its owner alone"):
        await do(desk, passkey.begin, account=ANNA)
    begun = await do(desk, passkey.begin, anna)
    answer = SoftAuthenticator().create(begun.options)
    with pytest.raises(Refused) as caught:
        await do(desk, passkey.finish, ben, name="x", state=begun.state, response=answer)
    assert caught.value.field == "response"
    assert await desk.store.credentials("ben@acme.test") == []


async def test_administrators_above_remove_and_list(desk) -> None:
    """Those who have lost the device have a way back; others do not."""
    anna = await caller_of(desk.store, ANNA)
    made, _ = await register(desk, anna)
    admin = await caller_of(desk.store, "admin@acme.test")
    assert len((await do(desk, passkey.list_, admin, account=ANNA)).items) == 1
    with pytest.raises(Refused):
        await do(desk, passkey.remove, await caller_of(desk.store, "ben@acme.test"), account=ANNA, id=made.id)
    await do(desk, passkey.remove, admin, account=ANNA, id=made.id)


async def test_how_many_is_limited(desk, monkeypatch) -> None:
    """Twenty, here two."""
    monkeypatch.setattr(passkey, "MOST", 2)
    anna = await caller_of(desk.store, ANNA)
    for _ in range(2):
        await register(desk, anna)
    with pytest.raises(Refused) as caught:
        await do(desk, passkey.begin, anna)
    assert caught.value.kind is Kind.LIMIT


@pytest.mark.parametrize("response", ["{}", "[]", "nothing", '{"id": 1}'])
async def test_answers_that_are_none(desk, response) -> None:
    """One clear refusal; nothing is kept."""
    anna = await caller_of(desk.store, ANNA)
    begun = await do(desk, passkey.begin, anna)
    with pytest.raises(Refused) as caught:
        await do(desk, passkey.finish, anna, name="x", state=begun.state, response=response)
    assert caught.value.field == "response"
    assert await desk.store.credentials(ANNA) == []
