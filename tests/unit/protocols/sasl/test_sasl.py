"""SASL mechanisms and the exchange that carries them."""

import pytest

from posthouse.core import limits
from posthouse.protocols.sasl.exchange import ServerExchange, decode_base64, encode_base64, format_challenge
from posthouse.protocols.sasl.login import LoginClient, LoginServer
from posthouse.protocols.sasl.mechanism import Cancelled, Challenge, CredentialsOffered, Malformed
from posthouse.protocols.sasl.plain import PlainClient, PlainServer

TIM = CredentialsOffered(mechanism="PLAIN", authzid="", login="tim", password="tanstaaftanstaaf")

PLAIN = [
    pytest.param(b"\0tim\0tanstaaftanstaaf", TIM, id="RFC 4616 §4, first example"),
    pytest.param(
        b"Ursel\0Kurt\0xipj3plmq",
        CredentialsOffered(mechanism="PLAIN", authzid="Ursel", login="Kurt", password="xipj3plmq"),
        id="RFC 4616 §4, with authzid",
    ),
    pytest.param(b"\0tim", Malformed("not three parts in UTF-8"), id="two parts"),
    pytest.param(b"\0a\0b\0c", Malformed("not three parts in UTF-8"), id="four parts"),
    pytest.param(b"\0\xff\0b", Malformed("not three parts in UTF-8"), id="not UTF-8"),
    pytest.param(b"\0\0b", Malformed("empty identity or password"), id="no identity"),
    pytest.param(b"\0a\0", Malformed("empty identity or password"), id="no password"),
    pytest.param(b"", Malformed("not three parts in UTF-8"), id="nothing"),
]


@pytest.mark.parametrize(("message", "step"), PLAIN)
def test_plain_message(message, step):
    """The message of PLAIN is read as RFC 4616 §2 says, or is malformed."""
    assert PlainServer().receive(message) == step


BASE64 = [
    pytest.param(b"", b"", id="empty"),
    pytest.param(b"YQ==", b"a", id="padded"),
    pytest.param(b"YQ", None, id="padding missing"),
    pytest.param(b"YQ=", None, id="padding short"),
    pytest.param(b"YQ==YQ==", None, id="padding inside"),
    pytest.param(b"Y Q==", None, id="space"),
    pytest.param(b"YWJj\n", None, id="line end"),
    pytest.param(b"YWJ-", None, id="other alphabet"),
    pytest.param(b"====", None, id="padding only"),
]


@pytest.mark.parametrize(("line", "data"), BASE64)
def test_base64_is_strict(line, data):
    """Only padded base64 of the standard alphabet is decoded."""
    assert decode_base64(line) == data


def test_login_exchange():
    """LOGIN asks for the name, then for the password."""
    exchange = ServerExchange("login")
    assert format_challenge(exchange.begin(None)) == b"VXNlcm5hbWU6"
    assert exchange.receive(b"YQ==") == Challenge(b"Password:")
    step = exchange.receive(b"Yg==")
    assert (step.login, step.password, step.authzid) == ("a", "b", "")


def test_login_refuses_empty_and_binary_answers():
    """An empty name, NUL, or what is not UTF-8 is malformed."""
    for response in (b"", b"a\0b", b"\xff"):
        assert isinstance(LoginServer().receive(response), Malformed)


def test_cancel_limit_and_empty_initial_response():
    """A star cancels, a line over the limit is not decoded, ``=`` is an empty response."""
    assert ServerExchange("PLAIN").receive(b"*") == Cancelled()
    assert ServerExchange("PLAIN").receive(b"A" * (limits.SMTP_AUTH_LINE + 4)) == Malformed("response too long")
    assert isinstance(ServerExchange("PLAIN").begin(b"="), Malformed)
    assert ServerExchange("PLAIN").begin(None) == Challenge(b"")


@pytest.mark.parametrize(("name", "client"), [("PLAIN", PlainClient("ü", "p")), ("LOGIN", LoginClient("ü", "p"))])
def test_client_meets_server(name, client):
    """What the client answers is what the server reads."""
    exchange = ServerExchange(name)
    initial = client.initial_response()
    step = exchange.begin(None if initial is None else encode_base64(initial))
    while isinstance(step, Challenge):
        step = exchange.receive(encode_base64(client.respond(step.data)))
    assert (step.login, step.password) == ("ü", "p")
    assert "p'" not in repr(step)


def test_clients_know_when_to_stop():
    """A challenge that does not belong to the mechanism is answered by a cancel; NUL cannot be sent."""
    assert PlainClient("a", "b").respond(b"what") is None
    assert PlainClient("a", "b").respond(b"") == b"\0a\0b"
    client = LoginClient("a", "b")
    assert [client.respond(b"") for _ in range(3)] == [b"a", b"b", None]
    with pytest.raises(ValueError, match="NUL"):
        PlainClient("a\0", "b")
