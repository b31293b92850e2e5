"""What a search asks for, as a tree of values that no protocol owns (RFC 3501 §6.4.4, RFC 8621 §4.4.1).

Sequence numbers are turned into UIDs before a tree is made. Texts are Unicode; matching folds case. Days are
counted from 1970-01-01, because searches disregard time and zone. The evaluation is ``search``.
Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from posthouse.core.flags import Flag
from posthouse.store.rows import Field


@dataclass(frozen=True, slots=True)
class Everything:
    """Every message."""


@dataclass(frozen=True, slots=True)
class And:
    """Messages that match every child."""

    children: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Messages that match a child."""

    children: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Messages that do not match the child."""

    child: Criterion


@dataclass(frozen=True, slots=True)
class Uids:
    """Messages in the ranges: inclusive pairs, rising, without overlap."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class HasFlag:
    """Messages with a system flag."""

    flag: Flag


@dataclass(frozen=True, slots=True)
class HasKeyword:
    """Messages with a keyword, in any case."""

    keyword: str


@dataclass(frozen=True, slots=True)
class Between:
    """Messages whose number in ``field`` is at least ``low`` and below ``high``; None is open."""

    field: Field
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class SentBetween:
    """Messages whose Date header, as written, names a day from ``low`` to before ``high``; None is open."""

    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """Messages with a header field of that name (lower case) that contains the text; "" asks only for the field."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class BodyContains:
    """Messages with the text in a text part."""

    text: str


@dataclass(frozen=True, slots=True)
class TextContains:
    """Messages with the text in their header section or a text part."""

    text: str


Criterion: TypeAlias = (
    Everything
    | And
    | Or
    | Not
    | Uids
    | HasFlag
    | HasKeyword
    | Between
    | SentBetween
    | HeaderContains
    | BodyContains
    | TextContains
)
