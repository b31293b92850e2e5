"""What one client believes about its selected mailbox: which UIDs it counts, in which order (RFC 3501 §2.3.1, §7.4.1).

The sequence number of a message is its place in ``uids`` plus one. It changes only when an EXPUNGE or EXISTS is sent,
so the driver calls ``apply_expunged`` and ``append_uids`` exactly where it sends what they return. While a FETCH, STORE
or SEARCH by sequence numbers is under way no EXPUNGE may be sent: a message that is gone keeps its number until then
(RFC 3501 §7.4.1, RFC 2180 §4).

Invariants: ``uids`` rise strictly; no method looks at each message where a bisection or a slice will do.
Knows no store: the driver tells what happened. Tests: ``tests/unit/protocols/imap/test_imap_selected.py``,
``tests/property/test_imap_properties.py`` (against a plain list).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from posthouse.core.errors import SequenceFault
from posthouse.protocols.imap.types.sequence import Ranges, SequenceSet


class Selected:
    """The messages as this client counts them.

    Args:
        uids: all UIDs, rising; the array is owned from now on.
        modseq: what this client was told is at least of that modseq; the driver keeps it up.
    """

    __slots__ = ("modseq", "uids")

    def __init__(self, uids: array[int], *, modseq: int = 0) -> None:
        self.uids = uids
        self.modseq = modseq

    def __len__(self) -> int:
        return len(self.uids)

    @property
    def last_uid(self) -> int:
        """The highest UID this client knows, 0 for none; ``*`` of a UID set."""
        return self.uids[-1] if self.uids else 0

    # -- numbers ----------------------------------------------------------------------------------------------------

    def seqnum(self, uid: int) -> int:
        """Return the sequence number of a UID, 0 where this client does not know it."""
        place = bisect_left(self.uids, uid)
        return place + 1 if place < len(self.uids) and self.uids[place] == uid else 0

    def seqnums(self, uids: Sequence[int]) -> Sequence[int]:
        """Return the sequence numbers of rising, known UIDs (a ``range`` where they are contiguous)."""
        if not uids:
            return ()
        ours = self.uids
        first = bisect_left(ours, uids[0])
        count = len(uids)
        if first + count <= len(ours) and ours[first + count - 1] == uids[-1]:
            return range(first + 1, first + count + 1)
        if count * 16 < len(ours):
            return [bisect_left(ours, uid, first) + 1 for uid in uids]
        stop = bisect_right(ours, uids[-1])
        numbers = dict(zip(ours[first:stop], range(first + 1, stop + 1), strict=True))
        return [numbers[uid] for uid in uids]

    def known(self, uids: Sequence[int]) -> Sequence[int]:
        """Return those of the rising UIDs that this client knows."""
        if not uids:
            return ()
        ours = self.uids
        first, stop = bisect_left(ours, uids[0]), bisect_right(ours, uids[-1])
        here = stop - first
        if here == len(uids) and ours[first:stop] == array("I", uids):
            return uids
        if len(uids) * 16 < here:
            return [uid for uid in uids if self.seqnum(uid)]
        members = set(ours[first:stop])
        return [uid for uid in uids if uid in members]

    def resolve(self, numbers: SequenceSet, *, uid: bool) -> Ranges:
        """Return rising ranges of UIDs meant by a set, for ``Store.messages``; they name no UID after the last known.

        ``5:*`` means the last message where there are fewer, for sequence numbers as for UIDs, and nothing in an
        empty mailbox. Raises SequenceFault: for a sequence number that does not exist (answer BAD). Unknown UIDs are
        no fault.
        """
        if uid:
            last = self.last_uid
            return [(low, min(high, last)) for low, high in numbers.resolve(last) if low <= last]
        count = len(self.uids)
        ranges = numbers.resolve(count)
        if ranges and ranges[-1][1] > count:
            low, _ = ranges[-1]
            if low > count or not numbers.has_star:
                raise SequenceFault("no message has that number", where="imap.selected")
            ranges[-1] = (low, count)
        return [(self.uids[low - 1], self.uids[high - 1]) for low, high in ranges]

    def members(self, ranges: Ranges) -> array[int]:
        """Return the UIDs this client knows in ranges of UIDs, rising."""
        found: array[int] = array("I")
        for low, high in ranges:
            found += self.uids[bisect_left(self.uids, low) : bisect_right(self.uids, high)]
        return found

    # -- changes ----------------------------------------------------------------------------------------------------

    def apply_expunged(self, uids: Sequence[int]) -> list[int]:
        """Forget rising UIDs; return the numbers to announce by EXPUNGE, in the order they must be sent.

        The highest number comes first, so that none of them shifts another (RFC 3501 §7.4.1).
        """
        gone = self.known(uids)
        if not gone:
            return []
        places = self.seqnums(gone)
        self._cut(places)
        return list(reversed(places))

    def _cut(self, places: Sequence[int]) -> None:
        if len(places) == 1 or isinstance(places, range):
            del self.uids[places[0] - 1 : places[-1]]
            return
        left: array[int] = array("I")
        start = 0
        for place in places:
            left += self.uids[start : place - 1]
            start = place
        left += self.uids[start:]
        self.uids = left

    def append_uids(self, uids: Sequence[int]) -> int:
        """Take new UIDs (those not above the last known are ignored); return the count, to announce by EXISTS."""
        if uids and uids[0] <= self.last_uid:
            uids = uids[bisect_right(uids, self.last_uid) :]
        self.uids.extend(uids)
        return len(self.uids)
