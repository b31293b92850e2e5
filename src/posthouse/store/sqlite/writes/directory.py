"""Domains, accounts, aliases, routes and settings."""

from __future__ import annotations

from typing import Any

import orjson

from posthouse.core.ids import AccountId, DomainId
from posthouse.store.contract import AlreadyExists, NotAllowed, Vanished
from posthouse.store.directory_values import (
    AccountState,
    Level,
    PutAccount,
    PutAlias,
    PutDomain,
    PutRoute,
    PutSetting,
    RemoveAccount,
    RemoveAlias,
    RemoveDomain,
    RemoveRoute,
)
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.writes import mailboxes

_WHERE = "store.directory"


def put_domain(group: Group, value: PutDomain) -> DomainId:
    """Add or change a domain."""
    row = group.execute("SELECT id FROM domain WHERE name = ?", (value.name,)).fetchone()
    if row is not None and value.must_be_new:
        raise AlreadyExists(f"the domain {value.name} is there already", where=_WHERE)
    if value.alias_of:
        _check_alias_domain(group, value, row[0] if row else 0)
    number = row[0] if row else group.next_number("domain")
    group.execute(
        "INSERT INTO domain (id, name, alias_of, disabled, catch_all) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id)"
        " DO UPDATE SET alias_of = excluded.alias_of, disabled = excluded.disabled, catch_all = excluded.catch_all",
        (number, value.name, value.alias_of or "", int(value.disabled or False), value.catch_all or ""),
    )
    group.directory_changed()
    return DomainId(number)


def _check_alias_domain(group: Group, value: PutDomain, number: int) -> None:
    target = group.execute("SELECT alias_of FROM domain WHERE name = ?", (value.alias_of,)).fetchone()
    if target is None:
        raise Vanished(f"the domain {value.alias_of} is not there", where=_WHERE)
    if target[0] or value.alias_of == value.name:
        raise NotAllowed(f"{value.alias_of} is an alias domain itself or the same domain", where=_WHERE)
    if number and _is_used(group, number, value.name):
        raise NotAllowed(f"{value.name} has accounts, aliases or alias domains of its own", where=_WHERE)


def _is_used(group: Group, number: int, name: str) -> bool:
    for statement, key in (
        ("SELECT 1 FROM account WHERE domain_id = ? LIMIT 1", number),
        ("SELECT 1 FROM alias WHERE domain_id = ? LIMIT 1", number),
        ("SELECT 1 FROM domain WHERE alias_of = ? LIMIT 1", name),
    ):
        if group.execute(statement, (key,)).fetchone() is not None:
            return True
    return False


def remove_domain(group: Group, value: RemoveDomain) -> None:
    """Remove a domain that nothing uses."""
    row = group.execute("SELECT id FROM domain WHERE name = ?", (value.name,)).fetchone()
    if row is None:
        raise Vanished(f"the domain {value.name} is not there", where=_WHERE)
    if _is_used(group, row[0], value.name):
        raise NotAllowed(f"{value.name} still has accounts, aliases or alias domains", where=_WHERE)
    group.execute("DELETE FROM domain WHERE id = ?", row)
    group.execute("DELETE FROM setting WHERE scope = ?", (f"domain:{value.name}",))
    group.directory_changed()


def _home_of(group: Group, address: str) -> int:
    """Return the id of the domain an address is in. Raises Vanished, NotAllowed."""
    name = address.rpartition("@")[2]
    row = group.execute("SELECT id, alias_of FROM domain WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise Vanished(f"the domain {name} is not there", where=_WHERE)
    if row[1]:
        raise NotAllowed(f"{name} is an alias of {row[1]}: use an address there", where=_WHERE)
    return int(row[0])


def put_account(group: Group, value: PutAccount) -> AccountId:
    """Add an account with its mailboxes, or change one."""
    row = group.execute("SELECT id FROM account WHERE address = ?", (value.address,)).fetchone()
    if row is not None and value.must_be_new:
        raise AlreadyExists(f"{value.address} is an account already", where=_WHERE)
    if row is None:
        home = _home_of(group, value.address)
        if group.execute("SELECT 1 FROM alias WHERE address = ?", (value.address,)).fetchone() is not None:
            raise AlreadyExists(f"{value.address} is an alias already", where=_WHERE)
    fields: dict[str, Any] = {
        "password_hash": value.password_hash,
        "display_name": value.display_name,
        "quota_bytes": value.quota_bytes,
        "disabled": None if value.state is None else int(value.state in {AccountState.DISABLED, AccountState.HELD}),
        "is_admin": None if value.level is None else int(value.level is Level.SERVER),
    }
    changed = {name: given for name, given in fields.items() if given is not None}
    if row is None:
        account = AccountId(group.next_number("account"))
        group.execute("INSERT INTO account (id, domain_id, address) VALUES (?, ?, ?)", (account, home, value.address))
        group.execute("INSERT INTO account_state (account_id) VALUES (?)", (account,))
        mailboxes.furnish(group, account)
    else:
        account = AccountId(row[0])
    if changed:
        assignments = ", ".join(f"{name} = ?" for name in changed)
        group.execute(f"UPDATE account SET {assignments} WHERE id = ?", (*changed.values(), account))
        if value.quota_bytes is not None:
            group.account(account).quota = value.quota_bytes
    group.directory_changed()
    return account


def remove_account(group: Group, value: RemoveAccount) -> None:
    """Remove an account now; housekeeping takes its mail away behind it."""
    row = group.execute("SELECT id FROM account WHERE address = ?", (value.address,)).fetchone()
    if row is None:
        raise Vanished(f"the account {value.address} is not there", where=_WHERE)
    group.flush()
    group.forget(AccountId(row[0]))
    group.execute("DELETE FROM account WHERE id = ?", row)
    group.execute("DELETE FROM account_state WHERE account_id = ?", row)
    group.execute("INSERT INTO removed_account (account_id) VALUES (?)", row)
    group.execute("DELETE FROM setting WHERE scope = ?", (f"account:{value.address}",))
    group.touched.add(AccountId(row[0]))
    group.directory_changed()


def put_alias(group: Group, value: PutAlias) -> None:
    """Add an alias or replace its targets."""
    if not value.targets:
        raise NotAllowed("an alias needs a target", where=_WHERE)
    known = group.execute("SELECT 1 FROM alias WHERE address = ?", (value.address,)).fetchone() is not None
    if known and value.must_be_new:
        raise AlreadyExists(f"{value.address} is an alias already", where=_WHERE)
    home = _home_of(group, value.address)
    if group.execute("SELECT 1 FROM account WHERE address = ?", (value.address,)).fetchone() is not None:
        raise AlreadyExists(f"{value.address} is an account already", where=_WHERE)
    group.execute(
        "INSERT OR REPLACE INTO alias (address, domain_id, targets) VALUES (?, ?, ?)",
        (value.address, home, orjson.dumps(value.targets).decode()),
    )
    group.directory_changed()


def remove_alias(group: Group, value: RemoveAlias) -> None:
    """Remove an alias."""
    if not group.execute("DELETE FROM alias WHERE address = ?", (value.address,)).rowcount:
        raise Vanished(f"the alias {value.address} is not there", where=_WHERE)
    group.directory_changed()


def put_route(group: Group, value: PutRoute) -> None:
    """Add or replace a route."""
    if value.must_be_new and group.execute("SELECT 1 FROM route WHERE domain = ?", (value.domain,)).fetchone():
        raise AlreadyExists(f"there is a route for {value.domain} already", where=_WHERE)
    group.execute(
        "INSERT OR REPLACE INTO route (domain, host, port, tls, recipients_local, mx_lookup) VALUES (?, ?, ?, ?, ?, ?)",
        (value.domain, value.host, value.port, value.tls, int(value.recipients_local), int(value.mx_lookup)),
    )
    group.directory_changed()


def remove_route(group: Group, value: RemoveRoute) -> None:
    """Remove a route."""
    if not group.execute("DELETE FROM route WHERE domain = ?", (value.domain,)).rowcount:
        raise Vanished(f"there is no route for {value.domain}", where=_WHERE)
    group.directory_changed()


def put_setting(group: Group, value: PutSetting) -> None:
    """Set or unset a setting."""
    if value.value is None:
        group.execute("DELETE FROM setting WHERE scope = ? AND name = ?", (value.scope, value.name))
    else:
        group.execute(
            "INSERT OR REPLACE INTO setting (scope, name, value, set_by, set_at) VALUES (?, ?, ?, ?, ?)",
            (value.scope, value.name, value.value, value.by, value.at or group.now),
        )
    group.directory_changed()
