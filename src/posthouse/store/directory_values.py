"""Values that say what to write into the directory, the settings and the records kept of administration.

As in ``store.values``: no behaviour, one or several to ``Store.commit``, all or nothing. Names and addresses come
folded. In a change, None leaves a field as it is. ``if_revision`` makes the write fail with ``Conflict`` unless the row
still has that revision (0 takes any). Times are seconds since the epoch, 0.0 where there is none.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


class AccountKind(enum.Enum):
    """What an account is for."""

    PERSON = "person"
    SHARED = "shared"  # nobody signs in as it; members reach it with the rights of their shares


class AccountState(enum.Enum):
    """What an account may do."""

    ACTIVE = "active"
    SIGN_IN_DISABLED = "sign-in-disabled"  # mail arrives, nobody signs in
    DISABLED = "disabled"  # no mail, no sign-in; mail for it is refused
    HELD = "held"  # as disabled, and removed for good when ``held_until`` has passed


class Level(enum.Enum):
    """How much of the system an account administers."""

    USER = "user"
    DOMAIN = "domain"
    OFFICE = "office"
    SERVER = "server"


class AliasKind(enum.Enum):
    """What an alias does."""

    FORWARD = "forward"  # mail goes to the targets
    RELOCATED = "relocated"  # mail is refused and told the new address, the one target (RFC 5321 §3.4)


class SenderPolicy(enum.Enum):
    """Who may send to a group."""

    ANYONE = "anyone"
    SIGNED_IN = "signed-in"
    DOMAIN = "domain"  # signed in, with an account of the group's domain
    MEMBERS = "members"
    LISTED = "listed"


class ShareRight(enum.Enum):
    """What a member may do in a shared mailbox; each includes the one before."""

    READ = "read"
    WRITE = "write"
    MANAGE = "manage"


class CredentialKind(enum.Enum):
    """What a credential proves with."""

    APP_PASSWORD = "app-password"
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"  # one-time codes
    TOKEN = "token"  # of the API
    SESSION = "session"  # of the web


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """How much a domain and its post office may hold after the change; None is unbounded.

    Checked inside the transaction, so that calls at the same time cannot pass them together. Only what grows by the
    change is checked: a limit that was lowered later hinders nobody from making things smaller.
    """

    domain_accounts: int | None = None
    domain_aliases: int | None = None
    domain_groups: int | None = None
    domain_quota: int | None = None  # octets: the sum of the quotas of its accounts
    office_domains: int | None = None
    office_accounts: int | None = None
    office_aliases: int | None = None
    office_groups: int | None = None
    office_quota: int | None = None


UNBOUNDED = Ceilings()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOffice:
    """Add a post office or change one (by name). Returns its id. A disabled one disables its domains."""

    name: str
    title: str | None = None
    note: str | None = None
    disabled: bool | None = None
    must_be_new: bool = True
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveOffice:
    """Remove a post office. Fails with ``NotAllowed`` while it has domains."""

    name: str
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PutDomain:
    """Add a domain or change one (by name). Returns ``DomainId``. ``alias_of`` names the domain it stands for.

    ``office`` "" is the server's own; an alias domain is always of the office of the domain it stands for.
    ``catch_all``, ``postmaster`` and ``abuse`` are addresses, "" for none.
    """

    name: str
    office: str | None = None
    alias_of: str | None = None
    disabled: bool | None = None
    catch_all: str | None = None
    postmaster: str | None = None
    abuse: str | None = None
    note: str | None = None
    must_be_new: bool = True
    if_revision: int = 0
    ceilings: Ceilings = UNBOUNDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDomain:
    """Remove a domain. Fails with ``NotAllowed`` while it has accounts, aliases, groups or alias domains."""

    name: str
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAccount:
    """Add an account or change one (by address). Returns ``AccountId``.

    A new account gets its mailboxes (INBOX, and one for each special use) in the same commit. ``password_hash`` is an
    encoded hash, never a password. Quotas of 0 mean none. ``source`` names where the account came from ("" made here),
    ``external_id`` what it is called there.
    """

    address: str
    kind: AccountKind | None = None
    password_hash: str | None = None
    display_name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    note: str | None = None
    language: str | None = None
    quota_bytes: int | None = None
    quota_messages: int | None = None
    state: AccountState | None = None
    held_until: float | None = None
    level: Level | None = None
    must_change_password: bool | None = None
    source: str | None = None
    external_id: str | None = None
    created: float | None = None
    must_be_new: bool = True
    if_revision: int = 0
    ceilings: Ceilings = UNBOUNDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameAccount:
    """Give an account another first address, in any domain of ours. Fails with ``AlreadyExists``, ``Vanished``.

    Its settings, further addresses, memberships and shares go with it.
    """

    address: str
    new_address: str
    if_revision: int = 0
    ceilings: Ceilings = UNBOUNDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAccount:
    """Remove an account with its mail, further addresses, credentials, memberships, shares and settings."""

    address: str
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAddress:
    """Give an account a further address. Fails with ``AlreadyExists`` where anything has it."""

    address: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAddress:
    """Take a further address away from an account."""

    address: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAlias:
    """Add an alias or change one. Targets are addresses, local or remote."""

    address: str
    targets: tuple[str, ...] | None = None
    kind: AliasKind | None = None
    disabled: bool | None = None
    note: str | None = None
    must_be_new: bool = True
    if_revision: int = 0
    ceilings: Ceilings = UNBOUNDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAlias:
    """Remove an alias."""

    address: str
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PutGroup:
    """Add a group or change one. ``listed`` are the addresses and domains that ``SenderPolicy.LISTED`` allows."""

    address: str
    display_name: str | None = None
    note: str | None = None
    senders: SenderPolicy | None = None
    listed: tuple[str, ...] | None = None
    disabled: bool | None = None
    must_be_new: bool = True
    if_revision: int = 0
    ceilings: Ceilings = UNBOUNDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveGroup:
    """Remove a group with its list of members, and its place in other groups and shares."""

    address: str
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMembers:
    """Change who is in a group; members are addresses, of accounts, aliases, other groups or of other systems.

    ``replace`` makes ``add`` the whole list. Fails with ``NotAllowed`` where a group would contain itself, however
    many groups are between. Returns how many members the group has.
    """

    group: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutShare:
    """Give a member (an account or a group) rights in a shared mailbox, or change them."""

    account: str
    member: str
    right: ShareRight = ShareRight.READ
    send_as: bool = False
    send_on_behalf: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveShare:
    """Take a member's rights in a shared mailbox away."""

    account: str
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRoute:
    """Add or replace the route of a domain; ``*`` is the smart host, ``.example.org`` a domain's subdomains.

    ``tls``: ``none`` | ``may`` | ``must``. ``recipients_local`` lets strangers send to the domain (gateway, backup MX).
    ``login`` and ``sealed_password`` sign in at the host; the password is sealed by ``services.identity.sealing``.
    """

    domain: str
    host: str
    port: int = 25
    tls: str = "may"
    recipients_local: bool = False
    mx_lookup: bool = False
    login: str = ""
    sealed_password: str = ""
    must_be_new: bool = True
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRoute:
    """Remove the route of a domain."""

    domain: str
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PutSetting:
    """Set a setting in a scope, or unset it with ``value`` None.

    ``scope`` is ``server``, ``office:NAME``, ``domain:NAME`` or ``account:ADDRESS``.
    """

    name: str
    value: str | None
    scope: str = "server"
    by: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PutSource:
    """Add a sign-in source or change one. ``sealed`` holds its secrets, sealed by ``services.identity.sealing``."""

    name: str
    kind: str | None = None
    config: Mapping[str, str] | None = None
    sealed: str | None = None
    disabled: bool | None = None
    must_be_new: bool = True
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSource:
    """Remove a sign-in source."""

    name: str
    if_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PutWording:
    """Set the text of a server message for a scope and language, or take it back with ``text`` None."""

    scope: str
    name: str
    language: str
    subject: str = ""
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutCredential:
    """Add a credential. ``account`` "" is the server's own. ``verifier`` is a digest or sealed secret, never clear.

    ``id`` is random text; ``scopes`` words separated by spaces. Fails with ``AlreadyExists`` where the verifier is in
    use, so that a lookup by it is unambiguous.
    """

    id: str
    account: str
    kind: CredentialKind
    name: str
    verifier: str
    scopes: str = ""
    created: float = 0.0
    expires: float = 0.0
    details: Mapping[str, Any] | None = None
    must_be_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveCredential:
    """Remove a credential; ``account`` must be its owner. With ``id`` "*" all of that kind go. Returns how many."""

    id: str
    account: str
    kind: CredentialKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceCredential:
    """Raise a number among a credential's details, and set others with it; what counts once counts for one caller only.

    Fails with ``NotAllowed`` where the number is not below ``to`` any more, with ``Vanished`` where the credential is
    gone. ``details`` are further ones to set; None takes one away. Does not change the directory's version.
    """

    id: str
    account: str
    kind: CredentialKind
    field: str
    to: int
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignIns:
    """What sign-ins leave behind, written in batches: last sign-in by account, last use by credential.

    ``accounts``: ``(account id, at, client address, protocol)``; ``credentials``: ``(credential id, at, address)``.
    Does not change the directory's version.
    """

    accounts: tuple[tuple[int, float, str, str], ...] = ()
    credentials: tuple[tuple[str, float, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBan:
    """Keep a network from signing in (``account`` "" for every account) until a time; replaces one for the same."""

    network: str
    account: str
    reason: str
    since: float
    until: float
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveBan:
    """Lift a ban."""

    network: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequireReach:
    """Refuse the whole commit (NotAllowed) where a domain is not, any more, where its caller's rights come from.

    It stands before the changes that rely on it. ``office``: the domain must be in that post office; None: it must be
    the domain ``within``, or another name of it. One that is not there does not matter: what changes it is refused.
    """

    domain: str
    office: str | None = None
    within: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Who did what, written in the same commit as what was done.

    The store chains entries: each holds the digest of the one before. ``office`` and ``domain`` say whose
    administrators may read it. ``before`` and ``after`` are plain JSON values without secrets; None where there was
    or is nothing. Returns the entry's number.
    """

    at: float
    actor: str
    door: str
    address: str
    operation: str
    subject: str
    office: str = ""
    domain: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutJob:
    """Add a job, or say how far it is (by id). ``state``: waiting | running | done | failed | cancelled.

    ``input``, ``caller`` and ``result`` are plain JSON values. A running job is leased to ``owner`` until ``until``.
    """

    id: str
    operation: str | None = None
    office: str | None = None
    domain: str | None = None
    caller: Mapping[str, Any] | None = None
    input: Mapping[str, Any] | None = None
    state: str | None = None
    done: int | None = None
    total: int | None = None
    text: str | None = None
    result: Mapping[str, Any] | None = None
    owner: str | None = None
    until: float | None = None
    at: float = 0.0
    must_be_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimJob:
    """Lease the oldest job that waits, or whose lease has ended. Returns ``JobRow | None``."""

    owner: str
    now: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepReply:
    """Keep what a request with an idempotency key was answered. ``status`` 0 claims the key before the work.

    Claiming a key that is there fails with ``AlreadyExists``; read it with ``kept_reply``.
    """

    caller: str
    key: str
    fingerprint: str
    at: float
    status: int = 0
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendAllowance:
    """Count recipients that somebody sends to, within the hour. Fails with ``AllowanceSpent`` where one is used up.

    ``limits``: ``(key, most)``, such as ``("account:anna@example.org", 100)``; the recipients count for each. The hour
    ends at ``at``; of the clock hour before, what is still within it is taken to be spread evenly.
    """

    recipients: int
    at: float
    limits: tuple[tuple[str, int], ...]


DirectoryChange: TypeAlias = (
    PutOffice
    | RemoveOffice
    | PutDomain
    | RemoveDomain
    | PutAccount
    | RenameAccount
    | RemoveAccount
    | PutAddress
    | RemoveAddress
    | PutAlias
    | RemoveAlias
    | PutGroup
    | RemoveGroup
    | ChangeMembers
    | PutShare
    | RemoveShare
    | PutRoute
    | RemoveRoute
    | PutSetting
    | PutSource
    | RemoveSource
    | PutWording
    | PutCredential
    | RemoveCredential
    | AdvanceCredential
    | NoteSignIns
    | PutBan
    | RemoveBan
    | RequireReach
    | Audit
    | PutJob
    | ClaimJob
    | KeepReply
    | SpendAllowance
)
