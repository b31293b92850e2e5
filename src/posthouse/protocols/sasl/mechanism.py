"""SASL: the contract between a mechanism and the protocols that carry it (RFC 4422).

A mechanism is a small machine over decoded octets: no base64, no line ends, no directory. What carries it
(``exchange``) does the encoding, the cancel and the limits, alike for SMTP, IMAP and POP3. A mechanism never decides
whether credentials are right: it hands them on, and the protocol asks a service.
Tests: ``tests/unit/protocols/sasl``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsOffered:
    """What the peer claims to be, to be verified by a service.

    Attributes:
        mechanism: name as registered, such as ``PLAIN``.
        authzid: identity to act as, "" where none was asked for (RFC 4616 §2).
        login: identity to authenticate as.
        password: never logged, never in a repr.
        is_token: whether ``password`` is a bearer token; ``login`` may be "" then.
    """

    mechanism: str
    authzid: str
    login: str
    password: str = field(repr=False)
    is_token: bool = False


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server's next words, not yet encoded."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The peer sent ``*`` (RFC 4422 §3.5)."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """What the peer sent is no response of this mechanism, or not base64, or too long; ``detail`` is for the log."""

    detail: str


Step: TypeAlias = Challenge | CredentialsOffered | Cancelled | Malformed


class ServerMechanism(Protocol):
    """The server's side of one exchange; used once.

    Attributes:
        refusal: what is said as a last challenge before credentials are refused; b"" for nothing. The client's
            response to it means nothing.
    """

    refusal: bytes

    def start(self) -> Step:
        """Return the first step where the client gave no initial response."""
        ...

    def receive(self, response: bytes) -> Step:
        """Return the step that follows a response (or the initial response). Any octets give a step."""
        ...


class ClientMechanism(Protocol):
    """The client's side of one exchange; used once."""

    name: str

    def initial_response(self) -> bytes | None:
        """Return the response that may go with the AUTH command, or None where the server speaks first."""
        ...

    def respond(self, challenge: bytes) -> bytes | None:
        """Return the response to a challenge, or None to cancel."""
        ...
