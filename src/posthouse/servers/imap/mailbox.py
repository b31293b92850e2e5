"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 §6.3.3-6.3.7, RFC 6154 §3)."""

from __future__ import annotations

from typing import Final

from posthouse.protocols.imap.types.commands import Create, Delete, Rename, Subscribe, Unsubscribe
from posthouse.protocols.imap.types.state import NO
from posthouse.servers.imap.answers import NONEXISTENT, Answer
from posthouse.servers.imap.conversation import Conversation
from posthouse.services.mailstore import mailboxes
from posthouse.store.values import Role

_ROLES: Final = {role.value: role for role in Role if role is not Role.INBOX}
_USE_ATTRIBUTE: Final = Answer(NO, b"USEATTR", b"That special use is not supported, or another mailbox has it")
_HAS_CHILDREN: Final = Answer(NO, b"HASCHILDREN", b"The mailbox has others below it, delete these first")


async def do_create(talk: Conversation, tag: bytes, command: Create) -> None:
    """Make a mailbox, with a special use where asked (RFC 6154 §3)."""
    role: Role | None = None
    if command.special_use:
        role = _ROLES.get(command.special_use[0]) if len(command.special_use) == 1 else None
        rows = await talk.store.mailboxes(talk.account_id)
        if role is None or any(row.role is role for row in rows):
            talk.refuse(tag, _USE_ATTRIBUTE)
            return
    await mailboxes.create(talk.store, talk.account_id, command.mailbox, role=role)
    talk.done(tag, b"Create completed")


async def do_delete(talk: Conversation, tag: bytes, command: Delete) -> None:
    """Delete a mailbox; one with children is refused (RFC 9051 §6.3.5)."""
    row = await mailboxes.named(talk.store, talk.account_id, command.mailbox)
    if row is not None and row.has_children and row.name != "INBOX":
        talk.refuse(tag, _HAS_CHILDREN)
        return
    await mailboxes.delete(talk.store, talk.account_id, command.mailbox)
    if row is not None and talk.opened is not None and talk.opened.mailbox == row.id:
        talk.deselect()
        talk.session.unselected()
    talk.done(tag, b"Delete completed")


async def do_rename(talk: Conversation, tag: bytes, command: Rename) -> None:
    """Rename a mailbox with all below it."""
    await mailboxes.rename(talk.store, talk.account_id, command.source, command.target)
    await talk.news(expunges=True)
    talk.done(tag, b"Rename completed")


async def do_subscribe(talk: Conversation, tag: bytes, command: Subscribe) -> None:
    """Subscribe to a mailbox that exists (RFC 3501 §6.3.6 lets a server check)."""
    if await mailboxes.named(talk.store, talk.account_id, command.mailbox) is None:
        talk.refuse(tag, NONEXISTENT)
        return
    await mailboxes.subscribe(talk.store, talk.account_id, command.mailbox, subscribed=True)
    talk.done(tag, b"Subscribe completed")


async def do_unsubscribe(talk: Conversation, tag: bytes, command: Unsubscribe) -> None:
    """Take a name off the subscriptions, whether or not it is there."""
    await mailboxes.subscribe(talk.store, talk.account_id, command.mailbox, subscribed=False)
    talk.done(tag, b"Unsubscribe completed")
