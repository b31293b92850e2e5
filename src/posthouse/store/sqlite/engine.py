"""The store on SQLite: joins reads, the committer, notices and upkeep to the contract.

Reads run in place on the loop's thread and never suspend. What changes is handed to the committer.
Tests: ``tests/contract/store``.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from posthouse.core.clock import Clock
from posthouse.core.errors import Bug, Fault, Unavailable
from posthouse.core.ids import AccountId, BodyId, MailboxId, ModSeq, QueueId
from posthouse.store.contract import Notices
from posthouse.store.notices import LocalNotices
from posthouse.store.rows import Field, Finding, JourneyRow, MailboxRow, QueueRow, Usage
from posthouse.store.spool import Spool
from posthouse.store.sqlite import birth, staging
from posthouse.store.sqlite.committer import LOCK_PATIENCE, Committer
from posthouse.store.sqlite.connection import as_fault
from posthouse.store.sqlite.database import Database
from posthouse.store.sqlite.directory_reads import DirectoryReads, read
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.housekeeping import Checkpointer, housekeep
from posthouse.store.sqlite.reads import journey, mailboxes, messages, queue
from posthouse.store.sqlite.repair import repairs
from posthouse.store.sqlite.slices import ChangeTrimmer, Slice
from posthouse.store.sqlite.verify import verify
from posthouse.store.sqlite.writes.journey import key_hash
from posthouse.store.sqlite.writes.mailboxes import canonical_name
from posthouse.store.values import Change, Delivery, UidRanges


class SqliteStore(DirectoryReads):
    """A store in one SQLite file. ``contract.Store`` says what the methods promise."""

    def __init__(self, path: Path, *, worker: int, home: Path, clock: Clock) -> None:
        self._path = path
        self._home = home
        self._clock = clock
        self._database = Database(path, home / "store.lock")
        self._committer: Committer | None = None
        self._checkpointer: Checkpointer | None = None
        self._trimmer = ChangeTrimmer()
        self._notices = LocalNotices(home / "run", worker)
        self.notices: Notices = self._notices

    # -- life ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Open the database, making it where it is not there. Raises Unavailable."""
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._home / "spool").mkdir(mode=0o700, exist_ok=True)
            await asyncio.to_thread(self._prepare)
            self._database.open()
            self._notices.open(asyncio.get_running_loop())
        except Fault:
            self._database.close()
            raise
        except (sqlite3.Error, OSError) as error:
            self._database.close()
            raise Unavailable(
                f"the store at {self._path} cannot be opened: {error}; check that the path exists, that this user may"
                " write there and that the disk is not full",
                where="store.open",
            ) from error
        self._checkpointer = Checkpointer(self._database, self._home / "store.lock")
        self._committer = Committer(self._database, self._clock, self._publish, self._checkpointer.wrote)

    def _prepare(self) -> None:
        lock = Database(self._path, self._home / "store.lock")
        lock.open_lock()
        try:
            lock.lock_within(LOCK_PATIENCE)
            birth.prepare(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # the names of database and log are on the disk before anything is promised
            finally:
                os.close(folder)
        finally:
            lock.close()

    async def close(self) -> None:
        """Finish commits under way, then close."""
        if self._committer is not None:
            await self._committer.close()
            self._committer = None
        if self._checkpointer is not None:
            self._checkpointer.close()
            self._checkpointer = None
        self._notices.close()
        self._database.close()

    def watch_commits(self, watcher: Callable[[float, int], None]) -> None:
        """Tell a watcher of each group that reaches stable storage; the store is open."""
        assert self._committer is not None
        self._committer.watcher = watcher

    def new_spool(self) -> Spool:
        """Make a spool file in the home."""
        try:
            return Spool(self._home / "spool")
        except OSError as error:
            raise as_fault(error, "store.spool") from error

    # -- writing ------------------------------------------------------------------------------------------------

    async def commit(self, *changes: Change, rehearse: bool = False) -> Any:
        """Write the changes, flush, and return the result."""
        if rehearse:
            return await self._rehearse(changes)
        return await self.submit(*changes)

    async def _rehearse(self, changes: Sequence[Change]) -> Any:
        if self._committer is None:
            raise Unavailable("the store is not open", where="store.commit")
        if any(type(value) is Delivery and staging.is_large(value) for value in changes):
            raise Bug("a large message cannot be rehearsed: its body is written ahead", where="store.commit")
        return await self._committer.submit(changes, (None,) * len(changes), rehearse=True)

    def submit(self, *changes: Any) -> Any:
        """Return what to await for a commit."""
        if self._committer is None:
            raise Unavailable("the store is not open", where="store.commit")
        if len(changes) == 1:
            value = changes[0]
            if type(value) is not Delivery or not staging.is_large(value):
                return self._committer.submit(changes, (None,))
        elif not any(type(value) is Delivery and staging.is_large(value) for value in changes):
            return self._committer.submit(changes, (None,) * len(changes))
        return self._commit_large(self._committer, changes)

    async def _commit_large(self, committer: Committer, changes: Sequence[Any]) -> Any:
        """Stage the large bodies, then commit; take the chunks away where the commit is refused."""
        staged: list[staging.StagedBody | None] = []
        try:
            for value in changes:
                large = type(value) is Delivery and staging.is_large(value)
                staged.append(await self._stage(committer, value) if large else None)
            return await committer.submit(changes, staged)
        except Fault:
            for body in staged:
                if body is not None:
                    await asyncio.gather(
                        committer.submit((staging.DropStaged(body.id),), (None,)), return_exceptions=True
                    )
            raise

    async def _stage(self, committer: Committer, value: Delivery) -> staging.StagedBody:
        digest = hashlib.sha256()
        body = size = 0
        for number, chunk in enumerate(staging.chunks(value.email.content)):
            digest.update(chunk)
            size += len(chunk)
            body = await committer.submit((staging.StageChunk(body, number, chunk),), (None,))
        return staging.StagedBody(body, size, digest.digest())

    def _publish(self, group: Group) -> None:
        self._notices.publish(group.touched, directory=group.directory, queue=group.queue, retry=group.retry)

    # -- mailboxes ----------------------------------------------------------------------------------------------

    @read
    async def mailboxes(self, account: AccountId) -> list[MailboxRow]:
        """Return the account's mailboxes."""
        return mailboxes.mailboxes(self._database.connection, account)

    async def mailbox(self, account: AccountId, mailbox: MailboxId) -> MailboxRow | None:
        """Return one mailbox."""
        try:
            return mailboxes.mailbox(self._database.connection, account, mailbox)
        except sqlite3.Error as error:
            raise as_fault(error, "store.read") from error

    @read
    async def mailbox_named(self, account: AccountId, name: str) -> MailboxRow | None:
        """Return one mailbox by its full name."""
        return mailboxes.mailbox_named(self._database.connection, account, canonical_name(name))

    @read
    async def subscriptions(self, account: AccountId) -> list[str]:
        """Return the subscribed names."""
        return mailboxes.subscriptions(self._database.connection, account)

    @read
    async def usage(self, account: AccountId) -> Usage | None:
        """Return what the account uses."""
        return mailboxes.usage(self._database.connection, account)

    # -- messages -----------------------------------------------------------------------------------------------

    @read
    async def uids(self, account: AccountId, mailbox: MailboxId) -> array[int]:
        """Return all UIDs."""
        return messages.uids(self._database.connection, account, mailbox)

    @read
    async def messages(
        self, account: AccountId, mailbox: MailboxId, uids: UidRanges, fields: Sequence[Field]
    ) -> list[tuple[Any, ...]]:
        """Return fields of messages."""
        return messages.messages(self._database.connection, (account, mailbox), uids, fields)

    @read
    async def changed_since(
        self, account: AccountId, mailbox: MailboxId, modseq: ModSeq
    ) -> list[tuple[int, int, str, int]]:
        """Return messages with a higher modseq."""
        return messages.changed_since(self._database.connection, account, mailbox, modseq)

    @read
    async def expunged_since(self, account: AccountId, mailbox: MailboxId, modseq: ModSeq) -> list[int]:
        """Return UIDs expunged since."""
        return messages.expunged_since(self._database.connection, account, mailbox, modseq)

    @read
    async def read_body(self, body: BodyId, offset: int, length: int) -> bytes:
        """Return octets of a body."""
        return messages.read_body(self._database.connection, body, offset, length)

    # -- queue --------------------------------------------------------------------------------------------------

    @read
    async def queue_rows(
        self, *, queue_id: QueueId | None = None, after: tuple[int, int] = (0, 0), limit: int = 1000
    ) -> list[QueueRow]:
        """Return recipients."""
        return queue.queue_rows(self._database.connection, queue_id, after, limit)

    @read
    async def queue_summary(self) -> list[tuple[str, str, int, float]]:
        """Return recipients by destination and state."""
        return queue.queue_summary(self._database.connection)

    @read
    async def next_due(self) -> float | None:
        """Return when the next recipient is due."""
        return queue.next_due(self._database.connection)

    # -- journey ------------------------------------------------------------------------------------------------

    @read
    async def journey(self, queue_id: QueueId) -> list[JourneyRow]:
        """Return a message's story."""
        return journey.journey(self._database.connection, queue_id)

    @read
    async def journey_find(
        self, *, key: str = "", since: float = 0.0, until: float = 0.0, limit: int = 100
    ) -> list[QueueId]:
        """Return messages by key or time."""
        return journey.journey_find(self._database.connection, key_hash(key) if key else b"", since, until, limit)

    # -- care ---------------------------------------------------------------------------------------------------

    async def housekeep(self, *, keep_journey: float = 30 * 86_400.0) -> None:
        """One round of upkeep."""
        if self._committer is None or self._checkpointer is None:
            raise Unavailable("the store is not open", where="store.housekeep")
        await housekeep(self._committer, self._trimmer, self._clock.now() - keep_journey)
        self._checkpointer.urge()

    async def verify(self, *, repair: bool = False) -> list[Finding]:
        """Check every invariant, in a thread with a connection of its own."""
        found = await self._verify()
        if not repair or not found:
            return found
        if self._committer is None:
            raise Unavailable("the store is not open", where="store.verify")
        for _, work in repairs({finding.invariant for finding in found}):
            await self._committer.submit((Slice(work),), (None,))
        await self.housekeep(keep_journey=self._clock.now())
        left = await self._verify()
        still = {(finding.invariant, finding.where) for finding in left}
        mended = [replace(one, repaired=True) for one in found if (one.invariant, one.where) not in still]
        return mended + left

    async def _verify(self) -> list[Finding]:
        try:
            return await asyncio.to_thread(verify, self._path)
        except sqlite3.Error as error:
            raise as_fault(error, "store.verify") from error
