"""One transaction's working memory: counters read once and written once, rows gathered for ``executemany``.

Writers change counters only through ``AccountState`` and ``MailboxState``, never in SQL, so that the memory is the
truth while the group lasts. Rows that deliveries gather reach the database with ``flush``; a writer that reads or
changes message rows by SQL calls it first.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from posthouse.core.ids import AccountId, MailboxId
from posthouse.store.contract import Vanished
from posthouse.store.sqlite import chain
from posthouse.store.sqlite.furniture import Furniture
from posthouse.store.sqlite.places import Places

EMAIL_BITS = 36  # emails of one account: 68 thousand million; accounts: 134 million


def email_id(account: int, number: int) -> int:
    """Return an email's id: the account in the high bits, so that the rows of an account lie together."""
    return account << EMAIL_BITS | number


class AccountState:
    """The counters of one account."""

    __slots__ = (
        "id",
        "inbox",
        "last_uidvalidity",
        "messages",
        "modseq",
        "next_email",
        "octets",
        "quota",
        "quota_messages",
    )

    def __init__(self, row: tuple[Any, ...]) -> None:
        (
            self.id,
            self.modseq,
            self.next_email,
            self.last_uidvalidity,
            self.inbox,
            self.octets,
            self.messages,
            self.quota,
            self.quota_messages,
        ) = row


class MailboxState:
    """The counters of one mailbox."""

    __slots__ = (
        "account", "change_floor", "deleted", "highestmodseq", "id", "messages", "size", "uidnext", "uidvalidity",
        "unseen",
    )  # fmt: skip

    def __init__(self, account: int, row: tuple[Any, ...]) -> None:
        self.account = account
        (
            self.id,
            self.uidvalidity,
            self.uidnext,
            self.highestmodseq,
            self.messages,
            self.unseen,
            self.deleted,
            self.size,
            self.change_floor,
        ) = row


_ACCOUNT = (
    "SELECT s.account_id, s.modseq, s.next_email, s.last_uidvalidity, s.inbox_id, s.octets, s.messages,"
    " a.quota_bytes, a.quota_messages"
    " FROM account_state s JOIN account a ON a.id = s.account_id WHERE s.account_id = ?"
)
_MAILBOX = (
    "SELECT id, uidvalidity, uidnext, highestmodseq, messages, unseen, deleted, size, change_floor"
    " FROM mailbox WHERE account_id = ? AND id = ?"
)
_PUT_ACCOUNT = (
    "UPDATE account_state SET modseq = ?, next_email = ?, last_uidvalidity = ?, inbox_id = ?, octets = ?,"
    " messages = ? WHERE account_id = ?"
)
_PUT_MAILBOX = (
    "UPDATE mailbox SET uidvalidity = ?, uidnext = ?, highestmodseq = ?, messages = ?, unseen = ?, deleted = ?,"
    " size = ?, change_floor = ? WHERE account_id = ? AND id = ?"
)
_INSERTS = {
    "account": (
        "INSERT INTO account (id, domain_id, office_id, address, display_name, password_hash, quota_bytes, state,"
        " level, kind, given_name, family_name, note, language, quota_messages, held_until, must_change_password,"
        " source, external_id, created, revision)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "entry": "INSERT INTO entry (id, kind, address, name, owner, folded) VALUES (?, ?, ?, ?, ?, ?)",
    "find_index": "INSERT INTO find_index (rowid, folded) VALUES (?, ?)",
    "body": "INSERT INTO body (id, size, codec, hash, content) VALUES (?, ?, ?, ?, ?)",
    "share": "INSERT INTO body_share (body_id, owners) VALUES (?, ?)",
    "email": (
        "INSERT INTO email (id, places, body_id, body_size, header_size, date, has_attachment, message_id, subject,"
        " base_subject, from_text, to_text, cc_text, preview, msg_references, envelope, bodystructure)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "message": (
        "INSERT INTO message (account_id, mailbox_id, uid, email_id, flags, keywords, modseq, born, internal_date,"
        " save_date, size, prefix) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "queue_message": (
        "INSERT INTO queue_message (queue_id, body_id, size, reverse_path, ret, envid, body_type, smtputf8, received,"
        " expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "queue_recipient": (
        "INSERT INTO queue_recipient (queue_id, number, due, address, destination, state, next_attempt, lease_owner,"
        " lease_until, notify, orcpt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ),
    "journey": "INSERT INTO journey (id, queue_id, story) VALUES (?, ?, ?)",
    "journey_key": "INSERT INTO journey_fresh_key (id, queue_id, hashes) VALUES (?, ?, ?)",
    "audit": f"INSERT INTO audit ({chain.COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
}


class Group:
    """The working memory of one transaction.

    Attributes:
        rows: gathered rows by the name of their insert; empty lists between flushes.
        places: domains and post offices with their tallies.
        fresh_addresses: addresses among the gathered rows.
        furniture: gathered counters and mailboxes of new accounts.
        last_digest: of the newest entry of the audit log, gathered or written; None where it was not asked for yet.
        touched: accounts whose mail changed; ``directory`` and ``queue`` say that those did; ``retry`` that an
            administrator wants recipients tried now.
    """

    def __init__(self, connection: sqlite3.Connection, now: float) -> None:
        self.connection = connection
        self.execute = connection.execute
        self.now = now
        self.rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _INSERTS}
        self.touched: set[AccountId] = set()
        self.directory = False
        self.queue = False
        self.retry = False
        self.places = Places(connection)
        self.fresh_addresses: set[str] = set()
        self.furniture = Furniture()
        self.last_digest: str | None = None
        self._accounts: dict[int, AccountState] = {}
        self._mailboxes: dict[tuple[int, int], MailboxState] = {}
        self._counters: dict[str, int] = {}
        self._given: dict[str, int] = {}

    def account(self, account: AccountId) -> AccountState:
        """Return the counters of an account, to be changed in place. Raises Vanished."""
        state = self._accounts.get(account)
        if state is None:
            if self.fresh_addresses:
                self.flush()
            row = self.execute(_ACCOUNT, (account,)).fetchone()
            if row is None:
                raise Vanished(f"account {account} is not there", where="store")
            state = self._accounts[account] = AccountState(row)
        return state

    def mailbox(self, account: AccountId, mailbox: MailboxId) -> MailboxState:
        """Return the counters of a mailbox, to be changed in place. Raises Vanished."""
        state = self._mailboxes.get((account, mailbox))
        if state is None:
            row = self.execute(_MAILBOX, (account, mailbox)).fetchone()
            if row is None:
                raise Vanished(f"mailbox {mailbox} of account {account} is not there", where="store")
            state = self._mailboxes[account, mailbox] = MailboxState(account, row)
        return state

    def forget(self, account: AccountId, mailbox: MailboxId | None = None) -> None:
        """Drop the counters of what was deleted, so that they are not written back."""
        if mailbox is not None:
            self._mailboxes.pop((account, mailbox), None)
            return
        self._accounts.pop(account, None)
        for key in [key for key in self._mailboxes if key[0] == account]:
            del self._mailboxes[key]

    def next_number(self, name: str) -> int:
        """Give out the next number of a counter; it is never given again."""
        if not self._counters:
            self._counters = dict(self.execute("SELECT name, value FROM counter").fetchall())
        value = self._counters.get(name, 0) + 1
        self._counters[name] = self._given[name] = value
        return value

    def next_numbers(self, name: str, count: int) -> int:
        """Give out several numbers of a counter; return the first."""
        last = self.next_number(name) + count - 1
        self._counters[name] = self._given[name] = last
        return last - count + 1

    def directory_changed(self) -> int:
        """Raise the directory's version; return it, as the revision of what changed."""
        self.directory = True
        return self.next_number("directory")

    def settings_changed(self) -> int:
        """Raise the version of the settings and the directory's; return the latter."""
        self.next_number("settings")
        return self.directory_changed()

    def known_account(self, account: int) -> AccountState | None:
        """Return the counters of an account if the transaction has met it."""
        return self._accounts.get(account)

    def flush(self) -> None:
        """Write gathered rows and changed counters. What was read stays in memory."""
        many = self.connection.executemany
        for name, rows in self.rows.items():
            if rows:
                many(_INSERTS[name], rows)
                rows.clear()
        if self.fresh_addresses:
            self.fresh_addresses.clear()
        self.furniture.flush(self.connection)
        self.places.flush()
        if self._accounts:
            many(
                _PUT_ACCOUNT,
                [
                    (s.modseq, s.next_email, s.last_uidvalidity, s.inbox, s.octets, s.messages, s.id)
                    for s in self._accounts.values()
                    if s.id in self.touched
                ],
            )
        if self._mailboxes:
            many(
                _PUT_MAILBOX,
                [
                    (
                        s.uidvalidity, s.uidnext, s.highestmodseq, s.messages, s.unseen, s.deleted, s.size,
                        s.change_floor, s.account, s.id,
                    )
                    for s in self._mailboxes.values()
                    if s.account in self.touched
                ],
            )  # fmt: skip
        if self._given:
            many("INSERT OR REPLACE INTO counter (name, value) VALUES (?, ?)", list(self._given.items()))
            self._given.clear()

    def settle(self) -> None:
        """Write gathered rows of the directory, for a writer that works on them by SQL."""
        if self.fresh_addresses:
            self.flush()

    def forget_all(self) -> None:
        """Drop everything in memory, after a savepoint was rolled back; the database is the truth again."""
        for rows in self.rows.values():
            rows.clear()
        self.fresh_addresses.clear()
        self.furniture.clear()
        self.last_digest = None
        self.places.forget()
        self._accounts.clear()
        self._mailboxes.clear()
        self._counters.clear()
        self._given.clear()
