r"""Which messages are \Recent: those that no session of this worker has been told of (RFC 3501 §2.3.2).

One number for each mailbox, in memory: messages from that UID on have not been told to anybody. Whoever selects the
mailbox for reading and writing takes them over. A mailbox that the worker meets for the first time has none, so that
a restart does not make old mail recent. Other workers count for themselves, which RFC 3501 §2.3.2 allows where it
cannot be known who was first; RFC 9051 has dropped the flag. Tests: ``tests/dialogues/imap_server``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from posthouse.store.rows import MailboxRow

MAILBOXES: Final = 100_000  # remembered; the one not asked for longest is forgotten


class RecentMarks:
    """The first recent UID of each mailbox."""

    def __init__(self) -> None:
        self._marks: OrderedDict[tuple[int, int], int] = OrderedDict()

    def first(self, row: MailboxRow) -> int:
        """Return the UID from which on messages are recent."""
        key = (row.account, row.id)
        mark = self._marks.get(key)
        if mark is None:
            self._put(key, row.uidnext)
            return row.uidnext
        return mark

    def count(self, row: MailboxRow) -> int:
        """Return how many messages are recent, as STATUS tells it."""
        return min(row.messages, max(0, row.uidnext - self.first(row)))

    def take(self, row: MailboxRow, uidnext: int) -> int:
        """Make recent messages below ``uidnext`` those of the caller; return the UID from which on they are."""
        mark = self.first(row)
        if uidnext > mark:
            self._put((row.account, row.id), uidnext)
        return mark

    def _put(self, key: tuple[int, int], mark: int) -> None:
        self._marks[key] = mark
        self._marks.move_to_end(key)
        if len(self._marks) > MAILBOXES:
            self._marks.popitem(last=False)
