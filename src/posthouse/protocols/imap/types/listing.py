"""Options of LIST and items of STATUS (RFC 5258 §3, RFC 5819 §2, RFC 6154 §2, RFC 8438 §2)."""

from __future__ import annotations

import enum


class StatusItem(enum.Enum):
    """A counter STATUS can tell; the value is its name on the wire."""

    MESSAGES = b"MESSAGES"
    RECENT = b"RECENT"
    UIDNEXT = b"UIDNEXT"
    UIDVALIDITY = b"UIDVALIDITY"
    UNSEEN = b"UNSEEN"
    DELETED = b"DELETED"  # RFC 9208 §3.1.2.1 with RFC 9051 §6.3.11
    SIZE = b"SIZE"
    HIGHESTMODSEQ = b"HIGHESTMODSEQ"


class ListSelection(enum.Flag):
    """Which names LIST is about (RFC 5258 §3.1, RFC 6154 §3)."""

    NONE = 0
    SUBSCRIBED = 1
    REMOTE = 2
    RECURSIVEMATCH = 4
    SPECIAL_USE = 8


class ListReturn(enum.Flag):
    """What LIST tells beside the name (RFC 5258 §3.2, RFC 6154 §3)."""

    NONE = 0
    SUBSCRIBED = 1
    CHILDREN = 2
    SPECIAL_USE = 4
