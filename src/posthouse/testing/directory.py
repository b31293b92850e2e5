"""The directory half of a store, in memory, for tests of services that ask who and what is ours.

Fill it with ``add_domain``, ``add_account``, ``add_alias``, ``add_group`` and the like; each raises the version and
tells those who asked for directory notices. What is committed is kept in ``commits`` and answered (see ``commit``).
Not a whole store: mailboxes, messages and queue are those of ``posthouse.store``. Its users' tests are its tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from posthouse.core.ids import AccountId, BodyId, DomainId, MailboxId, QueueId
from posthouse.store.contract import NotAllowed
from posthouse.store.directory_rows import (
    AccountRow,
    AliasRow,
    BanRow,
    CredentialRow,
    DomainRow,
    GroupRow,
    RouteRow,
    SettingRow,
    ShareRow,
    SignInRow,
)
from posthouse.store.directory_values import (
    AccountState,
    AdvanceCredential,
    AliasKind,
    CredentialKind,
    Level,
    PutBan,
    PutCredential,
    RemoveBan,
    RemoveCredential,
    SenderPolicy,
    ShareRight,
)
from posthouse.store.rows import JourneyRow, Usage
from posthouse.store.spool import Spool
from posthouse.store.values import Change, Delivered, Delivery, Filed

R = TypeVar("R", DomainRow, AccountRow, AliasRow, GroupRow, RouteRow)


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
        sign_ins: last sign-ins by account id.
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
        self._credentials: dict[str, CredentialRow] = {}
        self._bans: dict[tuple[str, str], BanRow] = {}
        self._shares: list[ShareRow] = []
        self._further: dict[str, str] = {}
        self._groups: dict[str, GroupRow] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self.sign_ins: dict[AccountId, SignInRow] = {}
        self._version = 1

    # ---- filling ----------------------------------------------------------------------------------------------

    def add_domain(
        self, name: str, *, alias_of: str = "", disabled: bool = False, catch_all: str = "", **fields: Any
    ) -> DomainRow:
        """Add or replace a domain; ``fields`` are further ones of its row."""
        row = replace(DomainRow(DomainId(len(self._domains) + 1), name, alias_of, disabled, catch_all), **fields)
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
        **fields: Any,
    ) -> AccountRow:
        """Add or replace an account; ``fields`` are further ones of its row."""
        known = self._accounts.get(address)
        number = known.id if known is not None else AccountId(len(self._accounts) + 1)
        state = AccountState.DISABLED if disabled else AccountState.ACTIVE
        level = Level.SERVER if is_admin else Level.USER
        row = replace(AccountRow(number, address, "", password_hash, quota, state, level), **fields)
        self._accounts[address] = row
        return self._changed(row)

    def add_address(self, address: str, account: str) -> None:
        """Give an account a further address."""
        self._further[address] = account
        self._changed(self._accounts[account])

    def add_alias(self, address: str, *targets: str, disabled: bool = False, relocated: bool = False) -> AliasRow:
        """Add or replace an alias."""
        kind = AliasKind.RELOCATED if relocated else AliasKind.FORWARD
        row = self._aliases[address] = AliasRow(address, targets, kind, disabled)
        return self._changed(row)

    def add_group(
        self,
        address: str,
        *members: str,
        senders: SenderPolicy = SenderPolicy.ANYONE,
        listed: tuple[str, ...] = (),
        disabled: bool = False,
    ) -> GroupRow:
        """Add or replace a group."""
        row = GroupRow(address, senders=senders, listed=listed, disabled=disabled, members=len(members))
        self._groups[address] = row
        self._members[address] = tuple(sorted(members))
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

    def add_share(self, account: str, member: str, right: ShareRight = ShareRight.READ, **fields: bool) -> ShareRow:
        """Give a member rights in a shared mailbox."""
        row = ShareRow(account, member, right, fields.get("send_as", False), fields.get("send_on_behalf", False))
        self._shares.append(row)
        return row

    async def commit(self, *changes: Change, rehearse: bool = False) -> Any:
        """Keep the changes; a Delivery is answered by a ``Delivered``, the removal of a credential by how many went.

        Credentials and bans are read again as they were written; of everything else only ``commits`` tells.
        """
        if self.failure is not None:
            raise self.failure
        self.commits.append(changes)
        for change in changes:
            for entry in getattr(change, "journey", ()):
                row = JourneyRow(entry.queue_id, entry.at, entry.step, entry.record)
                self.journeys.setdefault(entry.queue_id, []).append(row)
        results = tuple(self._result(change) for change in changes)
        return results[0] if len(results) == 1 else results

    def _advance(self, change: AdvanceCredential) -> None:
        row = self._credentials[change.id]
        if row.details.get(change.field, 0) >= change.to:
            raise NotAllowed(f"{change.field} is {change.to} or more", where="testing.directory")
        self._credentials[change.id] = replace(
            row, details={**row.details, **(change.details or {}), change.field: change.to}
        )

    def _result(self, change: Change) -> Delivered | int | None:
        if isinstance(change, PutCredential):
            self._put_credential(change)
        if isinstance(change, RemoveCredential):
            return int(self._credentials.pop(change.id, None) is not None)
        if isinstance(change, AdvanceCredential):
            self._advance(change)
        if isinstance(change, PutBan | RemoveBan):
            self._version += 1
        if isinstance(change, PutBan):
            row = BanRow(change.network, change.account, change.reason, change.since, change.until, change.by)
            self._bans[change.network, change.account] = row
        if isinstance(change, RemoveBan):
            self._bans.pop((change.network, change.account), None)
        if not isinstance(change, Delivery):
            return None
        filed = tuple(Filed(filing.account, MailboxId(1), 1, 1, 1) for filing in change.filings)
        return Delivered(BodyId(len(self.commits)), filed)

    def _put_credential(self, given: PutCredential) -> None:
        known = self._credentials.get(given.id)
        self._credentials[given.id] = CredentialRow(
            given.id,
            given.account,
            given.kind,
            given.name,
            given.verifier,
            given.scopes,
            given.created,
            given.expires,
            known.last_used if known is not None else 0.0,
            known.last_address if known is not None else "",
            dict(given.details or {}),
        )

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

    async def domains(
        self, *, office: str | None = None, alias_of: str | None = None, after: str = "", limit: int = 1_000_000
    ) -> list[DomainRow]:
        """Return domains in order of name."""
        self._read()
        rows = [self._domains[name] for name in sorted(self._domains) if name > after]
        if office is not None:
            rows = [row for row in rows if row.office == office]
        return [row for row in rows if alias_of is None or row.alias_of == alias_of][:limit]

    async def office(self, name: str) -> None:
        """Know no post office."""
        self._read()

    async def account(self, address: str) -> AccountRow | None:
        """Return the account that has an address."""
        self._read()
        return self._accounts.get(self._further.get(address, address))

    async def accounts(
        self,
        *,
        domain: str | None = None,
        office: str | None = None,
        level: Level | None = None,
        after: str = "",
        limit: int = 1000,
    ) -> list[AccountRow]:
        """Return accounts in order of address."""
        self._read()
        found = [row for address, row in sorted(self._accounts.items()) if address > after]
        if domain:
            found = [row for row in found if row.address.endswith("@" + domain)]
        if office is not None:
            found = [row for row in found if self._domains[row.address.rpartition("@")[2]].office == office]
        return [row for row in found if level is None or row.level is level][:limit]

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

    async def credentials(self, account: str, kind: CredentialKind | None = None) -> list[CredentialRow]:
        """Return the credentials of an account."""
        self._read()
        rows = self._credentials.values()
        return [row for row in rows if row.account == account and (kind is None or row.kind is kind)]

    async def credential_by_verifier(self, kind: CredentialKind, verifier: str) -> CredentialRow | None:
        """Return a credential by its verifier."""
        self._read()
        rows = self._credentials.values()
        return next((row for row in rows if row.kind is kind and row.verifier == verifier), None)

    async def last_sign_in(self, account: AccountId) -> SignInRow | None:
        """Return what ``sign_ins`` says."""
        self._read()
        return self.sign_ins.get(account)

    async def bans(self) -> list[BanRow]:
        """Return all bans."""
        self._read()
        return [self._bans[key] for key in sorted(self._bans)]

    async def group(self, address: str) -> GroupRow | None:
        """Return a group."""
        self._read()
        return self._groups.get(address)

    async def members(self, group: str, *, after: str = "", limit: int = 1000) -> list[str]:
        """Return the members of a group in order of address."""
        self._read()
        return [each for each in self._members.get(group, ()) if each > after][:limit]

    async def groups_of(self, member: str, *, nested: bool = False) -> list[str]:
        """Return the groups that an address is in, also through others where ``nested``."""
        self._read()
        found: set[str] = set()
        level = {member}
        while level:
            above = {group for group, members in self._members.items() if not level.isdisjoint(members)}
            level = above - found if nested else set()
            found |= above
        return sorted(found)

    async def shares(self, *, account: str = "", members: Sequence[str] = ()) -> list[ShareRow]:
        """Return the shares of a mailbox, or those of some members."""
        self._read()
        return [row for row in self._shares if row.account == account or row.member in members]

    async def directory_version(self) -> int:
        """Return the version."""
        if self.unreadable is not None:
            raise self.unreadable
        return self._version

    async def journey(self, queue_id: QueueId) -> list[JourneyRow]:
        """Return the steps that were committed."""
        return self.journeys.get(queue_id, [])
