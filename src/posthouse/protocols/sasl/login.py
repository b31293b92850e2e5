"""SASL LOGIN: user name and password asked for one after the other (draft-murchison-sasl-login; obsolete, still used).

Outlook and many devices know nothing else. Tests: ``tests/unit/protocols/sasl``.
"""

from __future__ import annotations

from posthouse.protocols.sasl.mechanism import Challenge, CredentialsOffered, Malformed, Step

NAME = "LOGIN"
# Some clients compare these words; every server in use sends exactly them.
ASK_LOGIN = b"Username:"
ASK_PASSWORD = b"Password:"


class LoginServer:
    """Server side: two questions. An initial response is taken as the user name."""

    refusal = b""

    def __init__(self) -> None:
        self._login: str | None = None

    def start(self) -> Step:
        """Ask for the user name."""
        return Challenge(ASK_LOGIN)

    def receive(self, response: bytes) -> Step:
        """Take the user name first, the password second; neither may be empty."""
        try:
            text = response.decode("utf-8")
        except UnicodeDecodeError:
            return Malformed("not UTF-8")
        if not text or "\0" in text:
            return Malformed("empty identity or password, or NUL")
        if self._login is None:
            self._login = text
            return Challenge(ASK_PASSWORD)
        return CredentialsOffered(mechanism=NAME, authzid="", login=self._login, password=text)


class LoginClient:
    """Client side. The words of the challenges are not compared: servers differ in them."""

    name = NAME

    def __init__(self, login: str, password: str) -> None:
        self._answers = [login.encode(), password.encode()]

    def initial_response(self) -> bytes | None:
        """Return None: the server asks first."""
        return None

    def respond(self, challenge: bytes) -> bytes | None:
        """Return the user name, then the password, then cancel."""
        return self._answers.pop(0) if self._answers else None
