"""The directory's share of the store: joins reads to ``directory_contract.DirectoryStore``."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from posthouse.core.ids import AccountId
from posthouse.store.directory_rows import (
    AccountRow,
    AliasRow,
    AuditRow,
    BanRow,
    CredentialRow,
    DomainRow,
    Found,
    GroupRow,
    JobRow,
    KeptReply,
    OfficeRow,
    RouteRow,
    SettingRow,
    ShareRow,
    SignInRow,
    SourceRow,
    WordingRow,
)
from posthouse.store.directory_values import AccountKind, AccountState, CredentialKind, Level
from posthouse.store.sqlite.connection import as_fault
from posthouse.store.sqlite.database import Database
from posthouse.store.sqlite.reads import directory, find, records, settings

P = ParamSpec("P")
R = TypeVar("R")


def read(method: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Turn errors of SQLite in a read into faults."""

    @wraps(method)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await method(*args, **kwargs)
        except sqlite3.Error as error:
            raise as_fault(error, "store.read") from error

    return guarded


class DirectoryReads:
    """Reads of directory, settings and records. ``directory_contract`` says what the methods promise."""

    _database: Database

    # -- post offices and domains -------------------------------------------------------------------------------

    @read
    async def office(self, name: str) -> OfficeRow | None:
        """Return a post office."""
        return directory.office(self._database.connection, name)

    @read
    async def offices(self, *, after: str = "", limit: int = 1000) -> list[OfficeRow]:
        """Return post offices."""
        return directory.offices(self._database.connection, after, limit)

    @read
    async def domain(self, name: str) -> DomainRow | None:
        """Return a domain."""
        return directory.domain(self._database.connection, name)

    @read
    async def domains(
        self, *, office: str | None = None, alias_of: str | None = None, after: str = "", limit: int = 1_000_000
    ) -> list[DomainRow]:
        """Return domains."""
        return directory.domains(self._database.connection, (office, alias_of), after, limit)

    # -- addresses ----------------------------------------------------------------------------------------------

    @read
    async def account(self, address: str) -> AccountRow | None:
        """Return the account at an address."""
        return directory.account(self._database.connection, address)

    @read
    async def account_by_id(self, account: AccountId) -> AccountRow | None:
        """Return an account by id."""
        return directory.account_by_id(self._database.connection, account)

    @read
    async def accounts(
        self,
        *,
        domain: str | None = None,
        office: str | None = None,
        state: AccountState | None = None,
        level: Level | None = None,
        kind: AccountKind | None = None,
        source: str | None = None,
        after: str = "",
        limit: int = 1000,
    ) -> list[AccountRow]:
        """Return accounts."""
        narrowing = directory.Narrowing(domain, office)
        if level is not None:
            narrowing.rare("level", level.value, Level.USER.value)
        if kind is not None:
            narrowing.rare("kind", kind.value, AccountKind.PERSON.value)
        if state is not None:
            narrowing.rare("state", state.value, AccountState.ACTIVE.value)
        if source is not None:
            narrowing.rare("source", source, "")
        return directory.accounts(self._database.connection, narrowing, after, limit)

    @read
    async def held_accounts(self, before: float, limit: int = 100) -> list[AccountRow]:
        """Return accounts whose hold ended."""
        return directory.held_accounts(self._database.connection, before, limit)

    @read
    async def addresses(self, account: AccountId) -> list[str]:
        """Return the further addresses of an account."""
        return directory.addresses(self._database.connection, account)

    @read
    async def kinds_of(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return what has each address that something has."""
        return directory.kinds_of(self._database.connection, addresses)

    @read
    async def alias(self, address: str) -> AliasRow | None:
        """Return the alias at an address."""
        return directory.alias(self._database.connection, address)

    @read
    async def aliases(
        self, *, domain: str | None = None, office: str | None = None, after: str = "", limit: int = 1000
    ) -> list[AliasRow]:
        """Return aliases."""
        return directory.aliases(self._database.connection, directory.Narrowing(domain, office), after, limit)

    @read
    async def group(self, address: str) -> GroupRow | None:
        """Return the group at an address."""
        return directory.group(self._database.connection, address)

    @read
    async def groups(
        self, *, domain: str | None = None, office: str | None = None, after: str = "", limit: int = 1000
    ) -> list[GroupRow]:
        """Return groups."""
        return directory.groups(self._database.connection, directory.Narrowing(domain, office), after, limit)

    @read
    async def members(self, group: str, *, after: str = "", limit: int = 1000) -> list[str]:
        """Return the members of a group."""
        return directory.members(self._database.connection, group, after, limit)

    @read
    async def groups_of(self, member: str, *, nested: bool = False) -> list[str]:
        """Return the groups an address is in."""
        return directory.groups_of(self._database.connection, member, nested=nested)

    @read
    async def find(
        self, text: str, *, office: str | None = None, domain: str | None = None, after: str = "", limit: int = 50
    ) -> list[Found]:
        """Return what has a text in its address or name."""
        return find.find(self._database.connection, text, (office, domain), after, limit)

    @read
    async def shares(self, *, account: str = "", members: Sequence[str] = ()) -> list[ShareRow]:
        """Return shares."""
        return directory.shares(self._database.connection, account, members)

    # -- what the directory needs beside ------------------------------------------------------------------------

    @read
    async def routes(self) -> list[RouteRow]:
        """Return all routes."""
        return settings.routes(self._database.connection)

    @read
    async def settings(self) -> list[SettingRow]:
        """Return all settings that were set."""
        return settings.settings(self._database.connection)

    async def settings_version(self) -> int:
        """Return the version of the settings."""
        try:
            return settings.version(self._database.connection, "settings")
        except sqlite3.Error as error:
            raise as_fault(error, "store.read") from error

    async def directory_version(self) -> int:
        """Return the version of the directory."""
        try:
            return settings.version(self._database.connection, "directory")
        except sqlite3.Error as error:
            raise as_fault(error, "store.read") from error

    @read
    async def sources(self) -> list[SourceRow]:
        """Return all sign-in sources."""
        return settings.sources(self._database.connection)

    @read
    async def wordings(self) -> list[WordingRow]:
        """Return all changed server messages."""
        return settings.wordings(self._database.connection)

    # -- credentials --------------------------------------------------------------------------------------------

    @read
    async def credentials(self, account: str, kind: CredentialKind | None = None) -> list[CredentialRow]:
        """Return the credentials of an account."""
        return settings.credentials(self._database.connection, account, kind)

    @read
    async def credential_by_verifier(self, kind: CredentialKind, verifier: str) -> CredentialRow | None:
        """Return the credential that has a verifier."""
        return settings.credential_by_verifier(self._database.connection, kind, verifier)

    @read
    async def last_sign_in(self, account: AccountId) -> SignInRow | None:
        """Return the last sign-in of an account."""
        return settings.last_sign_in(self._database.connection, account)

    @read
    async def bans(self) -> list[BanRow]:
        """Return all bans."""
        return settings.bans(self._database.connection)

    # -- records ------------------------------------------------------------------------------------------------

    @read
    async def audit(
        self,
        *,
        subject: str = "",
        office: str | None = None,
        domain: str | None = None,
        before: int = 0,
        after: int = -1,
        limit: int = 100,
    ) -> list[AuditRow]:
        """Return entries of the audit log."""
        narrowed = {"subject": subject or None, "office": office, "domain": domain}
        return records.audit(self._database.connection, narrowed, (before, after), limit)

    @read
    async def job(self, id: str) -> JobRow | None:  # noqa: A002  (the field's name)
        """Return a job."""
        return records.job(self._database.connection, id)

    @read
    async def jobs(
        self, *, office: str | None = None, domain: str | None = None, after: str = "", limit: int = 100
    ) -> list[JobRow]:
        """Return jobs."""
        return records.jobs(self._database.connection, (office, domain), after, limit)

    @read
    async def kept_reply(self, caller: str, key: str) -> KeptReply | None:
        """Return what is known of a request."""
        return records.kept_reply(self._database.connection, caller, key)
