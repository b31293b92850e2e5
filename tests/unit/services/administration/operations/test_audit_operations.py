"""The audit log: who reads what, the export, and that a change to it is found."""

import sqlite3

import orjson
import pytest

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.operations import audit
from posthouse.store.directory_values import Audit
from tests.support.desks import caller_of, do, make_desk, people

PLACES = [("", ""), ("acme", "acme.test"), ("acme", "sister.test"), ("rival", "rival.test"), ("acme", "")]


@pytest.fixture
async def house(store, store_clock, tmp_path):
    """Return a desk whose log has five entries."""
    await people(store)
    for number, (office, domain) in enumerate(PLACES, 1):
        await store.commit(
            Audit(
                at=float(number), actor="root", door="command line", address="", operation="domain.set",
                subject=f"domain:{domain}", office=office, domain=domain, before={"n": number}, after=None,
            )
        )  # fmt: skip
    return make_desk(store, store_clock, tmp_path)


@pytest.mark.parametrize(
    ("address", "numbers"),
    [("root@own.test", [5, 4, 3, 2, 1]), ("boss@acme.test", [5, 3, 2]), ("admin@acme.test", [2])],
)
async def test_an_administrator_reads_what_concerns_him(house, address, numbers) -> None:
    """Newest first; the export has the same, oldest first; an entry of others is not there."""
    caller = await caller_of(house.store, address)
    assert [each.number for each in (await do(house, audit.list_entries, caller)).items] == numbers
    lines = b"".join([chunk async for chunk in (await do(house, audit.export, caller)).chunks]).splitlines()
    assert [orjson.loads(line)["number"] for line in lines] == numbers[::-1]
    for number in range(1, 6):
        try:
            shown = await do(house, audit.show, caller, number=number)
        except Refused as refusal:
            assert number not in numbers
            assert refusal.detail == f"there is no entry {number}"
        else:
            assert (shown.number, number in numbers) == (number, True)


async def test_pages_and_subjects(house) -> None:
    """Each entry once; only those about a subject."""
    first = await do(house, audit.list_entries, limit=3)
    second = await do(house, audit.list_entries, limit=3, cursor=first.next)
    assert [each.number for each in [*first.items, *second.items]] == [5, 4, 3, 2, 1]
    found = await do(house, audit.list_entries, subject="domain:sister.test")
    assert [each.number for each in found.items] == [3]


async def test_a_cursor_of_another_list_is_refused(house) -> None:
    """It is no number."""
    from posthouse.services.administration.operation import cursor_of

    with pytest.raises(Refused):
        await do(house, audit.list_entries, cursor=cursor_of("anna@acme.test"))


async def test_a_whole_log_is_whole(house) -> None:
    """Each entry follows from the one before; the last digest is told."""
    told = await do(house, audit.verify)
    last = (await do(house, audit.list_entries, limit=1)).items[0]
    assert (told.entries, told.is_whole, told.broken_at, told.last_digest) == (5, True, 0, last.digest)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE number = 3", 3),
        ("UPDATE audit SET before = '{\"n\":7}' WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 3", 4),
        ("DELETE FROM audit WHERE number = 1", 2),
    ],
)
async def test_a_change_to_the_log_is_found(house, tmp_path, change, broken) -> None:
    """Whatever field was changed, or entry taken out."""
    database = sqlite3.connect(tmp_path / "home" / "store.db")
    database.execute(change)
    database.commit()
    database.close()
    told = await do(house, audit.verify)
    assert (told.is_whole, told.broken_at) == (False, broken)
