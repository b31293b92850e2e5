"""Second factors as operations: started, confirmed, shown, stopped by the owner with a code or by somebody above."""

from __future__ import annotations

import asyncio

import pyotp
import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import second_factor
from posthouse.services.identity.second_factor import SecondFactor
from tests.support.desks import caller_of, do

ANNA = "anna@acme.test"


class Person:
    """Anna with her authenticator."""

    def __init__(self, desk, caller, clock) -> None:
        self.desk = desk
        self.caller = caller
        self.clock = clock
        self.secret = ""
        self.codes: list[str] = []

    def code(self) -> str:
        self.clock.advance(30)
        return pyotp.TOTP(self.secret).at(int(self.clock.now()))

    async def do(self, operation, **fields):
        return await do(self.desk, operation, self.caller, **fields)

    async def begin(self) -> None:
        self.secret = (await self.do(second_factor.start)).secret

    async def finish(self) -> None:
        self.codes = (await self.do(second_factor.confirm, code=self.code())).codes

    async def shown(self) -> tuple[bool, bool, bool, int]:
        found = await self.do(second_factor.show)
        return found.on, found.authenticator, found.pending, found.recovery_codes


@pytest.fixture
async def anna(desk, store_clock):
    """Return Anna, without a second factor."""
    return Person(desk, await caller_of(desk.store, ANNA), store_clock)


async def test_from_start_to_stop(anna) -> None:
    """It counts from its first code; with it come ten recovery codes; a code stops it."""
    assert await anna.shown() == (False, False, False, 0)
    await anna.begin()
    assert await anna.shown() == (False, False, True, 0)
    await anna.finish()
    assert await anna.shown() == (True, True, False, 10)
    await anna.do(second_factor.stop, code=anna.code())
    assert await anna.shown() == (False, False, False, 0)


async def test_what_is_told_and_kept(desk, anna) -> None:
    """The address holds secret, account and server; the store holds neither secret nor codes in clear."""
    started = await anna.do(second_factor.start)
    parsed = pyotp.parse_uri(started.address)
    assert (parsed.secret, parsed.name, parsed.issuer) == (started.secret, ANNA, "mx.example.test")
    anna.secret = started.secret
    await anna.finish()
    kept = str(await desk.store.credentials(ANNA)) + str(await desk.store.audit())
    assert started.secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in anna.codes)


async def test_starting_anew_replaces_what_waited(anna) -> None:
    """The picture that was lost opens nothing; one that counts is not replaced."""
    await anna.begin()
    old = anna.secret
    await anna.begin()
    assert old != anna.secret
    wrong = pyotp.TOTP(old).at(int(anna.clock.now()))
    if wrong != pyotp.TOTP(anna.secret).at(int(anna.clock.now())):
        with pytest.raises(Refused):
            await anna.do(second_factor.confirm, code=wrong)
    await anna.finish()
    with pytest.raises(Refused, match="has an authenticator already"):
        await anna.begin()


async def test_the_owner_needs_a_code(anna) -> None:
    """None, a wrong one, one that was used: refused, and still on; a recovery code is one."""
    await anna.begin()
    await anna.finish()
    used = anna.code()
    again = await anna.do(second_factor.recovery_codes, code=used)
    assert set(again.codes).isdisjoint(anna.codes)
    for code in ("", used, "000000" if used != "000000" else "111111", anna.codes[0]):
        with pytest.raises(Refused) as caught:
            await anna.do(second_factor.stop, code=code)
        assert caught.value.field == "code"
    assert (await anna.shown())[0]
    await anna.do(second_factor.stop, code=again.codes[3])
    assert not (await anna.shown())[0]


async def test_an_administrator_above_stops_it_without(desk, anna) -> None:
    """Not an equal, not somebody of another customer; the audit log tells who."""
    await anna.begin()
    await anna.finish()
    with pytest.raises(Refused):
        await do(desk, second_factor.stop, await caller_of(desk.store, "ben@acme.test"), account=ANNA)
    with pytest.raises(Refused):
        await do(desk, second_factor.stop, await caller_of(desk.store, "chief@rival.test"), account=ANNA)
    await do(desk, second_factor.stop, await caller_of(desk.store, "admin@acme.test"), account=ANNA)
    assert not (await anna.shown())[0]
    entry = (await desk.store.audit())[0]
    assert (entry.actor, entry.operation) == ("admin@acme.test", "second-factor.stop")
    assert entry.before == {"totp": 1, "passkey": 0, "recovery": 10}


async def test_equals_do_not_stop_each_others(desk, store_clock) -> None:
    """An administrator of a domain asks somebody above; the server's own may do it for each other."""
    admin = Person(desk, await caller_of(desk.store, "admin@acme.test"), store_clock)
    await admin.begin()
    await admin.finish()
    boss = await caller_of(desk.store, "boss@acme.test")
    chief = Person(desk, boss, store_clock)
    await chief.begin()
    await chief.finish()
    with pytest.raises(Refused) as caught:
        await do(desk, second_factor.stop, await caller_of(desk.store, "admin@acme.test"), account="boss@acme.test")
    assert caught.value.kind is Kind.FORBIDDEN
    await do(desk, second_factor.stop, boss, account="admin@acme.test")
    await do(desk, second_factor.stop, account="boss@acme.test")


async def test_a_dry_run_uses_no_code_up(desk, anna) -> None:
    """What would be is told; the code works afterwards."""
    await anna.begin()
    await anna.finish()
    code = anna.code()
    await anna.do(second_factor.stop, code=code, dry_run=True)
    assert (await anna.shown())[0]
    assert await SecondFactor(desk.store, desk.sealing, desk.clock).accept(await desk.store.account(ANNA), code)


async def test_of_two_confirmations_at_once_one_gives_codes(desk, anna) -> None:
    """The codes that somebody was shown are those that are kept."""
    await anna.begin()
    code = anna.code()
    answers = await asyncio.gather(
        *(anna.do(second_factor.confirm, code=code) for _ in range(3)), return_exceptions=True
    )
    told = [answer for answer in answers if not isinstance(answer, Refused)]
    assert len(told) == 1
    factor = SecondFactor(desk.store, desk.sealing, desk.clock)
    assert await factor.accept(await desk.store.account(ANNA), told[0].codes[0])


@pytest.mark.parametrize("operation", [second_factor.confirm, second_factor.stop, second_factor.recovery_codes])
async def test_without_one_there_is_nothing_to_do(anna, operation) -> None:
    """The answer says so."""
    with pytest.raises(Refused) as caught:
        await anna.do(operation, code="123456")
    assert caught.value.kind is Kind.NOT_NOW
