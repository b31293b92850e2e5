"""Duties: work that one worker of all does, held for a time."""

from __future__ import annotations

from posthouse.store.sqlite.group import Group
from posthouse.store.values import TakeDuty


def take_duty(group: Group, value: TakeDuty) -> bool:
    """Take or renew a duty that is free, over, or held by the same owner."""
    row = group.execute("SELECT owner, until FROM duty WHERE name = ?", (value.name,)).fetchone()
    if row is not None and row[0] != value.owner and row[1] > value.now:
        return False
    group.execute(
        "INSERT OR REPLACE INTO duty (name, owner, until) VALUES (?, ?, ?)", (value.name, value.owner, value.until)
    )
    return True
