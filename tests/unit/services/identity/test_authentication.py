"""Signing in: right and wrong passwords, names short and long, and what a guesser meets."""

from __future__ import annotations

import argon2
import pytest

from posthouse.config.settings import Settings
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.client import ClientInfo
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.passwords import Passwords
from posthouse.store.directory_rows import SettingRow
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH = CHEAP.hash(b"right")
CLIENT = ClientInfo(address="192.0.2.7")


class House:
    """An authenticator with a directory, a clock and a record of its delays."""

    def __init__(self, **values: str) -> None:
        self.store = MemoryDirectory()
        self.store.add_domain("house.test")
        self.store.add_domain("other.test")
        self.store.add_domain("also.test", alias_of="house.test")
        self.store.add_account("ann@house.test", password_hash=HASH)
        self.store.add_account("off@house.test", password_hash=HASH, disabled=True)
        self.store.add_account("none@house.test")
        self.store.add_account("eve@other.test", password_hash=CHEAP.hash(b"right"))
        self.store.add_alias("alias@house.test", "ann@house.test")
        self.clock = FakeClock()
        self.delays: list[float] = []
        settings = Settings(
            [SettingRow(key.replace("__", "."), "server", value, "", 0.0) for key, value in values.items()]
        )
        self.passwords = Passwords(self.clock, b"k" * 32, CHEAP)
        directory = Directory(self.store, self.clock, settings)
        self.authenticator = Authenticator(
            directory, self.passwords, self.store, settings, self.clock, sleep=self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        self.delays.append(seconds)

    async def sign_in(self, login: str, password: bytes = b"right", client: ClientInfo = CLIENT) -> tuple[int, str]:
        result = await self.authenticator.verify_plain(login, password, client)
        return result.outcome.code, result.account.address if result.account else ""


LOGINS = {
    "full address": ("ann@house.test", b"right", (235, "ann@house.test")),
    "other letters": ("Ann@HOUSE.test", b"right", (235, "ann@house.test")),
    "alias domain": ("ann@also.test", b"right", (235, "ann@house.test")),
    "short name in the default domain": ("ann", b"right", (235, "ann@house.test")),
    "short name that only another domain has": ("eve", b"right", (235, "eve@other.test")),
    "wrong password": ("ann@house.test", b"wrong", (535, "")),
    "empty password": ("ann@house.test", b"", (535, "")),
    "unknown user": ("nobody@house.test", b"right", (535, "")),
    "unknown short name": ("nobody", b"right", (535, "")),
    "unknown domain": ("ann@far.test", b"right", (535, "")),
    "disabled account": ("off@house.test", b"right", (535, "")),
    "account without a password": ("none@house.test", b"", (535, "")),
    "an alias is no login": ("alias@house.test", b"right", (535, "")),
    "a detail is no login": ("ann+x@house.test", b"right", (535, "")),
    "the postmaster by default is no login": ("postmaster@house.test", b"right", (535, "")),
    "no address at all": ("@", b"right", (535, "")),
    "an empty login": ("", b"right", (535, "")),
    "a password of a mebibyte": ("ann@house.test", b"x" * 1_048_576, (535, "")),
    "NUL and 8 bits": ("ann@house.test", b"\x00\xff", (535, "")),
}


@pytest.mark.parametrize("name", LOGINS)
async def test_each_login_gets_its_answer(name: str) -> None:
    """Right is 235 with the account; every way to be wrong is the same 535."""
    login, password, expected = LOGINS[name]
    assert await House().sign_in(login, password) == expected


async def test_a_short_name_that_two_have_needs_its_domain() -> None:
    """Where the default domain does not have the name and two others do, nobody is signed in."""
    house = House()
    house.store.add_domain("third.test")
    house.store.add_account("eve@third.test", password_hash=HASH)
    assert (await house.sign_in("eve"))[0] == 535


async def test_unknown_users_cost_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash is checked for an unknown user too, so that time does not tell who exists."""
    house = House()
    checked: list[str] = []
    original = house.passwords._fits

    def fits(encoded: str, password: bytes) -> bool:
        checked.append(encoded)
        return original(encoded, password)

    monkeypatch.setattr(house.passwords, "_fits", fits)
    for login in ("ann@house.test", "nobody@house.test", "off@house.test", "none@house.test"):
        await house.sign_in(login, b"wrong")
    assert len(checked) == 4


async def test_different_guesses_are_delayed_and_then_banned() -> None:
    """The first failures are free, the next wait longer each time, and at the limit the network is banned."""
    house = House(auth__failure_limit="10")
    codes = [(await house.sign_in("ann@house.test", b"wrong%d" % number))[0] for number in range(12)]
    assert codes == [535] * 10 + [454] * 2
    assert house.delays == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert (await house.sign_in("ann@house.test"))[0] == 454
    assert (await house.sign_in("ann@house.test", client=ClientInfo(address="192.0.2.8")))[0] == 235
    house.clock.advance(1_801)
    assert (await house.sign_in("ann@house.test"))[0] == 235


async def test_an_old_password_repeated_for_weeks_bans_nobody() -> None:
    """The same wrong password counts once, however often a mail program tries it."""
    house = House(auth__failure_limit="3")
    assert {(await house.sign_in("ann@house.test", b"last year"))[0] for _ in range(500)} == {535}
    assert not house.delays
    assert (await house.sign_in("ann@house.test"))[0] == 235


async def test_a_remembered_password_is_not_locked_out() -> None:
    """Who was right within the last minutes signs in although a neighbour behind the same address guesses."""
    house = House(auth__failure_limit="3")
    await house.sign_in("ann@house.test")
    for number in range(5):
        await house.sign_in("eve@other.test", b"wrong%d" % number)
    assert (await house.sign_in("ann@house.test"))[0] == 235
    assert (await house.sign_in("eve@other.test"))[0] == 454


async def test_success_clears_the_count() -> None:
    """A right password forgives what was tried for its account before."""
    house = House(auth__failure_limit="5")
    for number in range(4):
        await house.sign_in("ann@house.test", b"wrong%d" % number)
    await house.sign_in("ann@house.test")
    for number in range(4):
        assert (await house.sign_in("eve@other.test", b"wrong%d" % number))[0] == 535


async def test_a_changed_password_is_forgotten_at_once() -> None:
    """What is remembered is bound to the hash: after a change the old password fails."""
    house = House()
    await house.sign_in("ann@house.test")
    house.store.add_account("ann@house.test", password_hash=CHEAP.hash(b"new"))
    assert (await house.sign_in("ann@house.test"))[0] == 535
    assert (await house.sign_in("ann@house.test", b"new"))[0] == 235


async def test_a_hash_of_old_cost_is_renewed() -> None:
    """A right password against a hash of another cost writes a new one."""
    house = House()
    old = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(b"right")
    house.store.add_account("ann@house.test", password_hash=old)
    assert (await house.sign_in("ann@house.test"))[0] == 235
    ((change,),) = house.store.commits
    assert CHEAP.verify(change.password_hash, b"right")
    assert not CHEAP.check_needs_rehash(change.password_hash)


async def test_passwords_are_remembered_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second sign-in checks no hash; after the time it does."""
    house = House()
    await house.sign_in("ann@house.test")
    monkeypatch.setattr(house.passwords, "_fits", lambda *_: False)
    assert (await house.sign_in("ann@house.test"))[0] == 235
    house.clock.advance(301)
    assert (await house.sign_in("ann@house.test"))[0] == 535
