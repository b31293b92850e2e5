"""The queue: leases, results, an administrator's hand.

A waiting recipient is due at ``due``: the later of its next attempt and the end of its lease, so one index finds what
to claim, and a lease that ends (its worker died) needs no care. The states of a recipient::

    waiting -- ClaimRecipients --> waiting under a lease -- QueueResult --> deleted (delivered, failed, removed)
       ^  ^                                                 | next attempt
       |  +-------------------------------------------------+
       +-- QueueControl --> held
"""

from __future__ import annotations

from posthouse.store.rows import QueueRow
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.reads.queue import COLUMNS, FROM, queue_row
from posthouse.store.sqlite.writes import bodies, journey
from posthouse.store.values import (
    EVERY_OWNER,
    ClaimRecipients,
    QueueControl,
    QueueResult,
    RecipientResult,
    RecipientState,
    ReleaseLeases,
)

_SCAN = 10_000  # entries of the index a claim looks at before it goes by destination
_DESTINATIONS = 1_000  # destinations it then looks at
_SOON = 60.0  # couriers look by themselves at least this often; what is due before that they must be told of
_LEASE = (
    "UPDATE queue_recipient SET lease_owner = ?, lease_until = ?, due = max(next_attempt, ?)"
    " WHERE queue_id = ? AND number = ?"
)


def claim(group: Group, value: ClaimRecipients) -> list[QueueRow]:
    """Lease due recipients, oldest first, those of one destination together."""
    group.flush()
    found = _due(group, value)
    by_destination: dict[str, list[tuple[int, int]]] = {}
    for queue_id, number, destination in found:
        by_destination.setdefault(destination, []).append((queue_id, number))
    keys = [key for together in by_destination.values() for key in together]
    group.connection.executemany(_LEASE, [(value.owner, value.lease_until, value.lease_until, *key) for key in keys])
    statement = f"SELECT {COLUMNS} FROM {FROM} WHERE r.queue_id = ? AND r.number = ?"
    return [queue_row(group.execute(statement, key).fetchone()) for key in keys]


def _due(group: Group, value: ClaimRecipients) -> list[tuple[int, int, str]]:
    """Return keys and destinations of due recipients, oldest first."""
    if not value.skip_destinations:
        return group.execute(
            "SELECT queue_id, number, destination FROM queue_recipient WHERE due IS NOT NULL AND due <= ?"
            " ORDER BY due LIMIT ?",
            (value.now, value.limit),
        ).fetchall()
    skipped = set(value.skip_destinations)
    found: list[tuple[int, int, str]] = []
    seen = 0
    for row in group.execute(
        "SELECT queue_id, number, destination FROM queue_recipient WHERE due IS NOT NULL AND due <= ?"
        " ORDER BY due LIMIT ?",
        (value.now, _SCAN),
    ):
        seen += 1
        if row[2] not in skipped:
            found.append(row)
            if len(found) == value.limit:
                return found
    if seen == _SCAN:  # a crowd for skipped destinations stands in front: look behind it
        found = _due_by_destination(group, value, skipped)
    return found


def _due_by_destination(group: Group, value: ClaimRecipients, skipped: set[str]) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    name = ""
    for _ in range(_DESTINATIONS):
        row = group.execute(
            "SELECT min(destination) FROM queue_recipient WHERE due IS NOT NULL AND destination > ?", (name,)
        ).fetchone()
        if row[0] is None or len(found) >= value.limit:
            break
        name = row[0]
        if name not in skipped:
            found += group.execute(
                "SELECT queue_id, number, destination FROM queue_recipient WHERE due IS NOT NULL"
                " AND destination = ? AND due <= ? ORDER BY due LIMIT ?",
                (name, value.now, value.limit - len(found)),
            ).fetchall()
    return found


def result(group: Group, value: QueueResult) -> None:
    """Write what attempts came to; a message without recipients goes."""
    group.flush()
    ended = set()
    for outcome in value.results:
        if outcome.state in {RecipientState.WAITING, RecipientState.HELD}:
            _put_off(group, outcome)
        else:
            group.execute(
                "DELETE FROM queue_recipient WHERE queue_id = ? AND number = ?", (outcome.queue_id, outcome.number)
            )
            ended.add(outcome.queue_id)
    for queue_id in ended:
        _finish(group, queue_id)
    journey.tell(group, value.journey)


def _put_off(group: Group, outcome: RecipientResult) -> None:
    """Set the next attempt. A recipient that was held meanwhile stays held."""
    holds = outcome.state is RecipientState.HELD
    group.queue = group.queue or (outcome.attempted and not holds and outcome.next_attempt < group.now + _SOON)
    group.execute(
        "UPDATE queue_recipient SET state = CASE WHEN ? OR state = 'held' THEN 'held' ELSE 'waiting' END,"
        " due = CASE WHEN ? OR state = 'held' THEN NULL ELSE ? END, next_attempt = ?, lease_owner = '',"
        " lease_until = 0, attempts = attempts + ?, last_reply = ?, delay_notified = delay_notified | ?"
        " WHERE queue_id = ? AND number = ?",
        (
            holds, holds, outcome.next_attempt, outcome.next_attempt, int(outcome.attempted), outcome.reply,
            int(outcome.delay_notified), outcome.queue_id, outcome.number,
        ),
    )  # fmt: skip


def _finish(group: Group, queue_id: int) -> None:
    """Delete a message that has no recipients left, and let its body go."""
    if group.execute("SELECT 1 FROM queue_recipient WHERE queue_id = ? LIMIT 1", (queue_id,)).fetchone() is None:
        row = group.execute("SELECT body_id FROM queue_message WHERE queue_id = ?", (queue_id,)).fetchone()
        if row is not None:
            group.execute("DELETE FROM queue_message WHERE queue_id = ?", (queue_id,))
            bodies.release(group, row[0])


def release(group: Group, value: ReleaseLeases) -> int:
    """Give back what an owner holds, or everybody."""
    group.flush()
    condition, binds = ("lease_owner = ?", (value.owner,)) if value.owner != EVERY_OWNER else ("lease_owner != ''", ())
    count = group.execute(
        "UPDATE queue_recipient SET lease_owner = '', lease_until = 0,"
        f" due = CASE WHEN state = 'waiting' THEN next_attempt END WHERE {condition}",
        binds,
    ).rowcount
    group.queue = group.queue or count > 0
    return count


def control(group: Group, value: QueueControl) -> int:
    """Release, hold or remove recipients of one message."""
    group.flush()
    at = "queue_id = ?" + ("" if value.number is None else " AND number = ?")
    key = (value.queue_id,) if value.number is None else (value.queue_id, value.number)
    if value.state is RecipientState.HELD:
        statement = f"UPDATE queue_recipient SET state = 'held', due = NULL WHERE {at} AND state = 'waiting'"
        count = group.execute(statement, key).rowcount
    elif value.state is RecipientState.WAITING:
        when = value.next_attempt or value.now
        statement = (
            "UPDATE queue_recipient SET state = 'waiting', next_attempt = ?,"
            f" due = CASE WHEN lease_until > ? THEN max(?, lease_until) ELSE ? END WHERE {at}"
        )
        count = group.execute(statement, (when, value.now, when, when, *key)).rowcount
        group.queue = group.queue or count > 0
        group.retry = group.retry or count > 0
    else:
        statement = f"DELETE FROM queue_recipient WHERE {at} AND NOT (lease_owner != '' AND lease_until > ?)"
        count = group.execute(statement, (*key, value.now)).rowcount
        if count:
            _finish(group, value.queue_id)
    if count:
        journey.tell(group, value.journey)
    return count
