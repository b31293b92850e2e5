"""Accounts and their further addresses."""

from __future__ import annotations

from enum import Enum
from typing import Any

from posthouse.core.ids import AccountId
from posthouse.store.contract import Vanished
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    Level,
    PutAccount,
    PutAddress,
    RemoveAccount,
    RemoveAddress,
    RenameAccount,
)
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.places import DomainPlace
from posthouse.store.sqlite.writes import domains, entries, mailboxes
from posthouse.store.sqlite.writes.revisions import check_revision

_WHERE = "store.directory"
_FIELDS = (
    "display_name", "password_hash", "quota_bytes", "state", "level", "kind", "given_name", "family_name", "note",
    "language", "quota_messages", "held_until", "must_change_password", "source", "external_id", "created",
)  # fmt: skip
_NAMES = ("display_name", "given_name", "family_name")
_NEW = ("id", "domain_id", "office_id", "address", *_FIELDS, "revision")


def put_account(group: Group, value: PutAccount) -> AccountId:
    """Add an account with its mailboxes, or change one."""
    if not value.must_be_new:
        row = _find(group, value.address)
        if row is not None:
            return _change(group, value, row)
        if value.if_revision:
            raise Vanished(f"the account {value.address} is not there", where=_WHERE)
    return _add(group, value)


def _find(group: Group, address: str) -> tuple[Any, ...] | None:
    """Return id, revision, quota and names of the account with this first address."""
    group.settle()
    row: tuple[Any, ...] | None = group.execute(
        "SELECT id, revision, quota_bytes, display_name, given_name, family_name FROM account WHERE address = ?",
        (address,),
    ).fetchone()
    return row


def _get(group: Group, address: str, revision: int) -> tuple[Any, ...]:
    row = _find(group, address)
    if row is None:
        raise Vanished(f"the account {address} is not there", where=_WHERE)
    check_revision(row[1], revision, f"the account {address}")
    return row


def _add(group: Group, value: PutAccount) -> AccountId:
    home = group.places.home_of(value.address)
    entries.check_free(group, value.address)
    quota = value.quota_bytes or 0
    group.places.check(home, value.ceilings, accounts=1, quota=quota)
    account = AccountId(group.next_number("account"))
    revision = group.directory_changed()
    group.rows["account"].append(
        (
            account, home.id, home.office, value.address, value.display_name or "", value.password_hash or "", quota,
            (value.state or AccountState.ACTIVE).value, (value.level or Level.USER).value,
            (value.kind or AccountKind.PERSON).value, value.given_name or "", value.family_name or "",
            value.note or "", value.language or "", value.quota_messages or 0, value.held_until or 0.0,
            int(value.must_change_password or False), value.source or "", value.external_id or "",
            group.now if value.created is None else value.created, revision,
        )
    )  # fmt: skip
    names = _names(value.display_name or "", value.given_name or "", value.family_name or "")
    entries.add(group, home, entries.ACCOUNT, value.address, names=names, owner=account)
    group.places.count(home, accounts=1, quota=quota)
    mailboxes.furnish(group, account)
    return account


def _names(display: str, given: str, family: str) -> tuple[str, ...]:
    """Return the names an account is found by; the first is shown."""
    whole = f"{given} {family}".strip()
    return (display or whole, whole) if whole else (display,) if display else ()


def _change(group: Group, value: PutAccount, row: tuple[Any, ...]) -> AccountId:
    account, revision, quota, *names = row
    check_revision(revision, value.if_revision, f"the account {value.address}")
    home = group.places.home_of(value.address)
    growth = 0 if value.quota_bytes is None else value.quota_bytes - quota
    group.places.check(home, value.ceilings, quota=growth)
    changed: dict[str, Any] = {}
    for field in _FIELDS:
        given = getattr(value, field)
        if given is not None:
            changed[field] = given.value if isinstance(given, Enum) else given
    changed["revision"] = group.directory_changed()
    assignments = ", ".join(f"{name} = ?" for name in changed)
    group.execute(f"UPDATE account SET {assignments} WHERE id = ?", (*changed.values(), account))
    if growth:
        group.places.count(home, quota=growth)
    told = [changed.get(name, before) for name, before in zip(_NAMES, names, strict=True)]
    if told != names:
        entries.rename(group, value.address, _names(*told), home.office)
    state = group.known_account(account)
    if state is not None:
        state.quota = changed.get("quota_bytes", state.quota)
        state.quota_messages = changed.get("quota_messages", state.quota_messages)
    return AccountId(account)


def rename_account(group: Group, value: RenameAccount) -> None:
    """Give an account another first address; what speaks of the old one speaks of the new one then."""
    account, _, quota, *names = _get(group, value.address, value.if_revision)
    old, new = group.places.home_of(value.address), group.places.home_of(value.new_address)
    kind, owner = entries.kind_of(group, value.new_address)
    was_further = kind == entries.ADDRESS and owner == account
    if not was_further:
        entries.check_free(group, value.new_address)
    if new is not old:
        _move(group, value, (old, new), quota)
    if was_further:
        group.execute("DELETE FROM address WHERE account_id = ? AND address = ?", (account, value.new_address))
        entries.remove(group, value.new_address)
    entries.remove(group, value.address)
    entries.add(group, new, entries.ACCOUNT, value.new_address, names=_names(*names), owner=account)
    group.execute(
        "UPDATE account SET address = ?, domain_id = ?, office_id = ?, revision = ? WHERE id = ?",
        (value.new_address, new.id, new.office, group.directory_changed(), account),
    )
    _rename_everywhere(group, value.address, value.new_address)


def _move(group: Group, value: RenameAccount, homes: tuple[DomainPlace, DomainPlace], quota: int) -> None:
    old, new = homes
    ceilings = value.ceilings
    group.places.count(old, accounts=-1, quota=-quota)
    try:
        group.places.check(new, ceilings, accounts=1, quota=quota)
    except BaseException:
        group.places.count(old, accounts=1, quota=quota)
        raise
    group.places.count(new, accounts=1, quota=quota)


_NAMED_BY_ADDRESS = (
    ("group_member", "member"),
    ("share", "account"),
    ("share", "member"),
    ("credential", "account"),
    ("ban", "account"),
)


def _rename_everywhere(group: Group, old: str, new: str) -> None:
    for table, column in _NAMED_BY_ADDRESS:
        group.execute(f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {column} = ?", (new, old))
    moved = group.execute(
        "UPDATE OR REPLACE setting SET scope = ? WHERE scope = ?", (f"account:{new}", f"account:{old}")
    )
    if moved.rowcount:
        group.settings_changed()
    _count_members(group, new)


def _count_members(group: Group, member: str) -> None:
    """Count anew the groups of a member that may have been in them under two names."""
    group.execute(
        "UPDATE mail_group SET members = (SELECT count(*) FROM group_member m WHERE m.group_address ="
        " mail_group.address) WHERE address IN (SELECT group_address FROM group_member WHERE member = ?)",
        (member,),
    )


def remove_account(group: Group, value: RemoveAccount) -> None:
    """Remove an account now with all that names it; housekeeping takes its mail away behind it."""
    account, _, quota, *_ = _get(group, value.address, value.if_revision)
    home = group.places.home_of(value.address)
    group.flush()
    group.forget(AccountId(account))
    further = group.execute("SELECT address FROM address WHERE account_id = ?", (account,)).fetchall()
    for (address,) in (*further, (value.address,)):
        entries.remove(group, address)
        leave_groups(group, address)
    for table, key in (
        ("account", "id"),
        ("account_state", "account_id"),
        ("address", "account_id"),
        ("sign_in", "account_id"),
    ):
        group.execute(f"DELETE FROM {table} WHERE {key} = ?", (account,))
    for table, key in (("credential", "account"), ("share", "account"), ("share", "member"), ("ban", "account")):
        group.execute(f"DELETE FROM {table} WHERE {key} = ?", (value.address,))
    group.execute("INSERT INTO removed_account (account_id) VALUES (?)", (account,))
    if group.execute("SELECT 1 FROM setting WHERE scope = ?", (f"account:{value.address}",)).fetchone():
        domains.forget_scope(group, f"account:{value.address}")
        group.settings_changed()
    group.places.count(home, accounts=-1, quota=-quota)
    group.touched.add(AccountId(account))
    group.directory_changed()


def leave_groups(group: Group, member: str) -> None:
    """Take an address out of every group."""
    group.execute(
        "UPDATE mail_group SET members = members - 1 WHERE address IN"
        " (SELECT group_address FROM group_member WHERE member = ?)",
        (member,),
    )
    group.execute("DELETE FROM group_member WHERE member = ?", (member,))


def put_address(group: Group, value: PutAddress) -> None:
    """Give an account a further address."""
    account = _get(group, value.account, 0)[0]
    home = group.places.home_of(value.address)
    entries.check_free(group, value.address)
    group.execute("INSERT INTO address (account_id, address) VALUES (?, ?)", (account, value.address))
    entries.add(group, home, entries.ADDRESS, value.address, owner=account)
    _revise(group, account)


def remove_address(group: Group, value: RemoveAddress) -> None:
    """Take a further address away from an account."""
    account = _get(group, value.account, 0)[0]
    gone = group.execute("DELETE FROM address WHERE account_id = ? AND address = ?", (account, value.address)).rowcount
    if not gone:
        raise Vanished(f"{value.address} is no further address of {value.account}", where=_WHERE)
    entries.remove(group, value.address)
    _revise(group, account)


def _revise(group: Group, account: int) -> None:
    group.execute("UPDATE account SET revision = ? WHERE id = ?", (group.directory_changed(), account))
