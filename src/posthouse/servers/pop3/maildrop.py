"""The inbox of an account as a POP3 maildrop: a snapshot of UIDs and sizes, and single messages.

Memory for a snapshot is twelve octets a message; rows are read slice by slice. Nothing here changes flags: POP3 has
no notion of a message being seen, and a client that leaves mail on the server must not mark it read for others.
Tests: ``tests/unit/servers/pop3/test_pop3_door.py``.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from posthouse.core.errors import Unavailable
from posthouse.core.ids import AccountId, BodyId, MailboxId
from posthouse.core.limits import BODY_CHUNK
from posthouse.protocols.pop3.stuffing import first_lines
from posthouse.protocols.pop3.types import Maildrop
from posthouse.store.contract import Store
from posthouse.store.rows import Field, MailboxRow
from posthouse.store.values import Expunge, Role

_SLICE: Final = 5_000  # messages whose sizes are read at once
_FIELDS: Final = (Field.PREFIX, Field.BODY_ID, Field.HEADER_SIZE, Field.SIZE, Field.CONTENT)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message as it is read: ``content`` where it is stored inline, else the body is read in chunks."""

    prefix: bytes
    body: BodyId
    header_size: int
    size: int
    content: bytes | None


async def find_inbox(store: Store, account: AccountId) -> MailboxRow:
    """Return the account's inbox. Raises Unavailable: where it has none, which only a half-made account has."""
    for mailbox in await store.mailboxes(account):
        if mailbox.role is Role.INBOX:
            return mailbox
    raise Unavailable("the account has no inbox", where="pop3.maildrop")


async def open_maildrop(store: Store, inbox: MailboxRow, most: int) -> Maildrop:
    """Return a snapshot of the inbox, of its ``most`` oldest messages."""
    wanted = (await store.uids(inbox.account, inbox.id))[:most]
    uids, sizes = array("I"), array("Q")
    for start in range(0, len(wanted), _SLICE):
        part = wanted[start : start + _SLICE]
        rows = await store.messages(inbox.account, inbox.id, [(part[0], part[-1])], (Field.UID, Field.SIZE))
        for uid, size in rows:
            uids.append(uid)
            sizes.append(size)
    return Maildrop(inbox.uidvalidity, uids, sizes)


async def find_message(store: Store, account: AccountId, mailbox: MailboxId, uid: int) -> StoredMessage | None:
    """Return a message, or None where it is gone."""
    rows = await store.messages(account, mailbox, [(uid, uid)], _FIELDS)
    return StoredMessage(*rows[0]) if rows else None


async def read_message(store: Store, message: StoredMessage, lines: int | None) -> AsyncGenerator[bytes, None]:
    """Yield the octets of a message in chunks; with ``lines``, its header section and so many lines of its body."""
    if message.prefix:
        yield message.prefix
    header_left = message.header_size
    lines_left = lines
    offset = 0
    while True:
        if message.content is not None:
            chunk = message.content if offset == 0 else b""
        else:
            chunk = await store.read_body(message.body, offset, BODY_CHUNK)
        if not chunk:
            return
        offset += len(chunk)
        if lines_left is None:
            yield chunk
            continue
        head, rest = chunk[:header_left], chunk[header_left:]
        header_left -= len(head)
        part, lines_left = first_lines(rest, lines_left)
        if head or part:
            yield head + part
        if header_left <= 0 and not lines_left:
            return


async def remove_messages(store: Store, inbox: MailboxRow, uids: tuple[int, ...]) -> None:
    """Remove the messages for good. Raises StoreRefusal, Unavailable."""
    await store.commit(Expunge(account=inbox.account, mailbox=inbox.id, uids=_ranges(uids), only_deleted=False))


def _ranges(uids: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return rising UIDs as inclusive ranges."""
    ranges: list[tuple[int, int]] = []
    for uid in uids:
        if ranges and ranges[-1][1] == uid - 1:
            ranges[-1] = (ranges[-1][0], uid)
        else:
            ranges.append((uid, uid))
    return ranges
