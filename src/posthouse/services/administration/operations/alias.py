"""Operations on aliases: addresses that lead to others, here or anywhere, or tell where somebody has moved.

The alias itself must be within the caller's reach; its targets may be anywhere. A ring of aliases is refused when it
would be closed; one that two calls close at the same moment is harmless to mail (``routing.router``).
Tests: ``tests/unit/services/administration/operations/test_alias_operations.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from posthouse.core.address import format_local_part
from posthouse.services.administration import limits, words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.fields import AddressText, NoteText, OfficeText
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Nothing,
    Output,
    Page,
    PageInput,
    Rule,
    key_of,
    on_address,
    on_own,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.writing import subject_of
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AliasRow, DomainRow
from posthouse.store.directory_values import AliasKind, PutAlias, RemoveAlias

TARGETS: Final = 1_000
_RING_DEPTH: Final = 20
_RING_ADDRESSES: Final = 2_000

Targets = Annotated[list[AddressText], Field(min_length=1, max_length=TARGETS)]


class OneAlias(Input):
    """An alias."""

    address: AddressText = Field(description="Its address.")


class AddAlias(OneAlias):
    """A new alias."""

    targets: Targets = Field(description="Where it leads: addresses here or anywhere. Who has moved has one new one.")
    kind: AliasKind = Field(
        AliasKind.FORWARD, description="forward: mail goes to the targets; relocated: senders are told the new address."
    )
    note: NoteText = Field("", description="A note for administrators.")
    disabled: bool = Field(False, description="Mail for it is refused.")


class SetAlias(OneAlias):
    """Changes of an alias; what is not given stays."""

    targets: Targets | None = Field(None, description="Where it leads, in place of where it led.")
    kind: AliasKind | None = Field(
        None, description="forward: mail goes to the targets; relocated: senders are told the new address."
    )
    note: NoteText | None = Field(None, description="A note for administrators.")
    disabled: bool | None = Field(None, description="Mail for it is refused.")


class ListAliases(PageInput):
    """Which aliases."""

    domain: str | None = Field(None, max_length=1_000, description="Only those of this domain.")
    office: OfficeText | None = Field(None, description='Only those of this post office; "" is the server\'s own.')


class Alias(Output):
    """An alias."""

    address: str = Field(description="Its address.")
    targets: list[str] = Field(description="Where it leads.")
    kind: AliasKind = Field(description="forward or relocated.")
    note: str = Field(description="A note for administrators.")
    disabled: bool = Field(description="Whether mail for it is refused.")
    revision: int = Field(description="Grows with every change.")


@operation(
    "alias", "add", rule=Rule(Role.DOMAIN, on_address()), http="POST /aliases", effect=Effect.CHANGE,
    arguments=("address", "targets"),
)  # fmt: skip
async def add(call: Call, given: AddAlias) -> Alias:
    """Add an alias: an address that leads to others.

    Of the kind `relocated` it tells senders the new address of somebody who has left (RFC 5321 §3.4). For all addresses
    that nobody has, set the `catch_all` of the domain.
    """
    address = words.own_address(given.address, "address")
    home = await reading.home_of(call, address)
    row = AliasRow(
        address=address,
        targets=await _targets(call.desk.store, address, given.targets),
        kind=given.kind,
        disabled=given.disabled,
        note=words.line(given.note, field="note"),
        revision=1,
    )
    await reading.refuse_taken(call, address)
    return await _put(call, home, None, row)


@operation(
    "alias", "set", rule=Rule(Role.DOMAIN, on_address()), http="PATCH /aliases/{address}", effect=Effect.CHANGE,
    arguments=("address", "targets"),
)  # fmt: skip
async def set_(call: Call, given: SetAlias) -> Alias:
    """Change an alias; targets that are given replace those it had."""
    old = await reading.alias_row(call, given.address)
    home = await reading.home_of(call, old.address)
    changes: dict[str, Any] = {
        name: value for name in ("kind", "disabled") if (value := getattr(given, name)) is not None
    }
    if given.note is not None:
        changes["note"] = words.line(given.note, field="note")
    if given.targets is not None:
        changes["targets"] = await _targets(call.desk.store, old.address, given.targets)
    return await _put(call, home, old, replace(old, **changes))


@operation("alias", "show", rule=Rule(Role.DOMAIN, on_address()), http="GET /aliases/{address}", arguments=("address",))
async def show(call: Call, given: OneAlias) -> Alias:
    """Show an alias."""
    return _shown(await reading.alias_row(call, given.address))


@operation(
    "alias", "list", rule=Rule(Role.DOMAIN, on_own()), http="GET /aliases",
    columns=("address", "targets", "kind", "disabled"),
)  # fmt: skip
async def list_(call: Call, given: ListAliases) -> Page[Alias]:
    """List aliases in order of address."""
    domain, office = await reading.narrowed(call, given.domain, given.office)
    rows = await call.desk.store.aliases(
        domain=domain, office=office, after=key_of(given.cursor), limit=given.limit + 1
    )
    return reading.as_page(rows, given.limit, lambda row: row.address, _shown)


@operation(
    "alias", "remove", rule=Rule(Role.DOMAIN, on_address()), http="DELETE /aliases/{address}", effect=Effect.DESTROY,
    arguments=("address",),
)  # fmt: skip
async def remove(call: Call, given: OneAlias) -> Nothing:
    """Remove an alias."""
    old = await reading.alias_row(call, given.address)
    await call.commit(
        RemoveAlias(address=old.address, if_revision=call.if_revision),
        subject=subject_of("alias", old.address),
        before=_told(old),
        place=await reading.place_of(call, old.address),
    )
    return Nothing()


async def _put(call: Call, home: DomainRow, old: AliasRow | None, new: AliasRow) -> Alias:
    if new.kind is AliasKind.RELOCATED and len(new.targets) != 1:
        raise Refused(
            f"{new.address} has moved to {len(new.targets)} addresses",
            "Who has moved has one new address.",
            field="targets",
        )
    await call.commit(
        PutAlias(
            address=new.address,
            targets=new.targets,
            kind=new.kind,
            disabled=new.disabled,
            note=new.note,
            must_be_new=old is None,
            if_revision=call.if_revision,
            ceilings=limits.ceilings(call.desk.settings, home),
        ),
        subject=subject_of("alias", new.address),
        before=_told(old) if old is not None else None,
        after=_told(new),
        place=(home.office, home.name),
    )
    return _shown((await call.desk.store.alias(new.address) if not call.dry_run else None) or new)


async def _targets(store: Store, address: str, given: Sequence[str]) -> tuple[str, ...]:
    """Return the targets, each once. Raises Refused: where one is no address, or the alias would lead to itself."""
    checked = tuple(dict.fromkeys(str(words.mail_address(each, "targets")) for each in given))
    through = await _ring(store, address, checked)
    if through is not None:
        raise Refused(f"the alias {address} would lead to itself{through}", "Take that target out.", field="targets")
    return checked


async def _ring(store: Store, address: str, targets: Sequence[str]) -> str | None:
    """Return through which alias a ring would be closed, in words; None where none would."""
    seen: set[str] = set()
    level = [(each, "") for each in targets]
    for _ in range(_RING_DEPTH):
        following: list[tuple[str, str]] = []
        for text, through in level:
            folded = _folded(text)
            if folded == address:
                return through
            if folded in seen or len(seen) > _RING_ADDRESSES:
                continue
            seen.add(folded)
            row = await store.alias(folded)
            if row is not None and row.kind is AliasKind.FORWARD:
                following += [(target, f", through {folded}") for target in row.targets]
        level = following
    return None


def _folded(text: str) -> str:
    """Return a target as the directory would know it, were it ours."""
    address = words.mail_address(text, "targets")
    return f"{format_local_part(address.local_part.lower())}@{address.domain}"


def _shown(row: AliasRow) -> Alias:
    return Alias(
        address=row.address,
        targets=list(row.targets),
        kind=row.kind,
        note=row.note,
        disabled=row.disabled,
        revision=row.revision,
    )


def _told(row: AliasRow) -> dict[str, Any]:
    return _shown(row).model_dump(mode="json", exclude={"revision"})


OPERATIONS = (add, set_, show, list_, remove)
