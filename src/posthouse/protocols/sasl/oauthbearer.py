r"""SASL OAUTHBEARER (RFC 7628): a bearer token of an OAuth 2.0 or OpenID provider.

    n,a=user@example.com,^Ahost=server.example.com^Aport=143^Aauth=Bearer vF9dft4qmT...^A^A

``^A`` is the octet 1. The name behind ``a=`` may be missing: the token tells whose it is. A refusal is told in JSON as
a challenge; the client answers with one octet, and only then the exchange fails (§3.2.3). Host and port are not
compared: a server has many names. Tests: ``tests/unit/protocols/sasl/test_oauth.py``.
"""

from __future__ import annotations

import re

from posthouse.protocols.sasl.mechanism import Challenge, CredentialsOffered, Malformed, Step

NAME = "OAUTHBEARER"
_SEPARATOR = "\x01"
# gs2-header = gs2-cb-flag "," [ "a=" saslname ] "," (RFC 5801 §4); no channel binding is offered.
_HEADER = re.compile(r"[ny],(?:a=([^,\0\x01]*))?,")
# kvpair = key "=" value kvsep (RFC 7628 §3.1)
_PAIR = re.compile(r"([A-Za-z]+)=([\t\n\r -~]*)")
# b64token of RFC 6750 §2.1; the scheme's name has no case (RFC 9110 §11.1)
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*) *")
_ESCAPES = re.compile(r"=(2C|3D)")


class OAuthBearerServer:
    """Server side."""

    refusal = b'{"status":"invalid_token"}'

    def start(self) -> Step:
        """Ask for the message with an empty challenge (RFC 7628 §4)."""
        return Challenge(b"")

    def receive(self, response: bytes) -> Step:
        """Read ``gs2-header kvsep *kvpair kvsep``; ``auth`` must be there, other keys are passed over."""
        try:
            text = response.decode("utf-8")
        except UnicodeDecodeError:
            return Malformed("not UTF-8")
        header = _HEADER.match(text)
        if header is None:
            return Malformed("no gs2-header without channel binding")
        name = _unescaped(header[1] or "")
        token = _token_of(text[header.end() :])
        if name is None or not token:
            return Malformed("no bearer token, or a name that is none")
        return CredentialsOffered(mechanism=NAME, authzid="", login=name, password=token, is_token=True)


class OAuthBearerClient:
    """Client side."""

    name = NAME

    def __init__(self, login: str, token: str) -> None:
        name = login.replace("=", "=3D").replace(",", "=2C")
        self._message = f"n,{'a=' + name if name else ''},\x01auth=Bearer {token}\x01\x01".encode()

    def initial_response(self) -> bytes | None:
        """Return the whole message."""
        return self._message

    def respond(self, challenge: bytes) -> bytes | None:
        """Answer the empty challenge with the message, and the JSON of a refusal with one octet (RFC 7628 §3.2.3)."""
        return b"\x01" if challenge else self._message


def bearer_of(value: str) -> str:
    """Return the token of ``Bearer TOKEN``; "" where it is nothing of the kind."""
    match = _BEARER.fullmatch(value)
    return match[1] if match is not None else ""


def _token_of(text: str) -> str:
    """Return the token of ``kvsep *kvpair kvsep``; "" where there is none, or the text is not of that form."""
    if len(text) < 2 or not text.startswith(_SEPARATOR) or not text.endswith(_SEPARATOR * 2):
        return ""
    pairs = [_PAIR.fullmatch(each) for each in text[1:-2].split(_SEPARATOR)]
    found = [pair[2] for pair in pairs if pair is not None and pair[1].lower() == "auth"]
    return bearer_of(found[0]) if len(found) == 1 and all(pairs) else ""


def _unescaped(name: str) -> str | None:
    """Return a saslname without its escapes (RFC 5801 §4); None where a ``=`` begins none."""
    if "=" in _ESCAPES.sub("", name):
        return None
    return _ESCAPES.sub(lambda match: "," if match[1] == "2C" else "=", name)
