"""Stores and values for tests: ``from tests.support.stores import ...`` or the fixtures of ``tests/support/plugin``.

``make_store`` opens a store in a folder; ``furnish`` adds a domain and accounts; ``mail`` and ``facts`` make a message.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from posthouse.core.ids import AccountId, make_queue_id
from posthouse.message.facts import MessageFacts
from posthouse.store.contract import Store
from posthouse.store.directory_values import PutAccount, PutDomain
from posthouse.store.open import open_store
from posthouse.store.values import Delivery, Filing, JourneyEntry, NewEmail, QueuedRecipient, QueueEntry

EPOCH = 1_700_000_000.0


class StillClock:
    """A clock that moves when told."""

    def __init__(self, now: float = EPOCH) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


@contextlib.asynccontextmanager
async def make_store(
    home: Path, *, url: str = "sqlite:///store.db", worker: int = 0, clock=None
) -> AsyncIterator[Store]:
    """Open a store in ``home`` and close it in the end."""
    store = open_store(url, worker=worker, home=home, clock=clock or StillClock())
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def furnish(store: Store, *addresses: str) -> list[AccountId]:
    """Add accounts and the domains they need; return their ids."""
    made = []
    for address in addresses:
        domain = address.rpartition("@")[2]
        if await store.domain(domain) is None:
            await store.commit(PutDomain(name=domain))
        made.append(await store.commit(PutAccount(address=address)))
    return made


def facts(content: bytes, *, subject: str = "A subject", message_id: str = "1@example.org") -> MessageFacts:
    """Return facts that suit a content, without a scan."""
    header = content.find(b"\r\n\r\n") + 4
    return MessageFacts(
        size=len(content),
        header_size=max(header, 0),
        message_id=message_id,
        references=(),
        subject=subject,
        base_subject=subject,
        from_text="Ann <ann@example.org>",
        to_text="Bob <bob@example.org>",
        cc_text="",
        date=1_700_000_000,
        envelope=b'("Tue, 14 Nov 2023 22:13:20 +0000" "A subject" NIL NIL NIL NIL NIL NIL NIL "<1@example.org>")',
        bodystructure=b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 12 1 NIL NIL NIL NIL)',
        preview="Hello there",
        has_attachment=False,
    )


def mail(text: str = "Hello", **known) -> NewEmail:
    """Return a small message."""
    content = f"Subject: A subject\r\n\r\n{text}\r\n".encode()
    return NewEmail(content=content, facts=facts(content, **known))


def delivery(account: AccountId, text: str = "Hello", *, mailbox=None, **filing) -> Delivery:
    """Return a delivery of a small message to one mailbox."""
    return Delivery(email=mail(text), filings=(Filing(account=account, mailbox=mailbox, **filing),))


_numbers = iter(range(1, 1 << 40))


def new_queue_id(at: float = EPOCH):
    """Return a queue id that no other test call returned."""
    return make_queue_id(int(at * 1e6) + next(_numbers), 0)


def queued(*addresses: str, at: float = EPOCH, text: str = "Hello", next_attempt: float = EPOCH, **entry) -> Delivery:
    """Return a delivery of a small message to remote recipients, with a word of journey."""
    queue_id = new_queue_id(at)
    recipients = tuple(
        QueuedRecipient(address=address, destination=f"mx:{address.rpartition('@')[2]}", next_attempt=next_attempt)
        for address in addresses
    )
    return Delivery(
        email=mail(text),
        queue_id=queue_id,
        queue=QueueEntry(reverse_path="ann@example.org", recipients=recipients, expires=at + 432_000, **entry),
        journey=(
            JourneyEntry(queue_id=queue_id, at=at, step="queued", record={"to": list(addresses)}, keys=addresses),
        ),
    )
