r"""SASL XOAUTH2: what Google and Microsoft had before RFC 7628, and what many mail programs still say.

    user=someuser@example.com^Aauth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg^A^A

``^A`` is the octet 1. A refusal is told in JSON as a challenge, which the client answers with an empty response.
Defined by Google's page "OAuth 2.0 Mechanism". Tests: ``tests/unit/protocols/sasl/test_oauth.py``.
"""

from __future__ import annotations

import re

from posthouse.protocols.sasl.mechanism import Challenge, CredentialsOffered, Malformed, Step
from posthouse.protocols.sasl.oauthbearer import bearer_of

NAME = "XOAUTH2"
_MESSAGE = re.compile("user=([^\0\x01]*)\x01auth=([ -~]*)\x01\x01")


class XOAuth2Server:
    """Server side."""

    refusal = b'{"status":"400","schemes":"Bearer"}'

    def start(self) -> Step:
        """Ask for the message with an empty challenge."""
        return Challenge(b"")

    def receive(self, response: bytes) -> Step:
        """Read the name and the token."""
        try:
            match = _MESSAGE.fullmatch(response.decode("utf-8"))
        except UnicodeDecodeError:
            return Malformed("not UTF-8")
        token = bearer_of(match[2]) if match is not None else ""
        if match is None or not token:
            return Malformed("no user and bearer token")
        return CredentialsOffered(mechanism=NAME, authzid="", login=match[1], password=token, is_token=True)


class XOAuth2Client:
    """Client side."""

    name = NAME

    def __init__(self, login: str, token: str) -> None:
        self._message = f"user={login}\x01auth=Bearer {token}\x01\x01".encode()

    def initial_response(self) -> bytes | None:
        """Return the whole message."""
        return self._message

    def respond(self, challenge: bytes) -> bytes | None:
        """Answer the empty challenge with the message, and the JSON of a refusal with nothing."""
        return b"" if challenge else self._message
