"""Who calls: tokens, passwords, connections in the clear, addresses behind proxies."""

from types import SimpleNamespace

import pyotp
import pytest

from posthouse.config.definitions.rest import PASSWORD_SIGN_IN, TRUSTED_PROXIES
from posthouse.services.administration.operations import token
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.passwords import Passwords, hash_password
from posthouse.services.identity.second_factor import SecondFactor
from posthouse.store.directory_values import AccountState, CredentialKind, Level, PutAccount, PutCredential, PutDomain
from posthouse.web.rest.signing_in import client_address
from tests.support.asgi import AsgiClient, basic
from tests.support.desks import do, make_api
from tests.unit.web.rest.test_rest_requests import Row

BASE = "/api/v1"
OWN = f"{BASE}/accounts/ben@acme.test"


@pytest.fixture
async def bearer(desk):
    """Return a function that makes a token of Ben's and its field."""

    async def make(**fields):
        made = await do(desk, token.add, account="ben@acme.test", name="t", **fields)
        return made, f"Bearer {made.token}"

    return make


async def test_a_token_is_its_account(api, bearer) -> None:
    """What the account may, and no more."""
    _, field = await bearer()
    client = api.as_caller(field)
    assert (await client.send("GET", OWN)).status == 200
    assert (await client.send("GET", f"{BASE}/accounts/anna@acme.test")).status == 403


async def test_what_is_revoked_is_refused_at_once(desk, api, bearer) -> None:
    """The next request is 401."""
    made, field = await bearer()
    await do(desk, token.revoke, account="ben@acme.test", id=made.id)
    assert (await api.as_caller(field).send("GET", OWN)).status == 401


async def test_what_has_ended_is_refused(api, bearer, store_clock) -> None:
    """A day's token is good for a day."""
    _, field = await bearer(days=1)
    store_clock.advance(86_399)
    assert (await api.as_caller(field).send("GET", OWN)).status == 200
    store_clock.advance(2)
    assert (await api.as_caller(field).send("GET", OWN)).status == 401


@pytest.mark.parametrize(
    "change",
    [
        PutAccount(address="ben@acme.test", state=AccountState.SIGN_IN_DISABLED, must_be_new=False),
        PutAccount(address="ben@acme.test", state=AccountState.DISABLED, must_be_new=False),
        PutDomain(name="acme.test", disabled=True, must_be_new=False),
    ],
    ids=["sign-in disabled", "account disabled", "domain disabled"],
)
async def test_who_may_not_sign_in_has_no_token(store, api, bearer, change) -> None:
    """A token is as good as its account."""
    _, field = await bearer()
    await store.commit(change)
    assert (await api.as_caller(field).send("GET", OWN)).status == 401


@pytest.mark.parametrize(
    "field",
    ["", "Bearer", "Bearer ", "Bearer nonsense", "Bearer ph_" + "0" * 49, "Digest x", "Basic !!!", "Basic Og==",
     "Bearer " + "x" * 5_000, "Bearer ph_ä"],
)  # fmt: skip
async def test_what_is_no_credential_is_401(api, field) -> None:
    """With the ways that there are."""
    answer = await api.as_caller(field).send("GET", OWN)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="posthouse", Basic')


@pytest.fixture
async def password(store):
    """Give Ben a password."""
    encoded = hash_password(b"correct horse")
    await store.commit(PutAccount(address="ben@acme.test", password_hash=encoded, must_be_new=False))


async def test_a_password_signs_in(api, password) -> None:
    """HTTP Basic, the right one and the wrong one."""
    assert (await api.as_caller(basic("ben@acme.test", "correct horse")).send("GET", OWN)).status == 200
    assert (await api.as_caller(basic("ben@acme.test", "wrong")).send("GET", OWN)).status == 401


async def test_who_must_change_his_password_does_that_and_nothing_else(store, api, password) -> None:
    """Not even an administrator reads or changes anything before; then everything is as it was."""
    await store.commit(
        PutAccount(address="ben@acme.test", must_change_password=True, level=Level.SERVER, must_be_new=False)
    )
    client = api.as_caller(basic("ben@acme.test", "correct horse"))
    for path in (f"{BASE}/domains", f"{BASE}/accounts/anna@acme.test", f"{BASE}/tokens"):
        assert (await client.send("GET", path)).status == 403
    assert (await client.send("POST", f"{BASE}/tokens", {"name": "x"})).status == 403
    given = {"password": "another good one", "current": "correct horse"}
    for wrong in ({"password": "another good one"}, given | {"current": "wrong"}, given | {"password": "x"}):
        assert (await client.send("POST", f"{OWN}/password", wrong)).status in {403, 422}
    assert (await client.send("POST", f"{OWN}/password", given)).status == 200
    # The desk of the tests keeps no real hashes; what matters is that the duty is gone.
    assert (await store.account("ben@acme.test")).must_change_password is False


async def test_a_second_factor_is_asked_for_and_sent_in_a_field(desk, password) -> None:
    """Without it the answer names the field; a code counts once."""
    secret = pyotp.random_base32()
    await desk.store.commit(
        PutCredential(
            id="t1", account="ben@acme.test", kind=CredentialKind.TOTP, name="phone",
            verifier=desk.sealing.seal(secret, "totp:t1"), details={"confirmed": True},
        )
    )  # fmt: skip
    directory = Directory(desk.store, desk.clock, desk.settings, hostname=desk.hostname)
    authenticator = Authenticator(
        directory,
        Passwords(desk.clock, bytes(32)),
        desk.store,
        desk.settings,
        desk.clock,
        second_factor=SecondFactor(desk.store, desk.sealing, desk.clock),
    )
    client = make_api(desk, authenticator=authenticator).as_caller(basic("ben@acme.test", "correct horse"))
    missing = await client.send("GET", OWN)
    assert (missing.status, "one-time-code" in missing.json["detail"]) == (401, True)
    code = pyotp.TOTP(secret).at(int(desk.clock.now()))
    assert (await client.send("GET", OWN, one_time_code=code)).status == 200
    assert (await client.send("GET", OWN, one_time_code=code)).status == 401


async def test_a_setting_takes_passwords_away(desk, api, password) -> None:
    """Then only tokens are offered and taken."""
    desk.settings.load([Row(PASSWORD_SIGN_IN.name, "no")], {})
    answer = await api.as_caller(basic("ben@acme.test", "correct horse")).send("GET", OWN)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="posthouse"')


async def test_guessing_is_stopped(desk) -> None:
    """After many different wrong tokens the network is banned, for passwords too."""
    api = make_api(desk)
    for number in range(40):
        await api.as_caller(f"Bearer wrong-{number}").send("GET", OWN)
    answer = await api.as_caller(basic("ben@acme.test", "anything")).send("GET", OWN)
    assert (answer.status, "retry-after" in answer.headers) == (429, True)


def connection(**fields):
    """Return a connection as the door shows it."""
    known = {"account": "", "peer_host": "192.0.2.9", "is_loopback": False, "is_secure": False, "is_draining": False}
    return SimpleNamespace(**(known | fields))


@pytest.mark.parametrize(
    ("known", "plaintext_auth", "status"),
    [
        ({"is_secure": True}, "never", 200),
        ({}, "loopback", 403),
        ({"is_loopback": True}, "loopback", 200),
        ({"is_loopback": True}, "never", 403),
        ({}, "always", 200),
    ],
)
async def test_credentials_are_not_taken_in_the_clear(api, bearer, known, plaintext_auth, status) -> None:
    """Unless the listener says so."""
    _, field = await bearer()
    door = connection(**known, listener=SimpleNamespace(plaintext_auth=plaintext_auth))
    client = AsgiClient(api.application, field, state={"door": door})
    assert (await client.send("GET", OWN)).status == status


async def test_the_connection_learns_who_signed_in(api, bearer) -> None:
    """For the list of sessions."""
    _, field = await bearer()
    door = connection(is_secure=True)
    await AsgiClient(api.application, field, state={"door": door}).send("GET", OWN)
    assert door.account == "ben@acme.test"


@pytest.mark.parametrize(
    ("peer", "named", "found"),
    [
        ("192.0.2.9", ["198.51.100.1"], "192.0.2.9"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.5, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.5", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_where_the_client_is(desk, peer, named, found) -> None:
    """Only a trusted proxy is believed, and only about its own peer."""
    desk.settings.load([Row(TRUSTED_PROXIES.name, "10.0.0.0/8")], {})
    headers = SimpleNamespace(getlist=lambda _: named)
    request = SimpleNamespace(client=SimpleNamespace(host=peer) if peer else None, headers=headers)
    assert client_address(request, desk.settings) == found


async def test_last_uses_are_noted(desk, api, bearer, store) -> None:
    """When and from where, written later in one go."""
    from posthouse.services.administration.tokens import TokenDesk
    from posthouse.services.identity.sign_in_notes import SignInNotes

    made, field = await bearer()
    notes = SignInNotes(store, desk.clock)
    await TokenDesk(store, desk.clock, notes).caller(field.removeprefix("Bearer "), door="rest", address="192.0.2.7")
    await notes.flush()
    shown = await do(desk, token.show, account="ben@acme.test", id=made.id)
    assert (shown.last_used, shown.last_address) == (desk.clock.now(), "192.0.2.7")
