"""GETQUOTA and GETQUOTAROOT: one root for each account, which limits storage (RFC 9208 §4.1). Reading only."""

from __future__ import annotations

from typing import Final

from posthouse.protocols.imap.format.mailbox import quota_response, quotaroot_response
from posthouse.protocols.imap.types.commands import GetQuota, GetQuotaRoot
from posthouse.protocols.imap.types.state import NO
from posthouse.servers.imap.answers import NONEXISTENT, Answer
from posthouse.servers.imap.conversation import Conversation
from posthouse.services.mailstore import mailboxes

ROOT: Final = "User quota"
_NO_ROOT: Final = Answer(NO, b"NONEXISTENT", b"No such quota root")


async def do_getquota(talk: Conversation, tag: bytes, command: GetQuota) -> None:
    """Tell use and limit of the account's root."""
    if command.root != ROOT:
        talk.refuse(tag, _NO_ROOT)
        return
    await _tell(talk)
    talk.done(tag, b"Getquota completed")


async def do_getquotaroot(talk: Conversation, tag: bytes, command: GetQuotaRoot) -> None:
    """Tell the root of a mailbox, which is the account's own."""
    if await mailboxes.named(talk.store, talk.account_id, command.mailbox) is None:
        talk.refuse(tag, NONEXISTENT)
        return
    talk.untagged(quotaroot_response(command.mailbox, [ROOT]))
    await _tell(talk)
    talk.done(tag, b"Getquotaroot completed")


async def _tell(talk: Conversation) -> None:
    usage = await talk.store.usage(talk.account_id)
    if usage is not None:
        resources = [(b"STORAGE", -(-usage.octets // 1024), usage.quota // 1024)] if usage.quota else []
        talk.untagged(quota_response(ROOT, resources))
