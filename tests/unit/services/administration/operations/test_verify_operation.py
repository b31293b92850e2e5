"""The store's invariants, as an operation."""

from __future__ import annotations

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import verify
from posthouse.store.rows import Finding
from tests.support.desks import caller_of, do

WRONG = Finding("usage", "account 3", "counts differ", "verify --repair")


async def test_a_sound_store(desk) -> None:
    """Nothing is found, nothing is written."""
    told = await do(desk, verify.verify)
    assert (told.is_sound, told.findings, await desk.store.audit(subject="store")) == (True, [], [])


async def test_what_is_repaired_is_told_and_traced(desk, monkeypatch) -> None:
    """A rehearsal repairs nothing."""
    asked = []

    async def found(*, repair):
        asked.append(repair)
        return [Finding(WRONG.invariant, WRONG.where, WRONG.detail, WRONG.remedy, repaired=repair)]

    monkeypatch.setattr(desk.store, "verify", found)
    told = await do(desk, verify.verify, repair=True, dry_run=True)
    assert (told.is_sound, told.findings[0].repaired, asked) == (False, False, [False])
    told = await do(desk, verify.verify, repair=True)
    assert (told.is_sound, told.findings[0].repaired) == (True, True)
    (trace,) = await desk.store.audit(subject="store")
    assert (trace.operation, trace.after) == ("verify", {"repaired": 1})


async def test_it_takes_an_administrator_of_the_server(desk) -> None:
    """It reads everybody's mail."""
    with pytest.raises(Refused) as refused:
        await do(desk, verify.verify, await caller_of(desk.store, "boss@acme.test"))
    assert refused.value.kind is Kind.FORBIDDEN
