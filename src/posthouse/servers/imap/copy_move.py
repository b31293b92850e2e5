"""COPY and MOVE with their UIDs told (RFC 3501 §6.4.7, RFC 4315 §3, RFC 6851 §3).

Messages that others have expunged are left out. Where none is left of those named by their numbers the answer is NO
(RFC 5530 §3, EXPUNGEISSUED), so that nobody takes them for copied; UIDs that are not there are no error.
"""

from __future__ import annotations

from posthouse.protocols.imap.format.codes import copyuid
from posthouse.protocols.imap.types.commands import Copy, Move
from posthouse.servers.imap.answers import EXPUNGE_ISSUED, READ_ONLY, TRY_CREATE
from posthouse.servers.imap.conversation import Conversation
from posthouse.services.mailstore import mailboxes
from posthouse.store import values


async def do_copy(talk: Conversation, tag: bytes, command: Copy) -> None:
    """Copy messages, all or none."""
    copied = await _transfer(talk, tag, command, move=False)
    if copied is None:
        return
    await talk.news(expunges=command.uid, uid=command.uid)
    code = copyuid(copied.uidvalidity, copied.source, copied.target) if copied.source else None
    talk.done(tag, b"Copy completed", code)


async def do_move(talk: Conversation, tag: bytes, command: Move) -> None:
    """Move messages, all or none; COPYUID is told before the expunges (RFC 6851 §4.3)."""
    if talk.selected.read_only:
        talk.refuse(tag, READ_ONLY)
        return
    copied = await _transfer(talk, tag, command, move=True)
    if copied is None:
        return
    if copied.source:
        code = copyuid(copied.uidvalidity, copied.source, copied.target)
        talk.untagged(b"* OK [" + code + b"] Moved\r\n")
    await talk.news(expunges=True, uid=command.uid)
    talk.done(tag, b"Move completed")


async def _transfer(talk: Conversation, tag: bytes, command: Copy | Move, *, move: bool) -> values.Copied | None:
    """Copy or move and return what came of it; None where the command is answered already."""
    opened = talk.selected
    ranges = opened.view.resolve(command.numbers, uid=command.uid)
    target = await mailboxes.named(talk.store, talk.account_id, command.mailbox)
    if target is None:
        talk.refuse(tag, TRY_CREATE)
        return None
    if not ranges:
        return values.Copied(target.uidvalidity, [], [])
    copied: values.Copied = await talk.store.commit(
        values.Copy(account=opened.account, mailbox=opened.mailbox, uids=ranges, target=target.id, move=move)
    )
    if not copied.source and not command.uid:
        await talk.news(expunges=move)
        talk.refuse(tag, EXPUNGE_ISSUED)
        return None
    return copied
