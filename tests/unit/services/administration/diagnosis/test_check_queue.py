"""The queue, and the database, as the checks see them."""

from __future__ import annotations

import sqlite3

import pytest

from posthouse.config.file import Configuration
from tests.support.stores import EPOCH, StillClock, queued
from tests.unit.services.administration.diagnosis.conftest import HOST, seen


async def test_an_empty_queue_is_well(look, store) -> None:
    """Nothing waits, nothing fails."""
    for check in ("queue.size", "queue.age", "queue.destinations"):
        assert [severity for severity, _ in seen(await look(check, store=store))] == ["ok"]


async def test_a_queue_that_is_long_and_old(look, store) -> None:
    """Both bounds are settings."""
    await store.commit(queued("a@far.net", "b@far.net", at=EPOCH))
    clock = StillClock(EPOCH + 7_200)
    found = await look("queue.size", store=store, settings={"check.queue_size": "1"})
    assert seen(found) == [("warning", "2 recipients wait in the queue")]
    found = await look("queue.age", store=store, clock=clock, settings={"check.queue_age": "1h"})
    assert found[0].severity.value == "warning"
    assert seen(await look("queue.age", store=store, clock=clock))[0][0] == "ok"


async def test_the_database_is_well(look, store) -> None:
    """Written, of this schema, whole, its log small."""
    for check in ("store.write", "store.schema", "store.integrity", "store.log"):
        assert [severity for severity, _ in seen(await look(check, store=store))] == ["ok"], check


async def test_a_store_that_could_not_be_opened(look) -> None:
    """With what it said."""
    (finding,) = await look("store.write", store_fault="locked by somebody")
    assert (finding.severity.value, finding.evidence) == ("error", "locked by somebody")


@pytest.mark.parametrize(("revision", "words"), [("9999", "a later one"), ("0000", "brings the schema up to date")])
async def test_another_schema_is_named(look, tmp_path, revision, words) -> None:
    """Older and newer have their remedies."""
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    connection.commit()
    connection.close()
    (finding,) = await look("store.schema")
    assert finding.severity.value == "error"
    assert words in finding.remedy


async def test_a_damaged_database_is_found(look, tmp_path) -> None:
    """Pages that are overwritten do not stay unseen; a file that is none neither."""
    path = tmp_path / "store.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a TEXT)")
    connection.execute("CREATE INDEX i ON t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", [(f"{number:0200}",) for number in range(500)])
    connection.commit()
    connection.close()
    octets = bytearray(path.read_bytes())
    octets[8192 : 8192 + 4096] = bytes(4096)
    path.write_bytes(octets)
    assert seen(await look("store.integrity")) == [("error", "the database is damaged")]
    path.write_bytes(b"none at all" * 1000)
    assert seen(await look("store.integrity")) == [("error", "the database is damaged")]


async def test_a_store_that_is_a_server_is_left_to_it(look, tmp_path) -> None:
    """Its schema is checked when it is opened."""
    url = "postgresql://db.house.org/posthouse"
    configuration = Configuration(home=tmp_path, hostname=HOST, listeners=(), store_url=url)
    for check in ("store.schema", "store.integrity", "store.log"):
        assert seen(await look(check, configuration=configuration))[0][0] == "ok"
