"""One call: the commit with its trace, rehearsed or real, and refusals in words."""

from __future__ import annotations

import pytest

from posthouse.services.administration.call import Call, Traced, refused
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.store.contract import AlreadyExists, Conflict, LimitReached, NotAllowed, Vanished
from posthouse.store.directory_values import KeepReply, PutAlias, PutOffice
from tests.support.desks import make_desk

ANNA = Caller(role=Role.DOMAIN, name="anna@acme.test", domain="acme.test", door="rest", address="192.0.2.1")


@pytest.fixture
def call(store, store_clock, tmp_path) -> Call:
    """Return a call of anna's."""
    return Call(caller=ANNA, desk=make_desk(store, store_clock, tmp_path), operation="office.add")


async def test_a_change_and_its_trace_are_one(call):
    """Who, what, from where, before and after stand in the log, with what was done."""
    await call.commit(
        PutOffice(name="acme"), subject="office:acme", before=None, after={"name": "acme"}, place=("acme", "")
    )
    (row,) = await call.desk.store.audit()
    assert (row.actor, row.door, row.address, row.operation) == ("anna@acme.test", "rest", "192.0.2.1", "office.add")
    assert (row.subject, row.office, row.before, row.after) == ("office:acme", "acme", None, {"name": "acme"})
    assert await call.desk.store.office("acme") is not None


async def test_what_is_refused_leaves_no_trace(call):
    """Neither the change nor the entry, also where only the second of two changes cannot be."""
    with pytest.raises(Refused) as caught:
        await call.commit(PutOffice(name="acme"), PutAlias(address="a@none.test", targets=("b@c.test",)), subject="x")
    assert caught.value.kind is Kind.MISSING
    assert await call.desk.store.office("acme") is None
    assert await call.desk.store.audit() == []


async def test_a_dry_run_keeps_nothing(call):
    """It gives the same result and the same refusals."""
    call.dry_run = True
    assert await call.commit(PutOffice(name="acme"), subject="office:acme")
    assert await call.desk.store.office("acme") is None
    assert await call.desk.store.audit() == []
    call.dry_run = False
    await call.commit(PutOffice(name="acme"), subject="office:acme")
    call.dry_run = True
    with pytest.raises(Refused) as caught:
        await call.commit(PutOffice(name="acme"), subject="office:acme")
    assert caught.value.kind is Kind.EXISTS


async def test_what_goes_along_goes_once(call):
    """A key that makes a repeated request harmless is written with the first commit alone."""
    call.along.append(KeepReply(caller="anna", key="k", fingerprint="f", at=1.0))
    await call.commit(PutOffice(name="acme"), subject="office:acme")
    assert call.along == []
    assert await call.desk.store.kept_reply("anna", "k") is not None


async def test_many_steps_are_one_commit(call):
    """Each has its own trace; one that cannot be stops all."""
    steps = [Traced(changes=[PutOffice(name=name)], subject=f"office:{name}") for name in ("a", "b")]
    assert len(await call.commit_all(steps)) == 2
    assert [row.subject for row in await call.desk.store.audit()] == ["office:b", "office:a"]
    with pytest.raises(Refused):
        await call.commit_all([Traced(changes=[PutOffice(name="c")], subject="office:c"), *steps])
    assert await call.desk.store.office("c") is None


KINDS = [
    (AlreadyExists("x is there"), Kind.EXISTS, "x is there"),
    (Vanished("x is gone"), Kind.MISSING, "x is gone"),
    (NotAllowed("x holds y"), Kind.NOT_NOW, "x holds y"),
    (Conflict("revision 3"), Kind.CHANGED, "somebody has changed it"),
    (LimitReached("domain_accounts", 5), Kind.LIMIT, "limit.accounts is 5"),
    (LimitReached("office_quota", 7), Kind.LIMIT, "limit of the post office is reached: limit.total_quota is 7"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), KINDS)
def test_a_refusal_of_the_store_in_words(fault, kind, words):
    """Each kind of refusal keeps its kind, and says what an administrator can act on."""
    told = refused(fault)
    assert told.kind is kind
    assert words in told.detail
