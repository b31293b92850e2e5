"""A web service as a sign-in source, against a small one of the tests."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from aiohttp import web

from posthouse.services.identity.sources.contract import Down, Granted, Unknown, Wrong, login_of
from posthouse.services.identity.sources.kinds import Parts, make_source
from posthouse.testing.clock import FakeClock
from tests.support.oidc import PASSWORD, OidcProvider

pytestmark = pytest.mark.interop


@pytest.fixture
async def service():
    """Return a web service that runs."""
    async with OidcProvider() as running:
        yield running


def source_of(service, **fields):
    """Return a source that signs what it posts."""
    config = {"url": f"{service.issuer}/mail-login", "timeout": "1s"} | fields
    parts = Parts(clock=FakeClock(1_700_000_000), verify_hash=lambda encoded, password: False)
    return make_source("http", "portal", config, {"secret": "shared"}, parts)


@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        ("anna@example.test", PASSWORD, Granted),
        ("anna@example.test", "wrong", Wrong),
        ("anna@example.test", "", Wrong),
        ("ben@example.test", PASSWORD, Unknown),
    ],
)
async def test_the_status_is_the_answer(service, name, password, expected) -> None:
    """200 grants, 401 is wrong, 404 does not know the name."""
    source = source_of(service)
    answer = await source.check_password(login_of(name), password.encode())
    await source.close()
    assert isinstance(answer, expected)
    if isinstance(answer, Granted):
        assert answer.person.attributes == {"quota": "1048576"}
        assert answer.person.groups == ("staff",)


async def test_what_is_posted_is_signed(service) -> None:
    """Time and body are signed with the shared secret, which is not sent."""
    source = source_of(service)
    await source.check_password(login_of("anna@example.test"), PASSWORD.encode())
    await source.close()
    headers, body = service.bodies[-1]
    wanted = hmac.new(b"shared", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert headers["X-Posthouse-Signature"] == f"t=1700000000,v1={wanted}"
    assert not any("shared" in value for value in headers.values())


async def test_the_secret_may_be_sent_as_a_token(service) -> None:
    """For services that cannot check a signature."""
    source = source_of(service, sign="bearer")
    await source.check_password(login_of("anna@example.test"), PASSWORD.encode())
    await source.close()
    assert service.bodies[-1][0]["Authorization"] == "Bearer shared"


@pytest.mark.parametrize(
    ("answer", "is_spared"),
    [
        pytest.param({"status": 500}, False, id="one request may have broken it"),
        pytest.param({"status": 503}, True, id="it says it is away"),
        pytest.param({"status": 200, "body": b"<html>"}, True, id="granted without JSON"),
        pytest.param({"status": 200, "body": b'"yes"'}, True, id="granted with no object"),
        pytest.param({"status": 307, "headers": {"Location": "http://127.0.0.1:9/"}}, True, id="redirected"),
        pytest.param({"status": 200, "body": b"{" + b" " * 2_000_000 + b"}"}, True, id="too large"),
    ],
)
async def test_what_is_no_answer_is_down(service, answer, is_spared) -> None:
    """Anything but the four statuses cannot say; a password is never sent on to another place."""
    service.answers["/mail-login"] = web.Response(**answer)
    source = source_of(service)
    found = await source.check_password(login_of("anna@example.test"), PASSWORD.encode())
    await source.close()
    assert isinstance(found, Down)
    assert found.is_spared is is_spared


async def test_a_service_that_is_gone_is_down(service) -> None:
    """No connection is Down, and the test of the source says so."""
    source = source_of(service)
    assert (await source.test()).is_good
    await service.stop()
    assert isinstance(await source.check_password(login_of("anna@example.test"), b"x"), Down)
    assert not (await source.test()).is_good
    await source.close()
