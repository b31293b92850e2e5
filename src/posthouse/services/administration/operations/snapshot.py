"""The whole directory and all settings as one file, and back; and single changes taken back.

Tests: ``tests/unit/services/administration/operations/test_snapshot_operations.py``.
"""

from __future__ import annotations

import getpass
from typing import Any

from pydantic import Field

from posthouse.config.definitions.account import HOLD_DAYS
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import (
    Download,
    Effect,
    Input,
    Operation,
    Output,
    Rule,
    on_server,
    operation,
)
from posthouse.services.administration.state import current, document, plan, writing


class TakeSnapshot(Input):
    """What to put into the file."""

    with_secrets: bool = Field(
        False,
        description="Add a table of what references stand for: password hashes, and the passwords of routes and "
        "sign-in sources in clear. Such a file is as precious as the store.",
    )


class ApplySnapshot(Input):
    """How to bring the server to the state of a file."""

    prune: bool = Field(
        False,
        description="Remove what the file does not name. Accounts are held first, as with `account remove`.",
    )


class UndoChange(Input):
    """Which change to take back."""

    number: int = Field(ge=1, le=2**62, description="The entry of the audit log.")
    force: bool = Field(False, description="Take it back although it was changed again since.")


class Difference(Output):
    """One field that differs."""

    subject: str = Field(description="The object, such as `domain:example.org`.")
    action: str = Field(description="`add`, `change` or `remove`.")
    field: str = Field(description="The field; empty where the object has none.")
    before: Any = Field(description="What it was; null where there was nothing.")
    after: Any = Field(description="What it is now; null where nothing is left.")


class Applied(Output):
    """What was changed, or would be."""

    objects: int = Field(description="How many objects the file holds.")
    changed: int = Field(description="How many of them differ, with those that are removed.")
    differences: list[Difference] = Field(description="Each field that differs.")


def differences(steps: list[plan.Step]) -> list[Difference]:
    """Return the fields that steps change, one by one."""
    found = []
    for step in steps:
        action = "add" if step.before is None else "remove" if step.after is None else "change"
        for name, before, after in step.differences or [("", None, None)]:
            found.append(Difference(subject=step.subject, action=action, field=name, before=before, after=after))
    return found


@operation("snapshot", "", rule=Rule(Role.SERVER, on_server()), http="GET /snapshot")
async def snapshot(call: Call, given: TakeSnapshot) -> Download:
    """Write the directory and all settings as one readable file.

    Secrets stand in it by reference. Mail, sign-ins, tokens and second factors are not part of it.
    """
    store = call.desk.store
    secrets = current.known_secrets(store, call.desk.sealing) if given.with_secrets else None
    chunks = document.written(current.objects(store), call.desk.hostname, secrets)
    return Download("application/toml", f"{call.desk.hostname}.snapshot.toml", chunks)


@operation(
    "apply",
    "",
    rule=Rule(Role.SERVER, on_server()),
    http="POST /apply",
    effect=Effect.DESTROY,
    upload="application/toml",
    columns=("action", "subject", "field", "before", "after"),
)
async def apply(call: Call, given: ApplySnapshot) -> Applied:
    """Bring the directory and the settings to the state of a file, all or nothing.

    An object that the file names becomes wholly what the file says; a secret that is left out stays as it is. Objects
    that the file does not name stay, unless they are pruned. Applying a snapshot to the server it was taken from
    changes nothing.
    """
    wanted = document.read(await _content(call))
    store = call.desk.store
    steps = await plan.steps_to(store, wanted.objects, known=wanted.secrets, prune=given.prune)
    if steps:
        await call.commit_all(await plan.traced(store, steps, orders_of(call, wanted)))
    return Applied(objects=len(wanted.objects), changed=len(steps), differences=differences(steps))


@operation(
    "undo",
    "",
    rule=Rule(Role.SERVER, on_server()),
    http="POST /audit/{number}/undo",
    effect=Effect.CHANGE,
    arguments=("number",),
    columns=("action", "subject", "field", "before", "after"),
)
async def undo(call: Call, given: UndoChange) -> Applied:
    """Take back a change that the audit log tells of: of settings, and of what is in the directory.

    What was added goes (an account is held), what was removed comes back (but not an account that was destroyed), what
    was changed is as it was. Where it was changed again since, nothing is done unless it is forced.
    """
    rows = await call.desk.store.audit(before=given.number + 1, limit=1)
    if not rows or rows[0].number != given.number:
        raise Refused(f"the audit log has no entry {given.number}", kind=Kind.MISSING, field="number")
    row, store = rows[0], call.desk.store
    step = await plan.step_back(store, row.subject, row.before, row.after, forced=given.force)
    told = differences([step]) if step.before != step.after else []
    if told:
        await call.commit_all(await plan.traced(store, [step], orders_of(call)))
    return Applied(objects=1, changed=len({each.subject for each in told}), differences=told)


def orders_of(call: Call, wanted: document.Document | None = None) -> writing.Orders:
    """Return what writing the state of a call needs."""
    now = call.desk.clock.now()
    return writing.Orders(
        known=wanted.secrets if wanted is not None else {},
        held="",
        by=call.caller.name or getpass.getuser(),
        now=now,
        held_until=now + 86_400.0 * call.desk.settings.get(HOLD_DAYS),
        seal=call.desk.sealing.seal,
    )


async def _content(call: Call) -> bytes:
    if call.upload is None:
        raise Refused("no file was given", "Give the file of a snapshot.", field="file")
    pieces, size = [], 0
    async for piece in call.upload:
        size += len(piece)
        if size > document.LARGEST:
            raise Refused(f"the file has more than {document.LARGEST >> 20} MiB", kind=Kind.TOO_MUCH, field="file")
        pieces.append(piece)
    return b"".join(pieces)


OPERATIONS: tuple[Operation[Any, Any], ...] = (snapshot, apply, undo)
