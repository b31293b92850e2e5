"""The counters and mailboxes that every new account gets: gathered as runs of accounts, written by one statement a run.

Accounts that are made one after the other in a transaction have numbers in a row, and so have their mailboxes: a
thousand of them are one run. Written so, an account costs a third of what its rows cost one by one.
Tests: ``tests/contract/store/test_store_mailboxes.py``.
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
# ?1 how many accounts, ?2 the first of them, ?3 its first mailbox, ?4 the first UIDVALIDITY.
_RUN = "WITH RECURSIVE run (at) AS (SELECT 0 UNION ALL SELECT at + 1 FROM run WHERE at + 1 < ?1)"
_STATEMENTS: Final = (
    f"{_RUN} INSERT INTO account_state (account_id, modseq, last_uidvalidity, inbox_id)"
    f" SELECT ?2 + at, {_COUNT}, ?4 + {_COUNT - 1}, ?3 + at * {_COUNT} FROM run",
    f"{_RUN} INSERT INTO mailbox (account_id, id, parent_id, name, role, uidvalidity, highestmodseq)"
    f" SELECT ?2 + at, ?3 + at * {_COUNT} + column1, 0, column2, column3, ?4 + column1, column1 + 1"
    f" FROM run CROSS JOIN (VALUES {_NUMBERED})",
    f"{_RUN} INSERT INTO subscription (account_id, name)"
    f" SELECT ?2 + at, column1 FROM run CROSS JOIN (VALUES {_NAMED}) WHERE ?3 > 0 AND ?4 >= 0",
)


class Furniture:
    """What was gathered and is not written yet."""

    def __init__(self) -> None:
        self._runs: list[list[int]] = []

    def add(self, account: int, mailbox: int, validity: int) -> None:
        """Gather a new account, whose mailboxes are numbered from ``mailbox`` on."""
        if self._runs:
            count, first, first_mailbox, since = last = self._runs[-1]
            if (account, mailbox, validity) == (first + count, first_mailbox + count * _COUNT, since):
                last[0] += 1
                return
        self._runs.append([1, account, mailbox, validity])

    def flush(self, connection: sqlite3.Connection) -> None:
        """Write what was gathered."""
        if not self._runs:
            return
        for statement in _STATEMENTS:
            for run in self._runs:
                connection.execute(statement, run)
        self._runs.clear()

    def clear(self) -> None:
        """Forget what was gathered."""
        self._runs.clear()
