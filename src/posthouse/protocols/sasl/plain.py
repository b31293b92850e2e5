"""SASL PLAIN (RFC 4616): authzid NUL authcid NUL password, in UTF-8. Tests: ``tests/unit/protocols/sasl``."""

from __future__ import annotations

from posthouse.protocols.sasl.mechanism import Challenge, CredentialsOffered, Malformed, Step

NAME = "PLAIN"


class PlainServer:
    """Server side. One message from the client says all."""

    refusal = b""

    def start(self) -> Step:
        """Ask for the message with an empty challenge (RFC 4954 §4)."""
        return Challenge(b"")

    def receive(self, response: bytes) -> Step:
        """Read ``message = [authzid] NUL authcid NUL passwd`` (RFC 4616 §2); authcid and passwd are not empty."""
        try:
            authzid, login, password = response.decode("utf-8").split("\0")
        except ValueError:  # UnicodeDecodeError is one as well
            return Malformed("not three parts in UTF-8")
        if not login or not password:
            return Malformed("empty identity or password")
        return CredentialsOffered(mechanism=NAME, authzid=authzid, login=login, password=password)


class PlainClient:
    """Client side."""

    name = NAME

    def __init__(self, login: str, password: str, authzid: str = "") -> None:
        if "\0" in login + password + authzid:
            raise ValueError("PLAIN cannot carry NUL (RFC 4616 §2)")
        self._message = f"{authzid}\0{login}\0{password}".encode()

    def initial_response(self) -> bytes | None:
        """Return the whole message."""
        return self._message

    def respond(self, challenge: bytes) -> bytes | None:
        """Answer the empty challenge with the message; anything else is no PLAIN."""
        return None if challenge else self._message
