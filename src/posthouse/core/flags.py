"""System flags as a bit mask; keywords as text (RFC 3501 §2.3.2, RFC 9051 §2.3.2)."""

from __future__ import annotations

import enum


class Flag(enum.IntFlag):
    r"""The system flags that are stored. ``\Recent`` is a property of a session and is not among them."""

    NONE = 0
    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16


FLAG_NAMES: dict[Flag, bytes] = {
    Flag.ANSWERED: b"\\Answered",
    Flag.FLAGGED: b"\\Flagged",
    Flag.DELETED: b"\\Deleted",
    Flag.SEEN: b"\\Seen",
    Flag.DRAFT: b"\\Draft",
}
FLAGS_BY_NAME: dict[bytes, Flag] = {name.lower(): flag for flag, name in FLAG_NAMES.items()}
# The wire form of each of the 32 combinations, so that FETCH formats a row with one look-up.
FLAG_MASK_BYTES: tuple[bytes, ...] = tuple(
    b" ".join(name for flag, name in FLAG_NAMES.items() if mask & flag) for mask in range(32)
)
