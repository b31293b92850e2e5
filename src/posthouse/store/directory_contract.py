"""What every engine promises of the directory: reads, and the refusals that are the directory's own.

Lists come in pages: rows in order of their key, from after ``after``, at most ``limit``; an empty page is the end.
``office`` and ``domain`` narrow to what is in them; None asks for all, "" as an office for the server's own domains.
Tests: ``tests/contract/store``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from posthouse.core.errors import Fault
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


class StoreRefusal(Fault):
    """The value cannot be written; nothing of it was."""


class Conflict(StoreRefusal):
    """The row changed since it was read: its revision is not the one the value names."""


class LimitReached(StoreRefusal):
    """A ceiling would be passed.

    Attributes:
        limit: the field of ``Ceilings``, such as ``domain_accounts``.
        ceiling: its value.
    """

    def __init__(self, limit: str, ceiling: int) -> None:
        super().__init__(f"{limit} is limited to {ceiling}")
        self.limit = limit
        self.ceiling = ceiling


class DirectoryStore(Protocol):
    """The directory's share of a store."""

    # -- post offices and domains -------------------------------------------------------------------------------
    async def office(self, name: str) -> OfficeRow | None:
        """Return a post office by name."""
        ...

    async def offices(self, *, after: str = "", limit: int = 1000) -> list[OfficeRow]:
        """Return post offices in order of name."""
        ...

    async def domain(self, name: str) -> DomainRow | None:
        """Return a domain by its folded name."""
        ...

    async def domains(
        self, *, office: str | None = None, alias_of: str | None = None, after: str = "", limit: int = 1_000_000
    ) -> list[DomainRow]:
        """Return domains in order of name."""
        ...

    # -- addresses ----------------------------------------------------------------------------------------------
    async def account(self, address: str) -> AccountRow | None:
        """Return the account that has this address (folded), as its first or a further one."""
        ...

    async def account_by_id(self, account: AccountId) -> AccountRow | None:
        """Return an account by id."""
        ...

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
        """Return accounts in order of address."""
        ...

    async def held_accounts(self, before: float, limit: int = 100) -> list[AccountRow]:
        """Return accounts whose hold ended before a time, oldest first."""
        ...

    async def addresses(self, account: AccountId) -> list[str]:
        """Return the further addresses of an account, in order."""
        ...

    async def kinds_of(self, addresses: Sequence[str]) -> dict[str, str]:
        """Return what has each address (folded) that something has: account, address, alias or group; one read."""
        ...

    async def alias(self, address: str) -> AliasRow | None:
        """Return the alias at an address (folded)."""
        ...

    async def aliases(
        self, *, domain: str | None = None, office: str | None = None, after: str = "", limit: int = 1000
    ) -> list[AliasRow]:
        """Return aliases in order of address."""
        ...

    async def group(self, address: str) -> GroupRow | None:
        """Return the group at an address (folded)."""
        ...

    async def groups(
        self, *, domain: str | None = None, office: str | None = None, after: str = "", limit: int = 1000
    ) -> list[GroupRow]:
        """Return groups in order of address."""
        ...

    async def members(self, group: str, *, after: str = "", limit: int = 1000) -> list[str]:
        """Return the members of a group in order of address."""
        ...

    async def groups_of(self, member: str, *, nested: bool = False) -> list[str]:
        """Return the groups that an address is in, also through other groups where ``nested``; at most 10 000."""
        ...

    async def find(
        self, text: str, *, office: str | None = None, domain: str | None = None, after: str = "", limit: int = 50
    ) -> list[Found]:
        """Return what has ``text`` somewhere in its address or name, without regard to case and accents.

        A text of one character is looked for at the beginning of addresses. The order is the store's own, domain by
        domain; ``after`` is the ``cursor`` of the last row of the page before. Costs no more where much is found.
        """
        ...

    async def shares(self, *, account: str = "", members: Sequence[str] = ()) -> list[ShareRow]:
        """Return the shares of a shared mailbox, or those given to any of some members."""
        ...

    # -- what the directory needs beside --------------------------------------------------------------------------
    async def routes(self) -> list[RouteRow]:
        """Return all routes in order of domain."""
        ...

    async def settings(self) -> list[SettingRow]:
        """Return everything that was set, in every scope."""
        ...

    async def settings_version(self) -> int:
        """Return a number that grows with every change of a setting, domain or post office; one point read."""
        ...

    async def directory_version(self) -> int:
        """Return a number that grows with every change of directory or settings; one point read."""
        ...

    async def sources(self) -> list[SourceRow]:
        """Return all sign-in sources in order of name."""
        ...

    async def wordings(self) -> list[WordingRow]:
        """Return all changed server messages."""
        ...

    # -- credentials --------------------------------------------------------------------------------------------
    async def credentials(self, account: str, kind: CredentialKind | None = None) -> list[CredentialRow]:
        """Return the credentials of an account ("" the server's own), oldest first."""
        ...

    async def credential_by_verifier(self, kind: CredentialKind, verifier: str) -> CredentialRow | None:
        """Return the credential that has this verifier; one point read."""
        ...

    async def last_sign_in(self, account: AccountId) -> SignInRow | None:
        """Return the last sign-in of an account."""
        ...

    async def bans(self) -> list[BanRow]:
        """Return all bans, also those that have ended, in order of network."""
        ...

    # -- records ------------------------------------------------------------------------------------------------
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
        """Return entries of the audit log, newest first from below ``before``; or rising from above ``after`` >= 0."""
        ...

    async def job(self, id: str) -> JobRow | None:  # noqa: A002  (the field's name)
        """Return a job."""
        ...

    async def jobs(
        self, *, office: str | None = None, domain: str | None = None, after: str = "", limit: int = 100
    ) -> list[JobRow]:
        """Return jobs, newest first, from after the one with that id."""
        ...

    async def kept_reply(self, caller: str, key: str) -> KeptReply | None:
        """Return what is known of a request with an idempotency key."""
        ...
