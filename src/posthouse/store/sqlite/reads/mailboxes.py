"""Reads of mailboxes, subscriptions and usage."""

from __future__ import annotations

import sqlite3
from typing import Any

from posthouse.core.ids import AccountId, MailboxId
from posthouse.store.rows import MailboxRow, Usage
from posthouse.store.values import Role

_COLUMNS = (
    "SELECT account_id, id, name, role, uidvalidity, uidnext, highestmodseq, messages, unseen, deleted, size,"
    " EXISTS (SELECT 1 FROM subscription s WHERE s.account_id = m.account_id AND s.name = m.name),"
    " EXISTS (SELECT 1 FROM mailbox c WHERE c.account_id = m.account_id AND c.parent_id = m.id)"
    " FROM mailbox m WHERE account_id = ?"
)
_ONE = f"{_COLUMNS} AND id = ?"
_NAMED = f"{_COLUMNS} AND name = ?"
_ALL = f"{_COLUMNS} ORDER BY name != 'INBOX', name"
_ROLES: dict[str, Role | None] = {"": None, **{role.value: role for role in Role}}


def _row(row: tuple[Any, ...]) -> MailboxRow:
    account, mailbox, name, role, validity, following, modseq, count, unseen, deleted, size, subscribed, children = row
    return MailboxRow(
        account, mailbox, name, _ROLES[role], validity, following, modseq, count, unseen, deleted, size,
        subscribed == 1, children == 1,
    )  # fmt: skip


def mailboxes(connection: sqlite3.Connection, account: AccountId) -> list[MailboxRow]:
    """Return an account's mailboxes, INBOX first."""
    return [_row(row) for row in connection.execute(_ALL, (account,))]


def mailbox(connection: sqlite3.Connection, account: AccountId, number: MailboxId) -> MailboxRow | None:
    """Return one mailbox."""
    row = connection.execute(_ONE, (account, number)).fetchone()
    return _row(row) if row else None


def mailbox_named(connection: sqlite3.Connection, account: AccountId, name: str) -> MailboxRow | None:
    """Return one mailbox by its canonical name."""
    row = connection.execute(_NAMED, (account, name)).fetchone()
    return _row(row) if row else None


def subscriptions(connection: sqlite3.Connection, account: AccountId) -> list[str]:
    """Return subscribed names in order."""
    rows = connection.execute("SELECT name FROM subscription WHERE account_id = ? ORDER BY name", (account,))
    return [name for (name,) in rows]


def usage(connection: sqlite3.Connection, account: AccountId) -> Usage | None:
    """Return what an account uses."""
    row = connection.execute(
        "SELECT s.octets, s.messages, a.quota_bytes FROM account_state s JOIN account a ON a.id = s.account_id"
        " WHERE s.account_id = ?",
        (account,),
    ).fetchone()
    return Usage(*row) if row else None
