"""The tree of search keys (RFC 3501 §6.4.4, RFC 7162 §3.1.5, RFC 4731 §3.1).

Each wire key becomes one of few kinds: UNSEEN is ``HasFlag(SEEN, False)``, NEW is ``And`` of ``Recent`` and that,
FROM, TO, CC, BCC and SUBJECT are ``HeaderContains``. Text is decoded; days are counted from 1970-01-01.
What matches is decided by ``services.mailstore``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias

from posthouse.core.errors import SyntaxFault
from posthouse.core.flags import Flag
from posthouse.protocols.imap.types.sequence import SequenceSet


class CharsetFault(SyntaxFault):
    """A CHARSET we do not read; answered ``NO [BADCHARSET (...)]`` (RFC 3501 §7.1)."""


class SearchReturn(enum.Flag):
    """RETURN options (RFC 4731 §3.1)."""

    MIN = 1
    MAX = 2
    COUNT = 4
    ALL = 8


class Comparison(enum.Enum):
    """How a message's day compares with the one named."""

    BEFORE = "before"
    ON = "on"
    SINCE = "since"


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""


@dataclass(frozen=True, slots=True)
class And:
    """All of the keys; at least two."""

    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of two keys, or both."""

    left: SearchKey
    right: SearchKey


@dataclass(frozen=True, slots=True)
class Not:
    """Messages that do not match."""

    key: SearchKey


@dataclass(frozen=True, slots=True)
class HasFlag:
    """A system flag is set, or is not."""

    flag: Flag
    is_set: bool = True


@dataclass(frozen=True, slots=True)
class HasKeyword:
    """A keyword is set, or is not; compare without case."""

    keyword: str
    is_set: bool = True


@dataclass(frozen=True, slots=True)
class Recent:
    """The message is recent in this session."""


@dataclass(frozen=True, slots=True)
class SequenceNumbers:
    """Message sequence numbers, as this client counts them."""

    numbers: SequenceSet


@dataclass(frozen=True, slots=True)
class Uids:
    """Unique identifiers."""

    numbers: SequenceSet


@dataclass(frozen=True, slots=True)
class Day:
    """The internal date, or where ``sent`` the Date header, disregarding time and zone; days since 1970-01-01."""

    comparison: Comparison
    day: int
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Larger:
    """More octets than that."""

    octets: int


@dataclass(frozen=True, slots=True)
class Smaller:
    """Fewer octets than that."""

    octets: int


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """A header field of that name (lower case) has the text in it; "" means that the field is there."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class BodyContains:
    """The body has the text in it."""

    text: str


@dataclass(frozen=True, slots=True)
class TextContains:
    """Header or body have the text in them."""

    text: str


@dataclass(frozen=True, slots=True)
class ModSeqAtLeast:
    """The mod-sequence is that or more (RFC 7162 §3.1.5); the entry name is accepted and all flags share one."""

    modseq: int


SearchKey: TypeAlias = (
    All
    | And
    | Or
    | Not
    | HasFlag
    | HasKeyword
    | Recent
    | SequenceNumbers
    | Uids
    | Day
    | Larger
    | Smaller
    | HeaderContains
    | BodyContains
    | TextContains
    | ModSeqAtLeast
)


def has_modseq(key: SearchKey) -> bool:
    """Return whether MODSEQ occurs in the tree, so that the answer carries the highest one (RFC 7162 §3.1.5)."""
    if isinstance(key, And):
        return any(has_modseq(inner) for inner in key.keys)
    if isinstance(key, Or):
        return has_modseq(key.left) or has_modseq(key.right)
    if isinstance(key, Not):
        return has_modseq(key.key)
    return isinstance(key, ModSeqAtLeast)
