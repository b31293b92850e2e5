"""Changing flags and keywords: one UPDATE for each range, whatever its length."""

from __future__ import annotations

from typing import Any

from posthouse.core.flags import Flag
from posthouse.store.sqlite.group import Group, MailboxState
from posthouse.store.sqlite.writes import expunge
from posthouse.store.values import FlagChange, FlagMode, FlagsChanged

_AT = "account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ?"
_COUNTED = Flag.SEEN.value | Flag.DELETED.value
_ANY = 1 << 62  # a modseq that is never reached
_COUNTS = (
    f"SELECT coalesce(sum(flags & {Flag.SEEN.value} = 0), 0), coalesce(sum(flags & {Flag.DELETED.value} != 0), 0)"
    f" FROM message WHERE {_AT}"
)


def _assignment(value: FlagChange) -> tuple[str, str, list[Any], list[Any]]:
    """Return the SET clause and the condition under which a row differs, each with what it binds."""
    mask, words = value.flags.value, " ".join(value.keywords)
    if value.mode is FlagMode.REPLACE:
        return "flags = ?, keywords = ?", "(flags != ? OR keywords != ?)", [mask, words], [mask, words]
    if value.mode is FlagMode.ADD:
        change, differs, function = "flags = flags | ?", "flags & ? != ?", "keywords_with"
        binds, tests = [mask], [mask, mask]
    else:
        change, differs, function = "flags = flags & ~?", "flags & ?", "keywords_without"
        binds, tests = [mask], [mask]
    if not words:
        return change, differs, binds, tests
    return (
        f"{change}, keywords = {function}(keywords, ?)",
        f"({differs} OR {function}(keywords, ?) != keywords)",
        [*binds, words],
        [*tests, words],
    )


def change_flags(group: Group, value: FlagChange) -> FlagsChanged:
    """Change flags of the messages there are in the ranges."""
    account = group.account(value.account)
    mailbox = group.mailbox(value.account, value.mailbox)
    group.flush()
    modseq = account.modseq + 1
    limit = _ANY if value.unchanged_since is None else value.unchanged_since
    set_clause, differs, binds, tests = _assignment(value)
    update = f"UPDATE message SET {set_clause}, modseq = ? WHERE {_AT} AND modseq <= ? AND {differs}"
    counted = value.mode is FlagMode.REPLACE or value.flags.value & _COUNTED
    result = FlagsChanged([], [])
    written = []
    for first, last in expunge.clamp(mailbox, value.uids):
        at = (value.account, value.mailbox, first, last)
        if value.unchanged_since is not None:
            late = group.execute(f"SELECT uid FROM message WHERE {_AT} AND modseq > ?", (*at, limit))
            result.modified.extend([uid for (uid,) in late])
        before = group.execute(_COUNTS, at).fetchone() if counted else None
        if group.execute(update, (*binds, modseq, *at, limit, *tests)).rowcount:
            written.append((value.account, value.mailbox, modseq, first, last))
            if before is not None:
                _recount(group, mailbox, before, at)
        shown = f"SELECT uid, flags, keywords, modseq FROM message WHERE {_AT} AND (modseq <= ? OR modseq = ?)"
        result.changed.extend(group.execute(shown, (*at, limit, modseq)))
    if written:
        account.modseq = mailbox.highestmodseq = modseq
        group.touched.add(value.account)
        group.connection.executemany(
            "INSERT INTO change (account_id, mailbox_id, modseq, first_uid, last_uid) VALUES (?, ?, ?, ?, ?)", written
        )
    return result


def _recount(group: Group, mailbox: MailboxState, before: tuple[int, int], at: tuple[int, int, int, int]) -> None:
    unseen, deleted = group.execute(_COUNTS, at).fetchone()
    mailbox.unseen += unseen - before[0]
    mailbox.deleted += deleted - before[1]
