"""Response codes, without their brackets, for ``ImapSession.complete`` (RFC 3501 §7.1, RFC 4315 §3, RFC 7162 §7)."""

from __future__ import annotations

from collections.abc import Sequence

from posthouse.protocols.imap.types.sequence import format_ranges, ranges_of


def appenduid(uidvalidity: int, uid: int) -> bytes:
    """Return APPENDUID (RFC 4315 §3)."""
    return b"APPENDUID %d %d" % (uidvalidity, uid)


def copyuid(uidvalidity: int, source: Sequence[int], target: Sequence[int]) -> bytes:
    """Return COPYUID for pairs that rise on both sides (RFC 4315 §3)."""
    return b"COPYUID %d %b %b" % (uidvalidity, format_ranges(ranges_of(source)), format_ranges(ranges_of(target)))


def modified(numbers: Sequence[int]) -> bytes:
    """Return MODIFIED for rising UIDs or sequence numbers (RFC 7162 §3.1.3)."""
    return b"MODIFIED " + format_ranges(ranges_of(numbers))
