"""What a source says, as neutral records: the one vocabulary between readers and the plan.

Records hold text as the source has it; the plan checks and folds it. Every record says ``where`` it came from
(``file:line`` or ``table:line``), so that whoever reads the report finds the place. None means that the source does
not say. ``domain_of`` is the domain that a reader found to belong to the record, for the order of things only.

Not here: what exists already (``sink``). Tests: ``tests/unit/services/administration/importing``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from posthouse.store.directory_values import AccountState, AliasKind, Level, SenderPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedOffice:
    """A post office. ``title`` is its name as people write it, where the plan had to make a short one of it."""

    where: str
    name: str
    title: str = ""
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedDomain:
    """A domain. One that is ``implied`` stands in the source only as the domain of an address."""

    where: str
    name: str
    office: str = ""
    alias_of: str = ""
    catch_all: str = ""
    postmaster: str = ""
    abuse: str = ""
    disabled: bool = False
    implied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAccount:
    """An account. ``password`` is clear text, ``password_hash`` an encoded hash (``{SCHEME}rest``); one of them."""

    where: str
    address: str
    password: bytes | None = None
    password_hash: str = ""
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    quota_bytes: int | None = None
    quota_messages: int | None = None
    state: AccountState | None = None
    level: Level | None = None
    source: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAddress:
    """A further address of an account."""

    where: str
    address: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAlias:
    """An alias; one of an account's own address is a forward of that account, which the plan reports."""

    where: str
    address: str
    targets: tuple[str, ...]
    kind: AliasKind = AliasKind.FORWARD
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedGroup:
    """A group, or members to be added to one that came before (``is_more``)."""

    where: str
    address: str
    name: str | None = None
    members: tuple[str, ...] = ()
    senders: SenderPolicy | None = None
    listed: tuple[str, ...] = ()
    disabled: bool = False
    is_more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRoute:
    """A route: of a domain, of ``.domain`` (what is below it) or of ``*``. ``password`` is clear text."""

    where: str
    domain: str
    host: str
    port: int = 25
    tls: str = "may"
    recipients_local: bool = False
    mx_lookup: bool = False
    login: str = ""
    password: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedSetting:
    """A setting of ours with the text of its value."""

    where: str
    name: str
    value: str
    scope: str = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmapped:
    """Something that the source has and the import leaves out: what, where, and why or what to do instead."""

    what: str
    where: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flawed:
    """A piece of the source that cannot be read, while what follows can."""

    where: str
    why: str
    remedy: str = ""


Thing: TypeAlias = (
    ImportedOffice
    | ImportedDomain
    | ImportedAccount
    | ImportedAddress
    | ImportedAlias
    | ImportedGroup
    | ImportedRoute
    | ImportedSetting
)
Record: TypeAlias = Thing | Unmapped | Flawed

KIND_NAMES: dict[type[object], str] = {
    ImportedOffice: "post offices",
    ImportedDomain: "domains",
    ImportedAccount: "accounts",
    ImportedAddress: "addresses",
    ImportedAlias: "aliases",
    ImportedGroup: "groups",
    ImportedRoute: "routes",
    ImportedSetting: "settings",
}


def kind_name(thing: Thing) -> str:
    """Return what a record is counted as; members that are put into a group are no further group."""
    is_members = isinstance(thing, ImportedGroup) and thing.is_more
    return "members of groups" if is_members else KIND_NAMES[type(thing)]


def subject_of(thing: Thing) -> str:
    """Return what a record is about, as it is named in reports: an address, a domain, a setting."""
    match thing:
        case ImportedOffice() | ImportedDomain():
            return thing.name
        case ImportedRoute():
            return thing.domain
        case ImportedSetting():
            return f"{thing.name} ({thing.scope})"
        case _:
            return thing.address
