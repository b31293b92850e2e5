"""What every storage engine promises.

Writing: callers hand over values (``store.values``); ``commit`` returns after they are on stable storage, and raises
one of the refusals below, or ``Unavailable`` where the engine cannot write now (disk full, read-only, fsync failed,
locked). A refused or failed commit leaves nothing of that call behind, with one exception: where the flush itself
fails, the write may be seen, now or after a restart, as after a reply that was lost on its way. Groups are the
engine's affair.

Reading: methods are ``async`` because a network engine waits. The embedded engine answers without ever suspending, so
that a door can drive the coroutine in place (``servers.eager``). A read sees every commit that was acknowledged
before it began. A sequence of reads is not a snapshot: compare modseq.

Ordering: one counter for each account (modseq) orders every change in it; it never goes back and never repeats.

Tests: ``tests/contract/store``, one suite for every engine.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from posthouse.core import status
from posthouse.core.ids import AccountId, BodyId, MailboxId, ModSeq, QueueId
from posthouse.core.outcome import Outcome, defer, reject
from posthouse.store.directory_contract import Conflict, DirectoryStore, LimitReached, StoreRefusal
from posthouse.store.rows import Field, Finding, JourneyRow, MailboxRow, QueueRow, Usage
from posthouse.store.spool import Spool
from posthouse.store.values import Change, UidRanges

__all__ = [
    "AllowanceSpent",
    "AlreadyExists",
    "Conflict",
    "LimitReached",
    "NotAllowed",
    "Notices",
    "OverQuota",
    "Store",
    "StoreRefusal",
    "Vanished",
]


class Vanished(StoreRefusal):
    """What the value speaks of is not there: account, mailbox, domain, route."""

    @property
    def outcome(self) -> Outcome:
        """Temporary: the next attempt meets the directory as it is then."""
        return defer("The mailbox has changed, try again", detail=self.detail)


class AlreadyExists(StoreRefusal):
    """The name is taken."""


class OverQuota(StoreRefusal):
    """The account's quota would be passed."""

    @property
    def outcome(self) -> Outcome:
        """552 5.2.2 (RFC 3463 §3.3)."""
        return reject("Mailbox full", code=552, detail_code=status.MAILBOX_FULL, rule="quota", detail=self.detail)


class AllowanceSpent(StoreRefusal):
    """So many recipients within an hour are not allowed; ``detail`` says whose allowance it is."""

    @property
    def outcome(self) -> Outcome:
        """Temporary: 452 4.5.3; the hour passes."""
        return defer(
            "Too many recipients within the hour, try again later",
            code=452,
            detail_code=status.TOO_MANY_RECIPIENTS,
            rule="limit.recipients",
            setting="limit.recipients_per_hour",
            detail=self.detail,
        )


class NotAllowed(StoreRefusal):
    """The change would break a rule of the store, such as deleting INBOX; ``detail`` says which in plain words."""


class Notices(Protocol):
    """Hints that something changed, from this worker or a sibling. A lost one costs latency, never correctness."""

    def on_accounts(self, callback: Callable[[Sequence[AccountId]], None]) -> Callable[[], None]:
        """Call back, on the event loop, with accounts that changed; returns what ends it."""
        ...

    def on_directory(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when domains, accounts, aliases, routes or settings changed."""
        ...

    def on_queue(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when recipients entered the queue without a lease, were released, or are due soon."""
        ...

    def on_retry(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when an administrator wants recipients tried now; ``on_queue`` follows."""
        ...


class Store(DirectoryStore, Protocol):
    """One open store, used from one event loop."""

    notices: Notices

    # -- life ---------------------------------------------------------------------------------------------------
    async def open(self) -> None:
        """Open, and check that the schema is the one this code knows. Raises Unavailable with the remedy."""
        ...

    async def close(self) -> None:
        """Finish commits under way, then close."""
        ...

    def watch_commits(self, watcher: Callable[[float, int], None]) -> None:
        """Tell a watcher of each group that reaches stable storage: the seconds it took, and its calls."""
        ...

    def new_spool(self) -> Spool:
        """Make a spool file for a large message. Raises Unavailable where the disk says no."""
        ...

    # -- writing ------------------------------------------------------------------------------------------------
    async def commit(self, *changes: Change, rehearse: bool = False) -> Any:
        """Write the changes, all or none, flush, and return the result (a tuple of results for more than one).

        ``rehearse`` does everything but keep it: the same results and refusals, and nothing is changed.

        Raises StoreRefusal, Unavailable. When it returns, what was written survives kill -9 and power loss.
        If the caller is cancelled the change may still be written.
        """
        ...

    # -- mailboxes ----------------------------------------------------------------------------------------------
    async def mailboxes(self, account: AccountId) -> list[MailboxRow]:
        """Return the account's mailboxes in order of name, INBOX first."""
        ...

    async def mailbox(self, account: AccountId, mailbox: MailboxId) -> MailboxRow | None:
        """Return one mailbox with its counters; one point read."""
        ...

    async def mailbox_named(self, account: AccountId, name: str) -> MailboxRow | None:
        """Return one mailbox by its full name (INBOX in any case)."""
        ...

    async def subscriptions(self, account: AccountId) -> list[str]:
        """Return the subscribed names, in order, whether or not the mailboxes exist."""
        ...

    async def usage(self, account: AccountId) -> Usage | None:
        """Return what the account uses."""
        ...

    # -- messages -----------------------------------------------------------------------------------------------
    async def uids(self, account: AccountId, mailbox: MailboxId) -> array[int]:
        """Return all UIDs, rising, as ``array("I")``."""
        ...

    async def messages(
        self, account: AccountId, mailbox: MailboxId, uids: UidRanges, fields: Sequence[Field]
    ) -> list[tuple[Any, ...]]:
        """Return a tuple for each message there is in the ranges, in order of UID, with the fields asked for.

        For large results ask range by range: the list is in memory.
        """
        ...

    async def changed_since(
        self, account: AccountId, mailbox: MailboxId, modseq: ModSeq
    ) -> list[tuple[int, int, str, int]]:
        """Return ``(uid, flags, keywords, modseq)`` of messages with a higher modseq, in order of UID."""
        ...

    async def expunged_since(self, account: AccountId, mailbox: MailboxId, modseq: ModSeq) -> list[int]:
        """Return UIDs expunged by a higher modseq, rising."""
        ...

    async def read_body(self, body: BodyId, offset: int, length: int) -> bytes:
        """Return up to ``length`` octets of a body from ``offset``; b"" at its end. Raises Vanished."""
        ...

    # -- queue --------------------------------------------------------------------------------------------------
    async def queue_rows(
        self, *, queue_id: QueueId | None = None, after: tuple[int, int] = (0, 0), limit: int = 1000
    ) -> list[QueueRow]:
        """Return recipients in order of ``(queue_id, number)``, from after that pair."""
        ...

    async def queue_summary(self) -> list[tuple[str, str, int, float]]:
        """Return ``(destination, state, recipients, earliest next attempt or end of a lease)``."""
        ...

    async def next_due(self) -> float | None:
        """Return the earliest ``next_attempt`` of recipients that wait without a lease, or the end of a lease."""
        ...

    # -- journey ------------------------------------------------------------------------------------------------
    async def journey(self, queue_id: QueueId) -> list[JourneyRow]:
        """Return a message's story in order."""
        ...

    async def journey_find(
        self, *, key: str = "", since: float = 0.0, until: float = 0.0, limit: int = 100
    ) -> list[QueueId]:
        """Return messages found by key (folded address or ``<message-id>``) or time, newest first; 0.0 is open."""
        ...

    # -- care ---------------------------------------------------------------------------------------------------
    async def housekeep(self, *, keep_journey: float = 30 * 86_400.0) -> None:
        """One round of upkeep: checkpoint, bodies without owners, journeys older than ``keep_journey`` seconds.

        Bounded work: call it again, from one worker, every few seconds.
        """
        ...

    async def verify(self, *, repair: bool = False) -> list[Finding]:
        """Check every invariant: counters, uidnext, modseq order, bodies readable and hash-true, no orphan.

        ``repair`` puts right what can be: counts, orphans, indexes, each in a commit of its own. What was put right is
        returned as ``repaired``; what is left was found again afterwards.
        """
        ...
