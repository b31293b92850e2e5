"""The pieces of upkeep: each bounded, each one value of a group, so that nothing waits long for it.

A piece returns whether there is more of its kind. Tests: ``tests/contract/store/test_store_upkeep.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from posthouse.core.ids import AccountId, MailboxId, queue_id_floor
from posthouse.store.sqlite.group import EMAIL_BITS, Group
from posthouse.store.sqlite.reads.journey import day_of
from posthouse.store.sqlite.writes import bodies

_SLICE = 100  # emails of one slice; each may own a body of some pages
_ROWS = 2_000  # small rows of one slice
_STAGED_SECONDS = 3_600.0  # no delivery takes that long from its first chunk to its commit
_MAILBOXES = 10  # of one slice
DAY = 86_400.0
# What is kept of administration, in seconds after it ended. The audit log is kept for good.
_REPLIES_KEPT = DAY  # of requests with an idempotency key
_JOBS_KEPT = 30 * DAY
_BANS_KEPT = 30 * DAY
_CREDENTIALS_KEPT = DAY
_CHANGES_KEPT = 10_000  # ranges of flag changes a mailbox remembers


@dataclass(frozen=True, slots=True)
class Slice:
    """One bounded piece of upkeep. Returns whether there is more."""

    work: Callable[[Group], bool]


def run_slice(group: Group, value: Slice) -> bool:
    """Do one piece."""
    group.flush()
    return value.work(group)


def apply_place_changes(group: Group) -> bool:
    """Bring ``email.places`` up to date; emails without a place go, and bodies without an owner."""
    rows = group.execute(
        "SELECT p.email_id, e.places + p.delta, e.body_id, p.delta FROM place_change p"
        " LEFT JOIN email e ON e.id = p.email_id ORDER BY p.email_id LIMIT ?",
        (_SLICE,),
    ).fetchall()
    for email, places, body, delta in rows:
        if places is None or places > 0:
            if delta:
                group.execute("UPDATE email SET places = ? WHERE id = ?", (places, email))
        else:
            group.execute("DELETE FROM email WHERE id = ?", (email,))
            bodies.release(group, body)
    group.connection.executemany("DELETE FROM place_change WHERE email_id = ?", [row[:1] for row in rows])
    return len(rows) == _SLICE


def purge_accounts(group: Group) -> bool:
    """Take away what a removed account left behind."""
    row = group.execute("SELECT account_id FROM removed_account LIMIT 1").fetchone()
    if row is None:
        return False
    account = row[0]
    span = (account << EMAIL_BITS, (account + 1) << EMAIL_BITS)
    emails = group.execute("SELECT id, body_id FROM email WHERE id >= ? AND id < ? LIMIT ?", (*span, _SLICE)).fetchall()
    for email, body in emails:
        group.execute("DELETE FROM email WHERE id = ?", (email,))
        bodies.release(group, body)
    if len(emails) == _SLICE:
        return True
    group.execute("DELETE FROM place_change WHERE email_id >= ? AND email_id < ?", span)
    for table, key in (
        ("message", "mailbox_id, uid"),
        ("change", "mailbox_id, modseq, first_uid"),
        ("expunged", "mailbox_id, modseq, first_uid"),
    ):
        count = group.execute(
            f"DELETE FROM {table} WHERE account_id = ? AND ({key}) IN"
            f" (SELECT {key} FROM {table} WHERE account_id = ? LIMIT ?)",
            (account, account, _ROWS),
        ).rowcount
        if count == _ROWS:
            return True
    group.execute("DELETE FROM mailbox WHERE account_id = ?", (account,))
    group.execute("DELETE FROM subscription WHERE account_id = ?", (account,))
    group.execute("DELETE FROM removed_account WHERE account_id = ?", (account,))
    return True


def drop_stale_chunks(group: Group) -> bool:
    """Take away chunks whose delivery never came."""
    row = group.execute(
        "SELECT body_id FROM body_staging WHERE since < ? LIMIT 1", (group.now - _STAGED_SECONDS,)
    ).fetchone()
    if row is None:
        return False
    group.execute(
        "DELETE FROM body_chunk WHERE body_id = ? AND number IN"
        " (SELECT number FROM body_chunk WHERE body_id = ? LIMIT 16)",
        (row[0], row[0]),
    )
    if group.execute("SELECT 1 FROM body_chunk WHERE body_id = ? LIMIT 1", row).fetchone() is None:
        group.execute("DELETE FROM body_staging WHERE body_id = ?", row)
    return True


def sort_journey_keys(group: Group) -> bool:
    """Move keys from the order of arrival into the index; sorted, so that each page is written once."""
    rows = group.execute("SELECT id, queue_id, hashes FROM journey_fresh_key ORDER BY id LIMIT ?", (_ROWS,)).fetchall()
    if not rows:
        return False
    keys = {
        (day_of(queue_id), int.from_bytes(hashes[at : at + 8], "big", signed=True), queue_id)
        for _, queue_id, hashes in rows
        for at in range(0, len(hashes), 8)
    }
    group.connection.executemany(
        "INSERT OR IGNORE INTO journey_key (day, hash, queue_id) VALUES (?, ?, ?)", sorted(keys)
    )
    group.execute("DELETE FROM journey_fresh_key WHERE id <= ?", (rows[-1][0],))
    return len(rows) == _ROWS


class ChangeTrimmer:
    """Forgets the oldest flag changes of mailboxes that remember too many; a mailbox's floor says how far.

    Goes round all mailboxes that have any, some in each slice.
    """

    def __init__(self) -> None:
        self._last = (0, 0)

    def trim(self, group: Group) -> bool:
        """Look at some mailboxes; False at the end of a round."""
        for _ in range(_MAILBOXES):
            row = group.execute(
                "SELECT account_id, mailbox_id FROM change WHERE (account_id, mailbox_id) > (?, ?)"
                " ORDER BY account_id, mailbox_id LIMIT 1",
                self._last,
            ).fetchone()
            if row is None:
                self._last = (0, 0)
                return False
            self._last = row
            _trim_changes(group, row)
        return True


def _trim_changes(group: Group, place: tuple[AccountId, MailboxId]) -> None:
    newest = "SELECT modseq FROM change WHERE account_id = ? AND mailbox_id = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?"
    if group.execute(newest, (*place, 2 * _CHANGES_KEPT)).fetchone() is None:
        return
    floor = group.execute(newest, (*place, _CHANGES_KEPT)).fetchone()[0]
    group.execute("DELETE FROM change WHERE account_id = ? AND mailbox_id = ? AND modseq <= ?", (*place, floor))
    group.mailbox(*place).change_floor = floor
    group.touched.add(place[0])


def forget_journeys(group: Group, before: float) -> bool:
    """Delete journeys of messages from before a moment."""
    floor = int(queue_id_floor(before))
    count = group.execute(
        "DELETE FROM journey WHERE id IN (SELECT id FROM journey WHERE queue_id < ? LIMIT ?)", (floor, _ROWS)
    ).rowcount
    if count < _ROWS:
        day = day_of(floor)
        count += group.execute(
            "DELETE FROM journey_key WHERE day < ? AND (day, hash, queue_id) IN"
            " (SELECT day, hash, queue_id FROM journey_key WHERE day < ? LIMIT ?)",
            (day, day, _ROWS),
        ).rowcount
    return count >= _ROWS


def forget_records(group: Group) -> bool:
    """Delete replies, jobs, bans and credentials that ended long ago."""
    now = group.now
    count = 0
    for table, key, condition, before in (
        ("kept_reply", "caller, request", "at < ?", now - _REPLIES_KEPT),
        ("job", "id", "created < ? AND state NOT IN ('waiting', 'running')", now - _JOBS_KEPT),
        ("ban", "network, account", "until < ?", now - _BANS_KEPT),
        ("allowance", "holder, hour", "hour < ?", now / 3_600 - 2),
        ("credential", "id", "expires > 0 AND expires < ?", now - _CREDENTIALS_KEPT),
    ):
        count = max(
            count,
            group.execute(
                f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {condition} LIMIT ?)",
                (before, _ROWS),
            ).rowcount,
        )
    return count == _ROWS
