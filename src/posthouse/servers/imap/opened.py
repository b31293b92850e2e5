r"""The selected mailbox: what its client was told, and the news since.

Two cursors of modseq: ``view.modseq`` for new messages and flags, ``gone_modseq`` for expunges, which may be told only
at certain moments (RFC 3501 §7.4.1) and so lag behind. One point read of the mailbox row tells whether there can be
any news at all. Rows whose modseq is that of a change of our own client were told in the answer to it.

A session that may write takes over the messages it is told of as \Recent (``recent``); for one that may not they are
recent and stay so for the next. Tests: ``tests/dialogues/imap_server``.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from typing import Final

from posthouse.core.ids import AccountId, MailboxId, ModSeq
from posthouse.protocols.imap.format.fetch import fetch_flags_bulk
from posthouse.protocols.imap.format.mailbox import exists, expunges, flags_response, recent
from posthouse.protocols.imap.selected import Selected
from posthouse.protocols.imap.session import ImapSession
from posthouse.servers.imap.recent import RecentMarks
from posthouse.store.contract import Store
from posthouse.store.rows import MailboxRow

CACHED_UIDS: Final = 500_000  # 2 MB a worker


class UidCache:
    """UIDs of mailboxes that were opened lately; each is valid as long as the mailbox has the same modseq."""

    def __init__(self) -> None:
        self._uids: OrderedDict[tuple[int, int], tuple[int, array[int]]] = OrderedDict()
        self._total = 0

    async def uids(self, store: Store, row: MailboxRow) -> array[int]:
        """Return a copy of the UIDs of a mailbox whose row was just read."""
        key = (row.account, row.id)
        cached = self._uids.get(key)
        if cached is not None and cached[0] == row.highestmodseq and len(cached[1]) == row.messages:
            self._uids.move_to_end(key)
            return array("I", cached[1])
        uids = await store.uids(row.account, row.id)
        if len(uids) == row.messages:
            self._remember(key, row.highestmodseq, uids)
        return array("I", uids)

    def _remember(self, key: tuple[int, int], modseq: int, uids: array[int]) -> None:
        old = self._uids.pop(key, None)
        if old is not None:
            self._total -= len(old[1])
        self._uids[key] = (modseq, uids)
        self._total += len(uids)
        while self._total > CACHED_UIDS:
            _, (_, dropped) = self._uids.popitem(last=False)
            self._total -= len(dropped)


class Opened:
    """A mailbox as one client has it selected.

    Attributes:
        view: the client's message numbers.
        uidnext: messages from this UID on are new to the client.
        gone_modseq: expunges up to here were told.
        recent_from: messages from this UID on are recent here; 0: none is.
        keywords: those that FLAGS has named, by their lower case.
    """

    __slots__ = (
        "_marks",
        "_own",
        "account",
        "gone_modseq",
        "keywords",
        "mailbox",
        "name",
        "read_only",
        "recent_from",
        "uidnext",
        "view",
    )

    def __init__(self, row: MailboxRow, uids: array[int], marks: RecentMarks, *, read_only: bool) -> None:
        """Take over the array, of UIDs read after the row."""
        self.account: AccountId = row.account
        self.mailbox: MailboxId = row.id
        self.name = row.name
        self.read_only = read_only
        self.view = Selected(uids, modseq=row.highestmodseq)
        self.uidnext = max(row.uidnext, uids[-1] + 1 if len(uids) else 0)
        self.recent_from = 0
        self._marks = marks
        self._take_recent(row)
        self.gone_modseq = row.highestmodseq
        self.keywords: dict[str, str] = {}
        self._own: set[int] = set()

    def _take_recent(self, row: MailboxRow) -> None:
        mark = self._marks.first(row) if self.read_only else self._marks.take(row, self.uidnext)
        if not self.recent_from and mark < self.uidnext:
            self.recent_from = mark

    @property
    def recent(self) -> int:
        """How many messages are recent here."""
        uids = self.view.uids
        return len(uids) - bisect_left(uids, self.recent_from) if self.recent_from else 0

    def told(self, modseq: int) -> None:
        """Remember a change of our own client: what has exactly this modseq is no news to it."""
        if modseq > self.view.modseq:
            self._own.add(modseq)

    async def sync(self, store: Store, session: ImapSession, *, may_expunge: bool, uid: bool = False) -> bool:
        """Tell the client what changed. Returns False where the mailbox is gone."""
        row = await store.mailbox(self.account, self.mailbox)
        if row is None:
            return False
        view = self.view
        highest = row.highestmodseq
        if highest > (self.gone_modseq if may_expunge else view.modseq):
            if may_expunge:
                gone = await store.expunged_since(self.account, self.mailbox, ModSeq(self.gone_modseq))
                known = view.known(gone)
                if len(known):
                    session.untagged(expunges(view.apply_expunged(known)))
                self.gone_modseq = highest
            if highest > view.modseq:
                await self._tell_changes(store, session, row, uid=uid)
        return True

    async def _tell_changes(self, store: Store, session: ImapSession, row: MailboxRow, *, uid: bool) -> None:
        view, uidnext, own = self.view, self.uidnext, self._own
        rows = await store.changed_since(self.account, self.mailbox, ModSeq(view.modseq))
        new = [each[0] for each in rows if each[0] >= uidnext]
        if new:
            count = view.append_uids(new)
            self.uidnext = new[-1] + 1
            self._take_recent(row)
            session.untagged(exists(count) + recent(self.recent))
        changed = [each for each in rows if each[0] < uidnext and each[3] not in own]
        if changed:
            known = set(view.known([each[0] for each in changed]))
            changed = [each for each in changed if each[0] in known]
            self.tell_keywords(session, {row[2] for row in changed if row[2]})
            numbers = view.seqnums([each[0] for each in changed])
            session.untagged(
                fetch_flags_bulk(numbers, changed, uid=uid, modseq=session.condstore, recent_from=self.recent_from)
            )
        own.clear()
        view.modseq = row.highestmodseq

    def tell_keywords(self, session: ImapSession, texts: set[str]) -> None:
        """Send FLAGS anew where columns of keywords hold some that it has not named (RFC 3501 §7.2.6)."""
        if not texts:
            return
        unknown = {word for text in texts for word in text.split() if word.lower() not in self.keywords}
        if unknown:
            self.keywords.update((word.lower(), word) for word in unknown)
            session.untagged(flags_response(sorted(self.keywords.values())))
