"""Reads of routes, settings, sources, server messages, credentials, sign-ins and bans."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from posthouse.core.ids import AccountId
from posthouse.store.directory_rows import (
    BanRow,
    CredentialRow,
    RouteRow,
    SettingRow,
    SignInRow,
    SourceRow,
    WordingRow,
)
from posthouse.store.directory_values import CredentialKind

_CREDENTIAL = (
    "SELECT id, account, kind, name, verifier, scopes, created, expires, last_used, last_address, details"
    " FROM credential"
)


def routes(connection: sqlite3.Connection) -> list[RouteRow]:
    """Return all routes."""
    rows = connection.execute(
        "SELECT domain, host, port, tls, recipients_local, mx_lookup, login, sealed_password, revision FROM route"
        " ORDER BY domain"
    )
    return [
        RouteRow(domain, host, port, tls, local != 0, lookup != 0, *rest)
        for domain, host, port, tls, local, lookup, *rest in rows
    ]


def settings(connection: sqlite3.Connection) -> list[SettingRow]:
    """Return all settings that were set."""
    rows = connection.execute("SELECT name, scope, value, set_by, set_at FROM setting ORDER BY scope, name")
    return [SettingRow(*row) for row in rows]


def version(connection: sqlite3.Connection, name: str) -> int:
    """Return a version that is counted: ``directory`` or ``settings``."""
    row = connection.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def sources(connection: sqlite3.Connection) -> list[SourceRow]:
    """Return all sign-in sources."""
    rows = connection.execute("SELECT name, kind, config, sealed, disabled, revision FROM source ORDER BY name")
    return [
        SourceRow(name, kind, orjson.loads(config), sealed, disabled != 0, revision)
        for name, kind, config, sealed, disabled, revision in rows
    ]


def wordings(connection: sqlite3.Connection) -> list[WordingRow]:
    """Return all changed server messages."""
    rows = connection.execute("SELECT scope, name, language, subject, text FROM wording ORDER BY scope, name, language")
    return [WordingRow(*row) for row in rows]


def _credential(row: tuple[Any, ...]) -> CredentialRow:
    fields = list(row)
    fields[2] = CredentialKind(row[2])
    fields[-1] = orjson.loads(row[-1])
    return CredentialRow(*fields)


def credentials(connection: sqlite3.Connection, account: str, kind: CredentialKind | None) -> list[CredentialRow]:
    """Return the credentials of an account."""
    if kind is None:
        rows = connection.execute(f"{_CREDENTIAL} WHERE account = ? ORDER BY created, id", (account,))
    else:
        rows = connection.execute(
            f"{_CREDENTIAL} WHERE account = ? AND kind = ? ORDER BY created, id", (account, kind.value)
        )
    return [_credential(row) for row in rows]


def credential_by_verifier(connection: sqlite3.Connection, kind: CredentialKind, verifier: str) -> CredentialRow | None:
    """Return the credential that has a verifier."""
    row = connection.execute(f"{_CREDENTIAL} WHERE kind = ? AND verifier = ?", (kind.value, verifier)).fetchone()
    return _credential(row) if row else None


def last_sign_in(connection: sqlite3.Connection, account: AccountId) -> SignInRow | None:
    """Return the last sign-in of an account."""
    row = connection.execute("SELECT at, address, protocol FROM sign_in WHERE account_id = ?", (account,)).fetchone()
    return SignInRow(*row) if row else None


def bans(connection: sqlite3.Connection) -> list[BanRow]:
    """Return all bans."""
    rows = connection.execute(
        "SELECT network, account, reason, since, until, set_by FROM ban ORDER BY network, account"
    )
    return [BanRow(*row) for row in rows]
