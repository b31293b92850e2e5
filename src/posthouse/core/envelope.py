"""The envelope of a mail transaction: reverse-path, forward-paths and their parameters (RFC 5321 §2.3.1, RFC 3461).

A reverse-path is ``Address | None``; ``None`` is the null path ``<>``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from posthouse.core.address import Address


class BodyType(enum.Enum):
    """BODY= of MAIL (RFC 6152 §3, RFC 3030 §3)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT = "8BITMIME"
    BINARY = "BINARYMIME"


class Notify(enum.Flag):
    """NOTIFY= of RCPT (RFC 3461 §4.1). No parameter given is ``DEFAULT``: failure, and delay as we see fit."""

    NEVER = 0
    SUCCESS = 1
    FAILURE = 2
    DELAY = 4
    DEFAULT = FAILURE | DELAY


class Ret(enum.Enum):
    """RET= of MAIL: how much of the message a DSN returns (RFC 3461 §4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailParameters:
    """What MAIL said beside the reverse-path.

    Attributes:
        size: octets announced by SIZE= (RFC 1870), or None.
        auth: AUTH= as given (RFC 4954 §5), decoded; trusted only from authenticated peers.
        envid: ENVID= decoded from xtext (RFC 3461 §4.4).
    """

    size: int | None = None
    body: BodyType = BodyType.SEVEN_BIT
    smtputf8: bool = False
    ret: Ret | None = None
    envid: str | None = None
    auth: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RcptParameters:
    """What RCPT said beside the forward-path; ``orcpt`` is ``addr-type;address`` decoded (RFC 3461 §4.2)."""

    notify: Notify | None = None
    orcpt: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """One accepted forward-path with its parameters."""

    address: Address
    parameters: RcptParameters = field(default_factory=RcptParameters)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A whole envelope, as it is handed on when the mail data ends."""

    reverse_path: Address | None
    recipients: tuple[Recipient, ...]
    parameters: MailParameters = field(default_factory=MailParameters)
