"""States of a session, what it is configured with, and the words of tagged answers (RFC 3501 §3, §7.1)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from posthouse.core import limits


class State(enum.Flag):
    """The states of RFC 3501 §3, as bits, so that a command's allowed states are one mask."""

    NOT_AUTHENTICATED = 1
    AUTHENTICATED = 2
    SELECTED = 4
    LOGOUT = 8
    SIGNED_IN = AUTHENTICATED | SELECTED
    ANY = NOT_AUTHENTICATED | AUTHENTICATED | SELECTED


class Condition(enum.Enum):
    """The first word of a tagged answer (RFC 3501 §7.1)."""

    OK = b"OK"
    NO = b"NO"
    BAD = b"BAD"


OK = Condition.OK
NO = Condition.NO
BAD = Condition.BAD


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """What the driver decides once for a connection.

    Attributes:
        greeting: text of the greeting, without response code.
        tls_available: whether STARTTLS may be offered.
        tls_active: whether the connection is under TLS from its start.
        plaintext_allowed: whether passwords are taken without TLS (same machine, or the listener says so).
        mechanisms: SASL mechanisms offered, keys of ``sasl.exchange.KNOWN_MECHANISMS``.
        append_limit: most octets of one message.
        server_id: what ID answers, pairs of text.
    """

    greeting: str = "Posthouse ready"
    tls_available: bool = False
    tls_active: bool = False
    plaintext_allowed: bool = False
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    append_limit: int = limits.SMTP_MESSAGE_SIZE
    server_id: tuple[tuple[str, str], ...] = (("name", "Posthouse"),)
