"""Records as changes of the directory, and whether a row says what a record says.

A record's None says nothing. A password is written where there is none, never in the place of another.
Tests: ``tests/unit/services/administration/importing/test_import_directory.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing.records import (
    ImportedAccount,
    ImportedAddress,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    ImportedRoute,
    ImportedSetting,
)
from posthouse.store.directory_rows import AccountRow, DomainRow, GroupRow, RouteRow
from posthouse.store.directory_values import (
    AccountState,
    Ceilings,
    ChangeMembers,
    Level,
    PutAccount,
    PutAddress,
    PutAlias,
    PutDomain,
    PutGroup,
    PutOffice,
    PutRoute,
    PutSetting,
    SenderPolicy,
)


def domain_is(thing: ImportedDomain, row: DomainRow) -> bool:
    """Whether a domain is as the record says; what the record leaves open may be anything."""
    wanted = (thing.office, thing.catch_all, thing.postmaster, thing.abuse)
    there = (row.office, row.catch_all, row.postmaster, row.abuse)
    agrees = all(not want or want == have for want, have in zip(wanted, there, strict=True))
    return agrees and row.alias_of == thing.alias_of and row.own_disabled == thing.disabled


def account_is(thing: ImportedAccount, row: AccountRow) -> bool:
    """Whether an account is as the record says; its password counts only where it has none."""
    pairs = (
        (thing.name, row.display_name),
        (thing.given_name, row.given_name),
        (thing.family_name, row.family_name),
        (thing.quota_bytes, row.quota_bytes),
        (thing.quota_messages, row.quota_messages),
        (thing.state, row.state),
        (thing.level, row.level),
        (thing.source or None, row.source),
        (thing.external_id or None, row.external_id),
    )
    has_secret = bool(thing.password or thing.password_hash)
    return all(want is None or want == have for want, have in pairs) and not (has_secret and not row.password_hash)


def group_is(thing: ImportedGroup, row: GroupRow) -> bool:
    """Whether a group is as the record says, its members aside."""
    return (
        thing.name in {None, row.display_name}
        and thing.senders in {None, row.senders}
        and (thing.senders is not SenderPolicy.LISTED or thing.listed == row.listed)
        and (thing.disabled == row.disabled or thing.senders is None)
    )


def route_is(thing: ImportedRoute, row: RouteRow) -> bool:
    """Whether a route is as the record says; a password cannot be compared and counts as the same."""
    wanted = (thing.host, thing.port, thing.tls, thing.recipients_local, thing.mx_lookup)
    there = (row.host, row.port, row.tls, row.recipients_local, row.mx_lookup)
    return wanted == there and (not thing.login or thing.login == row.login)


def put_office(thing: ImportedOffice, *, is_new: bool) -> PutOffice:
    """Return the change that makes a post office so."""
    title = thing.title if is_new and thing.title != thing.name else None
    return PutOffice(name=thing.name, title=title, disabled=thing.disabled, must_be_new=is_new)


def put_domain(thing: ImportedDomain, *, is_new: bool) -> PutDomain:
    """Return the change that makes a domain so."""
    return PutDomain(
        name=thing.name,
        office=thing.office or None,
        alias_of=thing.alias_of or None,
        catch_all=thing.catch_all or None,
        postmaster=thing.postmaster or None,
        abuse=thing.abuse or None,
        disabled=thing.disabled,
        must_be_new=is_new,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewcomersHome:
    """What new accounts of one domain get.

    Attributes:
        quota: where the record says none.
        language: "" for none.
        ceilings: of the domain and its post office.
        quotas: those that were found to be allowed there.
    """

    quota: int
    language: str
    ceilings: Ceilings
    quotas: set[int] = field(default_factory=set)


def new_account(thing: ImportedAccount, home: NewcomersHome, *, at: float) -> PutAccount:
    """Return the change that makes an account."""
    return PutAccount(
        address=thing.address,
        password_hash=thing.password_hash,
        display_name=thing.name,
        given_name=thing.given_name,
        family_name=thing.family_name,
        language=home.language or None,
        quota_bytes=home.quota if thing.quota_bytes is None else thing.quota_bytes,
        quota_messages=thing.quota_messages,
        state=thing.state or AccountState.ACTIVE,
        level=thing.level or Level.USER,
        source=thing.source or None,
        external_id=thing.external_id or None,
        created=at,
        ceilings=home.ceilings,
    )


def changed_account(thing: ImportedAccount, quota: int | None, ceilings: Ceilings, *, has_password: bool) -> PutAccount:
    """Return the change that brings an account to what the record says."""
    return PutAccount(
        address=thing.address,
        password_hash=thing.password_hash if thing.password_hash and not has_password else None,
        display_name=thing.name,
        given_name=thing.given_name,
        family_name=thing.family_name,
        quota_bytes=quota,
        quota_messages=thing.quota_messages,
        state=thing.state,
        level=thing.level,
        source=thing.source or None,
        external_id=thing.external_id or None,
        must_be_new=False,
        ceilings=ceilings,
    )


def put_address(thing: ImportedAddress) -> PutAddress:
    """Return the change that gives an account a further address."""
    return PutAddress(address=thing.address, account=thing.account)


def put_alias(thing: ImportedAlias, ceilings: Ceilings, *, is_new: bool) -> PutAlias:
    """Return the change that makes an alias so."""
    return PutAlias(
        address=thing.address,
        targets=thing.targets,
        kind=thing.kind,
        disabled=thing.disabled,
        must_be_new=is_new,
        ceilings=ceilings,
    )


def put_group(thing: ImportedGroup, ceilings: Ceilings, *, is_new: bool) -> PutGroup | ChangeMembers:
    """Return the change that makes a group so, or puts members into it."""
    if thing.is_more:
        return ChangeMembers(group=thing.address, add=thing.members)
    return PutGroup(
        address=thing.address,
        display_name=thing.name,
        senders=thing.senders,
        listed=thing.listed if thing.senders is SenderPolicy.LISTED else None,
        disabled=thing.disabled,
        must_be_new=is_new,
        ceilings=ceilings,
    )


def put_route(thing: ImportedRoute, seal: Callable[[str, str], str] | None, *, is_new: bool) -> PutRoute:
    """Return the change that makes a route so. Raises Refused: where its password cannot be sealed."""
    sealed = ""
    if thing.password is not None:
        if seal is None:
            raise Refused(f"the password of the route for {thing.domain} cannot be kept", "Set it with the route.")
        sealed = seal(thing.password.decode("utf-8", "replace"), f"route:{thing.domain}")
    return PutRoute(
        domain=thing.domain,
        host=thing.host,
        port=thing.port,
        tls=thing.tls,
        recipients_local=thing.recipients_local,
        mx_lookup=thing.mx_lookup,
        login=thing.login,
        sealed_password=sealed,
        must_be_new=is_new,
    )


def put_setting(thing: ImportedSetting, at: float) -> PutSetting:
    """Return the change that sets a setting."""
    return PutSetting(name=thing.name, value=thing.value, scope=thing.scope, by="import", at=at)
