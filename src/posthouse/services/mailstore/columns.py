"""Flags of whole mailboxes in memory: what every client asks for when it opens one, and what most searches look at.

Five octets a message. What is kept is used only while the mailbox's modseq is the same, which one point read tells;
otherwise it is brought up to date by what changed since. A value is never altered once it was handed out.
Tests: ``tests/unit/services/mailstore/test_mailstore_columns.py``.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

from posthouse.core.ids import AccountId, MailboxId, ModSeq
from posthouse.services.mailstore.slices import split_by_rows
from posthouse.store.contract import Store
from posthouse.store.rows import Field, MailboxRow

MESSAGES: Final = 1_000_000  # in all that is kept: 5 MB a worker
SMALLEST: Final = 64  # mailboxes with fewer messages are read faster than they are looked up


@dataclass(frozen=True, slots=True)
class Columns:
    """UIDs, rising, with their flags; keywords only of those that have some."""

    row: MailboxRow
    uids: array[int]
    flags: bytes
    keywords: dict[int, str]

    def rows(self, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int, str]]:
        """Return ``(uid, flags, keywords)`` of the messages in the ranges."""
        found: list[tuple[int, int, str]] = []
        uids, flags, words = self.uids, self.flags, self.keywords
        for low, high in ranges:
            first, stop = bisect_left(uids, low), bisect_right(uids, high)
            some = uids[first:stop]
            keywords = [words.get(uid, "") for uid in some] if words else repeat("")
            found += zip(some, flags[first:stop], keywords)  # noqa: B905  (repeat has no end)
        return found


class ColumnCache:
    """The columns of mailboxes that were asked for lately."""

    def __init__(self, store: Store) -> None:
        """Only borrow the store."""
        self._store = store
        self._kept: OrderedDict[tuple[AccountId, MailboxId], Columns] = OrderedDict()
        self._total = 0

    async def get(self, account: AccountId, mailbox: MailboxId, wanted: int) -> Columns | None:
        """Return the columns as they are now; None where it is better to ask the store.

        Args:
            account: whose mailbox it is.
            mailbox: which.
            wanted: how many messages the caller looks at; for a few, the whole mailbox is not read.
        """
        row = await self._store.mailbox(account, mailbox)
        key = (account, mailbox)
        if row is None:
            self._drop(key)
            return None
        kept = self._kept.get(key)
        if kept is not None and kept.row.highestmodseq == row.highestmodseq:
            self._kept.move_to_end(key)
            return kept
        if wanted * 4 < row.messages:
            return None
        columns = await (self._read(row) if kept is None else self._renew(kept, row))
        self._keep(key, columns)
        return columns

    async def _read(self, row: MailboxRow) -> Columns:
        known = await self._store.uids(row.account, row.id)
        uids, flags, keywords = array("I"), bytearray(), dict[int, str]()
        fields = (Field.UID, Field.FLAGS, Field.KEYWORDS)
        whole = [(known[0], known[-1])] if known else []
        for piece in split_by_rows(whole, known):
            rows = await self._store.messages(row.account, row.id, piece, fields)
            uids.extend([uid for uid, _, _ in rows])
            flags += bytes([mask for _, mask, _ in rows])
            keywords.update([(uid, words) for uid, _, words in rows if words])
        return Columns(row, uids, bytes(flags), keywords)

    async def _renew(self, kept: Columns, row: MailboxRow) -> Columns:
        since = ModSeq(kept.row.highestmodseq)
        changed = await self._store.changed_since(row.account, row.id, since)
        gone = set(await self._store.expunged_since(row.account, row.id, since))
        if len(changed) + len(gone) > len(kept.uids) // 4:
            return await self._read(row)
        uids, flags, keywords = array("I", kept.uids), bytearray(kept.flags), dict(kept.keywords)
        if gone:
            left = [place for place, uid in enumerate(uids) if uid not in gone]
            uids, flags = array("I", [uids[place] for place in left]), bytearray([flags[place] for place in left])
            keywords = {uid: words for uid, words in keywords.items() if uid not in gone}
        for uid, mask, words, _ in changed:
            place = bisect_left(uids, uid)
            if place == len(uids):
                uids.append(uid)
                flags.append(mask)
            elif uids[place] == uid:
                flags[place] = mask
            else:
                return await self._read(row)
            if words:
                keywords[uid] = words
            else:
                keywords.pop(uid, None)
        return Columns(row, uids, bytes(flags), keywords)

    def _keep(self, key: tuple[AccountId, MailboxId], columns: Columns) -> None:
        self._drop(key)
        # What was read while others wrote may hold more than the row says; then it is used once and forgotten.
        if SMALLEST <= len(columns.uids) == columns.row.messages <= MESSAGES:
            self._kept[key] = columns
            self._total += len(columns.uids)
            while self._total > MESSAGES:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[AccountId, MailboxId]) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._total -= len(dropped.uids)
