"""OIDC as a sign-in source, against a provider with description, keys that change, introspection and password grant."""

from __future__ import annotations

import time

import pytest
from aiohttp import web
from joserfc.jwk import ECKey, OctKey

from posthouse.services.identity.sources.contract import Down, Granted, Unknown, Wrong, login_of
from posthouse.services.identity.sources.kinds import Parts, make_source
from posthouse.testing.clock import FakeClock
from tests.support.oidc import CLIENT, PASSWORD, SECRET, OidcProvider

pytestmark = pytest.mark.interop


class House:
    """A provider and a source that trusts it, with a clock of the test's."""

    def __init__(self, provider: OidcProvider, **fields: str) -> None:
        self.clock = FakeClock(time.time())
        config = {"issuer": provider.issuer, "client_id": CLIENT, "timeout": "2s"} | fields
        parts = Parts(clock=self.clock, verify_hash=lambda encoded, password: False)
        self.source = make_source("oidc", "id", config, {"client_secret": SECRET}, parts)

    async def ask(self, token: str):
        """Return what the source says of a token."""
        return await self.source.check_token(token, "OAUTHBEARER")


@pytest.fixture
async def provider():
    """Return a provider that runs."""
    async with OidcProvider() as running:
        yield running


@pytest.fixture
async def house(provider):
    """Return a house that checks signed tokens."""
    made = House(provider)
    yield made
    await made.source.close()


@pytest.mark.parametrize("kind", ["EC", "RSA"])
async def test_a_signed_token_is_granted_with_its_claims(provider, house, kind) -> None:
    """The claims make the person; description and keys are fetched once for many tokens."""
    provider.rotate("k", kind)
    for _ in range(3):
        answer = await house.ask(provider.token())
        assert isinstance(answer, Granted), answer
    person = answer.person
    assert (person.address, person.display_name, person.groups) == ("anna@example.test", "Anna Älv", ("staff",))
    assert person.external_id == "u-1"
    assert provider.requests == ["/.well-known/openid-configuration", "/keys"]


NOW = time.time()
JUST_OVER = "five seconds ago"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param({"exp": NOW - 3600}, Wrong, id="expired"),
        pytest.param({"exp": None}, Wrong, id="never expires"),
        pytest.param({"exp": "soon"}, Wrong, id="a time that is none"),
        pytest.param({"exp": True}, Wrong, id="a time that is a truth"),
        pytest.param({"nbf": NOW + 3600}, Wrong, id="not valid yet"),
        pytest.param({"iat": NOW + 3600}, Wrong, id="made in the future"),
        pytest.param({"exp": JUST_OVER}, Granted, id="expired within the leeway"),
        pytest.param({"aud": "another client"}, Wrong, id="for somebody else"),
        pytest.param({"aud": None}, Wrong, id="for nobody"),
        pytest.param({"aud": ["another", CLIENT]}, Granted, id="for us among others"),
        pytest.param({"aud": [7, {}]}, Wrong, id="for what is no name"),
        pytest.param({"iss": "https://elsewhere.example"}, Unknown, id="of another issuer"),
        pytest.param({"iss": None}, Unknown, id="of no issuer"),
        pytest.param({"email": None}, Wrong, id="no address"),
        pytest.param({"email": ["anna@example.test"]}, Wrong, id="an address of another type"),
        pytest.param({"email_verified": False}, Wrong, id="an address that is not confirmed"),
    ],
)
async def test_claims_decide(provider, house, claims, expected) -> None:
    """From whom, for whom, when, and whose address."""
    made = {name: time.time() - 5 if value == JUST_OVER else value for name, value in claims.items()}
    assert isinstance(await house.ask(provider.token(**made)), expected)


async def test_only_the_providers_private_keys_sign(provider, house) -> None:
    """No signature, a shared key (even one that is listed), a key under a listed name, and a changed token are wrong."""
    good = provider.token()
    head, body, signature = good.split(".")
    stranger = ECKey.generate_key("P-256", {"kid": "first"})
    shared = OctKey.import_key("a shared secret that is listed by mistake", {"kid": "shared"})
    forged = {
        "another key of the same name": provider.token(key=stranger),
        "a shared key": provider.token(key=shared, header={"alg": "HS256", "kid": "shared"}),
        "no signature": f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.",
        "a changed body": f"{head}.{body[:-4]}AAAA.{signature}",
        "a cut signature": f"{head}.{body}.{signature[:-6]}",
    }
    assert isinstance(await house.ask(good), Granted)
    for name, token in forged.items():
        assert not isinstance(await house.ask(token), Granted | Down), name
    for token in ("", "a.b.c", "...", "x" * 20_000, "ü.ü.ü", "a b"):
        assert not isinstance(await house.ask(token), Granted | Down), token[:10]


async def test_keys_that_change_are_found_and_guessers_do_not_make_us_ask(provider, house) -> None:
    """A new key is fetched when it is first seen, but not more often than every half minute."""
    assert isinstance(await house.ask(provider.token()), Granted)
    old = provider.token()
    provider.rotate("second")
    assert isinstance(await house.ask(provider.token()), Wrong)  # a moment after the last fetch
    house.clock.advance(31)
    assert isinstance(await house.ask(provider.token()), Granted)
    assert isinstance(await house.ask(old), Wrong)
    asked = len(provider.requests)
    for number in range(20):
        assert isinstance(await house.ask(provider.token(header={"kid": f"made up {number}"})), Wrong)
    house.clock.advance(31)
    for number in range(20):
        await house.ask(provider.token(header={"kid": f"made up {number}"}))
    assert provider.requests[asked:] == ["/keys"]


async def test_a_provider_that_is_away(provider, house) -> None:
    """Before its keys are known it is Down; afterwards the keys we have serve, for a day."""
    token = provider.token(exp=int(time.time()) + 400_000)
    provider.answers["/keys"] = web.Response(status=500)
    assert isinstance(await house.ask(token), Down)
    del provider.answers["/keys"]
    house.clock.advance(31)
    assert isinstance(await house.ask(token), Granted)
    await provider.stop()
    house.clock.advance(7_200)
    assert isinstance(await house.ask(token), Granted)
    house.clock.advance(100_000)
    assert isinstance(await house.ask(token), Down)
    assert not (await house.source.test()).is_good


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"body": b"no JSON", "status": 200}, id="no JSON"),
        pytest.param({"body": b"[]", "status": 200}, id="no object"),
        pytest.param({"body": b"[" * 100_000, "status": 200}, id="brackets without end"),
        pytest.param({"body": b'{"issuer": "https://elsewhere.example"}', "status": 200}, id="of another issuer"),
        pytest.param({"body": b"x" * 2_000_000, "status": 200}, id="too large"),
        pytest.param({"status": 302, "headers": {"Location": "http://localhost:9/x"}}, id="redirected elsewhere"),
        pytest.param(
            {"status": 302, "headers": {"Location": "/.well-known/openid-configuration"}}, id="redirected in a circle"
        ),
    ],
)
async def test_a_description_that_cannot_be_used_is_down(provider, house, answer) -> None:
    """Whatever a provider answers, nobody is granted and nothing is raised."""
    provider.answers["/.well-known/openid-configuration"] = web.Response(**answer)
    assert isinstance(await house.ask(provider.token()), Down)


@pytest.mark.parametrize("client_auth", ["basic", "post"])
async def test_the_provider_is_asked_about_opaque_tokens(provider, client_auth) -> None:
    """Introspection, with our name and secret in the header or the form (RFC 7662 §2)."""
    house = House(provider, validation="introspection", client_auth=client_auth)
    person = {"active": True, "email": "anna@example.test", "sub": "u-1"}
    provider.opaque = {
        "good": person,
        "for us": person | {"aud": CLIENT, "exp": time.time() + 60, "iss": provider.issuer},
        "expired": person | {"exp": time.time() - 600},
        "for another": person | {"aud": "another"},
        "other issuer": person | {"iss": "https://elsewhere.example"},
        "nameless": {"active": True},
        "truthy": person | {"active": "true"},
    }
    provider.opaque = {name.replace(" ", "-"): value for name, value in provider.opaque.items()}
    found = {name: type(await house.ask(name)) for name in [*provider.opaque, "stranger"]}
    await house.source.close()
    assert found == {
        "good": Granted, "for-us": Granted, "expired": Wrong, "for-another": Wrong, "other-issuer": Wrong,
        "nameless": Wrong, "truthy": Unknown, "stranger": Unknown,
    }  # fmt: skip


async def test_a_refused_introspection_is_down(provider) -> None:
    """That our own secret is refused says nothing about the token."""
    parts = Parts(clock=FakeClock(time.time()), verify_hash=lambda encoded, password: False)
    config = {"issuer": provider.issuer, "client_id": CLIENT, "validation": "introspection"}
    source = make_source("oidc", "id", config, {"client_secret": "another"}, parts)
    assert isinstance(await source.check_token("good", "OAUTHBEARER"), Down)
    await source.close()


async def test_passwords_are_handed_on_only_where_that_is_said(provider, house) -> None:
    """Without the setting a password is never sent; with it the provider decides."""
    login = login_of("anna@example.test")
    assert isinstance(await house.source.check_password(login, PASSWORD.encode()), Unknown)
    assert "/token" not in provider.requests
    granting = House(provider, password_grant="yes")
    assert isinstance(await granting.source.check_password(login, PASSWORD.encode()), Granted)
    assert isinstance(await granting.source.check_password(login, b"wrong"), Wrong)
    assert isinstance(await granting.source.check_password(login, b""), Wrong)
    await granting.source.close()


async def test_a_working_source_says_so(provider, house) -> None:
    """The test of a source that works is good."""
    assert (await house.source.test()).is_good
