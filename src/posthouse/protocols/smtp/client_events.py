"""SMTP and LMTP client: configuration, what is asked of it, and the events it gives (RFC 5321, RFC 2033).

How a driver uses ``client.SmtpClient``::

    client = SmtpClient(ClientConfig(hello_name="mail.example.org"))
    client.receive_data(data)                        # what arrived; receive_eof() at the end of the stream
    while (event := client.next_event()) is not None:
        GreetingReceived                             # notice
        Ready                                        # after each EHLO: start_tls(), authenticate(), begin() or quit()
        TlsAccepted                                  # do the handshake, then tls_started(); Ready follows
        Authenticated                                # begin() or quit()
        Refused                                      # greeting, EHLO, STARTTLS or AUTH; quit(), or go on where it may
        RecipientsAnswered                           # notice
        DataWanted                                   # send_content(piece)..., then end_content()
        TransactionDone                              # one result for each recipient; begin() again or quit()
        ProtocolViolation                            # close; a TransactionDone came before it where one was due
        Closed                                       # the peer has ended the session (421 or end of stream)
    transport.write(client.data_to_send())

Nothing here acts. Tests: ``tests/unit/protocols/smtp/test_smtp_client.py``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from posthouse.core.address import Address
from posthouse.core.envelope import MailParameters, Recipient
from posthouse.protocols.smtp.types import Extension, Reply


class Phase(enum.Enum):
    """What the client waits for; says which timeout is due and where a reply was given."""

    GREETING = "greeting"
    HELLO = "hello"
    TLS = "starttls"
    AUTH = "auth"
    READY = "ready"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    END_OF_DATA = "end-of-data"
    QUIT = "quit"
    CLOSED = "closed"


# Seconds to wait for progress in each phase (RFC 5321 §4.5.3.2); where it says nothing, as for MAIL.
TIMEOUTS: Final[dict[Phase, float]] = {
    Phase.GREETING: 300,
    Phase.HELLO: 300,
    Phase.TLS: 300,
    Phase.AUTH: 300,
    Phase.READY: 300,
    Phase.MAIL: 300,
    Phase.RCPT: 300,
    Phase.DATA: 120,
    Phase.CONTENT: 180,
    Phase.END_OF_DATA: 600,
    Phase.QUIT: 10,
    Phase.CLOSED: 10,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """What the client says of itself; ``may_pipeline`` False is for peers that announce it and get it wrong."""

    hello_name: str
    is_lmtp: bool = False
    may_pipeline: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the peer said to EHLO.

    Attributes:
        name: how the peer calls itself.
        extensions: those we know.
        mechanisms: of AUTH, upper case.
        max_size: of SIZE; None where it was not said or is 0 (RFC 1870 §4).
        is_esmtp: False after HELO.
    """

    name: str = ""
    extensions: frozenset[Extension] = frozenset()
    mechanisms: tuple[str, ...] = ()
    max_size: int | None = None
    is_esmtp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingTransaction:
    """One message for recipients that share a connection.

    ``parameters`` say what is true of the message; what the peer does not offer is left unsaid. Set ``smtputf8`` only
    where the header needs it: without it the peer need not offer SMTPUTF8 for ASCII local parts, and domains go out as
    A-labels.
    """

    reverse_path: Address | None
    recipients: tuple[Recipient, ...]
    parameters: MailParameters = field(default_factory=MailParameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientResult:
    """What became of one recipient.

    Attributes:
        reply: that decided it: to RCPT where that was refused, else to MAIL, DATA or the content.
        phase: where that was.
        is_local: whether the client decided without the peer (lost connection, missing extension, size).
    """

    recipient: Recipient
    reply: Reply
    phase: Phase
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class GreetingReceived:
    """220 was said; EHLO is on its way."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Ready:
    """EHLO (or HELO, LHLO) was answered."""

    capabilities: Capabilities
    is_tls: bool


@dataclass(frozen=True, slots=True)
class TlsAccepted:
    """The peer said 220 to STARTTLS."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The peer said 235."""

    mechanism: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The peer refused at a phase before any transaction; after TLS or AUTH the session is READY still."""

    phase: Phase
    reply: Reply
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class RecipientsAnswered:
    """The replies to RCPT in order; None stands for those that were never asked about."""

    replies: tuple[Reply | None, ...]


@dataclass(frozen=True, slots=True)
class DataWanted:
    """The peer said 354 and at least one recipient was granted."""


@dataclass(frozen=True, slots=True)
class TransactionDone:
    """The transaction is over; results in the order of its recipients."""

    results: tuple[RecipientResult, ...]


@dataclass(frozen=True, slots=True)
class ProtocolViolation:
    """The peer does not speak SMTP here; the connection is of no use. ``detail`` is for the log."""

    detail: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; ``reply`` is the 421 or 221 that ended it, None where the stream just ended."""

    reply: Reply | None


ClientEvent: TypeAlias = (
    GreetingReceived
    | Ready
    | TlsAccepted
    | Authenticated
    | Refused
    | RecipientsAnswered
    | DataWanted
    | TransactionDone
    | ProtocolViolation
    | Closed
)
