"""Reads of post offices, domains, accounts, aliases, groups and shares.

A page is a range of an index: whatever it is narrowed to, the rows lie there in order of address.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from posthouse.core.ids import AccountId
from posthouse.store.directory_rows import AccountRow, AliasRow, DomainRow, GroupRow, OfficeRow, ShareRow
from posthouse.store.directory_values import AccountKind, AccountState, AliasKind, Level, SenderPolicy, ShareRight

_OFFICE = (
    "SELECT id, name, title, note, disabled, domains, accounts, aliases, groups, quota, revision FROM post_office"
    " WHERE id != 0"
)
_DOMAIN = (
    "SELECT d.id, d.name, d.alias_of, d.disabled, d.catch_all, o.name, d.postmaster, d.abuse, d.note, d.accounts,"
    " d.aliases, d.groups, d.quota, d.revision, o.disabled FROM domain d JOIN post_office o ON o.id = d.office_id"
)
_ACCOUNT = (
    "SELECT a.id, a.address, a.display_name, a.password_hash, a.quota_bytes, a.state, a.level, a.kind, a.given_name,"
    " a.family_name, a.note, a.language, a.quota_messages, a.held_until, a.must_change_password, a.source,"
    " a.external_id, a.created, a.revision"
)
_ACCOUNTS = f"{_ACCOUNT} FROM account a"
_AT = f"{_ACCOUNT} FROM entry e JOIN account a ON a.id = e.owner WHERE e.address = ?"
_ALIAS = "SELECT address, targets, kind, disabled, note, revision FROM alias"
_GROUP = "SELECT address, display_name, note, senders, listed, disabled, members, revision FROM mail_group"
_STATES = {state.value: state for state in AccountState}
_LEVELS = {level.value: level for level in Level}
_KINDS = {kind.value: kind for kind in AccountKind}
_GROUPS_OF = 10_000


def _office(row: tuple[Any, ...]) -> OfficeRow:
    fields = list(row)
    fields[4] = row[4] != 0
    return OfficeRow(*fields)


def office(connection: sqlite3.Connection, name: str) -> OfficeRow | None:
    """Return a post office by name."""
    row = connection.execute(f"{_OFFICE} AND name = ?", (name,)).fetchone()
    return _office(row) if row else None


def offices(connection: sqlite3.Connection, after: str, limit: int) -> list[OfficeRow]:
    """Return post offices in order of name."""
    rows = connection.execute(f"{_OFFICE} AND name > ? ORDER BY name LIMIT ?", (after, limit))
    return [_office(row) for row in rows]


def _domain(row: tuple[Any, ...]) -> DomainRow:
    number, name, alias_of, disabled, catch_all, office_name, postmaster, abuse, note, *held, office_off = row
    return DomainRow(
        number, name, alias_of, disabled != 0 or office_off != 0, catch_all, office_name, postmaster, abuse, note,
        disabled != 0, *held,
    )  # fmt: skip


def domain(connection: sqlite3.Connection, name: str) -> DomainRow | None:
    """Return a domain by name."""
    row = connection.execute(f"{_DOMAIN} WHERE d.name = ?", (name,)).fetchone()
    return _domain(row) if row else None


def domains(
    connection: sqlite3.Connection, within: tuple[str | None, str | None], after: str, limit: int
) -> list[DomainRow]:
    """Return domains in order of name; ``within`` is the post office and the domain they stand for."""
    office_name, alias_of = within
    conditions, binds = ["d.name > ?"], [after]
    if office_name is not None:
        conditions.append("d.office_id = (SELECT id FROM post_office WHERE name = ?)")
        binds.append(office_name)
    if alias_of is not None:
        conditions.append("d.alias_of = ?")
        binds.append(alias_of)
    statement = f"{_DOMAIN} WHERE {' AND '.join(conditions)} ORDER BY d.name LIMIT ?"
    return [_domain(row) for row in connection.execute(statement, (*binds, limit))]


def _account(row: tuple[Any, ...]) -> AccountRow:
    fields = list(row)
    fields[5:8] = _STATES[row[5]], _LEVELS[row[6]], _KINDS[row[7]]
    fields[14] = row[14] != 0
    return AccountRow(*fields)


def account(connection: sqlite3.Connection, address: str) -> AccountRow | None:
    """Return the account that has an address, as its first or a further one."""
    row = connection.execute(_AT, (address,)).fetchone()
    return _account(row) if row else None


def account_by_id(connection: sqlite3.Connection, number: AccountId) -> AccountRow | None:
    """Return an account by id."""
    row = connection.execute(f"{_ACCOUNTS} WHERE a.id = ?", (number,)).fetchone()
    return _account(row) if row else None


class Narrowing:
    """What accounts are narrowed to; turned into conditions that the indexes can serve."""

    def __init__(self, domain: str | None, office: str | None) -> None:
        self.conditions: list[str] = []
        self.binds: list[Any] = []
        self.index = ""
        if domain:
            self._add("domain_id = (SELECT id FROM domain WHERE name = ?)", domain)
        elif office is not None:
            self._add("office_id = (SELECT id FROM post_office WHERE name = ?)", office)

    def _add(self, condition: str, bind: Any) -> None:
        self.conditions.append(condition)
        self.binds.append(bind)

    def rare(self, column: str, value: str, common: str) -> None:
        """Narrow to a value; all but the common one are few and have an index of their own."""
        self._add(f"{column} = ?", value)
        if value != common:
            self.conditions.append(f"{column} != '{common}'")
            self.index = self.index or f" INDEXED BY account_by_{column}"

    def where(self, after: str, limit: int) -> tuple[str, tuple[Any, ...]]:
        """Return the rest of the statement and what is bound in it."""
        conditions = " AND ".join([*self.conditions, "address > ?"])
        return f" WHERE {conditions} ORDER BY address LIMIT ?", (*self.binds, after, limit)


def accounts(connection: sqlite3.Connection, narrowing: Narrowing, after: str, limit: int) -> list[AccountRow]:
    """Return accounts in order of address."""
    rest, binds = narrowing.where(after, limit)
    return [_account(row) for row in connection.execute(f"{_ACCOUNTS}{narrowing.index}{rest}", binds)]


def held_accounts(connection: sqlite3.Connection, before: float, limit: int) -> list[AccountRow]:
    """Return accounts whose hold ended before a time."""
    rows = connection.execute(
        f"{_ACCOUNTS} WHERE state = 'held' AND held_until < ? ORDER BY held_until LIMIT ?", (before, limit)
    )
    return [_account(row) for row in rows]


def addresses(connection: sqlite3.Connection, number: AccountId) -> list[str]:
    """Return the further addresses of an account."""
    rows = connection.execute("SELECT address FROM address WHERE account_id = ? ORDER BY address", (number,))
    return [row[0] for row in rows]


def kinds_of(connection: sqlite3.Connection, asked: Sequence[str]) -> dict[str, str]:
    """Return the kind of what has each of some addresses, where anything has it."""
    rows = connection.execute(
        "SELECT e.address, e.kind FROM json_each(?) j CROSS JOIN entry e ON e.address = j.value",
        (orjson.dumps(list(asked)).decode(),),
    )
    return dict(rows.fetchall())


def _alias(row: tuple[Any, ...]) -> AliasRow:
    address, targets, kind, disabled, note, revision = row
    return AliasRow(address, tuple(orjson.loads(targets)), AliasKind(kind), disabled != 0, note, revision)


def alias(connection: sqlite3.Connection, address: str) -> AliasRow | None:
    """Return an alias by address."""
    row = connection.execute(f"{_ALIAS} WHERE address = ?", (address,)).fetchone()
    return _alias(row) if row else None


def aliases(connection: sqlite3.Connection, narrowing: Narrowing, after: str, limit: int) -> list[AliasRow]:
    """Return aliases in order of address."""
    rest, binds = narrowing.where(after, limit)
    return [_alias(row) for row in connection.execute(_ALIAS + rest, binds)]


def _group(row: tuple[Any, ...]) -> GroupRow:
    address, name, note, senders, listed, disabled, members, revision = row
    policy = SenderPolicy(senders)
    return GroupRow(address, name, note, policy, tuple(orjson.loads(listed)), disabled != 0, members, revision)


def group(connection: sqlite3.Connection, address: str) -> GroupRow | None:
    """Return a group by address."""
    row = connection.execute(f"{_GROUP} WHERE address = ?", (address,)).fetchone()
    return _group(row) if row else None


def groups(connection: sqlite3.Connection, narrowing: Narrowing, after: str, limit: int) -> list[GroupRow]:
    """Return groups in order of address."""
    rest, binds = narrowing.where(after, limit)
    return [_group(row) for row in connection.execute(_GROUP + rest, binds)]


def members(connection: sqlite3.Connection, address: str, after: str, limit: int) -> list[str]:
    """Return the members of a group."""
    rows = connection.execute(
        "SELECT member FROM group_member WHERE group_address = ? AND member > ? ORDER BY member LIMIT ?",
        (address, after, limit),
    )
    return [row[0] for row in rows]


def groups_of(connection: sqlite3.Connection, member: str, *, nested: bool) -> list[str]:
    """Return the groups that an address is in, in order."""
    if nested:
        statement = (
            "WITH RECURSIVE up (address) AS (SELECT group_address FROM group_member WHERE member = ?1"
            " UNION SELECT m.group_address FROM up JOIN group_member m ON m.member = up.address LIMIT ?2)"
            " SELECT address FROM up ORDER BY address"
        )
    else:
        statement = "SELECT group_address FROM group_member WHERE member = ?1 ORDER BY group_address LIMIT ?2"
    return [row[0] for row in connection.execute(statement, (member, _GROUPS_OF))]


def shares(connection: sqlite3.Connection, account_address: str, member_addresses: Sequence[str]) -> list[ShareRow]:
    """Return the shares of a shared mailbox, or those given to any of some members."""
    columns = "SELECT s.account, s.member, s.share_right, s.send_as, s.send_on_behalf FROM"
    if account_address:
        rows = connection.execute(f"{columns} share s WHERE s.account = ? ORDER BY s.member", (account_address,))
    else:
        asked = orjson.dumps(sorted(set(member_addresses))).decode()
        rows = connection.execute(
            f"{columns} json_each(?) j CROSS JOIN share s ON s.member = j.value ORDER BY s.account, s.member", (asked,)
        )
    return [ShareRow(name, member, ShareRight(right), a != 0, b != 0) for name, member, right, a, b in rows]
