"""POP3: configuration, the maildrop, and the events of a session (RFC 1939 §3)."""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass, field
from typing import TypeAlias

from posthouse.protocols.sasl.mechanism import CredentialsOffered


class State(enum.Enum):
    """The states of RFC 1939 §3; ENDED follows QUIT, and whatever else ends a session."""

    AUTHORIZATION = "authorization"
    TRANSACTION = "transaction"
    UPDATE = "update"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfig:
    """What a session is told when its connection begins.

    Attributes:
        hostname: named in the greeting.
        offers_tls: whether STLS may be used (RFC 2595 §4).
        tls_active: whether the connection is in TLS from its first byte.
        auth_in_clear: whether a password may be sent without TLS.
        mechanisms: SASL mechanisms offered, keys of ``sasl.exchange.KNOWN_MECHANISMS``.
    """

    hostname: str
    offers_tls: bool = False
    tls_active: bool = False
    auth_in_clear: bool = False
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")


@dataclass(slots=True)
class Maildrop:
    """The messages as they were at sign-in, and those marked as deleted since; message ``n`` is at index ``n - 1``.

    ``uids`` rise; a unique-id is ``uidvalidity.uid``, which never stands for another message (RFC 1939 §7).
    """

    uidvalidity: int
    uids: array[int]
    sizes: array[int]
    deleted: set[int] = field(default_factory=set)  # indexes
    octets: int = field(init=False)

    def __post_init__(self) -> None:
        if len(self.uids) != len(self.sizes):
            raise ValueError("each message has a UID and a size")
        self.octets = sum(self.sizes)

    @property
    def count(self) -> int:
        """Messages that are not marked as deleted."""
        return len(self.uids) - len(self.deleted)

    @property
    def kept_octets(self) -> int:
        """Octets of the messages that are not marked as deleted."""
        return self.octets - sum(self.sizes[index] for index in self.deleted)


# ---- events: after each but ConnectionEnding the session waits to be answered -----------------------------------


@dataclass(frozen=True, slots=True)
class MessageRequested:
    """RETR, or TOP with ``lines`` (RFC 1939 §5, §7). Answer: ``begin_message`` ... ``end_message``, or ``refuse``."""

    uid: int
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class DeletionsRequested:
    """QUIT with messages to remove (RFC 1939 §6). Answer: ``deletions_done``. ``uids`` rise."""

    uids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StartTlsRequested:
    """STLS was granted (RFC 2595 §4). Send what there is to send, upgrade, then call ``tls_started``.

    ``early`` counts octets that followed the command and were thrown away.
    """

    early: int


@dataclass(frozen=True, slots=True)
class ConnectionEnding:
    """Send what there is to send, then close; ``is_quit`` where the client asked for it."""

    is_quit: bool


# CredentialsOffered comes from USER and PASS too (mechanism "USER"). Answer: ``open_maildrop`` or ``refuse_sign_in``.
Event: TypeAlias = CredentialsOffered | MessageRequested | DeletionsRequested | StartTlsRequested | ConnectionEnding
