"""Reads of messages and bodies.

Changes since a modseq are found without a scan of the mailbox and without an index that every delivery would have to
write: arrivals are the newest UIDs, read backwards until ``born`` is old enough; changes of flags are ranges in the
``change`` table, which remembers down to the mailbox's ``change_floor``. Below that the mailbox is scanned.
"""

from __future__ import annotations

import functools
import sqlite3
from array import array
from collections.abc import Sequence
from typing import Any

from posthouse.core import limits
from posthouse.core.ids import AccountId, BodyId, MailboxId, ModSeq
from posthouse.store.contract import Vanished
from posthouse.store.rows import Field
from posthouse.store.values import UidRanges

_OF_MESSAGE = {
    Field.UID: "m.uid",
    Field.FLAGS: "m.flags",
    Field.KEYWORDS: "m.keywords",
    Field.MODSEQ: "m.modseq",
    Field.INTERNAL_DATE: "m.internal_date",
    Field.SAVE_DATE: "m.save_date",
    Field.SIZE: "m.size",
    Field.PREFIX: "m.prefix",
    Field.EMAIL_ID: "m.email_id",
}
_OF_BODY = {Field.CONTENT: "b.content"}
_AT = "account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ?"
_SHOWN = f"SELECT uid, flags, keywords, modseq FROM message WHERE {_AT} AND modseq > ?"
_TOP = 0xFFFFFFFF


@functools.lru_cache(maxsize=512)
def _statement(fields: tuple[Field, ...]) -> str:
    tables = "message m"
    if any(field not in _OF_MESSAGE for field in fields):
        tables += " JOIN email e ON e.id = m.email_id"
    if any(field in _OF_BODY for field in fields):
        tables += " JOIN body b ON b.id = e.body_id"
    columns = [_OF_MESSAGE.get(field) or _OF_BODY.get(field) or f"e.{field.value}" for field in fields]
    return (
        f"SELECT {', '.join(columns)} FROM {tables}"
        " WHERE m.account_id = ? AND m.mailbox_id = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid"
    )


def messages(
    connection: sqlite3.Connection, place: tuple[AccountId, MailboxId], uids: UidRanges, fields: Sequence[Field]
) -> list[tuple[Any, ...]]:
    """Return the fields of the messages in the ranges."""
    statement = _statement(tuple(fields))
    execute = connection.execute
    rows: list[tuple[Any, ...]] = []
    for first, last in uids:
        found = execute(statement, (*place, first, last)).fetchall()
        if rows:
            rows += found
        else:
            rows = found
    return rows


def uids(connection: sqlite3.Connection, account: AccountId, mailbox: MailboxId) -> array[int]:
    """Return all UIDs, rising.

    Computed from what was expunged, where that is little: a mailbox of a million messages then opens in
    milliseconds. The counter tells whether the result can be right; if it cannot, the rows are read.
    """
    row = connection.execute(
        "SELECT messages, uidnext FROM mailbox WHERE account_id = ? AND id = ?", (account, mailbox)
    ).fetchone()
    if row is None or not row[0]:
        return array("I")
    gone = connection.execute(
        "SELECT first_uid, last_uid FROM expunged WHERE account_id = ? AND mailbox_id = ? LIMIT ?",
        (account, mailbox, row[0] // 4 + 1),
    ).fetchall()
    found = array("I")
    following = 1
    for first, last in sorted(gone):
        found.extend(range(following, first))
        following = last + 1
    found.extend(range(following, row[1]))
    if len(found) == row[0]:
        return found
    rows = connection.execute(
        "SELECT uid FROM message WHERE account_id = ? AND mailbox_id = ? ORDER BY uid", (account, mailbox)
    )
    return array("I", [uid for (uid,) in rows.fetchall()])


def changed_since(
    connection: sqlite3.Connection, account: AccountId, mailbox: MailboxId, modseq: ModSeq
) -> list[tuple[int, int, str, int]]:
    """Return messages with a higher modseq."""
    state = connection.execute(
        "SELECT highestmodseq, change_floor, messages FROM mailbox WHERE account_id = ? AND id = ?", (account, mailbox)
    ).fetchone()
    if state is None or state[0] <= modseq:
        return []
    place = (account, mailbox)
    ranges = connection.execute(
        "SELECT DISTINCT first_uid, last_uid FROM change WHERE account_id = ? AND mailbox_id = ? AND modseq > ?"
        " ORDER BY first_uid LIMIT ?",
        (*place, modseq, state[2] // 16 + 64),
    ).fetchall()
    if modseq < state[1] or len(ranges) > state[2] // 16 + 63:
        return connection.execute(_SHOWN, (*place, 1, _TOP, modseq)).fetchall()
    arrived = _first_arrival(connection, place, modseq)
    rows: list[tuple[int, int, str, int]] = []
    covered = 0
    for first, last in ranges:
        start, end = max(first, covered + 1), min(last, arrived - 1)
        if start <= end:
            rows += connection.execute(_SHOWN, (*place, start, end, modseq)).fetchall()
            covered = end
    rows += connection.execute(_SHOWN, (*place, arrived, _TOP, modseq)).fetchall()
    return rows


def _first_arrival(connection: sqlite3.Connection, place: tuple[AccountId, MailboxId], modseq: int) -> int:
    """Return the lowest UID that arrived after a modseq, or one past the last."""
    lowest = _TOP + 1
    rows = connection.execute(
        "SELECT uid, born FROM message WHERE account_id = ? AND mailbox_id = ? ORDER BY uid DESC", place
    )
    for uid, born in rows:
        if born <= modseq:
            break
        lowest = uid
    rows.close()
    return lowest


def expunged_since(connection: sqlite3.Connection, account: AccountId, mailbox: MailboxId, modseq: ModSeq) -> list[int]:
    """Return UIDs that went after a modseq."""
    rows = connection.execute(
        "SELECT first_uid, last_uid FROM expunged WHERE account_id = ? AND mailbox_id = ? AND modseq > ?",
        (account, mailbox, modseq),
    ).fetchall()
    return [uid for first, last in sorted(rows) for uid in range(first, last + 1)]


def read_body(connection: sqlite3.Connection, body: BodyId, offset: int, length: int) -> bytes:
    """Return octets of a body."""
    row = connection.execute("SELECT size, codec FROM body WHERE id = ?", (body,)).fetchone()
    if row is None:
        raise Vanished(f"body {body} is not there", where="store")
    size, codec = row
    length = min(length, size - offset)
    if length <= 0:
        return b""
    if codec:
        return _read_chunks(connection, body, offset, length)
    if offset == 0 and length == size:
        content: bytes = connection.execute("SELECT content FROM body WHERE id = ?", (body,)).fetchone()[0]
        return content
    with connection.blobopen("body", "content", body, readonly=True) as blob:
        blob.seek(offset)
        return blob.read(length)


def _read_chunks(connection: sqlite3.Connection, body: int, offset: int, length: int) -> bytes:
    number = offset // limits.BODY_CHUNK
    skip = offset - number * limits.BODY_CHUNK
    last = (offset + length - 1) // limits.BODY_CHUNK
    rows = connection.execute(
        "SELECT content FROM body_chunk WHERE body_id = ? AND number BETWEEN ? AND ? ORDER BY number",
        (body, number, last),
    )
    return b"".join([content for (content,) in rows])[skip : skip + length]
