"""Disk full, read-only, failing flush, lock held: nothing is acknowledged, and the store recovers by itself."""

import asyncio
import errno
import fcntl
import os
import resource
import sqlite3
import threading

import pytest

from posthouse.core.errors import Unavailable
from posthouse.store.sqlite.connection import as_fault
from posthouse.store.values import Delivery, Filing, NewEmail
from tests.support.stores import delivery, facts, furnish, make_store


@pytest.fixture
async def opened(tmp_path):
    """Open a store with one account."""
    async with make_store(tmp_path / "home") as store:
        (account,) = await furnish(store, "ann@example.org")
        yield store, account


async def count(store, account):
    return (await store.usage(account)).messages


async def test_a_failed_flush_acknowledges_nothing_until_the_store_is_whole(opened, monkeypatch):
    """While flushes fail every commit is refused for now; after that the store goes on without a restart."""
    store, account = opened
    await store.commit(delivery(account))
    real, calls = os.fdatasync, []

    def fail(descriptor):
        calls.append(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    results = await asyncio.gather(*(store.commit(delivery(account)) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) and not result.storage_short for result in results)
    before = await count(store, account)
    for _ in range(2):  # the store is not trusted: nothing more is even written
        with pytest.raises(Unavailable):
            await store.commit(delivery(account))
    assert await count(store, account) == before
    monkeypatch.setattr(os, "fdatasync", real)
    await store.commit(delivery(account))
    assert await count(store, account) == before + 1
    assert len(calls) == 3
    assert await store.verify() == []


async def test_after_a_failed_flush_the_log_is_copied_whole_before_anything_is_acknowledged(opened, monkeypatch):
    """The first commit after a failed flush finds every earlier frame in the database file and the log empty."""
    store, account = opened
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(Unavailable):
        await store.commit(delivery(account))
    sizes = []

    def watch(descriptor):
        sizes.append(os.fstat(descriptor).st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", watch)
    await store.commit(delivery(account))
    assert sizes[0] == 0  # the healing flush, of the emptied log
    assert sizes[-1] > 0


async def test_whoever_waits_long_for_the_lock_is_answered(opened, tmp_path, monkeypatch):
    """While another process holds the lock callers are refused in time; when it lets go the store goes on."""
    monkeypatch.setattr("posthouse.store.sqlite.committer.LOCK_PATIENCE", 0.05)
    store, account = opened
    with (tmp_path / "home" / "store.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for _ in range(3):
            results = await asyncio.gather(*(store.commit(delivery(account)) for _ in range(3)), return_exceptions=True)
            assert [type(result) for result in results] == [Unavailable] * 3
        waiting = asyncio.ensure_future(store.commit(delivery(account)))
        await asyncio.sleep(0)
    await waiting
    await store.commit(delivery(account))
    assert await count(store, account) == 2
    assert await store.verify() == []


async def test_a_store_whose_lock_is_held_is_not_opened(opened, tmp_path, monkeypatch):
    """Opening gives up in time and says who may hold it."""
    monkeypatch.setattr("posthouse.store.sqlite.engine.LOCK_PATIENCE", 0.05)
    with (tmp_path / "home" / "store.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match=r"store\.lock for long"):
            async with make_store(tmp_path / "home", worker=7):
                pass


async def test_a_full_file_system_is_told_as_short_storage(opened, monkeypatch):
    """SQLite's FULL and the system's ENOSPC become 452 4.3.1 for the peer."""
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    for error in (full, OSError(errno.ENOSPC, "No space left on device")):
        fault = as_fault(error, "store.commit")
        assert isinstance(fault, Unavailable)
        assert fault.outcome.code == 452
        assert str(error) not in fault.outcome.public_text


async def test_files_that_cannot_grow(opened):
    """Where the log cannot grow a group fails whole; when it can again the next commit is written."""
    store, account = opened
    await store.commit(delivery(account))
    content = bytes(200_000)
    big = Delivery(email=NewEmail(content=content, facts=facts(content)), filings=(Filing(account=account),))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))
    try:
        results = await asyncio.gather(
            store.commit(delivery(account)), store.commit(big), store.commit(big), return_exceptions=True
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert all(isinstance(result, Unavailable) for result in results)
    assert await count(store, account) == 1
    await store.commit(big)
    assert await count(store, account) == 2
    assert await store.verify() == []


async def test_a_full_database(opened):
    """SQLITE_FULL in a transaction fails the group with 452 and leaves nothing."""
    store, account = opened
    connection = store._database.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}").fetchone()
    content = bytes(100_000)
    big = Delivery(email=NewEmail(content=content, facts=facts(content)), filings=(Filing(account=account),))
    with pytest.raises(Unavailable) as caught:
        await store.commit(big)
    assert caught.value.storage_short
    connection.execute("PRAGMA max_page_count=1000000").fetchone()
    await store.commit(big)
    assert await count(store, account) == 1
    assert await store.verify() == []


async def test_a_read_only_store(opened):
    """A database that may not be written refuses for now and can still be read."""
    store, account = opened
    store._database.connection.execute("PRAGMA query_only=ON")
    with pytest.raises(Unavailable):
        await store.commit(delivery(account))
    assert await count(store, account) == 0
    store._database.connection.execute("PRAGMA query_only=OFF")
    await store.commit(delivery(account))


async def test_a_database_locked_by_a_stranger(opened, tmp_path):
    """A lock that another program holds on the database is waited for a little and then refused."""
    store, account = opened
    store._database.connection.execute("PRAGMA busy_timeout=10")
    stranger = sqlite3.connect(tmp_path / "home" / "store.db", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        await store.commit(delivery(account))
    stranger.execute("ROLLBACK")
    stranger.close()
    await store.commit(delivery(account))
    assert await count(store, account) == 1


async def test_the_loop_runs_on_while_a_sibling_has_the_lock(opened, tmp_path):
    """Waiting for the workers' lock holds neither the loop nor reads; the commit follows when the lock is free."""
    store, account = opened
    descriptor = os.open(tmp_path / "home" / "store.lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    commit = asyncio.ensure_future(store.commit(delivery(account)))
    for _ in range(50):
        await asyncio.sleep(0)
        assert await count(store, account) == 0
    assert not commit.done()
    os.close(descriptor)
    await commit
    assert await count(store, account) == 1


async def test_a_cancelled_caller_harms_no_other(opened):
    """A caller that is cancelled before its group is written is left out; one that waits is woken."""
    store, account = opened
    tasks = [asyncio.ensure_future(store.commit(delivery(account))) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[0].filed
    assert results[2].filed
    assert await store.verify() == []


async def test_closing_waits_for_what_was_handed_in(tmp_path):
    """Commits that were handed in before close are acknowledged."""
    async with make_store(tmp_path) as store:
        (account,) = await furnish(store, "ann@example.org")
        tasks = [asyncio.ensure_future(store.commit(delivery(account))) for _ in range(20)]
        await asyncio.sleep(0)
    assert {task.result().filed[0].uid for task in tasks} == set(range(1, 21))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("posthouse-")]


async def test_every_acknowledgement_follows_a_flush_of_its_own_group(opened, monkeypatch):
    """The number of flushes is that of groups, and no commit returns before the flush after its transaction."""
    store, account = opened
    real, log = os.fdatasync, []

    def watch(descriptor):
        log.append(("flush", store._database.connection.total_changes))
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", watch)

    async def one():
        await store.commit(delivery(account))
        log.append(("acknowledged", 0))

    await asyncio.gather(*(one() for _ in range(40)))
    flushes = [at for at, (kind, _) in enumerate(log) if kind == "flush"]
    assert log[0][0] == "flush"
    assert len(flushes) < 10
    assert sum(kind == "acknowledged" for kind, _ in log) == 40


async def test_large_groups_are_cut(opened, monkeypatch):
    """A crowd of commits is written in several groups, so that the loop is not held for long."""
    store, account = opened
    monkeypatch.setattr("posthouse.store.sqlite.committer.MAX_CALLS", 7)
    real, flushes = os.fdatasync, []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: (flushes.append(1), real(descriptor)))
    await asyncio.gather(*(store.commit(delivery(account)) for _ in range(40)))
    assert len(flushes) == 6
