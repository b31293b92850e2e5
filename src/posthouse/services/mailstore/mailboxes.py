"""Mailbox operations: names are checked here, so that every door keeps the same rules.

A name is ``/``-separated text in Unicode normalisation form C; its first component ``INBOX`` is written in capitals
(RFC 3501 §5.1, §5.1.1, RFC 5198 §3). Limits are those of ``core.limits``. Wire forms (modified UTF-7) and patterns
with wildcards are the protocol's affair. Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

import re
import unicodedata

from posthouse.core import limits
from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.core.ids import AccountId, MailboxId
from posthouse.store.contract import Store
from posthouse.store.rows import MailboxRow
from posthouse.store.values import CreateMailbox, DeleteMailbox, RenameMailbox, Role, Subscribe

SEPARATOR = "/"
# Controls, line and paragraph separators, and surrogates (octets that were no UTF-8): RFC 5198 §2, RFC 9051 §5.1.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def fold_name(name: str) -> str:
    """Return the one form under which a mailbox is looked up: NFC, INBOX in capitals."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if name[:5].upper() == "INBOX" and (len(name) == 5 or name[5] == SEPARATOR):
        return "INBOX" + name[5:]
    return name


def check_name(name: str) -> str:
    """Return the folded form of a name that a new mailbox may have.

    Raises:
        SyntaxFault: where it is empty, has an empty component or a control character.
        LimitFault: where it is too long or too deep.
    """
    folded = fold_name(name)
    found = _FORBIDDEN.search(folded)
    if found is not None:
        raise SyntaxFault("control character", where="mailbox.name", offset=found.start())
    components = folded.split(SEPARATOR)
    if not all(components):
        raise SyntaxFault("empty component", where="mailbox.name")
    if len(components) > limits.MAILBOX_DEPTH:
        raise LimitFault("too deep", where="mailbox.name")
    if len(folded.encode()) > limits.MAILBOX_NAME:
        raise LimitFault("too long", where="mailbox.name")
    return folded


async def named(store: Store, account: AccountId, name: str) -> MailboxRow | None:
    """Return the mailbox of that name, or None."""
    return await store.mailbox_named(account, fold_name(name))


async def create(store: Store, account: AccountId, name: str, *, role: Role | None = None) -> MailboxId:
    """Make a mailbox and any missing parents.

    A hierarchy separator at the end only announces children and is left off (RFC 3501 §6.3.3).
    Raises AlreadyExists, SyntaxFault, LimitFault.
    """
    folded = check_name(name[:-1] if name.endswith(SEPARATOR) else name)
    made: MailboxId = await store.commit(CreateMailbox(account=account, name=folded, role=role))
    return made


async def rename(store: Store, account: AccountId, old: str, new: str) -> None:
    """Rename a mailbox with all below it. Raises Vanished, AlreadyExists, NotAllowed, SyntaxFault, LimitFault."""
    target = check_name(new[:-1] if new.endswith(SEPARATOR) else new)
    await store.commit(RenameMailbox(account=account, old=fold_name(old), new=target))


async def delete(store: Store, account: AccountId, name: str) -> None:
    """Delete a mailbox with its messages. Raises Vanished, NotAllowed."""
    await store.commit(DeleteMailbox(account=account, name=fold_name(name)))


async def subscribe(store: Store, account: AccountId, name: str, *, subscribed: bool) -> None:
    """Put a name on the list of subscriptions or take it off (RFC 3501 §6.3.6). Raises SyntaxFault, LimitFault."""
    folded = check_name(name) if subscribed else fold_name(name)
    await store.commit(Subscribe(account=account, name=folded, subscribed=subscribed))
