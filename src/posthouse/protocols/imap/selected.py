"""What one client believes about its selected mailbox (signatures first)."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from posthouse.protocols.imap.types.sequence import Ranges, SequenceSet


class Selected:
    """The messages as this client counts them: UIDs in order; the sequence number is the place plus one."""

    uids: array[int]
    modseq: int  # what this client was told is at least of that modseq; the driver keeps it
    recent_from: int  # messages with this UID and later are recent here; 0 for none

    def __init__(self, uids: array[int], *, modseq: int = 0, recent_from: int = 0) -> None:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def seqnum(self, uid: int) -> int:
        """Return the sequence number of a UID, 0 where this client does not know it."""
        raise NotImplementedError

    def seqnums(self, uids: Sequence[int]) -> Sequence[int]:
        """Return the sequence numbers of rising, known UIDs (a ``range`` where they are contiguous)."""
        raise NotImplementedError

    def known(self, uids: Sequence[int]) -> Sequence[int]:
        """Return those of the rising UIDs that this client knows."""
        raise NotImplementedError

    def resolve(self, numbers: SequenceSet, *, uid: bool) -> Ranges:
        """Return ranges of UIDs meant by a set of sequence numbers or UIDs, for ``Store.messages``.

        Raises SequenceFault: for a sequence number that does not exist (answer BAD). Unknown UIDs are left out.
        """
        raise NotImplementedError

    def members(self, ranges: Ranges) -> array[int]:
        """Return the UIDs this client knows in ranges of UIDs, rising."""
        raise NotImplementedError

    def apply_expunged(self, uids: Sequence[int]) -> list[int]:
        """Forget rising UIDs; return the numbers to announce by EXPUNGE, in the order they must be sent."""
        raise NotImplementedError

    def append_uids(self, uids: Sequence[int]) -> int:
        """Take new, higher UIDs; return the new count, to announce by EXISTS."""
        raise NotImplementedError
