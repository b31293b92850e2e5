"""SMTP server session (signatures first; see types.py for how a door uses it)."""

from __future__ import annotations

from collections.abc import Sequence

from posthouse.core.envelope import Envelope
from posthouse.core.outcome import Outcome
from posthouse.protocols.smtp.types import Event, SessionConfig


class SmtpSession:
    """The server's side of one connection."""

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.hello_name = ""
        self.is_tls = config.tls_active
        self.is_authenticated = False

    def greet(self) -> None:
        """Queue the 220 greeting."""
        raise NotImplementedError

    def refuse(self, outcome: Outcome) -> None:
        """Queue a refusal (554 or 421) instead of the greeting, and end."""
        raise NotImplementedError

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer."""
        raise NotImplementedError

    def next_event(self) -> Event | None:
        """Return the next event, or None while bytes or an answer are awaited."""
        raise NotImplementedError

    def data_to_send(self) -> bytes:
        """Return and forget the bytes that are to be sent."""
        raise NotImplementedError

    def answer(self, outcome: Outcome) -> None:
        """Answer MailRequested, RcptRequested, DataRequested or DataEnded."""
        raise NotImplementedError

    def answer_recipients(self, outcomes: Sequence[Outcome]) -> None:
        """Answer DataEnded in LMTP: one outcome per granted recipient, in order."""
        raise NotImplementedError

    def answer_auth(self, outcome: Outcome) -> None:
        """Answer CredentialsOffered; a granting outcome becomes 235."""
        raise NotImplementedError

    def tls_started(self) -> None:
        """Say that the handshake is done: the session is as after the greeting."""
        raise NotImplementedError

    def shutdown(self) -> None:
        """Queue 421 4.3.2 and end: the server is stopping."""
        raise NotImplementedError

    def time_out(self) -> None:
        """Queue 421 4.4.2 and end: the peer was silent too long."""
        raise NotImplementedError

    @property
    def envelope(self) -> Envelope:
        """The envelope of the open transaction with its granted recipients."""
        raise NotImplementedError

    @property
    def with_protocol(self) -> str:
        """ESMTP, ESMTPSA, LMTP, UTF8SMTPS ...: the ``with`` word of the Received line (RFC 3848, RFC 6531 §4.3)."""
        raise NotImplementedError

    @property
    def is_full(self) -> bool:
        """Whether the door should stop reading until events are taken."""
        raise NotImplementedError

    @property
    def is_closed(self) -> bool:
        """Whether ConnectionEnding was given or is next."""
        raise NotImplementedError
