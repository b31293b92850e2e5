"""What has to change for the store to be as a state says, and the values that change it.

An object of the state is wholly what the state says, except that a secret that is left out stays as it is. Objects
that the state does not name stay, unless they are pruned; a pruned account is held, not destroyed. ``steps_to`` only
reads; ``traced`` gives what one commit writes. Order: what goes, then what comes, in the order of ``kinds``, and the
members of groups last, since they may be groups themselves.

Tests: ``tests/unit/services/administration/operations/test_snapshot_operations.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from posthouse.services.administration.call import Traced
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.state import current, secrets, writing
from posthouse.services.administration.state.kinds import KINDS, Fields, Key, Shape, without_defaults
from posthouse.store.contract import Store

SMALL: Final = ("office", "domain", "route", "source", "setting", "wording")
_ORDER: Final = {name: place for place, name in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Step:
    """One object that changes: what it is and what it shall be; None where it is not there."""

    key: Key
    before: Fields | None
    after: Fields | None

    @property
    def subject(self) -> str:
        """The object as the audit log names it."""
        return subject_of(self.key)

    @property
    def differences(self) -> list[tuple[str, Any, Any]]:
        """``(field, before, after)`` of the fields that differ, None where a side has nothing."""
        old, new = self.before or {}, self.after or {}
        names = [name for name in KINDS[self.key[0]].fields if old.get(name) != new.get(name)]
        return [(name, old.get(name), new.get(name)) for name in names]


def subject_of(key: Key) -> str:
    """Return the name of an object in the audit log, such as ``setting:server:smtp.banner``."""
    return f"{key[0]}:{key[1].replace(' ', ':')}"


def key_of(subject: str) -> Key | None:
    """Return the object that an entry of the audit log is about; None where it is no part of the state."""
    kind, _, rest = subject.partition(":")
    if kind not in KINDS or not rest:
        return None
    words = len(KINDS[kind].key)
    return kind, " ".join(rest.rsplit(":", words - 1)) if words > 1 else rest


async def steps_to(
    store: Store, state: Mapping[Key, Fields], *, known: Mapping[str, str], prune: bool = False
) -> list[Step]:
    """Return what has to change, in the order of writing. Raises Refused: for what cannot be.

    Args:
        store: to compare with.
        state: the objects as they shall be.
        known: what references to secrets stand for.
        prune: whether objects that the state does not name shall go.
    """
    small = await _small(store)
    steps: list[Step] = []
    for key in sorted(state, key=lambda each: _place(each, state[each])):
        before = small.get(key) if key[0] in SMALL else await current.find(store, key)
        after = await _with_secrets(store, key, before, state[key], known)
        writing.check(key, after)
        if after != before:
            steps.append(Step(key, before, after))
    if prune:
        steps = [*await _pruned(store, state), *steps]
    return steps


def _place(key: Key, fields: Fields | None) -> tuple[int, bool, Key]:
    """An object's place in the order of making: a domain comes before those that are aliases of it."""
    return _ORDER[key[0]], bool(fields and fields.get("alias_of")), key


async def _small(store: Store) -> dict[Key, Fields]:
    """The objects of which there are few, read once."""
    return {key: fields async for key, fields in current.few(store)}


async def _with_secrets(
    store: Store, key: Key, before: Fields | None, after: Fields, known: Mapping[str, str]
) -> Fields:
    """Return the fields with a secret that was left out taken over, and check that references can be resolved."""
    kind = KINDS[key[0]]
    for name, of in kind.fields.items():
        if of.shape is not Shape.SECRET:
            continue
        if name not in after and before is not None and name in before:
            after = without_defaults(kind, {**after, name: before[name]})
        elif name in after:
            held = await current.secret_of(store, key) if before is not None else ""
            secrets.resolve(f'{kind.name}."{key[1]}".{name}', after[name], held, known)
    return after


async def _pruned(store: Store, state: Mapping[Key, Fields]) -> list[Step]:
    gone: list[Step] = []
    async for key, fields in current.objects(store):
        if key in state:
            continue
        if key[0] == "account":
            if fields.get("state") != "held":
                gone.append(Step(key, fields, {**fields, "state": "held"}))
        else:
            gone.append(Step(key, fields, None))
    return sorted(gone, key=lambda step: _place(step.key, step.before), reverse=True)


async def traced(store: Store, steps: Sequence[Step], orders: writing.Orders) -> list[Traced]:
    """Return what one commit writes for the steps. Raises Refused."""
    writes: list[Traced] = []
    for step in steps:
        held = await current.secret_of(store, step.key) if _has_secret(step.key[0]) and step.before is not None else ""
        writes.append(
            Traced(
                changes=writing.changes(step.key, step.before, step.after, replace(orders, held=held)),
                subject=step.subject,
                before=step.before,
                after=step.after,
                place=("", writing.domain_of(step.key)),
            )
        )
    return [*writes, *_memberships(steps)]


def _memberships(steps: Sequence[Step]) -> list[Traced]:
    """The members of groups, after every group is there."""
    last = [change for step in steps for change in writing.members(step.key, step.before, step.after)]
    return [Traced(changes=last, subject="group:members")] if last else []


def _has_secret(kind: str) -> bool:
    return any(of.shape is Shape.SECRET for of in KINDS[kind].fields.values())


async def step_back(
    store: Store,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    forced: bool = False,
) -> Step:
    """Return the step that takes back what an entry of the audit log tells of.

    ``forced`` takes it back although the object has changed since. Raises Refused: where it cannot be taken back.
    """
    key = key_of(subject)
    if key is None:
        raise Refused(
            f"{subject} cannot be taken back", "Settings and what is in the directory can.", kind=Kind.NOT_NOW
        )
    is_there = await current.find(store, key)
    if is_there is None:
        return _made_again(key, before)
    wanted, meant = _fields(key, before or {}), _fields(key, after or {})
    changed = {name for name in wanted if wanted[name] != meant.get(name)} if before is not None else set(meant)
    stale = [name for name in changed if is_there.get(name, _default(key, name)) != meant.get(name)]
    if stale and not forced:
        raise Refused(
            f"{subject} has changed since: {', '.join(sorted(stale))}",
            "--force takes back this change nevertheless.",
            kind=Kind.NOT_NOW,
        )
    if before is None:
        return Step(key, is_there, {**is_there, "state": "held"} if key[0] == "account" else None)
    return Step(
        key, is_there, without_defaults(KINDS[key[0]], {**is_there, **{name: wanted[name] for name in changed}})
    )


def _made_again(key: Key, before: Mapping[str, Any] | None) -> Step:
    if before is None:
        raise Refused(f"{subject_of(key)} is not there any more", kind=Kind.NOT_NOW)
    if key[0] == "account":
        raise Refused(f"the mail of {key[1]} is gone", "Add the account anew.", kind=Kind.NOT_NOW)
    return Step(key, None, without_defaults(KINDS[key[0]], _fields(key, before)))


def _fields(key: Key, record: Mapping[str, Any]) -> Fields:
    """The fields of the state that a record of the audit log holds, under the state's or the store's name."""
    found: Fields = {}
    for name, of in KINDS[key[0]].fields.items():
        given = record.get(name, record.get(of.name)) if of.name else record.get(name)
        is_count = of.shape is Shape.LIST and not isinstance(given, list)
        if given is not None and of.shape is not Shape.SECRET and not is_count:
            found[name] = of.read(f"{subject_of(key)}.{name}", given)
    return found


def _default(key: Key, name: str) -> Any:
    return KINDS[key[0]].fields[name].default
