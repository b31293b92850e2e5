"""Who owns a body, and letting it go when nobody does."""

from __future__ import annotations

from posthouse.store.sqlite.group import Group


def release(group: Group, body: int) -> None:
    """Take one owner (an email or a queue message) off a body; without owners it is deleted."""
    row = group.execute("SELECT owners FROM body_share WHERE body_id = ?", (body,)).fetchone()
    if row is None:
        group.execute("DELETE FROM body WHERE id = ?", (body,))
        group.execute("DELETE FROM body_chunk WHERE body_id = ?", (body,))
    elif row[0] > 2:
        group.execute("UPDATE body_share SET owners = owners - 1 WHERE body_id = ?", (body,))
    else:
        group.execute("DELETE FROM body_share WHERE body_id = ?", (body,))
