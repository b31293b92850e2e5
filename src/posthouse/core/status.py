"""SMTP reply codes and enhanced status codes (RFC 5321 §4.2, RFC 3463, RFC 5248).

An enhanced code is stored as subject and detail only; its class digit always comes from the disposition that goes
with it, in one function, so that a temporary answer can never carry a permanent code.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Disposition(enum.IntEnum):
    """What became of a request; the value is the class digit (RFC 3463 §3.1)."""

    DONE = 2
    TEMPORARY = 4
    PERMANENT = 5


@dataclass(frozen=True, slots=True)
class Detail:
    """Subject and detail of an enhanced status code, without its class (RFC 3463 §2)."""

    subject: int
    detail: int

    def __post_init__(self) -> None:
        if not (0 <= self.subject <= 999 and 0 <= self.detail <= 999):
            raise ValueError("an enhanced status code has up to three digits a part (RFC 3463 §2)")


def format_enhanced(disposition: Disposition, detail: Detail) -> str:
    """Format ``class "." subject "." detail`` (RFC 3463 §2)."""
    return f"{disposition.value}.{detail.subject}.{detail.detail}"


# RFC 3463 §3.2-3.8 and the IANA registry of RFC 5248; named as the field names them.
OTHER = Detail(0, 0)
ADDRESS_OTHER = Detail(1, 0)
BAD_MAILBOX = Detail(1, 1)
BAD_SYSTEM = Detail(1, 2)
BAD_ADDRESS_SYNTAX = Detail(1, 3)
AMBIGUOUS_ADDRESS = Detail(1, 4)
VALID_RECIPIENT = Detail(1, 5)
MAILBOX_MOVED = Detail(1, 6)
BAD_SENDER_SYNTAX = Detail(1, 7)
BAD_SENDER_SYSTEM = Detail(1, 8)
NULL_MX = Detail(1, 10)
MAILBOX_OTHER = Detail(2, 0)
MAILBOX_DISABLED = Detail(2, 1)
MAILBOX_FULL = Detail(2, 2)
MESSAGE_TOO_LONG_FOR_MAILBOX = Detail(2, 3)
EXPANSION_PROBLEM = Detail(2, 4)
SYSTEM_OTHER = Detail(3, 0)
SYSTEM_FULL = Detail(3, 1)
NOT_ACCEPTING = Detail(3, 2)
NOT_CAPABLE = Detail(3, 3)
MESSAGE_TOO_BIG = Detail(3, 4)
MISCONFIGURED = Detail(3, 5)
ROUTING_OTHER = Detail(4, 0)
NO_ANSWER = Detail(4, 1)
BAD_CONNECTION = Detail(4, 2)
DIRECTORY_FAILURE = Detail(4, 3)
UNABLE_TO_ROUTE = Detail(4, 4)
CONGESTION = Detail(4, 5)
ROUTING_LOOP = Detail(4, 6)
DELIVERY_EXPIRED = Detail(4, 7)
PROTOCOL_OTHER = Detail(5, 0)
INVALID_COMMAND = Detail(5, 1)
SYNTAX_ERROR = Detail(5, 2)
TOO_MANY_RECIPIENTS = Detail(5, 3)
INVALID_ARGUMENTS = Detail(5, 4)
WRONG_VERSION = Detail(5, 5)
LINE_TOO_LONG = Detail(5, 6)
CONTENT_OTHER = Detail(6, 0)
MEDIA_NOT_SUPPORTED = Detail(6, 1)
CONVERSION_NOT_SUPPORTED = Detail(6, 3)
NON_ASCII_NOT_PERMITTED = Detail(6, 7)
SECURITY_OTHER = Detail(7, 0)
NOT_AUTHORIZED = Detail(7, 1)
BAD_CREDENTIALS = Detail(7, 8)
WEAK_MECHANISM = Detail(7, 9)
ENCRYPTION_NEEDED = Detail(7, 10)
ENCRYPTION_REQUIRED_FOR_MECHANISM = Detail(7, 11)
TEMPORARY_AUTHENTICATION_FAILURE = Detail(7, 0)
