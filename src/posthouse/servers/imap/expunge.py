"""EXPUNGE, UID EXPUNGE, CLOSE, UNSELECT, CHECK, NOOP (RFC 3501 §6.1.2, §6.4.1-6.4.3, RFC 4315 §2.1, RFC 3691 §2)."""

from __future__ import annotations

from posthouse.protocols.imap.types.commands import Check, Close, Expunge, Noop, Unselect
from posthouse.protocols.imap.types.sequence import Ranges
from posthouse.servers.imap.answers import READ_ONLY
from posthouse.servers.imap.conversation import Conversation
from posthouse.store import values


async def do_noop(talk: Conversation, tag: bytes, _command: Noop | Check) -> None:
    """Tell what is new."""
    await talk.news(expunges=True)
    talk.done(tag, b"Completed")


async def do_expunge(talk: Conversation, tag: bytes, command: Expunge) -> None:
    """Remove messages with the Deleted flag, of all or of the named UIDs."""
    opened = talk.selected
    if opened.read_only:
        talk.refuse(tag, READ_ONLY)
        return
    view = opened.view
    ranges = _all_known(talk) if command.uids is None else view.resolve(command.uids, uid=True)
    await _remove_deleted(talk, ranges)
    await talk.news(expunges=True, uid=command.uids is not None)
    talk.done(tag, b"Expunge completed")


async def do_close(talk: Conversation, tag: bytes, _command: Close) -> None:
    """Remove messages with the Deleted flag without telling which, and deselect."""
    if not talk.selected.read_only:
        await _remove_deleted(talk, _all_known(talk))
    talk.deselect()
    talk.session.unselected()
    talk.done(tag, b"Close completed")


async def do_unselect(talk: Conversation, tag: bytes, _command: Unselect) -> None:
    """Deselect and remove nothing."""
    talk.deselect()
    talk.session.unselected()
    talk.done(tag, b"Unselect completed")


def _all_known(talk: Conversation) -> Ranges:
    """Messages the client has not been told of are not expunged: it could not know that they are deleted."""
    uids = talk.selected.view.uids
    return [(uids[0], uids[-1])] if len(uids) else []


async def _remove_deleted(talk: Conversation, ranges: Ranges) -> None:
    if ranges:
        opened = talk.selected
        await talk.store.commit(values.Expunge(account=opened.account, mailbox=opened.mailbox, uids=ranges))
