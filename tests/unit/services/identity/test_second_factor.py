"""One-time codes: the vectors of RFC 6238, drift, replay, guessing, two workers at once, recovery codes."""

from __future__ import annotations

import asyncio
import base64

import pyotp
import pytest

from posthouse.services.identity.sealing import Sealing
from posthouse.services.identity.second_factor import (
    RECOVERY_CODES,
    TRIES,
    SecondFactor,
    new_recovery_codes,
    new_totp_secret,
    recovery_verifier,
    totp_address,
    totp_step,
)
from posthouse.store.directory_values import CredentialKind, PutCredential
from tests.support.stores import StillClock, furnish, make_store

ANNA = "anna@house.test"
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
# RFC 6238 Appendix B, SHA-1, cut to six digits.
VECTORS = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.mark.parametrize("now", VECTORS)
def test_the_vectors_of_the_standard(now) -> None:
    """RFC 6238 Appendix B."""
    assert totp_step(RFC_SECRET, VECTORS[now], now) == now // 30


def test_clocks_may_differ_by_a_step() -> None:
    """Thirty seconds to either side, no more; the step says which it was."""
    code = VECTORS[1111111111]
    step = 1111111111 // 30
    assert [totp_step(RFC_SECRET, code, (step + off) * 30) for off in (-2, -1, 0, 1, 2)] == [0, step, step, step, 0]


def test_a_step_counts_once_and_earlier_ones_not_after_it() -> None:
    """RFC 6238 §5.2."""
    step = 59 // 30
    assert totp_step(RFC_SECRET, VECTORS[59], 59, after=step - 1) == step
    assert totp_step(RFC_SECRET, VECTORS[59], 59, after=step) == 0


@pytest.mark.parametrize("code", ["", "28708", "2870822", "28708a", "２８７０８２", " 287082", "-87082", "287082\n"])
def test_what_is_no_code(code) -> None:
    """Six ASCII digits, nothing else."""
    assert totp_step(RFC_SECRET, code, 59) == 0


def test_the_address_for_authenticators() -> None:
    """It holds the secret, the account and who issues it."""
    parsed = pyotp.parse_uri(totp_address(RFC_SECRET, ANNA, "mx.house.test"))
    assert (parsed.secret, parsed.name, parsed.issuer) == (RFC_SECRET, ANNA, "mx.house.test")


def test_recovery_codes_are_many_and_long() -> None:
    """Ten different ones; case, spaces and hyphens do not matter; another account's are others."""
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert all(len(code) == 13 for code in codes)
    assert recovery_verifier(1, codes[0]) == recovery_verifier(1, f" {codes[0].upper().replace('-', ' ')}")
    assert recovery_verifier(1, codes[0]) != recovery_verifier(2, codes[0])


class House:
    """An account in a real store with an authenticator and one recovery code; each ``worker`` is one more."""

    def __init__(self, store, clock) -> None:
        self.store = store
        self.clock = clock
        self.sealing = Sealing(bytes(32))
        self.secret = new_totp_secret()
        self.factor = self.worker()

    def worker(self) -> SecondFactor:
        return SecondFactor(self.store, self.sealing, self.clock)

    async def furnish(self, *, confirmed: bool = True) -> None:
        (number,) = await furnish(self.store, ANNA)
        self.anna = await self.store.account_by_id(number)
        await self.store.commit(
            PutCredential(
                id="t1", account=ANNA, kind=CredentialKind.TOTP, name="phone",
                verifier=self.sealing.seal(self.secret, "totp:t1"), details={"confirmed": True} if confirmed else {},
            ),
            PutCredential(
                id="r1", account=ANNA, kind=CredentialKind.RECOVERY, name="code",
                verifier=recovery_verifier(number, "abcdef-ghjkmn"),
            ),
        )  # fmt: skip

    def code(self, offset: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(int(self.clock.now()) + offset * 30)

    def wrong(self, number: int = 0) -> str:
        right = {self.code(offset) for offset in range(-3, 4)}
        return next(f"{each:06d}" for each in range(number, 1_000_000) if f"{each:06d}" not in right)


@pytest.fixture
async def house(tmp_path):
    """Return a house with a confirmed authenticator."""
    clock = StillClock()
    async with make_store(tmp_path / "home", clock=clock) as store:
        made = House(store, clock)
        await made.furnish()
        yield made


async def test_a_code_is_used_up(house) -> None:
    """The same code is wrong the second time, and right ones of earlier steps as well."""
    early = house.code(-1)
    assert await house.factor.is_on(house.anna)
    assert await house.factor.accept(house.anna, house.code())
    assert not await house.factor.accept(house.anna, house.code())
    assert not await house.factor.accept(house.anna, early)
    house.clock.advance(30)
    assert await house.factor.accept(house.anna, f" {house.code()} ")


async def test_of_two_workers_with_one_code_one_is_right(house) -> None:
    """However they come between each other."""
    for _ in range(5):
        house.clock.advance(3_600)  # whoever comes second has tried a wrong code
        code = house.code()
        answers = await asyncio.gather(*(house.worker().accept(house.anna, code) for _ in range(6)))
        assert sum(answers) == 1


async def test_a_recovery_code_works_once_and_for_one_of_two(house) -> None:
    """It goes when it is used."""
    answers = await asyncio.gather(*(house.worker().accept(house.anna, "ABCDEF ghjkmn") for _ in range(4)))
    assert sum(answers) == 1
    assert not await house.factor.accept(house.anna, "abcdef-ghjkmn")
    assert await house.factor.accept(house.anna, house.code())


async def test_wrong_codes_are_counted_over_all_workers(house) -> None:
    """After ten in an hour the right one is refused too; a recovery code is not, and the next hour begins anew."""
    for number in range(TRIES):
        assert not await house.worker().accept(house.anna, house.wrong(number))
    assert not await house.factor.accept(house.anna, house.code())
    assert await house.factor.accept(house.anna, "abcdef-ghjkmn")
    house.clock.advance(3_600)
    assert await house.factor.accept(house.anna, house.code())


async def test_guesses_at_the_same_moment_are_counted_too(house) -> None:
    """A hundred at once are no way round."""
    guesses = [house.worker().use_of(house.anna, house.wrong(number)) for number in range(100)]
    await asyncio.gather(*guesses)
    (row,) = await house.store.credentials(ANNA, CredentialKind.TOTP)
    assert row.details["tries"] % 1_000 == TRIES


async def test_right_codes_are_no_tries(house) -> None:
    """Whoever signs in all day is not locked out."""
    for _ in range(3 * TRIES):
        house.clock.advance(30)
        assert await house.factor.accept(house.anna, house.code())


@pytest.mark.parametrize("code", ["", "1", "x" * 41, "x" * 40, "\udcff", "12345", "abcdef-ghjkmo", "ä" * 12])
async def test_other_texts_are_wrong(house, code) -> None:
    """Without an error, and without a try."""
    assert not await house.factor.accept(house.anna, code)
    (row,) = await house.store.credentials(ANNA, CredentialKind.TOTP)
    assert "tries" not in row.details


async def test_an_authenticator_without_first_code_is_none(tmp_path) -> None:
    """It neither asks for codes nor gives any."""
    clock = StillClock()
    async with make_store(tmp_path / "home", clock=clock) as store:
        house = House(store, clock)
        await house.furnish(confirmed=False)
        assert not await house.factor.is_on(house.anna)
        assert not await house.factor.accept(house.anna, house.code())


async def test_a_lost_key_leaves_recovery_codes(house) -> None:
    """The authenticator's secret cannot be opened; a recovery code needs no key."""
    factor = SecondFactor(house.store, Sealing(b"x" * 32), house.clock)
    assert await factor.accept(house.anna, "abcdef-ghjkmn")
