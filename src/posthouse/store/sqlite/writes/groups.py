"""Groups, who is in them, and shares.

No group contains itself, through whatever others: before members are added, everything that contains the group is
looked up, level by level, under the write lock.
"""

from __future__ import annotations

from typing import Any

import orjson

from posthouse.store.contract import AlreadyExists, NotAllowed, Vanished
from posthouse.store.directory_values import ChangeMembers, PutGroup, PutShare, RemoveGroup, RemoveShare
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.writes import entries
from posthouse.store.sqlite.writes.accounts import leave_groups
from posthouse.store.sqlite.writes.revisions import check_revision

MAX_NESTING = 16  # groups inside groups, from the outermost to the innermost
_WHERE = "store.directory"
_ABOVE = "SELECT DISTINCT m.group_address FROM json_each(?) j CROSS JOIN group_member m ON m.member = j.value"
_BELOW = (
    "SELECT DISTINCT m.member FROM json_each(?) j CROSS JOIN group_member m ON m.group_address = j.value"
    " WHERE EXISTS (SELECT 1 FROM group_member c WHERE c.group_address = m.member)"
)


def put_group(group: Group, value: PutGroup) -> None:
    """Add a group or change one."""
    row = group.execute("SELECT revision, display_name FROM mail_group WHERE address = ?", (value.address,)).fetchone()
    if row is not None and value.must_be_new:
        raise AlreadyExists(f"{value.address} is a group already", where=_WHERE)
    if row is None and value.if_revision:
        raise Vanished(f"the group {value.address} is not there", where=_WHERE)
    check_revision(row[0] if row else 0, value.if_revision, f"the group {value.address}")
    home = group.places.home_of(value.address)
    name = value.display_name or ""
    if row is None:
        entries.check_free(group, value.address)
        group.places.check(home, value.ceilings, groups=1)
        group.places.count(home, groups=1)
        entries.add(group, home, entries.GROUP, value.address, names=(name,) if name else ())
        group.execute(
            "INSERT INTO mail_group (address, domain_id, office_id) VALUES (?, ?, ?)",
            (value.address, home.id, home.office),
        )
    elif value.display_name is not None and name != row[1]:
        group.settle()
        entries.rename(group, value.address, (name,) if name else (), home.office)
    group.execute(
        "UPDATE mail_group SET display_name = coalesce(?, display_name), note = coalesce(?, note),"
        " senders = coalesce(?, senders), listed = coalesce(?, listed), disabled = coalesce(?, disabled), revision = ?"
        " WHERE address = ?",
        (*_fields(value), group.directory_changed(), value.address),
    )


def _fields(value: PutGroup) -> tuple[Any, ...]:
    return (
        value.display_name,
        value.note,
        None if value.senders is None else value.senders.value,
        None if value.listed is None else orjson.dumps(value.listed).decode(),
        None if value.disabled is None else int(value.disabled),
    )


def remove_group(group: Group, value: RemoveGroup) -> None:
    """Remove a group."""
    row = group.execute("SELECT revision FROM mail_group WHERE address = ?", (value.address,)).fetchone()
    if row is None:
        raise Vanished(f"the group {value.address} is not there", where=_WHERE)
    check_revision(row[0], value.if_revision, f"the group {value.address}")
    group.settle()
    group.execute("DELETE FROM mail_group WHERE address = ?", (value.address,))
    group.execute("DELETE FROM group_member WHERE group_address = ?", (value.address,))
    group.execute("DELETE FROM share WHERE member = ?", (value.address,))
    leave_groups(group, value.address)
    entries.remove(group, value.address)
    group.places.count(group.places.home_of(value.address), groups=-1)
    group.directory_changed()


def change_members(group: Group, value: ChangeMembers) -> int:
    """Change who is in a group; return how many are."""
    row = group.execute("SELECT members FROM mail_group WHERE address = ?", (value.group,)).fetchone()
    if row is None:
        raise Vanished(f"the group {value.group} is not there", where=_WHERE)
    added = sorted(set(value.add))
    _check_nesting(group, value.group, added)
    many = group.connection.executemany
    if value.replace:
        kept = orjson.dumps(added).decode()
        group.execute(
            "DELETE FROM group_member WHERE group_address = ? AND member NOT IN (SELECT value FROM json_each(?))",
            (value.group, kept),
        )
    elif value.remove:
        rows = [(value.group, member) for member in set(value.remove) - set(added)]
        many("DELETE FROM group_member WHERE group_address = ? AND member = ?", rows)
    rows = [(value.group, member) for member in added]
    many("INSERT OR IGNORE INTO group_member (group_address, member) VALUES (?, ?)", rows)
    group.execute(
        "UPDATE mail_group SET revision = ?, members = (SELECT count(*) FROM group_member WHERE group_address = ?)"
        " WHERE address = ?",
        (group.directory_changed(), value.group, value.group),
    )
    return int(group.execute("SELECT members FROM mail_group WHERE address = ?", (value.group,)).fetchone()[0])


def _check_nesting(group: Group, address: str, added: list[str]) -> None:
    """Raise NotAllowed where the group would contain itself, or groups would nest too deeply."""
    if not added:
        return
    above = _levels(group, _ABOVE, [address])
    loops = set().union(*above).intersection(added)
    if loops:
        raise NotAllowed(f"{address} would contain itself through {min(loops)}", where=_WHERE)
    below = _levels(group, _BELOW, _with_members(group, added))
    if len(above) + len(below) > MAX_NESTING:
        raise NotAllowed(f"groups would be nested more than {MAX_NESTING} deep at {address}", where=_WHERE)


def _with_members(group: Group, addresses: list[str]) -> list[str]:
    """Return those that are groups with members."""
    statement = (
        "SELECT j.value FROM json_each(?) j WHERE EXISTS (SELECT 1 FROM group_member m WHERE m.group_address = j.value)"
    )
    return [row[0] for row in group.execute(statement, (orjson.dumps(addresses).decode(),))]


def _levels(group: Group, statement: str, start: list[str]) -> list[set[str]]:
    """Return what is one, two ... steps from some addresses, at most one level too many."""
    levels = [set(start)]
    while levels[-1] and len(levels) <= MAX_NESTING + 1:
        asked = orjson.dumps(sorted(levels[-1])).decode()
        levels.append({row[0] for row in group.execute(statement, (asked,))})
    return [level for level in levels if level]


def put_share(group: Group, value: PutShare) -> None:
    """Give a member rights in a shared mailbox."""
    account = _first_address(group, value.account)
    kind, _ = entries.kind_of(group, value.member)
    member = value.member if kind == entries.GROUP else _first_address(group, value.member)
    if member == account:
        raise NotAllowed(f"{account} has every right in its own mailbox", where=_WHERE)
    group.execute(
        "INSERT OR REPLACE INTO share (account, member, share_right, send_as, send_on_behalf) VALUES (?, ?, ?, ?, ?)",
        (account, member, value.right.value, int(value.send_as), int(value.send_on_behalf)),
    )
    group.directory_changed()


def _first_address(group: Group, address: str) -> str:
    kind, owner = entries.kind_of(group, address)
    if kind not in {entries.ACCOUNT, entries.ADDRESS}:
        raise Vanished(f"the account {address} is not there", where=_WHERE)
    group.settle()
    return str(group.execute("SELECT address FROM account WHERE id = ?", (owner,)).fetchone()[0])


def remove_share(group: Group, value: RemoveShare) -> None:
    """Take a member's rights in a shared mailbox away."""
    gone = group.execute("DELETE FROM share WHERE account = ? AND member = ?", (value.account, value.member)).rowcount
    if not gone:
        raise Vanished(f"{value.member} has no rights in {value.account}", where=_WHERE)
    group.directory_changed()
