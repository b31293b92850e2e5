"""Routes."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import route
from tests.support.desks import caller_of, do


async def test_a_route_lives_and_ends(desk):
    """What is not given stays; the password is sealed and never shown."""
    made = await do(
        desk, route.add, domain="Far.test", host="relay.test", port=587, tls="must", login="us", password="s3cret"
    )
    assert (made.domain, made.host, made.port, made.has_password) == ("far.test", "relay.test", 587, True)
    row = (await desk.store.routes())[0]
    assert "s3cret" not in row.sealed_password
    assert desk.sealing.open(row.sealed_password, "route:far.test") == "s3cret"
    after = await do(desk, route.set_, domain="far.test", port=25)
    assert (after.host, after.port, after.tls, after.has_password) == ("relay.test", 25, "must", True)
    assert not (await do(desk, route.set_, domain="far.test", login="")).has_password
    assert "s3cret" not in str(await desk.store.audit())
    await do(desk, route.remove, domain="far.test")
    assert await desk.store.routes() == []


KEYS = {"*": "*", ".Far.test": ".far.test", "bücher.test": "bücher.test", " far.test ": "far.test"}


@pytest.mark.parametrize("text", KEYS)
async def test_keys(text, desk):
    """The smart host, what is below a domain, a domain."""
    assert (await do(desk, route.add, domain=text, host="192.0.2.1")).domain == KEYS[text]
    with pytest.raises(Refused) as caught:
        await do(desk, route.add, domain=text, host="192.0.2.1")
    assert caught.value.kind is Kind.EXISTS


BAD = {
    "an open relay": ({"domain": "*", "host": "a.test", "recipients_local": True}, "recipients_local"),
    "no domain": ({"domain": "..", "host": "a.test"}, "domain"),
    "no host": ({"domain": "a.test", "host": "a b"}, "host"),
    "a password alone": ({"domain": "a.test", "host": "a.test", "password": "x"}, "login"),
    "a password in the clear": (
        {"domain": "a.test", "host": "a.test", "login": "u", "password": "x", "tls": "none"},
        "tls",
    ),
    "a password of two lines": ({"domain": "a.test", "host": "a.test", "login": "u", "password": "x\ny"}, "password"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_routes_are_refused(name, desk):
    """The field is named, and nothing is written."""
    fields, field = BAD[name]
    with pytest.raises(Refused) as caught:
        await do(desk, route.add, **fields)
    assert caught.value.field == field
    assert await desk.store.routes() == []


async def test_routes_take_a_server_administrator(desk):
    """Nobody else sees or makes them."""
    boss = await caller_of(desk.store, "boss@acme.test")
    for operation, fields in ((route.list_, {}), (route.add, {"domain": "a.test", "host": "b.test"})):
        with pytest.raises(Refused) as caught:
            await do(desk, operation, boss, **fields)
        assert caught.value.kind is Kind.FORBIDDEN
