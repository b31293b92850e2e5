"""Response codes, without their brackets, for ``ImapSession.complete`` (RFC 3501 §7.1, RFC 4315 §3, RFC 7162 §7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from posthouse.protocols.imap.types.sequence import format_ranges, ranges_of

READ_ONLY: Final = b"READ-ONLY"
READ_WRITE: Final = b"READ-WRITE"
TRYCREATE: Final = b"TRYCREATE"
NONEXISTENT: Final = b"NONEXISTENT"
ALREADYEXISTS: Final = b"ALREADYEXISTS"
AUTHENTICATIONFAILED: Final = b"AUTHENTICATIONFAILED"
AUTHORIZATIONFAILED: Final = b"AUTHORIZATIONFAILED"
UNAVAILABLE: Final = b"UNAVAILABLE"
SERVERBUG: Final = b"SERVERBUG"
CANNOT: Final = b"CANNOT"
LIMIT: Final = b"LIMIT"
OVERQUOTA: Final = b"OVERQUOTA"
TOOBIG: Final = b"TOOBIG"
EXPUNGEISSUED: Final = b"EXPUNGEISSUED"
USEATTR: Final = b"USEATTR"
CLOSED_LINE: Final = b"* OK [CLOSED] Previous mailbox closed\r\n"  # RFC 7162 §3.2.11


def appenduid(uidvalidity: int, uid: int) -> bytes:
    """Return APPENDUID (RFC 4315 §3)."""
    return b"APPENDUID %d %d" % (uidvalidity, uid)


def copyuid(uidvalidity: int, source: Sequence[int], target: Sequence[int]) -> bytes:
    """Return COPYUID for pairs that rise on both sides (RFC 4315 §3)."""
    return b"COPYUID %d %b %b" % (uidvalidity, format_ranges(ranges_of(source)), format_ranges(ranges_of(target)))


def modified(numbers: Sequence[int]) -> bytes:
    """Return MODIFIED for rising UIDs or sequence numbers (RFC 7162 §3.1.3)."""
    return b"MODIFIED " + format_ranges(ranges_of(numbers))


def highestmodseq(modseq: int) -> bytes:
    """Return HIGHESTMODSEQ (RFC 7162 §3.1.2.1)."""
    return b"HIGHESTMODSEQ %d" % max(1, modseq)
