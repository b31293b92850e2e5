"""The store's invariants, checked and where asked for put right. Of the whole server, for its administrators.

Tests: ``tests/unit/services/administration/operations/test_verify_operation.py``.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Operation,
    Output,
    Rule,
    on_server,
    operation,
)
from posthouse.store.directory_values import Audit


class VerifyStore(Input):
    """Whether to repair."""

    repair: bool = Field(False, description="Put right what can be: counts, orphans, indexes.")


class FoundWrong(Output):
    """An invariant that does not hold."""

    invariant: str = Field(description="Its name.")
    where: str = Field(description="The row or the file.")
    detail: str = Field(description="What is wrong.")
    remedy: str = Field(description="What to do.")
    repaired: bool = Field(description="Whether it was put right just now.")


class Verified(Output):
    """What was found."""

    is_sound: bool = Field(description="Whether nothing is left that is wrong.")
    findings: list[FoundWrong] = Field(description="What was wrong.")


@operation(
    "verify",
    "",
    rule=Rule(Role.SERVER, on_server()),
    http="POST /verify",
    effect=Effect.CHANGE,
    is_long=True,
    is_resumable=True,
    columns=("invariant", "where", "detail", "remedy", "repaired"),
)
async def verify(call: Call, given: VerifyStore) -> Verified:
    """Check every invariant of the store: counters, order, bodies readable and hash-true, no orphan.

    May run beside a server. Nothing is changed unless it is to repair.
    """
    call.progress(0, 0, "reading the store")
    found = await call.desk.store.verify(repair=given.repair and not call.dry_run)
    repaired = sum(finding.repaired for finding in found)
    if repaired:
        await _record(call, repaired)
    findings = [
        FoundWrong(
            invariant=each.invariant,
            where=each.where,
            detail=each.detail,
            remedy=each.remedy,
            repaired=each.repaired,
        )
        for each in found
    ]
    return Verified(is_sound=all(each.repaired for each in found), findings=findings)


async def _record(call: Call, repaired: int) -> None:
    """Write who had it repaired: the store's own commits did it, so that there is no change to go with."""
    trace = Audit(
        at=call.desk.clock.now(),
        actor=call.caller.name,
        door=call.caller.door,
        address=call.caller.address,
        operation=call.operation,
        subject="store",
        after={"repaired": repaired},
    )
    await call.desk.store.commit(trace, *call.along)
    call.along.clear()


OPERATIONS: tuple[Operation[Any, Any], ...] = (verify,)
