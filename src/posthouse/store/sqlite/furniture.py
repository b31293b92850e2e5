"""The counters and mailboxes that every new account gets: gathered as runs of accounts, written by one statement a run.

Accounts that are made one after the other in a transaction have numbers in a row, and so have their mailboxes: a
thousand of them are one run. Written so, an account costs a third of what its rows cost one by one.
Tests: ``tests/contract/store/test_store_bulk.py``.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from posthouse.store.values import Role

# The first is where mail arrives.
FURNITURE: Final = (
    ("INBOX", Role.INBOX.value),
    ("Drafts", Role.DRAFTS.value),
    ("Sent", Role.SENT.value),
    ("Junk", Role.JUNK.value),
    ("Trash", Role.TRASH.value),
    ("Archive", Role.ARCHIVE.value),
)
_COUNT: Final = len(FURNITURE)
_NUMBERED = ", ".join(f"({at}, '{name}', '{role}')" for at, (name, role) in enumerate(FURNITURE))
_NAMED = ", ".join(f"('{name}')" for name in sorted(name for name, _ in FURNITURE))
_RUN = "WITH RECURSIVE run (at) AS (SELECT 0 UNION ALL SELECT at + 1 FROM run WHERE at + 1 < :accounts)"
_STATES = (
    f"{_RUN} INSERT INTO account_state (account_id, modseq, last_uidvalidity, inbox_id)"
    f" SELECT :account + at, {_COUNT}, :validity + {_COUNT - 1}, :mailbox + at * {_COUNT} FROM run"
)
_MAILBOXES = (
    f"{_RUN} INSERT INTO mailbox (account_id, id, parent_id, name, role, uidvalidity, highestmodseq)"
    f" SELECT :account + at, :mailbox + at * {_COUNT} + column1, 0, column2, column3, :validity + column1, column1 + 1"
    f" FROM run CROSS JOIN (VALUES {_NUMBERED})"
)
_SUBSCRIPTIONS = (
    f"{_RUN} INSERT INTO subscription (account_id, name)"
    f" SELECT :account + at, column1 FROM run CROSS JOIN (VALUES {_NAMED})"
)


class Furniture:
    """What was gathered and is not written yet."""

    def __init__(self) -> None:
        self._runs: list[dict[str, int]] = []

    def add(self, account: int, mailbox: int, validity: int) -> None:
        """Gather a new account, whose mailboxes are numbered from ``mailbox`` on."""
        if self._runs:
            run = self._runs[-1]
            made = run["accounts"]
            follows = run["account"] + made == account and run["mailbox"] + made * _COUNT == mailbox
            if follows and run["validity"] == validity:
                run["accounts"] = made + 1
                return
        self._runs.append({"accounts": 1, "account": account, "mailbox": mailbox, "validity": validity})

    def flush(self, connection: sqlite3.Connection) -> None:
        """Write what was gathered."""
        for run in self._runs:
            for statement in (_STATES, _MAILBOXES, _SUBSCRIPTIONS):
                connection.execute(statement, run)
        self._runs.clear()

    def clear(self) -> None:
        """Forget what was gathered."""
        self._runs.clear()
