"""SMTP and LMTP: configuration and events of a server session, as plain values.

Role: the vocabulary between ``session`` (bytes to events) and the doors (``servers/smtp``). RFC 5321, RFC 2033,
RFC 4954, RFC 3030, RFC 3461.

How a door uses a session::

    session.greet()                              # or session.refuse(outcome)
    session.receive_data(data)                   # for what arrives
    while (event := session.next_event()) is not None:
        ...                                      # answer it, at once or later; None: bytes or an answer are awaited
    transport.write(session.data_to_send())

Events come in two kinds. *Requests* pause the session until they are answered; *notices* need no answer, the reply
(if there is one) is already in ``data_to_send()``.

    request             answered by
    MailRequested       answer(outcome)
    RcptRequested       answer(outcome)
    DataRequested       answer(outcome): a refusal before 354 (or before a BDAT chunk is accepted)
    DataEnded           answer(outcome); answer_recipients(outcomes) where config.is_lmtp
    CredentialsOffered  answer_auth(outcome)
    StartTlsRequested   send data_to_send() in the clear, do the handshake, then tls_started()

Nothing here acts. Tests: ``tests/unit/protocols/smtp``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TypeAlias

from posthouse.core import limits
from posthouse.core.address import Address
from posthouse.core.envelope import MailParameters, RcptParameters
from posthouse.core.outcome import Outcome
from posthouse.protocols.sasl.mechanism import CredentialsOffered

# <Postmaster> without a domain, which every server accepts (RFC 5321 §4.1.1.3); the service gives it a domain.
BARE_POSTMASTER = Address("postmaster", "")


class ServiceClass(enum.Enum):
    """What a listener is for: exchange between hosts, submission (RFC 6409), local delivery (RFC 2033)."""

    MX = "mx"
    SUBMISSION = "submission"
    LMTP = "lmtp"


class Extension(enum.Enum):
    """Extension keywords of EHLO that can be switched, by the value they have on the wire."""

    PIPELINING = "PIPELINING"  # RFC 2920
    SIZE = "SIZE"  # RFC 1870
    EIGHT_BIT_MIME = "8BITMIME"  # RFC 6152
    SMTPUTF8 = "SMTPUTF8"  # RFC 6531
    ENHANCED_STATUS_CODES = "ENHANCEDSTATUSCODES"  # RFC 2034
    CHUNKING = "CHUNKING"  # RFC 3030
    STARTTLS = "STARTTLS"  # RFC 3207
    AUTH = "AUTH"  # RFC 4954
    DSN = "DSN"  # RFC 3461


class BareNewline(enum.Enum):
    """What mail data with CR or LF outside of CRLF gets; it never ends the data (RFC 5321 §2.3.8)."""

    REFUSE = "refuse"
    REPAIR = "repair"


class Quirk(enum.Enum):
    """Departures from the grammar that are tolerated by name."""

    # "MAIL FROM: <a@b>": old Outlook and many scripts; Postfix takes it by default.
    SPACE_AFTER_COLON = "space-after-colon"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """What a listener decides for its sessions; made once and shared.

    Attributes:
        hostname: our name, in the greeting and in the answer to EHLO.
        service_class: decides between SMTP and LMTP here; services read the rest of its meaning.
        max_size: octets of mail data; 0 is no limit (RFC 1870 §4).
        max_recipients: forward-paths in one transaction, then 452 4.5.3.
        offers_tls: whether STARTTLS can be done; has no effect where TLS is active.
        tls_active: whether the session starts inside TLS (implicit TLS, RFC 8314 §3.3).
        requires_tls: whether everything but EHLO, STARTTLS, NOOP and QUIT is refused with 530 before TLS (RFC 3207 §4).
        mechanisms: SASL mechanisms in the order offered; none is no AUTH at all.
        auth_in_clear: whether mechanisms that show the password are offered without TLS.
        extensions: those switched on.
        quirks: tolerated departures.
        bare_newline: see ``BareNewline``.
        banner: words after the host name in the greeting.
        error_limit: refused commands before 421; the count starts again after a message that was taken.
        junk_limit: commands that move no mail before 421.
        command_line: octets of a command line with its CRLF.
        receive_buffer: octets that may wait; at this mark ``is_full`` asks the door to stop reading.
    """

    hostname: str
    service_class: ServiceClass = ServiceClass.MX
    max_size: int = limits.SMTP_MESSAGE_SIZE
    max_recipients: int = limits.SMTP_RECIPIENTS
    offers_tls: bool = False
    tls_active: bool = False
    requires_tls: bool = False
    mechanisms: tuple[str, ...] = ()
    auth_in_clear: bool = False
    extensions: frozenset[Extension] = frozenset(Extension)
    quirks: frozenset[Quirk] = frozenset(Quirk)
    bare_newline: BareNewline = BareNewline.REFUSE
    banner: str = "Posthouse"
    error_limit: int = limits.SMTP_ERRORS
    junk_limit: int = limits.SMTP_JUNK_COMMANDS
    command_line: int = limits.SMTP_COMMAND_LINE
    receive_buffer: int = limits.SMTP_RECEIVE_BUFFER

    @property
    def is_lmtp(self) -> bool:
        """Whether the session speaks LMTP: LHLO, and one reply per recipient after the data (RFC 2033 §4)."""
        return self.service_class is ServiceClass.LMTP

    def mechanisms_offered(self, *, tls_active: bool) -> tuple[str, ...]:
        """Return the mechanisms EHLO lists in this state of the connection (RFC 4954 §4)."""
        if Extension.AUTH not in self.extensions or not (tls_active or self.auth_in_clear):
            return ()
        return self.mechanisms


class AbuseKind(enum.Enum):
    """What a peer did that well-meant clients do not do."""

    EARLY_DATA = "early-data"  # octets behind DATA before 354, or behind a command that must end its group
    EARLY_TALKER = "early-talker"  # octets before the greeting
    BYTES_BEFORE_TLS = "bytes-before-tls"  # octets behind STARTTLS (CVE-2011-0411)
    BARE_NEWLINE = "bare-newline"
    LONG_LINE = "long-line"
    TOO_MANY_ERRORS = "too-many-errors"
    TOO_MUCH_JUNK = "too-much-junk"
    NOT_SMTP = "not-smtp"  # HTTP or TLS spoken into a clear port
    FLOOD = "flood"  # more octets than the buffer holds, in spite of back pressure
    BAD_CHUNK = "bad-chunk"  # a BDAT whose length cannot be read: the stream is out of step


@dataclass(frozen=True, slots=True)
class HelloReceived:
    """Notice: EHLO, HELO or LHLO was answered; a transaction that was open is gone (RFC 5321 §4.1.4)."""

    name: str
    verb: str


@dataclass(frozen=True, slots=True)
class MailRequested:
    """Request: MAIL; ``reverse_path`` None is the null path. Unknown parameters were refused before."""

    reverse_path: Address | None
    parameters: MailParameters


@dataclass(frozen=True, slots=True)
class RcptRequested:
    """Request: RCPT; the address may be ``BARE_POSTMASTER``. Granted ones count for DATA and for LMTP replies."""

    address: Address
    parameters: RcptParameters


@dataclass(frozen=True, slots=True)
class DataRequested:
    """Request: DATA or the first BDAT, with at least one recipient granted; the content follows once it is granted."""

    is_chunked: bool


@dataclass(frozen=True, slots=True)
class DataChunk:
    """Notice: a piece of the mail data, dots removed. All pieces joined are the message as it is to be stored."""

    data: bytes


@dataclass(frozen=True, slots=True)
class DataEnded:
    """Request: all of the mail data was given; ``size`` is its octets. The answer is for the message."""

    size: int


@dataclass(frozen=True, slots=True)
class DataRefused:
    """Notice: the data ended and was refused here (too large, bare newline, broken chunk); drop what was given.

    The transaction is over and the reply is in ``data_to_send()``.
    """

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TransactionReset:
    """Notice: RSET, a new EHLO, or a refusal ended the transaction before its data did; drop what is held for it."""


@dataclass(frozen=True, slots=True)
class StartTlsRequested:
    """Request: send what is to be sent in the clear, discard what arrives until then, do the handshake."""


@dataclass(frozen=True, slots=True)
class ProtocolAbuse:
    """Notice: see ``AbuseKind``. Where it ends the session, ConnectionEnding follows."""

    kind: AbuseKind


@dataclass(frozen=True, slots=True)
class ConnectionEnding:
    """Notice, the last one: send what is to be sent, then close. ``is_quit`` tells the peer's QUIT from our 421."""

    is_quit: bool


Event: TypeAlias = (
    HelloReceived
    | MailRequested
    | RcptRequested
    | DataRequested
    | DataChunk
    | DataEnded
    | DataRefused
    | TransactionReset
    | CredentialsOffered
    | StartTlsRequested
    | ProtocolAbuse
    | ConnectionEnding
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply: code and its lines of text without codes (RFC 5321 §4.2).

    Lines are octets; ``text`` decodes them for people.
    """

    code: int
    lines: tuple[bytes, ...] = field(default=(b"",))

    @property
    def text(self) -> str:
        """All lines as one, decoded leniently: for logs and DSNs, never to decide on."""
        return " ".join(line.decode("utf-8", "replace") for line in self.lines)

    @property
    def is_positive(self) -> bool:
        """Whether the code is 2xx or 3xx."""
        return 200 <= self.code < 400

    @property
    def is_temporary(self) -> bool:
        """Whether the code is 4xx."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """Whether the code is 5xx."""
        return self.code >= 500
