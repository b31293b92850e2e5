"""SASL exchanges as SMTP, IMAP and POP3 carry them: strict base64 lines, ``*`` to cancel, a limit (RFC 4422 §3.5).

Invariants: any octets give a ``Step``; a line over ``limits.SMTP_AUTH_LINE`` is malformed before it is decoded.
Does not know the words of the carrying protocol. Tests: ``tests/unit/protocols/sasl``.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from posthouse.core import limits
from posthouse.protocols.sasl import login, oauthbearer, plain, xoauth2
from posthouse.protocols.sasl.mechanism import Cancelled, Challenge, Malformed, ServerMechanism, Step

# One entry per mechanism the server side knows. All of them show the secret to whoever reads the connection.
SERVER_MECHANISMS: dict[str, Callable[[], ServerMechanism]] = {
    plain.NAME: plain.PlainServer,
    login.NAME: login.LoginServer,
}
# Those that take a bearer token instead of a password: offered only where somebody can say whose a token is.
TOKEN_MECHANISMS: dict[str, Callable[[], ServerMechanism]] = {
    oauthbearer.NAME: oauthbearer.OAuthBearerServer,
    xoauth2.NAME: xoauth2.XOAuth2Server,
}
KNOWN_MECHANISMS = SERVER_MECHANISMS | TOKEN_MECHANISMS

# base64 = base64-terminal, padded, nothing else (RFC 4648 §4; RFC 4954 §8)
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def offered_mechanisms(*, tokens: bool) -> tuple[str, ...]:
    """Return the mechanisms that are told to clients, in order."""
    return tuple(KNOWN_MECHANISMS if tokens else SERVER_MECHANISMS)


def decode_base64(line: bytes) -> bytes | None:
    """Decode base64 strictly: no white space, no missing padding. None where it is not."""
    if not _BASE64.fullmatch(line):
        return None
    try:
        return binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error:
        return None


def encode_base64(data: bytes) -> bytes:
    """Encode without line ends."""
    return base64.b64encode(data)


class ServerExchange:
    """The server's side of one AUTH, AUTHENTICATE or POP3 AUTH command.

    Args:
        name: mechanism, any case; must be a key of ``KNOWN_MECHANISMS`` (the protocol refuses others before).
    """

    def __init__(self, name: str) -> None:
        self._mechanism = KNOWN_MECHANISMS[name.upper()]()

    def begin(self, initial: bytes | None) -> Step:
        """Start with the initial response as it stood on the line, or None; ``=`` is an empty one (RFC 4954 §4)."""
        if initial is None:
            return self._mechanism.start()
        if initial == b"=":
            return self._mechanism.receive(b"")
        return self.receive(initial)

    @property
    def refusal(self) -> Challenge | None:
        """What is said before the credentials are refused; one line of the client is awaited then, and passed over."""
        return Challenge(self._mechanism.refusal) if self._mechanism.refusal else None

    def receive(self, line: bytes) -> Step:
        """Take a line of the client, without its CRLF."""
        if line == b"*":
            return Cancelled()
        if len(line) > limits.SMTP_AUTH_LINE:
            return Malformed("response too long")
        response = decode_base64(line)
        if response is None:
            return Malformed("not base64")
        return self._mechanism.receive(response)


def format_challenge(step: Challenge) -> bytes:
    """Return the challenge in base64, to be put behind ``334 `` or ``+ ``."""
    return encode_base64(step.data)
