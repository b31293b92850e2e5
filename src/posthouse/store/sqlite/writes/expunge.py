"""Taking message rows away. Emails and bodies follow behind, in housekeeping, so that this stays quick."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from posthouse.core.flags import Flag
from posthouse.core.ids import AccountId, MailboxId
from posthouse.store.sqlite.group import Group, MailboxState
from posthouse.store.values import Expunge, Expunged, UidRanges

_AT = "account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ?"
_DELETED = f" AND flags & {Flag.DELETED.value}"
_SUMS = (
    f"SELECT count(*), coalesce(sum(flags & {Flag.SEEN.value} = 0), 0),"
    f" coalesce(sum(flags & {Flag.DELETED.value} != 0), 0), coalesce(sum(size), 0) FROM message WHERE {_AT}"
)
_LOSE = (
    "INSERT INTO place_change (email_id, delta) SELECT email_id, -1 FROM message WHERE {}"
    " ON CONFLICT (email_id) DO UPDATE SET delta = delta - 1"
)


def runs(uids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield rising UIDs as inclusive ranges."""
    if not uids:
        return
    if uids[-1] - uids[0] == len(uids) - 1:
        yield uids[0], uids[-1]
        return
    first = last = uids[0]
    for uid in uids:
        if uid > last + 1:
            yield first, last
            first = uid
        last = uid
    yield first, last


def clamp(mailbox: MailboxState, ranges: UidRanges) -> Iterator[tuple[int, int]]:
    """Yield the ranges cut to UIDs that were given out."""
    top = mailbox.uidnext - 1
    for first, last in ranges:
        if first > top:
            return
        yield first, min(last, top)


def expunge(group: Group, value: Expunge) -> Expunged:
    """Remove messages and remember that they went."""
    account = group.account(value.account)
    mailbox = group.mailbox(value.account, value.mailbox)
    group.flush()
    condition = _DELETED if value.only_deleted else ""
    uids: list[int] = []
    for first, last in clamp(mailbox, value.uids):
        at = (value.account, value.mailbox, first, last)
        gone = [uid for (uid,) in group.execute(f"SELECT uid FROM message WHERE {_AT}{condition}", at)]
        if gone:
            _subtract(group, mailbox, condition, at)
            group.execute(_LOSE.format(_AT + condition), at)
            group.execute(f"DELETE FROM message WHERE {_AT}{condition}", at)
            uids += gone
    if not uids:
        return Expunged([], mailbox.highestmodseq)
    account.modseq = mailbox.highestmodseq = modseq = account.modseq + 1
    remember(group, mailbox, uids, modseq)
    group.touched.add(value.account)
    return Expunged(uids, modseq)


def remember(group: Group, mailbox: MailboxState, uids: Sequence[int], modseq: int) -> None:
    """Note in the expunged table that these UIDs went at this modseq."""
    group.connection.executemany(
        "INSERT INTO expunged (account_id, mailbox_id, modseq, first_uid, last_uid) VALUES (?, ?, ?, ?, ?)",
        [(mailbox.account, mailbox.id, modseq, first, last) for first, last in runs(uids)],
    )


def _subtract(group: Group, mailbox: MailboxState, condition: str, at: tuple[int, int, int, int]) -> None:
    """Take what lies in a range off the counters."""
    messages, unseen, deleted, size = group.execute(_SUMS + condition, at).fetchone()
    mailbox.messages -= messages
    mailbox.unseen -= unseen
    mailbox.deleted -= deleted
    mailbox.size -= size
    account = group.account(AccountId(mailbox.account))
    account.messages -= messages
    account.octets -= size


def take_out(group: Group, mailbox: MailboxState, at: tuple[int, int, int, int]) -> None:
    """Delete the rows of a range whose emails stay in another place (a move): counters, but no place is lost."""
    _subtract(group, mailbox, "", at)
    group.execute(f"DELETE FROM message WHERE {_AT}", at)


def empty(group: Group, account: AccountId, mailbox: MailboxId) -> None:
    """Delete all messages of a mailbox that is itself about to go."""
    state = group.mailbox(account, mailbox)
    group.flush()
    at = (account, mailbox, 1, max(1, state.uidnext - 1))
    _subtract(group, state, "", at)
    group.execute(_LOSE.format(_AT), at)
    group.execute(f"DELETE FROM message WHERE {_AT}", at)
