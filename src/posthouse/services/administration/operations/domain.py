"""Operations on domains: add, change, show, list, remove; ``purge`` destroys one with all it holds.

Who administers a post office adds domains to it; who administers a domain changes where its unknown addresses, its
postmaster and its reports of abuse go. A domain moves between post offices by the hand of the server's administrators.
Tests: ``tests/unit/services/administration/operations/test_domain_operations.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from posthouse.core.ids import DomainId
from posthouse.services.administration import access, limits, words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.lookalikes import refuse_lookalike
from posthouse.services.administration.operation import (
    Effect,
    Nothing,
    Page,
    Rule,
    key_of,
    on_domain,
    on_own,
    operation,
)
from posthouse.services.administration.operations import domain_purge, reading
from posthouse.services.administration.operations.domain_models import (
    AddDomain,
    Domain,
    ListDomains,
    OneDomain,
    SetDomain,
    as_domain,
)
from posthouse.services.administration.reach import Reach, Target
from posthouse.services.administration.writing import subject_of
from posthouse.store.directory_rows import DomainRow
from posthouse.store.directory_values import PutDomain, RemoveDomain

_ADDRESSES = ("catch_all", "postmaster", "abuse")


def _where(given: Any) -> Target:
    """The post office a new domain is to be in; none named is the caller's own."""
    return Target(Reach.OWN) if given.office is None else Target(Reach.OFFICE, given.office)


@operation(
    "domain", "add", rule=Rule(Role.OFFICE, _where), http="POST /domains", effect=Effect.CHANGE, arguments=("name",)
)
async def add(call: Call, given: AddDomain) -> Domain:
    """Add a domain, or another name of one."""
    name = words.domain_name(given.name, "name")
    store = call.desk.store
    if await store.domain(name) is not None:
        raise Refused(f"the domain {name} exists already", "Choose another.", kind=Kind.EXISTS, field="name")
    await _refuse_foreign_name(call, name)
    if not given.allow_lookalike:
        await refuse_lookalike(store, call.caller, name)
    office = await _office_of(call, given.office)
    alias_of, office = await _canonical(call, name, given.alias_of, office)
    addresses: dict[str, Any] = {field: _address(getattr(given, field), field) for field in _ADDRESSES}
    row = DomainRow(
        id=DomainId(0),
        name=name,
        alias_of=alias_of,
        disabled=given.disabled,
        own_disabled=given.disabled,
        office=office,
        note=words.line(given.note, field="note"),
        revision=1,
        **addresses,
    )
    return as_domain(await _put(call, None, row))


@operation(
    "domain", "set", rule=Rule(Role.DOMAIN, on_domain("name")), http="PATCH /domains/{name}", effect=Effect.CHANGE,
    arguments=("name",),
)  # fmt: skip
async def set_(call: Call, given: SetDomain) -> Domain:
    """Change a domain.

    To disable it, or to make it another name of a domain, takes who administers its post office.
    """
    old = await reading.domain_row(call, given.name)
    if given.disabled is not None or given.alias_of is not None:
        call.require(Role.OFFICE, "domain.set of disabled or alias_of")
    if given.office is not None:
        call.require(Role.SERVER, "domain.set of office")
    changes: dict[str, Any] = {
        field: _address(text, field) for field in _ADDRESSES if (text := getattr(given, field)) is not None
    }
    if given.note is not None:
        changes["note"] = words.line(given.note, field="note")
    if given.disabled is not None:
        changes["own_disabled"] = changes["disabled"] = given.disabled
    office = old.office if given.office is None else await _office_of(call, given.office)
    if given.alias_of is not None:
        changes["alias_of"], office = await _canonical(call, old.name, given.alias_of, office)
    return as_domain(await _put(call, old, replace(old, office=office, **changes)))


@operation("domain", "show", rule=Rule(Role.DOMAIN, on_domain("name")), http="GET /domains/{name}", arguments=("name",))
async def show(call: Call, given: OneDomain) -> Domain:
    """Show a domain with what it holds."""
    return as_domain(await reading.domain_row(call, given.name))


@operation(
    "domain", "list", rule=Rule(Role.DOMAIN, on_own()), http="GET /domains",
    columns=("name", "office", "alias_of", "accounts", "catch_all", "disabled"),
)  # fmt: skip
async def list_(call: Call, given: ListDomains) -> Page[Domain]:
    """List domains in order of name."""
    own, office = await reading.narrowed(call, None, given.office)
    store, alias_of = call.desk.store, words.domain_name(given.alias_of, "alias_of") if given.alias_of else None
    if own is not None:  # a domain's administrator: his domain and its other names
        row = await store.domain(own)
        rows = ([row] if row is not None and alias_of is None else []) + await store.domains(alias_of=own, limit=1_000)
        after = key_of(given.cursor)
        rows = sorted((each for each in rows if each.name > after), key=lambda each: each.name)[: given.limit + 1]
    else:
        rows = await store.domains(office=office, alias_of=alias_of, after=key_of(given.cursor), limit=given.limit + 1)
    return reading.as_page(rows, given.limit, lambda each: each.name, as_domain)


@operation(
    "domain", "remove", rule=Rule(Role.OFFICE, on_domain("name")), http="DELETE /domains/{name}",
    effect=Effect.DESTROY, arguments=("name",),
)  # fmt: skip
async def remove(call: Call, given: OneDomain) -> Nothing:
    """Remove a domain that has nothing in it."""
    old = await reading.domain_row(call, given.name)
    refuse_own(call, old)
    if old.accounts or old.aliases or old.groups:
        raise Refused(
            f"{old.name} has {old.accounts} accounts (with held ones), {old.aliases} aliases, {old.groups} groups",
            f"Remove them first, or everything at once: posthouse domain purge {old.name}",
            kind=Kind.NOT_NOW,
        )
    await call.commit(
        RemoveDomain(name=old.name, if_revision=call.if_revision),
        subject=subject_of("domain", old.name),
        before=_told(old),
        place=(old.office, old.name),
    )
    return Nothing()


def refuse_own(call: Call, row: DomainRow) -> None:
    """Raise Refused where a domain is the one that the caller's own account is in."""
    if row.name == call.caller.domain:
        raise Refused(
            "you would remove the domain of your own account",
            "Have another administrator do it.",
            kind=Kind.NOT_NOW,
        )


async def _refuse_foreign_name(call: Call, name: str) -> None:
    """Raise Refused: FORBIDDEN, where a post office would take the server's own name, or one below another's domain.

    With the first it would get reports that are for the server's postmaster; the second speaks for somebody else.
    """
    if call.caller.role is Role.SERVER:
        return
    above = name.split(".")
    rows = [await call.desk.store.domain(".".join(above[count:])) for count in range(1, len(above))]
    if name == call.desk.hostname.lower() or any(row is not None and row.office != call.caller.office for row in rows):
        raise Refused(
            f"{name} belongs to somebody else on this server",
            "Have an administrator of the server add it.",
            kind=Kind.FORBIDDEN,
            field="name",
        )


async def _office_of(call: Call, text: str | None) -> str:
    """Return the post office that was named, or that of who asks; it must be there."""
    if text is None:
        return call.caller.office if call.caller.role is Role.OFFICE else ""
    return (await reading.office_row(call, text, "office")).name if text else ""


async def _canonical(call: Call, name: str, text: str, office: str) -> tuple[str, str]:
    """Return the domain that another is to stand for, and the post office, which is that domain's. Raises Refused."""
    if not text:
        return "", office
    wanted = words.domain_name(text, "alias_of")
    target = Target(Reach.DOMAIN, wanted)
    if not await access.reaches(call.desk.store, call.caller, target):
        raise access.outside(target)
    row = await call.desk.store.domain(wanted)
    if row is None:
        raise reading.missing(
            f"domain {wanted}, so {name} cannot be another name of it", "Add it first: posthouse domain add", "alias_of"
        )
    if name in {wanted, row.alias_of}:
        raise Refused(f"{name} cannot be another name of itself", "Name another domain.", field="alias_of")
    if row.alias_of:
        raise Refused(f"{wanted} is itself another name of {row.alias_of}", f"Name {row.alias_of}.", field="alias_of")
    return wanted, row.office


def _address(text: str, field: str) -> str:
    return str(words.mail_address(text, field)) if text else ""


async def _put(call: Call, old: DomainRow | None, new: DomainRow) -> DomainRow:
    store = call.desk.store
    await call.commit(
        PutDomain(
            name=new.name,
            office=new.office,
            alias_of=new.alias_of,
            disabled=new.own_disabled,
            catch_all=new.catch_all,
            postmaster=new.postmaster,
            abuse=new.abuse,
            note=new.note,
            must_be_new=old is None,
            if_revision=call.if_revision,
            ceilings=limits.ceilings(call.desk.settings, new),
        ),
        subject=subject_of("domain", new.name),
        before=_told(old) if old is not None else None,
        after=_told(new),
        place=(new.office, new.name),
    )
    return (await store.domain(new.name) if not call.dry_run else None) or new


def _told(row: DomainRow) -> dict[str, Any]:
    counted = {"revision", "accounts", "aliases", "groups", "quota"}
    return as_domain(row).model_dump(mode="json", exclude=counted)


OPERATIONS = (add, set_, show, list_, remove, domain_purge.purge)
