"""What travels in LDAP: operations, filters, results and controls, as frozen values (RFC 4511 §4).

Strings of the protocol are ``str`` (they are UTF-8 on the wire), attribute values are octets. A result code is a plain
number, since servers send numbers of their own. Not here: the octets (``messages``), the text of filters (``filters``).
Tests: ``tests/unit/protocols/ldap/test_ldap_messages.py``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final, TypeAlias

START_TLS: Final = "1.3.6.1.4.1.1466.20037"  # RFC 4511 §4.14.1
NOTICE_OF_DISCONNECTION: Final = "1.3.6.1.4.1.1466.20036"  # RFC 4511 §4.4.1
PAGED_RESULTS: Final = "1.2.840.113556.1.4.319"  # RFC 2696 §2
IN_CHAIN: Final = "1.2.840.113556.1.4.1941"  # Active Directory's rule that follows nested groups
NO_ATTRIBUTES: Final = "1.1"  # RFC 4511 §4.5.1.8


class ResultCode(enum.IntEnum):
    """The result codes that we act on (RFC 4511 §4.1.9); others stay numbers."""

    SUCCESS = 0
    OPERATIONS_ERROR = 1
    PROTOCOL_ERROR = 2
    TIME_LIMIT_EXCEEDED = 3
    SIZE_LIMIT_EXCEEDED = 4
    AUTH_METHOD_NOT_SUPPORTED = 7
    STRONGER_AUTH_REQUIRED = 8
    REFERRAL = 10
    CONFIDENTIALITY_REQUIRED = 13
    NO_SUCH_ATTRIBUTE = 16
    INAPPROPRIATE_MATCHING = 18
    NO_SUCH_OBJECT = 32
    INVALID_DN_SYNTAX = 34
    INAPPROPRIATE_AUTHENTICATION = 48
    INVALID_CREDENTIALS = 49
    INSUFFICIENT_ACCESS_RIGHTS = 50
    BUSY = 51
    UNAVAILABLE = 52
    UNWILLING_TO_PERFORM = 53
    OTHER = 80


class Scope(enum.IntEnum):
    """How far below its base a search looks."""

    BASE = 0
    ONE = 1
    SUBTREE = 2


# ---- filters (RFC 4511 §4.5.1.7) ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    """All of them hold; none at all is always true (RFC 4526 §2)."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them holds; none at all is never true (RFC 4526 §2)."""

    filters: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    filter: Filter


@dataclass(frozen=True, slots=True)
class Present:
    """The attribute has a value."""

    attribute: str


class Comparison(enum.Enum):
    """How a value is compared; the value is the mark in text."""

    EQUAL = "="
    GREATER_OR_EQUAL = ">="
    LESS_OR_EQUAL = "<="
    APPROXIMATE = "~="


@dataclass(frozen=True, slots=True)
class Compare:
    """The attribute has a value that compares so."""

    attribute: str
    comparison: Comparison
    value: bytes


@dataclass(frozen=True, slots=True)
class Substrings:
    """The attribute has a value made of these pieces in this order; at least one piece is there, and none is empty."""

    attribute: str
    initial: bytes = b""
    middle: tuple[bytes, ...] = ()
    final: bytes = b""

    def __post_init__(self) -> None:
        if not (self.initial or self.middle or self.final) or not all(self.middle):
            raise ValueError("a substring filter has pieces, and none is empty")


@dataclass(frozen=True, slots=True)
class Extensible:
    """A matching rule holds; the rule or the attribute may be "" but not both."""

    value: bytes
    attribute: str = ""
    rule: str = ""
    is_in_dn: bool = False

    def __post_init__(self) -> None:
        if not self.attribute and not self.rule:
            raise ValueError("an extensible filter has an attribute or a rule")


Filter: TypeAlias = And | Or | Not | Present | Compare | Substrings | Extensible


# ---- operations -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Simple:
    """Bind by password."""

    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sasl:
    """Bind by a SASL mechanism; ``EXTERNAL`` takes the client certificate of the connection (RFC 4513 §5.2.3)."""

    mechanism: str
    credentials: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BindRequest:
    """Become somebody."""

    name: str
    credentials: Simple | Sasl
    version: int = 3


@dataclass(frozen=True, slots=True)
class UnbindRequest:
    """The client goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """Look for entries."""

    base: str
    filter: Filter
    scope: Scope = Scope.SUBTREE
    dereference: int = 0
    size_limit: int = 0
    time_limit: int = 0
    types_only: bool = False
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AbandonRequest:
    """The client wants no more of an operation."""

    message_id: int


@dataclass(frozen=True, slots=True)
class ExtendedRequest:
    """An operation named by an object identifier."""

    name: str
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """Compare, add, modify, delete or rename, unread: its tag, and the tag with which it is answered."""

    tag: int
    response_tag: int


@dataclass(frozen=True, slots=True)
class Result:
    """How an operation ended; ``message`` is for logs."""

    code: int
    matched_dn: str = ""
    message: str = ""
    referrals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BindResponse:
    """How a bind ended."""

    result: Result
    credentials: bytes | None = None


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """One entry; attribute names as the server writes them."""

    dn: str
    attributes: tuple[tuple[str, tuple[bytes, ...]], ...]

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return the values of an attribute whatever its case; () where it has none."""
        for each, values in self.attributes:
            if each.lower() == name.lower():
                return values
        return ()

    def text(self, name: str) -> str:
        """Return the first value of an attribute as text, "" where it has none or that is no UTF-8."""
        values = self.values(name)
        try:
            return values[0].decode() if values else ""
        except UnicodeDecodeError:
            return ""


@dataclass(frozen=True, slots=True)
class SearchReference:
    """Where else to look."""

    uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchDone:
    """How a search ended."""

    result: Result


@dataclass(frozen=True, slots=True)
class ExtendedResponse:
    """How an extended operation ended."""

    result: Result
    name: str | None = None
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class IntermediateResponse:
    """A step of an operation that is not over."""

    name: str | None = None
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class OtherResponse:
    """How another operation ended, by its tag."""

    tag: int
    result: Result


Request: TypeAlias = BindRequest | UnbindRequest | SearchRequest | AbandonRequest | ExtendedRequest | OtherRequest
Response: TypeAlias = (
    BindResponse | SearchEntry | SearchReference | SearchDone | ExtendedResponse | IntermediateResponse | OtherResponse
)


@dataclass(frozen=True, slots=True)
class Control:
    """Something asked beside an operation (RFC 4511 §4.1.11)."""

    oid: str
    is_critical: bool = False
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``id`` joins answers to their request, 0 is a notice that nobody asked for."""

    id: int
    operation: Request | Response
    controls: tuple[Control, ...] = ()
