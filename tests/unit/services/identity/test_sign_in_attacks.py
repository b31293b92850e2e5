"""Ways round the rules of signing in that somebody might try, each closed: sources, tokens, codes, bans, names."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import argon2
import pyotp
import pytest

from posthouse.config.settings import Settings
from posthouse.services.identity.app_passwords import app_password_verifier, new_app_password
from posthouse.services.identity.authentication import (
    BANNED,
    DISABLED,
    LOGIN_LENGTH,
    MUST_CHANGE,
    NEEDS_APP_PASSWORD,
    NEEDS_CODE,
    NO_ACCOUNT,
    NOT_NOW,
    NOT_SHARED,
    NOT_THIS_WAY,
    SIGNED_IN,
    WRONG,
    Authenticator,
)
from posthouse.services.identity.client import ClientInfo
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.passwords import Passwords
from posthouse.services.identity.sealing import Sealing
from posthouse.services.identity.second_factor import SecondFactor
from posthouse.services.identity.sources.contract import Down, Granted, SourcePerson, Unknown, Wrong
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    CredentialKind,
    PutBan,
    PutCredential,
    ShareRight,
)
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
RIGHT = CHEAP.hash(b"right")
FAR = ClientInfo(address="203.0.113.9")
HOME = ClientInfo(address="198.51.100.7")
ANNA, BOSS = "anna@acme.test", "boss@rival.test"


class OneSource:
    """Sources with one of others, ``corp``, that says what the test wants."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.answer = Unknown()
        self.asked = 0

    def order(self, domain):
        from posthouse.config.definitions.auth import SOURCES

        return self.settings.get(SOURCES, domain=domain)

    async def ask_password(self, login, password, own):
        self.asked += 1
        return self.answer if "corp" in self.order(login.domain) else await own()

    async def ask_token(self, token, mechanism, domain=""):
        self.asked += 1
        return self.answer if "corp" in self.order(domain) else Unknown()


class House:
    """Two customers: acme.test asks ``corp`` where a setting says so, rival.test asks our own store."""

    def __init__(self, *rows: tuple[str, str, str]) -> None:
        self.clock = FakeClock()
        self.store = MemoryDirectory()
        for name in ("acme.test", "rival.test"):
            self.store.add_domain(name)
        self.anna = self.store.add_account(ANNA, password_hash=RIGHT)
        self.boss = self.store.add_account(BOSS, password_hash=RIGHT)
        self.store.add_account("info@acme.test", kind=AccountKind.SHARED)
        self.settings = Settings([SettingRow(name, scope, value, "", 0.0) for name, scope, value in rows])
        self.sources = OneSource(self.settings)
        self.sealing = Sealing(bytes(32))
        self.secret = pyotp.random_base32()
        self.delays: list[float] = []
        self.passwords = Passwords(self.clock, b"k" * 32, CHEAP)
        self.authenticator = Authenticator(
            Directory(self.store, self.clock, self.settings),
            self.passwords,
            self.store,
            self.settings,
            self.clock,
            sources=self.sources,
            second_factor=SecondFactor(self.store, self.sealing, self.clock),
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.delays.append(seconds)

    def change(self, address: str, **fields) -> None:
        row = self.store._accounts[address]
        self.store._accounts[address] = replace(row, **fields)

    async def plain(self, login=ANNA, password=b"right", client=FAR, protocol="imap", **more):
        return await self.authenticator.verify_plain(login, password, client, protocol=protocol, **more)

    async def token(self, login="", client=FAR, token="t", **more):
        return await self.authenticator.verify_token(token, "XOAUTH2", client, login=login, protocol="imap", **more)

    async def guess(self, count: int, login=ANNA, client=FAR) -> None:
        for number in range(count):
            await self.plain(login, b"wrong %d" % number, client)

    async def add_totp(self) -> None:
        await self.store.commit(
            PutCredential(
                id="t1", account=ANNA, kind=CredentialKind.TOTP, name="phone",
                verifier=self.sealing.seal(self.secret, "totp:t1"), details={"confirmed": True},
            )
        )  # fmt: skip

    async def add_app_password(self, scopes: str = "mail", expires: float = 0.0) -> bytes:
        made = new_app_password().encode()
        await self.store.commit(
            PutCredential(
                id="a1", account=ANNA, kind=CredentialKind.APP_PASSWORD, name="phone",
                verifier=app_password_verifier(self.anna.id, made), scopes=scopes, expires=expires,
            )
        )  # fmt: skip
        return made

    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(int(self.clock.now()))


def told(sign_in):
    """Return the outcome without what is for the log."""
    return replace(sign_in.outcome, detail="")


CORP = ("auth.sources", "domain:acme.test", "corp")


# ---- sources speak for their own domains ----------------------------------------------------------------------


async def test_a_customers_source_cannot_grant_somebody_elses_person() -> None:
    """Acme's directory says that Anna is boss@rival.test: nobody is signed in."""
    house = House(CORP)
    house.sources.answer = Granted(SourcePerson(address=BOSS), "corp")
    assert told(await house.plain()) == NO_ACCOUNT
    assert told(await house.token()) != SIGNED_IN


async def test_a_token_without_a_name_is_for_domains_of_its_source_alone() -> None:
    """The server asks corp by default, rival.test does not."""
    house = House(("auth.sources", "server", "own,corp"), ("auth.sources", "domain:rival.test", "own"))
    house.sources.answer = Granted(SourcePerson(address=BOSS), "corp")
    assert told(await house.token()) == NO_ACCOUNT
    house.sources.answer = Granted(SourcePerson(address=ANNA), "corp")
    assert (await house.token()).account.address == ANNA


async def test_the_name_beside_a_token_must_be_the_tokens() -> None:
    """Anna's token under boss' name, or Anna's under her own."""
    house = House(("auth.sources", "server", "corp"))
    house.sources.answer = Granted(SourcePerson(address=ANNA), "corp")
    assert told(await house.token(BOSS)) == WRONG
    assert (await house.token("Anna@ACME.test")).account.address == ANNA
    assert told(await house.token("nobody@acme.test")) == WRONG


async def test_a_token_is_not_remembered_as_a_password() -> None:
    """It would outlive its end."""
    house = House(("auth.sources", "server", "corp"))
    house.sources.answer = Granted(SourcePerson(address=ANNA), "corp")
    assert told(await house.token(token="secret-token")) == SIGNED_IN
    house.sources.answer = Wrong("ended")
    assert told(await house.plain(password=b"secret-token")) == WRONG
    assert told(await house.token(token="secret-token")) == WRONG


async def test_whom_a_source_shuts_out_is_not_let_in() -> None:
    """Even if it grants the password."""
    house = House(CORP)
    house.sources.answer = Granted(SourcePerson(address=ANNA, is_disabled=True), "corp")
    assert told(await house.plain()) == NO_ACCOUNT


async def test_what_one_source_granted_is_forgotten_when_the_order_changes() -> None:
    """A password that was right for the old directory opens nothing after it was taken away."""
    house = House(CORP)
    house.sources.answer = Granted(SourcePerson(address=ANNA), "corp")
    assert told(await house.plain(password=b"theirs")) == SIGNED_IN
    house.settings.load([SettingRow("auth.sources", "domain:acme.test", "own", "", 0.0)])
    assert told(await house.plain(password=b"theirs")) == WRONG
    assert told(await house.plain()) == SIGNED_IN


async def test_a_source_that_is_down_is_no_wrong_password() -> None:
    """454, and nothing is counted."""
    house = House(CORP)
    house.sources.answer = Down("unreachable", "corp")
    for number in range(50):
        assert told(await house.plain(password=b"%d" % number)) == NOT_NOW
    house.sources.answer = Granted(SourcePerson(address=ANNA), "corp")
    assert told(await house.plain()) == SIGNED_IN


# ---- second factors ---------------------------------------------------------------------------------------------


async def test_a_remembered_password_is_still_not_enough() -> None:
    """The memory of right passwords is no way round a second factor that was switched on since."""
    house = House()
    assert told(await house.plain()) == SIGNED_IN
    await house.add_totp()
    assert told(await house.plain()) == NEEDS_APP_PASSWORD
    assert told(await house.plain(protocol="api")) == NEEDS_CODE
    assert told(await house.plain(protocol="api", code=house.code())) == SIGNED_IN
    assert told(await house.plain(protocol="api", code=house.code())) == NEEDS_CODE


async def test_codes_cannot_be_guessed_with_a_remembered_password() -> None:
    """Wrong codes ban like wrong passwords; the right one comes too late."""
    house = House()
    await house.add_totp()
    await house.plain(protocol="api")
    outcomes = [told(await house.plain(protocol="api", code=f"{number:06d}")) for number in range(40)]
    assert outcomes[0] == NEEDS_CODE
    assert outcomes[-1] == BANNED
    assert told(await house.plain(protocol="api", code=house.code())) == BANNED
    assert max(house.delays) == 8.0


async def test_a_setting_lets_mail_programs_keep_the_password() -> None:
    """And says so: the API asks for the code all the same."""
    house = House(("auth.second_factor_mail", "server", "password"))
    await house.add_totp()
    assert told(await house.plain()) == SIGNED_IN
    assert told(await house.plain(protocol="api")) == NEEDS_CODE


# ---- app passwords ----------------------------------------------------------------------------------------------


async def test_an_app_password_opens_what_its_scopes_say() -> None:
    """Others are refused though it is right; it works beside a second factor."""
    house = House()
    await house.add_totp()
    made = await house.add_app_password("imap smtp")
    signed_in = await house.plain(password=made)
    assert (signed_in.account.address, signed_in.credential) == (ANNA, "a1")
    assert told(await house.plain(password=made, protocol="smtp")) == SIGNED_IN
    assert told(await house.plain(password=made, protocol="pop3")) == NOT_THIS_WAY
    assert told(await house.plain(password=made, protocol="api")) == NOT_THIS_WAY


async def test_an_app_password_ends_and_is_one_accounts() -> None:
    """After its end, and for another name, it is a wrong password."""
    house = House()
    made = await house.add_app_password(expires=house.clock.now() + 60)
    assert told(await house.plain(BOSS, made)) == WRONG
    assert told(await house.plain(password=made)) == SIGNED_IN
    house.clock.advance(60)
    assert told(await house.plain(password=made)) == WRONG


async def test_an_app_password_works_though_the_network_is_banned() -> None:
    """Nobody guesses one, so who has one is no guesser; a person's ban holds for him too."""
    house = House()
    made = await house.add_app_password()
    await house.guess(12)
    assert told(await house.plain()) == BANNED
    assert told(await house.plain(password=made)) == SIGNED_IN
    await house.store.commit(
        PutBan(network=FAR.address, account="", reason="r", since=0.0, until=house.clock.now() + 60, by="root")
    )
    house.clock.advance(1)
    assert told(await house.plain(password=made)) == BANNED


async def test_an_app_password_of_somebody_who_may_not_sign_in() -> None:
    """State, protocols and a forced change hold for it as well."""
    house = House(("auth.protocols", "account:anna@acme.test", "smtp"))
    made = await house.add_app_password()
    assert told(await house.plain(password=made)) == NOT_THIS_WAY
    assert told(await house.plain(password=made, protocol="smtp")) == SIGNED_IN
    house.change(ANNA, state=AccountState.SIGN_IN_DISABLED)
    assert told(await house.plain(password=made, protocol="smtp")) == DISABLED


# ---- bans and names ---------------------------------------------------------------------------------------------


async def test_a_banned_client_learns_nothing_more() -> None:
    """The right password is refused like a wrong one, and nothing is checked."""
    house = House()
    await house.guess(12)
    asked = house.sources.asked
    assert told(await house.plain()) == BANNED
    assert told(await house.plain(password=b"wrong")) == BANNED
    assert house.sources.asked == asked
    assert told(await house.plain("ANNA@acme.TEST")) == BANNED
    assert told(await house.plain(client=HOME)) == SIGNED_IN


async def test_whose_program_signed_in_just_now_is_not_locked_out() -> None:
    """The memory of right passwords lets the owner through where a neighbour guesses."""
    house = House()
    assert told(await house.plain()) == SIGNED_IN
    await house.guess(12)
    assert told(await house.plain()) == SIGNED_IN


NAMES = {
    "too long": "x" * (LOGIN_LENGTH + 1),
    "very long": "x@" * 50_000,
    "empty": "",
    "a NUL": "anna\x00@acme.test",
    "line ends": "anna@acme.test\r\n",
    "a surrogate": "anna\udcff@acme.test",
    "stars": "***",
    "a star and nothing": "*anna@acme.test",
    "an address literal": "anna@[127.0.0.1]",
    "a detail": "anna+x@acme.test",
}


@pytest.mark.parametrize("name", NAMES)
async def test_strange_names_are_wrong(name) -> None:
    """By password and by token; the right password does not matter."""
    house = House()
    for sign_in in (await house.plain(NAMES[name]), await house.token(NAMES[name])):
        assert (sign_in.outcome.code, sign_in.account) == (535, None)


async def test_long_passwords_are_wrong_unread() -> None:
    """No thread is kept busy with a megabyte."""
    house = House()
    assert told(await house.plain(password=b"x" * 1_000_000)) == WRONG
    assert told(await house.plain(password=b"")) == WRONG


async def test_strangers_in_thousands_do_not_keep_the_known_waiting(monkeypatch) -> None:
    """From so many addresses that no ban helps: who was signed in to from there before is checked beside them."""
    house = House()
    assert told(await house.plain(client=HOME)) == SIGNED_IN
    house.passwords._right.clear()
    gate = asyncio.Event()
    real = asyncio.to_thread

    async def to_thread(function, *arguments):
        if b"wrong" in arguments[-1]:
            await gate.wait()
        return await real(function, *arguments)

    monkeypatch.setattr("posthouse.services.identity.passwords.asyncio.to_thread", to_thread)
    strangers = [
        asyncio.create_task(house.plain(password=b"wrong", client=ClientInfo(address=f"10.0.0.{number}")))
        for number in range(20)
    ]
    for _ in range(10):
        await asyncio.sleep(0)
    assert told(await asyncio.wait_for(house.plain(client=HOME), 5)) == SIGNED_IN
    gate.set()
    assert {told(sign_in) for sign_in in await asyncio.gather(*strangers)} == {WRONG}


# ---- shared mailboxes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "authzid"), [("info@acme.test*anna@acme.test", ""), (ANNA, "info@acme.test"), (ANNA, "INFO@acme.test")]
)
async def test_members_act_as_a_shared_mailbox(login, authzid) -> None:
    """By the name or by the authzid; who signed in stays known."""
    house = House()
    house.store.add_share("info@acme.test", ANNA, ShareRight.WRITE)
    sign_in = await house.plain(login, authzid=authzid)
    assert (sign_in.account.address, sign_in.actor.address, sign_in.right) == ("info@acme.test", ANNA, ShareRight.WRITE)


@pytest.mark.parametrize("target", ["info@acme.test", BOSS, "nobody@acme.test", "info@rival.test", "*", "info"])
async def test_nobody_acts_as_whom_he_has_no_right_in(target) -> None:
    """A person, somebody who is not there, a mailbox without a share: the same answer."""
    house = House()
    assert told(await house.plain(ANNA, authzid=target)) == NOT_SHARED
    assert told(await house.plain(f"{target}*{ANNA}")) in {NOT_SHARED, WRONG}


async def test_a_shared_mailbox_is_nobody() -> None:
    """Even with a password hash that somebody put there."""
    house = House()
    house.change("info@acme.test", password_hash=RIGHT)
    assert told(await house.plain("info@acme.test")) == WRONG


async def test_a_token_acts_as_a_shared_mailbox_too() -> None:
    """Where its owner is a member; by OAUTHBEARER's name, which is an authzid."""
    house = House(("auth.sources", "server", "corp"))
    house.sources.answer = Granted(SourcePerson(address=ANNA), "corp")
    assert told(await house.token("info@acme.test")) == NOT_SHARED
    house.store.add_share("info@acme.test", ANNA, ShareRight.READ)
    for login in ("info@acme.test", "info@acme.test*anna@acme.test"):
        sign_in = await house.token(login)
        assert (sign_in.account.address, sign_in.actor.address) == ("info@acme.test", ANNA)


# ---- hashes -----------------------------------------------------------------------------------------------------


async def test_a_renewed_hash_does_not_undo_a_change(monkeypatch) -> None:
    """Somebody sets another password while the old one is being hashed anew: the renewal asks for the old revision."""
    house = House()
    house.change(ANNA, password_hash="{PLAIN}right", revision=7)
    assert told(await house.plain()) == SIGNED_IN
    renewal = house.store.commits[-1][0]
    assert (renewal.address, renewal.if_revision) == (ANNA, 7)


async def test_a_cheap_hash_does_not_tell_that_the_account_is_there(monkeypatch) -> None:
    """A wrong password for an imported hash costs what one for nobody costs."""
    house = House()
    checked: list[str] = []
    real = house.passwords._fits
    monkeypatch.setattr(
        house.passwords, "_fits", lambda encoded, password: checked.append(encoded) or real(encoded, password)
    )
    await house.plain("nobody@acme.test", b"wrong")
    house.change(ANNA, password_hash="{PLAIN}right")
    await house.plain(password=b"wrong")
    assert checked == [house.passwords._dummy, "{PLAIN}right", house.passwords._dummy]


async def test_a_forced_change_keeps_mail_programs_out() -> None:
    """The API lets one in, to change it (and lets no more than that: ``web.rest.signing_in``)."""
    house = House()
    house.change(ANNA, must_change_password=True)
    assert told(await house.plain()) == MUST_CHANGE
    assert told(await house.plain(protocol="api")) == SIGNED_IN
