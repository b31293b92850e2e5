"""Sign-in sources, as operations: somebody else's directory that says whether names and passwords go together.

A source is written by the administrator of the server, since it may speak for everybody; ``auth.sources`` says for
which domains it is asked. Its secret is sealed and never shown. Synchronising is in ``source_sync``.
Tests: ``tests/unit/services/administration/operations/test_source_operations.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

import orjson
from pydantic import Field, SecretStr

from posthouse.config.definitions.auth import SOURCES
from posthouse.services.administration import words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import OptionalAddressText
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Nothing,
    Operation,
    Output,
    Page,
    PageInput,
    Rule,
    key_of,
    on_server,
    operation,
)
from posthouse.services.administration.operations import reading, source_sync
from posthouse.services.administration.operations.source_opening import opened_source, refused, row_of
from posthouse.services.administration.writing import subject_of
from posthouse.services.identity import schemes
from posthouse.services.identity.sources.contract import OWN, Down, Granted, Source, SourceDown, Wrong, login_of
from posthouse.services.identity.sources.fields import SourceFault
from posthouse.services.identity.sources.kinds import Parts, kind_names, kind_of, make_source
from posthouse.store.directory_rows import SourceRow
from posthouse.store.directory_values import PutSource, RemoveSource

TEST_SECONDS: Final = 30.0
_CONFIG: Final = "Fields as NAME=VALUE; `posthouse source kinds` and docs/sign-in.md name them."
_SECRET: Final = (
    "The secret field of the kind: bind_password, password, client_secret or secret. Kept sealed, never shown."
)
_SECRET_LONGEST: Final = 10_000

NameWord = Annotated[str, Field(min_length=1, max_length=64)]
Pairs = Annotated[list[Annotated[str, Field(max_length=10_100)]], Field(max_length=100)]
Secret = Annotated[SecretStr, Field(max_length=_SECRET_LONGEST)]


class OneSource(Input):
    """A source."""

    name: NameWord = Field(description="Its name: small letters, digits, hyphens.")


class AddSource(OneSource):
    """A new source."""

    kind: str = Field(max_length=20, description="Its kind: ldap, sql, pam, oidc or http.")
    config: Pairs = Field(default_factory=list, description=_CONFIG)
    secret: Secret | None = Field(None, description=_SECRET)
    disabled: bool = Field(False, description="It is passed over.")


class SetSource(OneSource):
    """Changes of a source; fields that are not given stay."""

    config: Pairs = Field(default_factory=list, description=f"{_CONFIG} NAME= alone takes a field back.")
    secret: Secret | None = Field(None, description=_SECRET)
    disabled: bool | None = Field(None, description="It is passed over.")


class TestSource(OneSource):
    """What to try."""

    __test__ = False

    address: OptionalAddressText = Field("", description="Also look for this person.")
    password: Annotated[SecretStr, Field(max_length=1_024)] | None = Field(
        None, description="Also try this password for the person; it is not kept, and nothing is counted."
    )


class SourceShown(Output):
    """A source, without its secret."""

    name: str = Field(description="Its name.")
    kind: str = Field(description="Its kind.")
    config: dict[str, str] = Field(description="Its fields.")
    has_secret: bool = Field(description="Whether a secret is kept.")
    disabled: bool = Field(description="Whether it is passed over.")
    used_by: list[str] = Field(description="The scopes whose auth.sources name it.")
    revision: int = Field(description="Grows with every change.")


class Tested(Output):
    """What a test of a source found."""

    good: bool = Field(description="Whether everything that was tried is good.")
    text: str = Field(description="What was found.")
    remedy: str = Field(description="What to do where it is not good.")
    person: dict[str, str] = Field(description="Who has the address, as the source knows him; empty where not asked.")
    password: str = Field(description="granted, wrong, unknown or down; empty where no password was tried.")


class KindField(Output):
    """A field of a kind."""

    name: str = Field(description="Its name.")
    required: bool = Field(description="Whether it must be given.")
    secret: bool = Field(description="Whether it is the secret.")
    default: str = Field(description="What it is where it is not given.")
    explanation: str = Field(description="What it does.")


class SourceKindShown(Output):
    """A kind of sources."""

    name: str = Field(description="The word for it.")
    summary: str = Field(description="What it is.")
    fields: list[KindField] = Field(description="Its fields.")


@operation(
    "source", "add", rule=Rule(Role.SERVER, on_server()), http="POST /sources", effect=Effect.CHANGE,
    arguments=("name", "kind"),
)  # fmt: skip
async def add(call: Call, given: AddSource) -> SourceShown:
    """Add a sign-in source; name it in auth.sources where it is to be asked."""
    name = _name(given.name)
    config = {key: value for key, value in _pairs(given.config).items() if value}
    secrets = _secret_fields(given.kind, given.secret)
    await _check(call.desk, name, given.kind, config, secrets)
    row = SourceRow(name, given.kind, config, _seal(call.desk, name, secrets), given.disabled, 1)
    value = PutSource(name=name, kind=row.kind, config=config, sealed=row.sealed, disabled=row.disabled)
    await call.commit(value, subject=subject_of("source", name), after=_told(row))
    return await _shown_now(call, row)


@operation(
    "source", "set", rule=Rule(Role.SERVER, on_server()), http="PATCH /sources/{name}", effect=Effect.CHANGE,
    arguments=("name",),
)  # fmt: skip
async def set_(call: Call, given: SetSource) -> SourceShown:
    """Change a sign-in source; every worker asks it anew within a second."""
    old = await row_of(call, given.name)
    config = {key: value for key, value in (dict(old.config) | _pairs(given.config)).items() if value}
    is_new = given.secret is not None
    secrets = _secret_fields(old.kind, given.secret) if is_new else dict(call.desk.sealing.open_source(old))
    await _check(call.desk, old.name, old.kind, config, secrets)
    sealed = _seal(call.desk, old.name, secrets) if is_new else old.sealed
    disabled = old.disabled if given.disabled is None else given.disabled
    row = SourceRow(old.name, old.kind, config, sealed, disabled, old.revision + 1)
    value = PutSource(
        name=old.name, config=config, sealed=sealed, disabled=disabled, must_be_new=False, if_revision=call.if_revision
    )
    after = _told(row) | ({"secret": "changed"} if is_new else {})
    await call.commit(value, subject=subject_of("source", old.name), before=_told(old), after=after)
    return await _shown_now(call, row)


@operation("source", "show", rule=Rule(Role.SERVER, on_server()), http="GET /sources/{name}", arguments=("name",))
async def show(call: Call, given: OneSource) -> SourceShown:
    """Show a sign-in source, without its secret."""
    return await _shown_now(call, await row_of(call, given.name))


@operation(
    "source", "list", rule=Rule(Role.SERVER, on_server()), http="GET /sources",
    columns=("name", "kind", "disabled", "used_by"),
)  # fmt: skip
async def list_(call: Call, given: PageInput) -> Page[SourceShown]:
    """List the sign-in sources; the server's own store, `own`, is always there."""
    after = key_of(given.cursor)
    rows = [row for row in sorted(await call.desk.store.sources(), key=lambda row: row.name) if row.name > after]
    uses = await _uses(call)
    return reading.as_page(
        rows[: given.limit + 1], given.limit, lambda row: row.name, lambda row: _shown(row, uses.get(row.name, []))
    )


@operation(
    "source", "remove", rule=Rule(Role.SERVER, on_server()), http="DELETE /sources/{name}", effect=Effect.DESTROY,
    arguments=("name",),
)  # fmt: skip
async def remove(call: Call, given: OneSource) -> Nothing:
    """Remove a sign-in source that no auth.sources names; accounts that it made stay."""
    old = await row_of(call, given.name)
    used = (await _uses(call)).get(old.name)
    if used:
        raise Refused(
            f"{old.name} is in auth.sources of {', '.join(used[:5])}{' and others' if len(used) > 5 else ''}",
            "Take it off there first: posthouse setting set auth.sources ...",
            kind=Kind.NOT_NOW,
            field="name",
        )
    await call.commit(
        RemoveSource(name=old.name, if_revision=call.if_revision),
        subject=subject_of("source", old.name),
        before=_told(old),
    )
    return Nothing()


@operation(
    "source", "test", rule=Rule(Role.SERVER, on_server()), http="POST /sources/{name}/test",
    effect=Effect.CHANGE,  # somebody else's server is asked, and may count a wrong password
    arguments=("name", "address"),
)  # fmt: skip
async def test(call: Call, given: TestSource) -> Tested:
    """Try a source: can it be reached, does it know a person, does it take his password."""
    address = words.own_address(given.address, "address") if given.address else ""
    if given.password is not None and not address:
        raise Refused("address: a password is tried for a person", "Name the person.", field="address")
    source = opened_source(call.desk, await row_of(call, given.name))
    try:
        async with asyncio.timeout(TEST_SECONDS):
            return await _tested(source, address, given.password)
    except TimeoutError:
        return _failed(f"no answer within {TEST_SECONDS:.0f} s", "Is the server reachable from here?")
    finally:
        await source.close()


@operation(
    "source", "kinds", rule=Rule(Role.SERVER, on_server()), http="GET /source-kinds", columns=("name", "summary")
)  # fmt: skip
async def kinds(_call: Call, given: PageInput) -> Page[SourceKindShown]:
    """List the kinds of sources there are, with their fields."""
    after = key_of(given.cursor)
    rows = [kind_of(name) for name in sorted(kind_names()) if name > after]
    return reading.as_page(
        rows[: given.limit + 1],
        given.limit,
        lambda kind: kind.name,
        lambda kind: SourceKindShown(
            name=kind.name,
            summary=kind.summary,
            fields=[
                KindField(
                    name=field.name,
                    required=field.is_required,
                    secret=field.is_secret,
                    default=field.default,
                    explanation=field.explanation,
                )
                for field in kind.fields
            ],
        ),
    )


async def _tested(source: Source, address: str, password: SecretStr | None) -> Tested:
    finding = await source.test()
    if not finding.is_good or not address:
        return Tested(good=finding.is_good, text=finding.text, remedy=finding.remedy, person={}, password="")
    try:
        person = await source.find(address)
    except SourceDown as down:
        return _failed(f"{finding.text}; then looking for {address} failed: {down}", "Try again.")
    shown = {} if person is None else {
        "address": person.address, "display_name": person.display_name, "groups": ", ".join(person.groups),
        "external_id": person.external_id, "disabled": "yes" if person.is_disabled else "no",
    }  # fmt: skip
    if password is None:
        text = f"{finding.text}; {address} is {'known' if shown else 'not known, or the source cannot look for people'}"
        return Tested(good=True, text=text, remedy="", person=shown, password="")
    said = await source.check_password(login_of(address), password.get_secret_value().encode("utf-8", "surrogatepass"))
    if isinstance(said, Granted):
        return Tested(good=True, text=f"{finding.text}; granted", remedy="", person=shown, password="granted")
    word = "wrong" if isinstance(said, Wrong) else "down" if isinstance(said, Down) else "unknown"
    why = f": {said.detail}" if isinstance(said, Wrong | Down) and said.detail else ""
    return Tested(
        good=False, text=f"{finding.text}; {word}{why}", remedy="Is the password right?", person=shown, password=word
    )


def _failed(text: str, remedy: str) -> Tested:
    return Tested(good=False, text=text, remedy=remedy, person={}, password="")


def _name(text: str) -> str:
    name = words.short_name(text, "name")
    if name == OWN or len(name) > 63:
        raise Refused(f"name: {name} cannot be a source's name", "`own` is the server's own store.", field="name")
    return name


def _pairs(given: list[str]) -> dict[str, str]:
    """Return fields from NAME=VALUE. Raises Refused: naming what is none, or given twice."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise Refused(f"config: {words.shown(text)} is not NAME=VALUE", _CONFIG, field="config")
        if name in found:
            raise Refused(f"config: {name} is given twice", "Give it once.", field="config")
        found[name] = value
    return found


def _secret_fields(kind: str, secret: SecretStr | None) -> dict[str, str]:
    """Return the secret under its kind's name for it. Raises Refused."""
    try:
        names = [field.name for field in kind_of(kind).fields if field.is_secret]
    except SourceFault as fault:
        raise refused(fault) from None
    bare = secret.get_secret_value().removesuffix("\n").removesuffix("\r") if secret is not None else ""
    if not bare:
        return {}
    if not names:
        raise Refused(f"secret: sources of the kind {kind} have none", "Leave it out.", field="secret")
    return {names[0]: bare}


async def _check(desk: Desk, name: str, kind: str, config: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    """Raise Refused where a source could not be made; it is not connected."""
    for field in kind_of(kind).fields:
        if field.is_secret and field.name in config:
            raise Refused(
                f"config: {field.name} is a secret", f"Give it as `secret`, or {field.name}_file.", field="config"
            )
    try:
        source = make_source(kind, name, config, secrets, Parts(clock=desk.clock, verify_hash=schemes.verify))
    except SourceFault as fault:
        raise refused(fault) from None
    await source.close()


def _seal(desk: Desk, name: str, secrets: Mapping[str, str]) -> str:
    return desk.sealing.seal(orjson.dumps(dict(secrets)).decode(), f"source:{name}") if secrets else ""


async def _uses(call: Call) -> dict[str, list[str]]:
    """Return the scopes whose auth.sources name each source."""
    found: dict[str, list[str]] = {}
    for row in await call.desk.store.settings():
        if row.name == SOURCES.name:
            for name in {word.strip() for word in row.value.split(",")}:
                found.setdefault(name, []).append(row.scope)
    return found


async def _shown_now(call: Call, row: SourceRow) -> SourceShown:
    kept = next((each for each in await call.desk.store.sources() if each.name == row.name), None)
    return _shown(row if call.dry_run or kept is None else kept, (await _uses(call)).get(row.name, []))


def _shown(row: SourceRow, used_by: list[str]) -> SourceShown:
    return SourceShown(
        name=row.name,
        kind=row.kind,
        config=dict(row.config),
        has_secret=bool(row.sealed),
        disabled=row.disabled,
        used_by=sorted(used_by),
        revision=row.revision,
    )


def _told(row: SourceRow) -> dict[str, Any]:
    return {"kind": row.kind, "config": dict(row.config), "has_secret": bool(row.sealed), "disabled": row.disabled}


OPERATIONS: tuple[Operation[Any, Any], ...] = (add, set_, show, list_, remove, test, source_sync.sync, kinds)
