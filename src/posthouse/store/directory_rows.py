"""Rows of the directory, the settings and the records kept of administration. ``revision`` grows with each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from posthouse.core.ids import AccountId, DomainId
from posthouse.store.directory_values import (
    AccountKind,
    AccountState,
    AliasKind,
    CredentialKind,
    Level,
    SenderPolicy,
    ShareRight,
)


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """A post office with what it holds; ``quota`` is the sum of its accounts' quotas in octets."""

    id: int
    name: str
    title: str
    note: str
    disabled: bool
    domains: int
    accounts: int
    aliases: int
    groups: int
    quota: int
    revision: int


@dataclass(frozen=True, slots=True)
class DomainRow:
    """A domain of ours. ``alias_of`` is the canonical name for an alias domain, else ""; ``office`` "" the server's.

    ``disabled`` is true as well where its post office is disabled; ``own_disabled`` is its own switch.
    """

    id: DomainId
    name: str
    alias_of: str
    disabled: bool
    catch_all: str
    office: str = ""
    postmaster: str = ""
    abuse: str = ""
    note: str = ""
    own_disabled: bool = False
    accounts: int = 0
    aliases: int = 0
    groups: int = 0
    quota: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account; ``address`` is its first address. ``password_hash`` "" means no password of our own."""

    id: AccountId
    address: str
    display_name: str = ""
    password_hash: str = ""
    quota_bytes: int = 0
    state: AccountState = AccountState.ACTIVE
    level: Level = Level.USER
    kind: AccountKind = AccountKind.PERSON
    given_name: str = ""
    family_name: str = ""
    note: str = ""
    language: str = ""
    quota_messages: int = 0
    held_until: float = 0.0
    must_change_password: bool = False
    source: str = ""
    external_id: str = ""
    created: float = 0.0
    revision: int = 0

    @property
    def disabled(self) -> bool:
        """Whether it takes no mail."""
        return self.state in {AccountState.DISABLED, AccountState.HELD}

    @property
    def may_sign_in(self) -> bool:
        """Whether anybody may sign in as it."""
        return self.state is AccountState.ACTIVE and self.kind is AccountKind.PERSON

    @property
    def is_admin(self) -> bool:
        """Whether it administers the whole server."""
        return self.level is Level.SERVER


@dataclass(frozen=True, slots=True)
class AliasRow:
    """An alias and where it leads."""

    address: str
    targets: tuple[str, ...]
    kind: AliasKind = AliasKind.FORWARD
    disabled: bool = False
    note: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group; ``members`` is how many it has."""

    address: str
    display_name: str = ""
    note: str = ""
    senders: SenderPolicy = SenderPolicy.ANYONE
    listed: tuple[str, ...] = ()
    disabled: bool = False
    members: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A member's rights in a shared mailbox."""

    account: str
    member: str
    right: ShareRight
    send_as: bool
    send_on_behalf: bool


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route, as in ``directory_values.PutRoute``."""

    domain: str
    host: str
    port: int
    tls: str
    recipients_local: bool
    mx_lookup: bool
    login: str = ""
    sealed_password: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting that somebody set."""

    name: str
    scope: str
    value: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A sign-in source."""

    name: str
    kind: str
    config: Mapping[str, str]
    sealed: str
    disabled: bool
    revision: int


@dataclass(frozen=True, slots=True)
class WordingRow:
    """The text of a server message, where somebody changed it."""

    scope: str
    name: str
    language: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential, as in ``directory_values.PutCredential``."""

    id: str
    account: str
    kind: CredentialKind
    name: str
    verifier: str
    scopes: str
    created: float
    expires: float
    last_used: float
    last_address: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SignInRow:
    """When, from where and by which protocol an account signed in last."""

    at: float
    address: str
    protocol: str


@dataclass(frozen=True, slots=True)
class BanRow:
    """A ban, as in ``directory_values.PutBan``."""

    network: str
    account: str
    reason: str
    since: float
    until: float
    by: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of the audit log. ``digest`` covers every other field and ``previous``, the digest before it."""

    number: int
    at: float
    actor: str
    door: str
    address: str
    operation: str
    subject: str
    office: str
    domain: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job and how far it is."""

    id: str
    operation: str
    office: str
    domain: str
    caller: Mapping[str, Any]
    input: Mapping[str, Any]
    state: str
    done: int
    total: int
    text: str
    result: Mapping[str, Any] | None
    owner: str
    until: float
    created: float
    changed: float


@dataclass(frozen=True, slots=True)
class KeptReply:
    """What a request with an idempotency key was answered; ``status`` 0 where it is not known to have ended."""

    fingerprint: str
    at: float
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """Something found by a part of its address or name. ``kind``: account | alias | group | address | domain.

    ``cursor`` is where the next page begins, for ``after`` with the same text.
    """

    kind: str
    address: str
    name: str
    account: str  # whose further address it is, for ``address``
    cursor: str = ""
