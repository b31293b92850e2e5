"""Making, renaming and deleting mailboxes; subscriptions.

UIDVALIDITY is the time of making, but always higher than any this account had, so that a mailbox made again under an
old name never shows an old pair of UIDVALIDITY and UID (RFC 3501 §2.3.1.1).
"""

from __future__ import annotations

from posthouse.core.ids import AccountId, MailboxId
from posthouse.store.contract import AlreadyExists, NotAllowed, Vanished
from posthouse.store.sqlite.furniture import FURNITURE
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.writes import copy, expunge
from posthouse.store.values import CreateMailbox, DeleteMailbox, RenameMailbox, Role, Subscribe

_WHERE = "store.mailboxes"
_ALL_UIDS = ((1, 0xFFFFFFFF),)


def canonical_name(name: str) -> str:
    """Return the name with its first level as INBOX where it is that in any case (RFC 3501 §5.1)."""
    first, slash, rest = name.partition("/")
    return f"INBOX{slash}{rest}" if first.upper() == "INBOX" else name


def furnish(group: Group, account: AccountId) -> None:
    """Gather the counters and mailboxes of a new account: one for each special use, subscribed."""
    group.furniture.add(account, group.next_numbers("mailbox", len(FURNITURE)), int(group.now))


def create(group: Group, value: CreateMailbox) -> MailboxId:
    """Make a mailbox and the parents it lacks."""
    group.account(value.account)
    name = canonical_name(value.name)
    if find(group, value.account, name):
        raise AlreadyExists(f"there is a mailbox {name}", where=_WHERE)
    _check_name(name)
    if value.role is not None:
        _check_role(group, value.account, value.role)
    parent = _make_parents(group, value.account, name)
    mailbox = _make(group, value.account, name, value.role, parent)
    if value.subscribed:
        _subscribe(group, value.account, name)
    return mailbox


def _check_name(name: str) -> None:
    if not name or any(not level for level in name.split("/")):
        raise NotAllowed("a mailbox name has no empty level", where=_WHERE)


def _check_role(group: Group, account: AccountId, role: Role) -> None:
    taken = group.execute("SELECT name FROM mailbox WHERE account_id = ? AND role = ?", (account, role.value))
    row = taken.fetchone()
    if row is not None:
        raise NotAllowed(f"{row[0]} has the special use {role.value} already", where=_WHERE)


def find(group: Group, account: AccountId, name: str) -> int:
    """Return the id of a mailbox by its canonical name, 0 where there is none."""
    row = group.execute("SELECT id FROM mailbox WHERE account_id = ? AND name = ?", (account, name)).fetchone()
    return row[0] if row else 0


def _make_parents(group: Group, account: AccountId, name: str) -> int:
    """Make the levels above a name that are not there; return the id of the lowest, 0 at the top."""
    parent = 0
    levels = name.split("/")
    for depth in range(1, len(levels)):
        above = "/".join(levels[:depth])
        parent = find(group, account, above) or _make(group, account, above, None, parent)
    return parent


def _make(group: Group, account: AccountId, name: str, role: Role | None, parent: int = 0) -> MailboxId:
    state = group.account(account)
    state.last_uidvalidity = max(state.last_uidvalidity + 1, int(group.now))
    state.modseq += 1
    group.touched.add(account)
    mailbox = MailboxId(group.next_number("mailbox"))
    group.execute(
        "INSERT INTO mailbox (account_id, id, parent_id, name, role, uidvalidity, highestmodseq)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (account, mailbox, parent, name, role.value if role else "", state.last_uidvalidity, state.modseq),
    )
    return mailbox


def rename(group: Group, value: RenameMailbox) -> None:
    """Rename a mailbox with all below it, or empty INBOX into a new one."""
    account = value.account
    group.account(account)
    old, new = canonical_name(value.old), canonical_name(value.new)
    mailbox = find(group, account, old)
    if not mailbox:
        raise Vanished(f"there is no mailbox {old}", where=_WHERE)
    if find(group, account, new):
        raise AlreadyExists(f"there is a mailbox {new}", where=_WHERE)
    _check_name(new)
    if old == "INBOX":
        target = _make(group, account, new, None, _make_parents(group, account, new))
        copy.transfer(group, account, MailboxId(mailbox), target, _ALL_UIDS, move=True)
        return
    if new.startswith(old + "/"):
        raise NotAllowed(f"{new} lies inside {old}", where=_WHERE)
    parent = _make_parents(group, account, new)
    group.execute("UPDATE mailbox SET parent_id = ? WHERE account_id = ? AND id = ?", (parent, account, mailbox))
    group.execute(
        "UPDATE mailbox SET name = ? || substr(name, ?) WHERE account_id = ? AND (name = ? OR name >= ? AND name < ?)",
        (new, len(old) + 1, account, old, old + "/", old + "0"),  # "0" follows "/" in ASCII
    )
    group.account(account).modseq += 1
    group.touched.add(account)


def delete(group: Group, value: DeleteMailbox) -> None:
    """Delete a mailbox with its messages."""
    account = value.account
    group.account(account)
    name = canonical_name(value.name)
    if name == "INBOX":
        raise NotAllowed("INBOX cannot be deleted", where=_WHERE)
    mailbox = find(group, account, name)
    if not mailbox:
        raise Vanished(f"there is no mailbox {name}", where=_WHERE)
    below = "SELECT 1 FROM mailbox WHERE account_id = ? AND parent_id = ? LIMIT 1"
    if group.execute(below, (account, mailbox)).fetchone() is not None:
        raise NotAllowed(f"{name} has mailboxes below it", where=_WHERE)
    expunge.empty(group, account, MailboxId(mailbox))
    group.account(account).modseq += 1
    group.touched.add(account)
    group.forget(account, MailboxId(mailbox))
    for table, key in (("mailbox", "id"), ("expunged", "mailbox_id"), ("change", "mailbox_id")):
        group.execute(f"DELETE FROM {table} WHERE account_id = ? AND {key} = ?", (account, mailbox))


def subscribe(group: Group, value: Subscribe) -> None:
    """Put a name on the list of subscriptions or take it off."""
    group.account(value.account)
    name = canonical_name(value.name)
    if value.subscribed:
        _subscribe(group, value.account, name)
    else:
        group.execute("DELETE FROM subscription WHERE account_id = ? AND name = ?", (value.account, name))


def _subscribe(group: Group, account: AccountId, name: str) -> None:
    group.execute("INSERT OR IGNORE INTO subscription (account_id, name) VALUES (?, ?)", (account, name))
