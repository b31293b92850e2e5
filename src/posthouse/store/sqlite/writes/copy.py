"""Copying and moving messages within an account; an email is shared, never stored again."""

from __future__ import annotations

from posthouse.core.flags import Flag
from posthouse.core.ids import AccountId, MailboxId
from posthouse.store.contract import OverQuota
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.writes import expunge
from posthouse.store.values import Copied, Copy, UidRanges

_AT = "account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ?"
_COPY = (
    "INSERT INTO message (account_id, mailbox_id, uid, email_id, flags, keywords, modseq, born, internal_date,"
    " save_date, size, prefix) SELECT account_id, ?, ? + row_number() OVER (ORDER BY uid), email_id, flags, keywords,"
    f" ?, ?, internal_date, ?, size, prefix FROM message WHERE {_AT}"
)
_GAIN = (
    f"INSERT INTO place_change (email_id, delta) SELECT email_id, 1 FROM message WHERE {_AT}"
    " ON CONFLICT (email_id) DO UPDATE SET delta = delta + 1"
)


def copy(group: Group, value: Copy) -> Copied:
    """Copy or move messages."""
    return transfer(group, value.account, value.mailbox, value.target, value.uids, move=value.move)


def transfer(
    group: Group, account: AccountId, source: MailboxId, target: MailboxId, uids: UidRanges, *, move: bool
) -> Copied:
    """Copy the rows in order of UID to the end of the target; a move then takes the originals out."""
    state = group.account(account)
    origin, goal = group.mailbox(account, source), group.mailbox(account, target)
    group.flush()
    ranges = list(expunge.clamp(origin, uids))
    found, size = _gather(group, (account, source), ranges)
    if not found:
        return Copied(goal.uidvalidity, [], [])
    if not move and state.quota and state.octets + size > state.quota:
        raise OverQuota(f"account {account} would pass its quota of {state.quota} octets", where="store")
    if not move and state.quota_messages and state.messages + len(found) > state.quota_messages:
        raise OverQuota(f"account {account} would pass its quota of {state.quota_messages} messages", where="store")
    state.modseq = goal.highestmodseq = modseq = state.modseq + 1
    group.touched.add(account)
    base = goal.uidnext
    for first, last in ranges:
        at = (account, source, first, last)
        arrived = group.execute(_COPY, (target, goal.uidnext - 1, modseq, modseq, int(group.now), *at)).rowcount
        if not move:
            group.execute(_GAIN, at)
        goal.uidnext += arrived
    _count_in(group, account, target, (base, goal.uidnext - 1))
    gone = 0
    if move:
        for first, last in ranges:
            expunge.take_out(group, origin, (account, source, first, last))
        state.modseq = origin.highestmodseq = gone = state.modseq + 1
        expunge.remember(group, origin, found, gone)
    return Copied(goal.uidvalidity, found, list(range(base, goal.uidnext)), gone)


def _gather(group: Group, place: tuple[int, int], ranges: UidRanges) -> tuple[list[int], int]:
    """Return the UIDs there are in the ranges, and the octets of them all."""
    found: list[int] = []
    size = 0
    for first, last in ranges:
        rows = group.execute(f"SELECT uid, size FROM message WHERE {_AT}", (*place, first, last)).fetchall()
        found += [uid for uid, _ in rows]
        size += sum([octets for _, octets in rows])
    return found, size


def _count_in(group: Group, account: AccountId, mailbox: MailboxId, span: tuple[int, int]) -> None:
    """Add what lies in a range of new rows to the counters."""
    row = group.execute(
        f"SELECT count(*), coalesce(sum(flags & {Flag.SEEN.value} = 0), 0),"
        f" coalesce(sum(flags & {Flag.DELETED.value} != 0), 0), coalesce(sum(size), 0) FROM message WHERE {_AT}",
        (account, mailbox, *span),
    ).fetchone()
    state, owner = group.mailbox(account, mailbox), group.account(account)
    state.messages += row[0]
    state.unseen += row[1]
    state.deleted += row[2]
    state.size += row[3]
    owner.messages += row[0]
    owner.octets += row[3]
