r"""SELECT and EXAMINE (RFC 3501 §6.3.1, §6.3.2, RFC 7162 §3.1.2).

UNSEEN is told where it is cheap to find, which RFC 3501 §6.3.1 allows; RFC 9051 has dropped it.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.flags import Flag
from posthouse.protocols.imap.format.mailbox import SelectFacts, select_responses
from posthouse.protocols.imap.types.commands import Select
from posthouse.servers.imap.answers import NONEXISTENT
from posthouse.servers.imap.conversation import Conversation
from posthouse.servers.imap.opened import Opened
from posthouse.servers.imap.rights import may_write
from posthouse.services.mailstore import mailboxes
from posthouse.store.rows import Field, MailboxRow

_UNSEEN_ROWS: Final = 1000  # looked through for the first unseen message


async def do_select(talk: Conversation, tag: bytes, command: Select) -> None:
    """Open a mailbox; the one that was open is forgotten even where this fails."""
    if talk.opened is not None:
        talk.untagged(b"* OK [CLOSED] Previous mailbox closed\r\n")  # RFC 7162 §3.2.11
    talk.deselect()
    row = await mailboxes.named(talk.store, talk.account_id, command.mailbox)
    if row is None:
        talk.session.unselected()
        talk.refuse(tag, NONEXISTENT)
        return
    uids = await talk.services.uid_cache.uids(talk.store, row)
    read_only = command.read_only or not may_write(talk.right)
    opened = Opened(row, uids, talk.services.recent, read_only=read_only)
    facts = SelectFacts(
        messages=len(uids),
        recent=opened.recent,
        first_unseen=await _first_unseen(talk, row, opened),
        uidvalidity=row.uidvalidity,
        uidnext=opened.uidnext,
        highestmodseq=row.highestmodseq,
        read_only=read_only,
    )
    talk.untagged(select_responses(facts))
    talk.opened = opened
    talk.session.selected(read_only=read_only)
    if read_only:
        talk.done(tag, b"Examine completed", b"READ-ONLY")
    else:
        talk.done(tag, b"Select completed", b"READ-WRITE")


async def _first_unseen(talk: Conversation, row: MailboxRow, opened: Opened) -> int:
    uids = opened.view.uids
    if not row.unseen or not len(uids):
        return 0
    number = 1
    if row.unseen != row.messages:
        ranges = [(uids[0], uids[min(_UNSEEN_ROWS, len(uids)) - 1])]
        rows = await talk.store.messages(row.account, row.id, ranges, (Field.UID, Field.FLAGS))
        number = next((opened.view.seqnum(uid) for uid, mask in rows if not mask & Flag.SEEN), 0)
    return number
