"""Passkeys: registered and used by a software authenticator; what is forged, late, replayed or of another site."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from posthouse.config.settings import Settings
from posthouse.services.identity.passkeys import Passkeys
from posthouse.services.identity.sealing import Sealing
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import CredentialKind, PutCredential
from posthouse.testing.clock import FakeClock
from posthouse.testing.directory import MemoryDirectory
from tests.support.authenticator import PRESENT, SoftAuthenticator

ANNA = "anna@house.test"


class House:
    """Two accounts and a device of Anna's."""

    def __init__(self, **values: str) -> None:
        self.clock = FakeClock()
        self.store = MemoryDirectory()
        self.anna = self.store.add_account(ANNA)
        self.ben = self.store.add_account("ben@house.test")
        rows = [SettingRow(name.replace("__", "."), "server", value, "", 0.0) for name, value in values.items()]
        self.sealing = Sealing(bytes(32))
        self.passkeys = Passkeys(self.store, self.sealing, self.clock, Settings(rows), "mx.example.test")
        self.device = SoftAuthenticator()

    def register(self, **wrong):
        """Go through both steps; return what is to be kept, or None."""
        options, state = self.passkeys.begin_registration(self.anna, [])
        return self.passkeys.finish_registration(self.anna, state, self.device.create(options, **wrong))

    async def keep(self) -> None:
        """Register, and store the passkey."""
        made = self.register()
        self.clock.advance(1)
        await self.store.commit(
            PutCredential(
                id="k1",
                account=ANNA,
                kind=CredentialKind.PASSKEY,
                name="laptop",
                verifier=made.key,
                details=made.details,
            )
        )

    async def sign_in(self, account=None, **wrong):
        """Go through both steps; return the credential, or None."""
        options, state = await self.passkeys.begin_sign_in(account)
        return await self.passkeys.finish_sign_in(state, self.device.sign(options, **wrong))


@pytest.fixture
def house() -> House:
    """Return a house."""
    return House()


def test_a_passkey_is_registered(house) -> None:
    """What is kept is the public key, the counter and the name it was made for."""
    made = house.register()
    assert made.details["domain"] == "mx.example.test"
    assert made.details["sign_count"] == 0
    options, _ = house.passkeys.begin_registration(house.anna, [])
    assert options["rp"]["id"] == "mx.example.test"
    assert options["attestation"] == "none"
    assert options["user"]["name"] == ANNA


WRONG = {
    "another site": {"domain": "evil.test"},
    "another origin": {"origin": "https://evil.test"},
    "an origin without TLS": {"origin": "http://mx.example.test"},
    "another challenge": {"challenge": "AAAA"},
    "another purpose": {"kind": "webauthn.get"},
    "nobody present": {"flags": 0},
}


@pytest.mark.parametrize("name", WRONG)
def test_registrations_that_are_refused(house, name) -> None:
    """Each is None, and nothing is kept."""
    assert house.register(**WRONG[name]) is None


@pytest.mark.parametrize(
    "response",
    ["", "{", "[]", "{}", '"x"', '{"id":7}', '{"id":"a","rawId":"b","response":{},"type":"x"}', "x" * 50_000],
)
async def test_what_is_no_answer_of_a_browser(house, response) -> None:
    """Any text is refused, for both steps."""
    await house.keep()
    _, state = house.passkeys.begin_registration(house.anna, [])
    assert house.passkeys.finish_registration(house.anna, state, response) is None
    _, state = await house.passkeys.begin_sign_in(None)
    assert await house.passkeys.finish_sign_in(state, response) is None


def test_a_state_serves_its_account_its_purpose_and_its_time(house) -> None:
    """Ben cannot use Anna's, nor one that is old, changed, or of a sign-in."""
    options, state = house.passkeys.begin_registration(house.anna, [])
    answer = house.device.create(options)
    finish = house.passkeys.finish_registration
    assert finish(house.ben, state, answer) is None
    assert finish(house.anna, state[:-4] + "AAAA", answer) is None
    assert finish(house.anna, "", answer) is None
    assert finish(house.anna, "x" * 10_000, answer) is None
    assert finish(house.anna, house.sealing.seal("{}", "totp:1"), answer) is None
    house.clock.advance(301)
    assert finish(house.anna, state, answer) is None


@pytest.mark.parametrize("named", [True, False])
async def test_a_passkey_signs_in(house, named) -> None:
    """With the account named before, or chosen by the device."""
    await house.keep()
    account = house.anna if named else None
    row = await house.sign_in(account)
    assert (row.account, row.id) == (ANNA, "k1")
    house.clock.advance(1)
    assert (await house.sign_in(account)).id == "k1"


@pytest.mark.parametrize("name", sorted(set(WRONG) - {"another purpose"}))
async def test_sign_ins_that_are_refused(house, name) -> None:
    """As for registering."""
    await house.keep()
    assert await house.sign_in(**WRONG[name]) is None
    assert await house.sign_in(kind="webauthn.create") is None


async def test_another_key_and_another_account_are_refused(house) -> None:
    """A forged signature; a challenge that was made for Ben; a key that nobody registered."""
    await house.keep()
    assert await house.sign_in(key=ec.generate_private_key(ec.SECP256R1())) is None
    assert await house.sign_in(house.ben) is None
    house.device = SoftAuthenticator()
    assert await house.sign_in() is None


async def test_an_answer_counts_once(house) -> None:
    """Sent again, it is refused; so is one to a challenge from before the last that was used."""
    await house.keep()
    older, old_state = await house.passkeys.begin_sign_in(None)
    house.clock.advance(1)
    options, state = await house.passkeys.begin_sign_in(None)
    answer = house.device.sign(options)
    assert await house.passkeys.finish_sign_in(state, answer) is not None
    assert await house.passkeys.finish_sign_in(state, answer) is None
    assert await house.passkeys.finish_sign_in(old_state, house.device.sign(older)) is None


async def test_a_counter_that_goes_back_is_a_copied_key(house) -> None:
    """The signature is right and refused nevertheless (Web Authentication §6.1.1)."""
    await house.keep()
    assert await house.sign_in(step=5) is not None
    house.clock.advance(1)
    assert await house.sign_in(step=-1) is None


async def test_devices_without_counter_work(house) -> None:
    """Zero stays zero; challenges still count once."""
    await house.keep()
    for _ in range(2):
        house.clock.advance(1)
        assert await house.sign_in(step=0) is not None


def test_the_site_is_a_setting() -> None:
    """Another name and several addresses may be said."""
    house = House(
        auth__passkey_domain="example.test",
        auth__passkey_origins="https://mail.example.test,https://admin.example.test",
    )
    house.device.origin = "https://admin.example.test"
    assert house.register(flags=PRESENT).details["domain"] == "example.test"
    assert json.loads(house.device.create(house.passkeys.begin_registration(house.anna, [])[0]))["type"] == "public-key"
    house.device.origin = "https://mx.example.test"
    assert house.register() is None
