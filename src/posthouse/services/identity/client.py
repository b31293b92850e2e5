"""Who is at the other end of a connection, as every service that decides about a client sees it.

A value, made by a door when a connection opens and replaced when it learns more (HELO, TLS, sign-in). Not here:
anything about how bytes travel. Tests: with ``reception`` and ``authentication``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from posthouse.store.directory_rows import AccountRow


class ListenerClass(enum.Enum):
    """What a listener is for; the values are those of ``class`` in ``posthouse.toml``."""

    MX = "mx"
    SUBMISSION = "submission"
    LMTP = "lmtp"
    ACCESS = "access"  # IMAP, POP3 and what else reads mail


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """The TLS of a connection, for the trace and the log."""

    version: str
    cipher: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientInfo:
    """One client.

    Attributes:
        address: its IP address as text, without brackets; "" for a socket without one.
        helo: what it called itself in EHLO, HELO or LHLO; "" before that.
        esmtp: whether it greeted with EHLO or LHLO rather than HELO.
        account: the account that signed in, or None.
        session: the short text that names the connection in the log.
        local_address: the address of ours that it connected to; "" where that is not known.
    """

    address: str
    port: int = 0
    listener: str = ""
    listener_class: ListenerClass = ListenerClass.ACCESS
    tls: TlsInfo | None = None
    helo: str = ""
    esmtp: bool = True
    account: AccountRow | None = None
    session: str = ""
    local_address: str = ""
