"""The directory half of a store, in memory, for tests of services that ask who and what is ours.

Fill it with ``add_domain``, ``add_account``, ``add_alias``, ``add_route``; each raises the version and tells those who
asked for directory notices. What is committed is kept in ``commits`` and answered by ``answers`` (see ``commit``).
Not a whole store: mailboxes, messages and queue are those of ``posthouse.store``. Its users' tests are its tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from posthouse.core.ids import AccountId, BodyId, DomainId, MailboxId, QueueId
from posthouse.store.directory_rows import AccountRow, AliasRow, DomainRow, RouteRow, SettingRow
from posthouse.store.directory_values import AccountState, Level
from posthouse.store.rows import JourneyRow, Usage
from posthouse.store.spool import Spool
from posthouse.store.values import Change, Delivered, Delivery, Filed

R = TypeVar("R", DomainRow, AccountRow, AliasRow, RouteRow)


class MemoryNotices:
    """Calls back at once."""

    def __init__(self) -> None:
        self.directory: list[Callable[[], None]] = []

    def on_accounts(self, callback: Callable[[Sequence[AccountId]], None]) -> Callable[[], None]:
        """Accept a callback that is never called."""
        return lambda: None

    def on_directory(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Keep a callback until the function that is returned is called."""
        self.directory.append(callback)
        return lambda: self.directory.remove(callback)

    def on_queue(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Accept a callback that is never called."""
        return lambda: None

    on_retry = on_queue


class MemoryDirectory:
    """Implements the directory reads of ``store.contract.Store``, ``commit``, ``usage`` and ``new_spool``.

    Attributes:
        commits: every tuple of changes that was committed.
        failure: raised by ``commit`` where set.
        unreadable: raised by directory reads where set.
        reads: how many directory reads there were.
        used: octets by account id, for ``usage``.
        journeys: rows by queue id, for ``journey``; filled from committed deliveries and notes.
    """

    def __init__(self, spool_folder: Path | None = None) -> None:
        self.notices = MemoryNotices()
        self.commits: list[tuple[Change, ...]] = []
        self.failure: Exception | None = None
        self.unreadable: Exception | None = None
        self.reads = 0
        self.used: dict[int, int] = {}
        self.journeys: dict[QueueId, list[JourneyRow]] = {}
        self._spool_folder = spool_folder
        self._domains: dict[str, DomainRow] = {}
        self._accounts: dict[str, AccountRow] = {}
        self._aliases: dict[str, AliasRow] = {}
        self._routes: dict[str, RouteRow] = {}
        self._version = 1

    # ---- filling ----------------------------------------------------------------------------------------------

    def add_domain(self, name: str, *, alias_of: str = "", disabled: bool = False, catch_all: str = "") -> DomainRow:
        """Add or replace a domain."""
        row = DomainRow(DomainId(len(self._domains) + 1), name, alias_of, disabled, catch_all)
        self._domains[name] = row
        return self._changed(row)

    def add_account(
        self,
        address: str,
        *,
        password_hash: str = "",
        quota: int = 0,
        disabled: bool = False,
        is_admin: bool = False,
    ) -> AccountRow:
        """Add or replace an account."""
        known = self._accounts.get(address)
        number = known.id if known is not None else AccountId(len(self._accounts) + 1)
        state = AccountState.DISABLED if disabled else AccountState.ACTIVE
        level = Level.SERVER if is_admin else Level.USER
        row = AccountRow(number, address, "", password_hash, quota, state, level)
        self._accounts[address] = row
        return self._changed(row)

    def add_alias(self, address: str, *targets: str) -> AliasRow:
        """Add or replace an alias."""
        row = self._aliases[address] = AliasRow(address, targets)
        return self._changed(row)

    def add_route(
        self, domain: str, host: str, *, port: int = 25, recipients_local: bool = False, mx_lookup: bool = False
    ) -> RouteRow:
        """Add or replace a route."""
        row = self._routes[domain] = RouteRow(domain, host, port, "may", recipients_local, mx_lookup)
        return self._changed(row)

    def change_silently(self) -> None:
        """Raise the version without a notice, as when one was lost."""
        self._version += 1

    def _changed(self, row: R) -> R:
        self._version += 1
        for callback in tuple(self.notices.directory):
            callback()
        return row

    # ---- the contract -----------------------------------------------------------------------------------------

    def new_spool(self) -> Spool:
        """Make a spool in the folder that was given."""
        assert self._spool_folder is not None
        return Spool(self._spool_folder)

    async def commit(self, *changes: Change) -> Any:
        """Keep the changes; a Delivery is answered by a ``Delivered``, everything else by None."""
        if self.failure is not None:
            raise self.failure
        self.commits.append(changes)
        for change in changes:
            for entry in getattr(change, "journey", ()):
                row = JourneyRow(entry.queue_id, entry.at, entry.step, entry.record)
                self.journeys.setdefault(entry.queue_id, []).append(row)
        results = tuple(self._result(change) for change in changes)
        return results[0] if len(results) == 1 else results

    def _result(self, change: Change) -> Delivered | None:
        if not isinstance(change, Delivery):
            return None
        filed = tuple(Filed(filing.account, MailboxId(1), 1, 1, 1) for filing in change.filings)
        return Delivered(BodyId(len(self.commits)), filed)

    def _read(self) -> None:
        self.reads += 1
        if self.unreadable is not None:
            raise self.unreadable

    async def usage(self, account: AccountId) -> Usage | None:
        """Return what ``used`` says, with the account's quota."""
        quota = next((row.quota_bytes for row in self._accounts.values() if row.id == account), 0)
        return Usage(self.used.get(account, 0), 0, quota)

    async def domain(self, name: str) -> DomainRow | None:
        """Return a domain."""
        self._read()
        return self._domains.get(name)

    async def domains(self) -> list[DomainRow]:
        """Return all domains in order of name."""
        self._read()
        return [self._domains[name] for name in sorted(self._domains)]

    async def account(self, address: str) -> AccountRow | None:
        """Return an account."""
        self._read()
        return self._accounts.get(address)

    async def accounts(self, *, domain: str = "", after: str = "", limit: int = 1000) -> list[AccountRow]:
        """Return accounts in order of address."""
        self._read()
        found = [row for address, row in sorted(self._accounts.items()) if address > after]
        return [row for row in found if not domain or row.address.endswith("@" + domain)][:limit]

    async def alias(self, address: str) -> AliasRow | None:
        """Return an alias."""
        self._read()
        return self._aliases.get(address)

    async def routes(self) -> list[RouteRow]:
        """Return all routes."""
        self._read()
        return [self._routes[domain] for domain in sorted(self._routes)]

    async def settings(self) -> list[SettingRow]:
        """Return no settings; tests hand theirs to ``Settings``."""
        return []

    async def directory_version(self) -> int:
        """Return the version."""
        if self.unreadable is not None:
            raise self.unreadable
        return self._version

    async def journey(self, queue_id: QueueId) -> list[JourneyRow]:
        """Return the steps that were committed."""
        return self.journeys.get(queue_id, [])
