"""STATUS: counters of a mailbox, all of one moment (RFC 3501 §6.3.10, RFC 8438 §3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from posthouse.protocols.imap.format.mailbox import status_response
from posthouse.protocols.imap.types.commands import Status
from posthouse.protocols.imap.types.listing import StatusItem
from posthouse.servers.imap.answers import NONEXISTENT
from posthouse.servers.imap.conversation import Conversation
from posthouse.services.mailstore import mailboxes
from posthouse.store.rows import MailboxRow

_COUNTERS: Final[dict[StatusItem, Callable[[MailboxRow], int]]] = {
    StatusItem.MESSAGES: lambda row: row.messages,
    StatusItem.UIDNEXT: lambda row: row.uidnext,
    StatusItem.UIDVALIDITY: lambda row: row.uidvalidity,
    StatusItem.UNSEEN: lambda row: row.unseen,
    StatusItem.DELETED: lambda row: row.deleted,
    StatusItem.SIZE: lambda row: row.size,
    StatusItem.HIGHESTMODSEQ: lambda row: max(row.highestmodseq, 1),
}


def counters(talk: Conversation, row: MailboxRow, items: tuple[StatusItem, ...]) -> dict[StatusItem, int]:
    """Return the counters asked for."""
    recent = talk.services.recent.count(row)
    return {item: recent if item is StatusItem.RECENT else _COUNTERS[item](row) for item in items}


async def do_status(talk: Conversation, tag: bytes, command: Status) -> None:
    """Tell the counters of one mailbox."""
    row = await mailboxes.named(talk.store, talk.account_id, command.mailbox)
    if row is None:
        talk.refuse(tag, NONEXISTENT)
        return
    talk.untagged(status_response(row.name, counters(talk, row, command.items)))
    talk.done(tag, b"Status completed")
