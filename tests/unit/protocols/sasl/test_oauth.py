"""OAUTHBEARER and XOAUTH2: messages of the standards, and what is malformed."""

import pytest

from posthouse.protocols.sasl.exchange import ServerExchange, format_challenge
from posthouse.protocols.sasl.mechanism import CredentialsOffered, Malformed
from posthouse.protocols.sasl.oauthbearer import OAuthBearerClient, OAuthBearerServer
from posthouse.protocols.sasl.xoauth2 import XOAuth2Client, XOAuth2Server

TOKEN = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="
EXAMPLE = (
    b"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52"
    b"YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
)
AUTH = b"auth=Bearer " + TOKEN.encode() + b"\x01"


def bearer(login):
    """Return what an OAUTHBEARER message comes to."""
    return CredentialsOffered(mechanism="OAUTHBEARER", authzid="", login=login, password=TOKEN, is_token=True)


def test_the_example_of_the_standard():
    """RFC 7628 §4.1, as it stands there in base64; the token is in no repr."""
    step = ServerExchange("oauthbearer").begin(EXAMPLE)
    assert step == bearer("user@example.com")
    assert TOKEN not in repr(step)


MESSAGES = [
    pytest.param(b"n,,\x01" + AUTH + b"\x01", "", id="no name"),
    pytest.param(b"y,a=a=2Cb=3Dc,\x01" + AUTH + b"\x01", "a,b=c", id="an escaped name"),
    pytest.param(b"n,a=x,\x01host=h\x01" + AUTH + b"port=1\x01\x01", "x", id="other keys"),
    pytest.param(b"n,a=x,\x01auth=bearer  " + TOKEN.encode() + b" \x01\x01", "x", id="scheme and spaces"),
    pytest.param(b"p=tls-unique,a=x,\x01" + AUTH + b"\x01", None, id="channel binding"),
    pytest.param(b"n,a=x=41,\x01" + AUTH + b"\x01", None, id="a wrong escape"),
    pytest.param(b"n,a=x,\x01" + AUTH, None, id="no end"),
    pytest.param(b"n,a=x,\x01" + AUTH + AUTH + b"\x01", None, id="two tokens"),
    pytest.param(b"n,a=x,\x01host=h\x01\x01", None, id="no token"),
    pytest.param(b"n,a=x,\x01auth=Basic eDp5\x01\x01", None, id="no bearer token"),
    pytest.param(b"n,a=x,\x01auth=Bearer a b\x01\x01", None, id="a token with a space"),
    pytest.param(b"n,a=x,\x01auth=Bearer \xc3\xa4\x01\x01", None, id="a token that is not ASCII"),
    pytest.param(b"n,a=x,\x01noequals\x01" + AUTH + b"\x01", None, id="a pair without value"),
    pytest.param(b"n,a=\xff,\x01" + AUTH + b"\x01", None, id="not UTF-8"),
    pytest.param(b"\x01", None, id="the answer to a refusal, too early"),
    pytest.param(b"", None, id="nothing"),
]


@pytest.mark.parametrize(("message", "login"), MESSAGES)
def test_oauthbearer_messages(message, login):
    """The message is read as RFC 7628 §3.1 says, or is malformed."""
    step = OAuthBearerServer().receive(message)
    if login is None:
        assert isinstance(step, Malformed)
    else:
        assert step == bearer(login)


XOAUTH2 = [
    pytest.param(b"user=someuser@example.com\x01" + AUTH + b"\x01", "someuser@example.com", id="Google's example"),
    pytest.param(b"user=\x01" + AUTH + b"\x01", "", id="no name"),
    pytest.param(b"user=x\x01auth=Bearer \x01\x01", None, id="no token"),
    pytest.param(AUTH + b"\x01", None, id="no user"),
    pytest.param(b"user=\xff\x01" + AUTH + b"\x01", None, id="not UTF-8"),
    pytest.param(b"user=x\x01" + AUTH + b"\x01\x01", None, id="more behind it"),
]


@pytest.mark.parametrize(("message", "login"), XOAUTH2)
def test_xoauth2_messages(message, login):
    """The message is read as Google describes it, or is malformed."""
    step = XOAuth2Server().receive(message)
    if login is None:
        assert isinstance(step, Malformed)
    else:
        assert (step.login, step.password, step.is_token) == (login, TOKEN, True)


@pytest.mark.parametrize(("client", "name"), [(OAuthBearerClient, "OAUTHBEARER"), (XOAuth2Client, "XOAUTH2")])
def test_client_meets_server(client, name):
    """What our client says our server reads; a refusal is answered."""
    from posthouse.protocols.sasl.exchange import encode_base64

    made = client("a,b=c@example.com", TOKEN)
    exchange = ServerExchange(name)
    assert format_challenge(exchange.begin(None)) == b""
    step = exchange.receive(encode_base64(made.respond(b"")))
    assert (step.login, step.password) == ("a,b=c@example.com", TOKEN)
    assert exchange.refusal.data.startswith(b'{"status"')
    assert made.respond(exchange.refusal.data) in {b"\x01", b""}


def test_passwords_are_refused_without_a_challenge():
    """PLAIN and LOGIN have nothing to say before a refusal."""
    assert ServerExchange("PLAIN").refusal is None
    assert ServerExchange("LOGIN").refusal is None
