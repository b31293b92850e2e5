"""Reads of domains, accounts, aliases, routes and settings."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from posthouse.core.ids import AccountId
from posthouse.store.directory_rows import AccountRow, AliasRow, DomainRow, RouteRow, SettingRow
from posthouse.store.directory_values import AccountState, Level

_DOMAIN = "SELECT id, name, alias_of, disabled, catch_all FROM domain"
_ACCOUNT = "SELECT id, address, display_name, password_hash, quota_bytes, disabled, is_admin FROM account"


def _domain(row: tuple[Any, ...]) -> DomainRow:
    return DomainRow(row[0], row[1], row[2], row[3] != 0, row[4])


def _account(row: tuple[Any, ...]) -> AccountRow:
    number, address, display_name, password_hash, quota, disabled, is_admin = row
    state = AccountState.DISABLED if disabled else AccountState.ACTIVE
    return AccountRow(
        number, address, display_name, password_hash, quota, state, Level.SERVER if is_admin else Level.USER
    )


def domain(connection: sqlite3.Connection, name: str) -> DomainRow | None:
    """Return a domain by name."""
    row = connection.execute(f"{_DOMAIN} WHERE name = ?", (name,)).fetchone()
    return _domain(row) if row else None


def domains(connection: sqlite3.Connection) -> list[DomainRow]:
    """Return all domains."""
    return [_domain(row) for row in connection.execute(f"{_DOMAIN} ORDER BY name")]


def account(connection: sqlite3.Connection, address: str) -> AccountRow | None:
    """Return an account by address."""
    row = connection.execute(f"{_ACCOUNT} WHERE address = ?", (address,)).fetchone()
    return _account(row) if row else None


def account_by_id(connection: sqlite3.Connection, number: AccountId) -> AccountRow | None:
    """Return an account by id."""
    row = connection.execute(f"{_ACCOUNT} WHERE id = ?", (number,)).fetchone()
    return _account(row) if row else None


def accounts(connection: sqlite3.Connection, home: str, after: str, limit: int) -> list[AccountRow]:
    """Return accounts in order of address."""
    if home:
        rows = connection.execute(
            f"{_ACCOUNT} WHERE domain_id = (SELECT id FROM domain WHERE name = ?) AND address > ?"
            " ORDER BY address LIMIT ?",
            (home, after, limit),
        )
    else:
        rows = connection.execute(f"{_ACCOUNT} WHERE address > ? ORDER BY address LIMIT ?", (after, limit))
    return [_account(row) for row in rows]


def alias(connection: sqlite3.Connection, address: str) -> AliasRow | None:
    """Return an alias by address."""
    row = connection.execute("SELECT targets FROM alias WHERE address = ?", (address,)).fetchone()
    return AliasRow(address, tuple(orjson.loads(row[0]))) if row else None


def aliases(connection: sqlite3.Connection, home: str, after: str, limit: int) -> list[AliasRow]:
    """Return aliases in order of address."""
    condition = "domain_id = (SELECT id FROM domain WHERE name = ?) AND " if home else ""
    rows = connection.execute(
        f"SELECT address, targets FROM alias WHERE {condition}address > ? ORDER BY address LIMIT ?",
        (home, after, limit) if home else (after, limit),
    )
    return [AliasRow(address, tuple(orjson.loads(targets))) for address, targets in rows]


def routes(connection: sqlite3.Connection) -> list[RouteRow]:
    """Return all routes."""
    rows = connection.execute("SELECT domain, host, port, tls, recipients_local, mx_lookup FROM route ORDER BY domain")
    return [RouteRow(name, host, port, tls, local != 0, mx != 0) for name, host, port, tls, local, mx in rows]


def settings(connection: sqlite3.Connection) -> list[SettingRow]:
    """Return all settings that were set."""
    rows = connection.execute("SELECT name, scope, value, set_by, set_at FROM setting ORDER BY scope, name")
    return [SettingRow(*row) for row in rows]


def directory_version(connection: sqlite3.Connection) -> int:
    """Return the version of the directory."""
    row = connection.execute("SELECT value FROM counter WHERE name = 'directory'").fetchone()
    return int(row[0]) if row else 0
