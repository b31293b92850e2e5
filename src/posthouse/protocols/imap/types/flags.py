"""Flag lists as values: system flags as a mask, keywords as text (RFC 3501 §2.3.2)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from posthouse.core.flags import Flag


class StoreMode(enum.Enum):
    """What STORE does with the flags it names (RFC 3501 §6.4.6); the value is the sign before FLAGS."""

    REPLACE = b""
    ADD = b"+"
    REMOVE = b"-"


@dataclass(frozen=True, slots=True)
class FlagList:
    """Flags a client named. Keywords are in the order given, without doubles (compared without case)."""

    flags: Flag = Flag.NONE
    keywords: tuple[str, ...] = ()
