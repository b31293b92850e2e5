"""OAUTHBEARER and XOAUTH2: any octets are a step, and what a client says the server reads."""

from hypothesis import given
from hypothesis import strategies as st

from posthouse.protocols.sasl.mechanism import CredentialsOffered, Malformed
from posthouse.protocols.sasl.oauthbearer import OAuthBearerClient, OAuthBearerServer
from posthouse.protocols.sasl.xoauth2 import XOAuth2Client, XOAuth2Server

LOGINS = st.text(st.characters(blacklist_characters="\0\1", blacklist_categories=("Cs",)), max_size=40)
TOKENS = st.from_regex(r"[A-Za-z0-9._~+/-]{1,40}={0,2}", fullmatch=True)
PIECES = st.sampled_from(
    [b"n,", b"a=", b"x", b",", b"\1", b"auth=", b"Bearer ", b"tok", b"user=", b"=2C", b"\xff", b"\0"]
)


@given(st.binary(max_size=200) | st.lists(PIECES, max_size=14).map(b"".join))
def test_any_octets_are_a_step(octets) -> None:
    """Credentials with a token, or malformed; never another exception."""
    for server in (OAuthBearerServer(), XOAuth2Server()):
        step = server.receive(octets)
        assert isinstance(step, Malformed) or (isinstance(step, CredentialsOffered) and step.is_token and step.password)


@given(LOGINS, TOKENS)
def test_client_and_server_agree(login, token) -> None:
    """Commas and equals signs in names are escaped and read back."""
    for client, server in ((OAuthBearerClient, OAuthBearerServer), (XOAuth2Client, XOAuth2Server)):
        step = server().receive(client(login, token).initial_response())
        assert (step.login, step.password) == (login, token)
