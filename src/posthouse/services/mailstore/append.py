"""Put a message into a mailbox by its owner's hand: IMAP APPEND, JMAP import (RFC 3501 §6.3.11, RFC 8621 §4.8).

The octets are stored as they came, without a prefix. Delivery of mail from others is ``services.delivery``.
Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from posthouse.core.flags import Flag
from posthouse.core.ids import AccountId, MailboxId
from posthouse.message.facts import MessageFacts
from posthouse.message.scan import scan
from posthouse.store.contract import Store
from posthouse.store.spool import Spool
from posthouse.store.values import Delivered, Delivery, Filed, Filing, NewEmail


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a message goes and what it carries there. ``internal_date`` is in seconds since the epoch."""

    account: AccountId
    mailbox: MailboxId
    internal_date: int
    flags: Flag = Flag.NONE
    keywords: tuple[str, ...] = ()


async def append(store: Store, content: bytes | Spool, placement: Placement) -> Filed:
    """Store a message and return where it went; the caller keeps the spool and closes it.

    Raises OverQuota, Vanished, Unavailable; nothing is stored then.
    """
    filing = Filing(
        account=placement.account,
        mailbox=placement.mailbox,
        flags=placement.flags,
        keywords=placement.keywords,
        internal_date=placement.internal_date,
        ranks_over_quota=False,
    )
    email = NewEmail(content=content, facts=facts_of(content))
    delivered: Delivered = await store.commit(Delivery(email=email, filings=(filing,)))
    return delivered.filed[0]


def facts_of(content: bytes | Spool) -> MessageFacts:
    """Scan a message in memory, or map a spooled one and scan the map."""
    if isinstance(content, bytes):
        return scan(content).facts()
    if not content.size:
        return scan(b"").facts()
    with content.map() as mapped:
        return scan(mapped).facts()
