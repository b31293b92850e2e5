"""Housekeeping: bounded rounds that take away what nobody needs, and the checkpoint."""

import asyncio
import sqlite3

import pytest

from posthouse.core import limits
from posthouse.core.flags import Flag
from posthouse.store.directory_values import CredentialKind, KeepReply, PutBan, PutCredential, PutJob, RemoveAccount
from posthouse.store.sqlite import housekeeping, slices
from posthouse.store.values import Delivery, Expunge, Filing, FlagChange, FlagMode, NewEmail
from tests.support.stores import delivery, facts, furnish, make_store

ALL = ((1, 0xFFFFFFFF),)
DAY = 86_400


def rows(store, table):
    return store._database.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


async def test_expunged_mail_gives_its_space_back(store, account, inbox, monkeypatch):
    """After an expunge, rounds of upkeep delete emails and bodies, each in bounded pieces."""
    monkeypatch.setattr(slices, "_SLICE", 7)
    await asyncio.gather(*(store.commit(delivery(account)) for _ in range(50)))
    await store.commit(Expunge(account=account, mailbox=inbox, uids=((1, 40),), only_deleted=False))
    assert rows(store, "body") == 50
    assert await store.verify() == []
    await store.housekeep()
    assert rows(store, "body") == rows(store, "email") == 10
    assert rows(store, "place_change") == 0
    assert await store.verify() == []


async def test_a_round_is_bounded(store, account, inbox, monkeypatch):
    """One round does so much and no more; the next goes on."""
    monkeypatch.setattr(slices, "_SLICE", 2)
    monkeypatch.setattr(housekeeping, "_SLICES", 3)
    await asyncio.gather(*(store.commit(delivery(account)) for _ in range(10)))
    await store.commit(Expunge(account=account, mailbox=inbox, uids=ALL, only_deleted=False))
    await store.housekeep()
    assert rows(store, "body") == 4
    await store.housekeep()
    assert rows(store, "body") == 0


async def test_a_removed_account_is_purged_piece_by_piece(store, monkeypatch):
    """Mail of a removed account goes over several rounds; bodies shared with others stay; it is sound throughout."""
    monkeypatch.setattr(slices, "_SLICE", 3)
    monkeypatch.setattr(slices, "_ROWS", 4)
    monkeypatch.setattr(housekeeping, "_SLICES", 2)
    one, two = await furnish(store, "a@example.org", "b@example.org")
    both = Delivery(email=delivery(one).email, filings=(Filing(account=one), Filing(account=two)))
    await asyncio.gather(*(store.commit(both) for _ in range(12)))
    box = (await store.mailbox_named(one, "INBOX")).id
    await store.commit(FlagChange(account=one, mailbox=box, uids=ALL, mode=FlagMode.ADD, flags=Flag.SEEN))
    await store.commit(Expunge(account=one, mailbox=box, uids=((3, 4),), only_deleted=False))
    await store.commit(RemoveAccount(address="a@example.org"))
    for _ in range(12):
        assert await store.verify() == []
        await store.housekeep()
    assert rows(store, "removed_account") == 0
    assert rows(store, "message") == rows(store, "email") == rows(store, "body") == 12
    assert rows(store, "mailbox") == 6
    assert rows(store, "body_share") == 0


async def test_chunks_that_a_crash_left_go_after_their_time(tmp_path, clock, store, account):
    """Staged chunks without a delivery are known to verify and taken away when they are old, not before."""
    connection = store._database.connection
    connection.execute(
        "INSERT INTO counter (name, value) VALUES ('body', 900) ON CONFLICT (name) DO UPDATE SET value = 900"
    )
    connection.execute("INSERT INTO body_staging (body_id, since) VALUES (900, ?)", (clock.now(),))
    connection.executemany("INSERT INTO body_chunk VALUES (900, ?, x'00')", [(n,) for n in range(40)])
    assert await store.verify() == []
    await store.housekeep()
    assert rows(store, "body_chunk") == 40
    clock.advance(4000)
    await store.housekeep()
    assert rows(store, "body_chunk") == rows(store, "body_staging") == 0


async def test_a_staged_body_is_seen_by_nobody_until_its_delivery(store, account, inbox):
    """While the chunks of a large message are written its mailbox does not change."""
    content = bytes(limits.BODY_CHUNK * 6)
    large = Delivery(email=NewEmail(content=content, facts=facts(content)), filings=(Filing(account=account),))
    task = asyncio.ensure_future(store.commit(large))
    seen = []
    while not task.done():
        seen.append(((await store.mailbox(account, inbox)).messages, rows(store, "body")))
        await asyncio.sleep(0)
    assert set(seen[:-1]) <= {(0, 0), (1, 1)}
    assert (0, 0) in seen
    assert (await store.mailbox(account, inbox)).messages == 1
    assert rows(store, "body_staging") == 0


async def test_old_flag_changes_are_forgotten_and_still_answered(store, account, inbox, monkeypatch):
    """Below the floor a mailbox is scanned instead: the answer is the same."""
    monkeypatch.setattr(slices, "_CHANGES_KEPT", 5)
    await asyncio.gather(*(store.commit(delivery(account)) for _ in range(40)))
    start = (await store.mailbox(account, inbox)).highestmodseq
    marks = [start]
    for uid in range(1, 31):
        await store.commit(
            FlagChange(account=account, mailbox=inbox, uids=((uid, uid),), mode=FlagMode.ADD, flags=Flag.SEEN)
        )
        marks.append((await store.mailbox(account, inbox)).highestmodseq)
    before = [await store.changed_since(account, inbox, mark) for mark in marks]
    await store.housekeep()
    assert rows(store, "change") == 5
    assert [await store.changed_since(account, inbox, mark) for mark in marks] == before
    assert [len(changed) for changed in before] == list(range(30, -1, -1))
    assert await store.verify() == []


async def test_the_log_is_checkpointed_when_enough_was_written(tmp_path, monkeypatch):
    """After so many octets the log is copied into the database and started from its beginning."""
    monkeypatch.setattr(housekeeping, "CHECKPOINT_OCTETS", 300_000)
    async with make_store(tmp_path) as store:
        (account,) = await furnish(store, "ann@example.org")
        content = bytes(20_000)
        for _ in range(200):
            await store.commit(
                Delivery(email=NewEmail(content=content, facts=facts(content)), filings=(Filing(account=account),))
            )
        assert (tmp_path / "store.db").stat().st_size > 1_000_000
        assert (tmp_path / "store.db-wal").stat().st_size < 3_000_000
        assert await store.verify() == []


async def test_commits_go_on_during_a_checkpoint(tmp_path):
    """A checkpoint in its thread neither stops commits nor harms what they write."""
    async with make_store(tmp_path) as store:
        (account,) = await furnish(store, "ann@example.org")
        for _ in range(20):
            store._checkpointer.wrote(1)
            store._checkpointer.urge()
            await asyncio.gather(*(store.commit(delivery(account)) for _ in range(10)))
        assert (await store.usage(account)).messages == 200
        assert await store.verify() == []


async def test_a_failing_checkpoint_is_tried_again(tmp_path, monkeypatch):
    """An error in the checkpoint's thread ends neither the thread nor commits."""
    real, failed = housekeeping.connect, []

    def fail(*arguments, **keywords):
        if not failed:
            failed.append(1)
            raise sqlite3.OperationalError("disk I/O error")
        return real(*arguments, **keywords)

    monkeypatch.setattr(housekeeping, "connect", fail)
    async with make_store(tmp_path) as store:
        (account,) = await furnish(store, "ann@example.org")
        for _ in range(2):
            await store.commit(delivery(account))
            await store.housekeep()
            while store._checkpointer._running:  # noqa: ASYNC110  (a thread sets it)
                await asyncio.sleep(0)
        assert failed
        await store.commit(delivery(account))


@pytest.mark.parametrize("workers", [3])
async def test_workers_keep_house_at_once(opener, workers):
    """Rounds of several workers at a time do the work once."""
    stores = [await opener() for _ in range(workers)]
    (account,) = await furnish(stores[0], "ann@example.org")
    inbox = (await stores[0].mailbox_named(account, "INBOX")).id
    await asyncio.gather(*(stores[n % workers].commit(delivery(account)) for n in range(60)))
    await stores[1].commit(Expunge(account=account, mailbox=inbox, uids=((1, 50),), only_deleted=False))
    await asyncio.gather(*(one.housekeep() for one in stores))
    assert rows(stores[0], "body") == 10
    assert await stores[2].verify() == []


async def test_records_past_their_time_go(store, clock):
    """Replies after a day, jobs and bans a month after their end, credentials after they expired; open jobs stay."""
    now = clock.now()
    await store.commit(
        KeepReply(caller="a", key="k", fingerprint="f", at=now),
        PutJob(id="done", operation="o", state="done", at=now),
        PutJob(id="open", operation="o", at=now),
        PutBan(network="192.0.2.1", account="", reason="r", since=now, until=now + 5, by="x"),
        PutCredential(id="c", account="", kind=CredentialKind.TOKEN, name="n", verifier="v", expires=now + 5),
        PutCredential(id="d", account="", kind=CredentialKind.TOKEN, name="n", verifier="w"),
    )
    await store.housekeep()
    assert await store.kept_reply("a", "k") is not None
    assert len(await store.credentials("")) == 2
    clock.advance(2 * DAY)
    await store.housekeep()
    assert await store.kept_reply("a", "k") is None
    assert [row.id for row in await store.credentials("")] == ["d"]
    assert (len(await store.jobs()), len(await store.bans())) == (2, 1)
    clock.advance(31 * DAY)
    await store.housekeep()
    assert [row.id for row in await store.jobs()] == ["open"]
    assert await store.bans() == []
