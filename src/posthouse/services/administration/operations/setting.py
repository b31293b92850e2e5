"""Settings, as operations: read, explain, set, and take back.

Who may set what: for the server its administrators; elsewhere as the definition's ``authority`` says. Every change is
checked against its definition before it is stored, and is found again in the audit log under
``setting:SCOPE:NAME``. Tests: ``tests/unit/services/administration/operations/test_setting_operations.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.definitions.limit import RECIPIENTS_PER_HOUR
from posthouse.config.definitions.relay import NETWORKS
from posthouse.config.faults import SettingFault
from posthouse.config.setting import Authority, Scope, Setting
from posthouse.config.settings import Explanation, Settings
from posthouse.services.administration import scopes
from posthouse.services.administration.access import outside, reaches, require_over, require_role
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.diagnosis.relay_safety import review_networks
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Operation,
    Output,
    Page,
    PageInput,
    Rule,
    cursor_of,
    key_of,
    number_of,
    on_own,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.snapshot import differences, orders_of
from posthouse.services.administration.state import plan
from posthouse.services.identity.inheritance import read_settings
from posthouse.store.directory_rows import AccountRow, AuditRow
from posthouse.store.directory_values import PutSetting

_SCOPE = "`server`, `office:NAME`, `domain:NAME` or `account:ADDRESS`."


class SettingName(Input):
    """One setting in one scope."""

    name: str = Field(max_length=100, description="The setting, such as `smtp.message_size`.")
    scope: str = Field("server", max_length=400, description=_SCOPE)


class SetSetting(SettingName):
    """What to set."""

    value: str = Field(max_length=10_000, description="The value, written as `setting explain` says.")
    force: bool = Field(False, description="Set it even if that makes an open relay.")


class ListSettings(PageInput):
    """Which settings to list."""

    scope: str = Field("server", max_length=400, description=_SCOPE)
    text: str = Field("", max_length=100, description="Only those with this word in their name or explanation.")
    changed: bool = Field(False, description="Only those that are set in this very scope.")


class SettingHistory(PageInput):
    """Whose history."""

    name: str = Field("", max_length=100, description="The setting; empty for all in the scope.")
    scope: str = Field("server", max_length=400, description=_SCOPE)


class UndoSetting(SettingName):
    """Which change to take back."""

    number: int = Field(0, ge=0, le=2**62, description="The entry of the history; 0 for the last one.")
    force: bool = Field(False, description="Take it back although it was changed again since.")


class SettingValue(Output):
    """What a setting is worth."""

    name: str = Field(description="The setting.")
    value: str = Field(description="What it is worth in the scope.")
    source: str = Field(description="The scope that decided, or `default`.")


class Explained(SettingValue):
    """A setting with everything there is to know of it."""

    default: str = Field(description="What it is worth where nobody set it.")
    text: str = Field(description="What it does.")
    allowed: str = Field(description="What may be written.")
    scopes: list[str] = Field(description="Where it may be set.")
    authority: str = Field(
        description="Who may set it there: `above`; `own`, the scope's own administrators too; `server`, nobody else."
    )
    set_in: list[str] = Field(description="The scopes in which somebody set it.")
    related: list[str] = Field(description="Settings that act together with it.")
    restart_needed: bool = Field(description="Whether the server must be restarted for it.")
    since: str = Field(description="The version that brought it.")
    rfc: str = Field(description="The section that speaks of it.")


class SettingChange(Output):
    """One change of a setting."""

    number: int = Field(description="The number to undo it by.")
    at: float = Field(description="When, seconds since the epoch.")
    actor: str = Field(description="Who.")
    name: str = Field(description="The setting.")
    scope: str = Field(description="Where it was set.")
    before: str | None = Field(description="What was set before; null where nothing was.")
    after: str | None = Field(description="What was set then; null where it was taken back.")


@operation("setting", "get", rule=Rule(Role.ACCOUNT, on_own()), http="GET /settings/{name}", arguments=("name",))
async def get(call: Call, given: SettingName) -> SettingValue:
    """Say what a setting is worth in a scope."""
    found = await _explanation(call, scopes.definition_of(given.name), given.scope)
    return SettingValue(name=found.name, value=found.value, source=found.source)


@operation(
    "setting",
    "explain",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="GET /settings/{name}/explanation",
    arguments=("name",),
)
async def explain(call: Call, given: SettingName) -> Explained:
    """Say what a setting does, what may be written, where its value comes from, and what depends on it."""
    definition = scopes.definition_of(given.name)
    found = await _explanation(call, definition, given.scope)
    is_visible = call.caller.role is Role.SERVER
    rows = await call.desk.store.settings() if is_visible else []
    return Explained(
        name=found.name,
        value=found.value,
        source=found.source,
        default=found.default,
        text=found.text,
        allowed=definition.allowed,
        scopes=[scope.value for scope in definition.scopes],
        authority=definition.authority.value,
        set_in=[row.scope for row in rows if row.name == given.name],
        related=related(definition),
        restart_needed=definition.restart_needed,
        since=definition.since,
        rfc=definition.rfc,
    )


@operation(
    "setting", "list", rule=Rule(Role.ACCOUNT, on_own()), http="GET /settings", columns=("name", "value", "source")
)
async def list_(call: Call, given: ListSettings) -> Page[Explained]:
    """List settings with what they are worth in a scope."""
    scope = await _readable(call, given.scope)
    settings, rows = await read_settings(call.desk.store), await call.desk.store.settings()
    set_here = {row.name for row in rows if row.scope == scope.text}
    after, word = key_of(given.cursor), given.text.lower()
    names = [
        name
        for name, definition in sorted(DEFINITIONS.items())
        if name > after
        and (word in name or word in definition.explanation.lower())
        and (name in set_here or not given.changed)
        and (scope.kind is Scope.SERVER or scope.kind in definition.scopes)
    ]
    items = [_explained(settings, DEFINITIONS[name], scope) for name in names[: given.limit]]
    return Page(items=items, next=cursor_of(items[-1].name) if len(names) > given.limit else "")


def _explained(settings: Settings, definition: Setting[Any], scope: scopes.Place) -> Explained:
    found = settings.explain(definition, domain=scope.domain, account=scope.account, office=scope.office)
    return Explained(
        name=found.name,
        value=found.value,
        source=found.source,
        default=found.default,
        text=found.text,
        allowed=definition.allowed,
        scopes=[each.value for each in definition.scopes],
        authority=definition.authority.value,
        set_in=[],
        related=related(definition),
        restart_needed=definition.restart_needed,
        since=definition.since,
        rfc=definition.rfc,
    )


@operation(
    "setting",
    "set",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="PUT /settings/{name}",
    effect=Effect.CHANGE,
    arguments=("name", "value"),
)
async def set_(call: Call, given: SetSetting) -> SettingValue:
    """Set a setting; it holds from the next use on, in every worker within a second."""
    definition = scopes.definition_of(given.name)
    try:
        parsed = definition.parse(given.value)
    except SettingFault as fault:
        raise Refused(fault.detail, fault.remedy, field="value") from None
    if definition is NETWORKS:
        _refuse_open_relay(NETWORKS.parse(given.value), forced=given.force)
    return await _put(call, definition, given.scope, definition.format(parsed))


@operation(
    "setting",
    "unset",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="DELETE /settings/{name}",
    effect=Effect.CHANGE,
    arguments=("name",),
)
async def unset(call: Call, given: SettingName) -> SettingValue:
    """Take a setting back to what it inherits."""
    return await _put(call, scopes.definition_of(given.name), given.scope, None)


@operation(
    "setting",
    "history",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="GET /settings-history",
    arguments=("name",),
    columns=("number", "at", "actor", "name", "scope", "before", "after"),
)
async def history(call: Call, given: SettingHistory) -> Page[SettingChange]:
    """List the changes of a setting, or of all in a scope, newest first."""
    place = await _readable(call, given.scope)
    prefix = f"setting:{place.text}:"
    subject = prefix + scopes.definition_of(given.name).name if given.name else ""
    below = number_of(given.cursor)
    found: list[SettingChange] = []
    while len(found) <= given.limit:
        rows = await call.desk.store.audit(subject=subject, before=below, limit=500, **call.records)
        if not rows:
            break
        below = rows[-1].number
        found += [_change(row, place.text) for row in rows if row.subject.startswith(prefix)]
    items = found[: given.limit]
    return Page(items=items, next=cursor_of(str(items[-1].number)) if len(found) > given.limit else "")


@operation(
    "setting",
    "undo",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="POST /settings/{name}/undo",
    effect=Effect.CHANGE,
    arguments=("name",),
)
async def undo(call: Call, given: UndoSetting) -> SettingValue:
    """Take back a change of a setting."""
    definition = scopes.definition_of(given.name)
    place = await _writable(call, definition, given.scope)
    subject = f"setting:{place.text}:{definition.name}"
    before = given.number + 1 if given.number else 0
    rows = await call.desk.store.audit(subject=subject, before=before, limit=1, **call.records)
    if not rows or (given.number and rows[0].number != given.number):
        raise Refused(f"there is no such change of {given.name} in {place.text}", kind=Kind.MISSING, field="number")
    step = await plan.step_back(call.desk.store, subject, rows[0].before, rows[0].after, forced=given.force)
    if step.after is not None:
        await _require_within(call, definition, place, step.after["value"])
    if differences([step]):
        await call.commit_all(await plan.traced(call.desk.store, [step], orders_of(call)))
    found = await _explanation(call, definition, given.scope)
    return SettingValue(name=found.name, value=found.value, source=found.source)


def related(definition: Setting[Any]) -> list[str]:
    """Return the settings that act together with one: those it names, and those that name it."""
    named = {name for name in DEFINITIONS if f"`{name}`" in definition.explanation}
    naming = {name for name, each in DEFINITIONS.items() if f"`{definition.name}`" in each.explanation}
    return sorted((named | naming) - {definition.name})


def _refuse_open_relay(networks: Sequence[str], *, forced: bool) -> None:
    review = review_networks(networks)
    if review.unreadable:
        raise Refused(
            f"relay.networks: {review.unreadable[0]!r} is neither an IP address nor a network",
            "Write 192.0.2.0/24 or 2001:db8::/32.",
            field="value",
        )
    if review.open and not forced:
        raise Refused(
            f"relay.networks: {', '.join(review.open)} would make this an open relay: anyone could send to anywhere",
            "Name the networks of your own machines only. --force sets it nevertheless.",
            field="value",
        )


def _change(row: AuditRow, scope: str) -> SettingChange:
    return SettingChange(
        number=row.number,
        at=row.at,
        actor=row.actor,
        name=row.subject.rpartition(":")[2],
        scope=scope,
        before=row.before.get("value") if row.before else None,
        after=row.after.get("value") if row.after else None,
    )


async def _explanation(call: Call, definition: Setting[Any], scope: str) -> Explanation:
    place = await _readable(call, scope)
    if call.caller.role is not Role.SERVER:
        scopes.require_scope(definition, place)  # what is set for the server alone is not read through it
    settings = await read_settings(call.desk.store)
    return settings.explain(definition, domain=place.domain, account=place.account, office=place.office)


async def _readable(call: Call, scope: str) -> scopes.Place:
    """Return a scope that the caller may read: his reach, and the server, whose values everybody inherits."""
    place = scopes.place_of(scope)
    if place.kind is Scope.SERVER:
        require_role(call.caller, Role.SERVER, "reading the server's settings")
    return (await _reached(call, place))[0]


async def _reached(call: Call, place: scopes.Place) -> tuple[scopes.Place, AccountRow | None]:
    """Return a scope that is within the caller's reach and there, with the account of one. Raises Refused."""
    if place.kind is Scope.ACCOUNT:
        row = await reading.account_row(call, place.name, "scope")
        return scopes.Place(Scope.ACCOUNT, row.address), row
    if not await reaches(call.desk.store, call.caller, place.target):
        raise outside(place.target)
    return await scopes.existing(call.desk.store, place), None


async def _writable(call: Call, definition: Setting[Any], scope: str) -> scopes.Place:
    """Return a scope in which the caller may set the setting. Raises Refused."""
    place = scopes.place_of(scope)
    scopes.require_scope(definition, place)
    least = scopes.OWN_ROLES[place.kind]
    if definition.authority is Authority.SERVER:
        least = Role.SERVER
    if definition.authority is Authority.ABOVE and least < Role.SERVER:
        least = Role(least + 1)
    require_role(call.caller, least, f"setting {definition.name} for {place.text}")
    found, row = await _reached(call, place)
    if row is not None:
        require_over(call.caller, row)
    return found


async def _require_within(call: Call, definition: Setting[Any], place: scopes.Place, value: str) -> None:
    """Raise Refused: LIMIT, where a ceiling would be higher than what the caller was given himself.

    Also by taking a change back: an older value may be more than what he has now.
    """
    caller = call.caller
    if not definition.is_ceiling or caller.role is Role.SERVER:
        return
    settings = await read_settings(call.desk.store)
    if definition is RECIPIENTS_PER_HOUR:  # counted together but for one account, whose number is the server's
        most = settings.get(definition) if place.kind is Scope.ACCOUNT else definition.default
    elif caller.role is Role.OFFICE:
        most = settings.get(definition, office=caller.office)
    else:
        most = settings.get(definition, domain=caller.domain)
    if definition.is_more(definition.parse(value), most):
        raise Refused(
            f"{definition.name}: {value} is more than the {definition.format(most)} that you have",
            "Set less, or have yours raised.",
            kind=Kind.LIMIT,
            field="value",
        )


async def _put(call: Call, definition: Setting[Any], scope: str, value: str | None) -> SettingValue:
    place = await _writable(call, definition, scope)
    if value is not None:
        await _require_within(call, definition, place, value)
    rows = await call.desk.store.settings()
    before = next((row.value for row in rows if row.name == definition.name and row.scope == place.text), None)
    if before != value:
        await call.commit(
            PutSetting(
                name=definition.name, value=value, scope=place.text, by=call.caller.name, at=call.desk.clock.now()
            ),
            subject=f"setting:{place.text}:{definition.name}",
            before=None if before is None else {"value": before},
            after=None if value is None else {"value": value},
            place=(place.office, place.domain),
        )
    if call.dry_run and value is not None:
        return SettingValue(name=definition.name, value=value, source=place.text)
    found = await _explanation(call, definition, scope)
    return SettingValue(name=found.name, value=found.value, source=found.source)


OPERATIONS: tuple[Operation[Any, Any], ...] = (get, explain, list_, set_, unset, history, undo)
