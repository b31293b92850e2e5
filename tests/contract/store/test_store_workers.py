"""Several workers on one store: stores in one process, and processes of their own."""

import asyncio
import multiprocessing

import pytest

from posthouse.store.rows import Field
from posthouse.store.values import ClaimRecipients, TakeDuty
from tests.support.stores import EPOCH, delivery, furnish, make_store, queued

ALL = ((1, 0xFFFFFFFF),)


async def test_workers_give_out_uids_together(opener):
    """Deliveries of several workers to one mailbox get all UIDs once, and every worker sees them all."""
    stores = [await opener() for _ in range(3)]
    (account,) = await furnish(stores[0], "ann@example.org")
    inbox = (await stores[0].mailbox_named(account, "INBOX")).id
    results = await asyncio.gather(*(stores[n % 3].commit(delivery(account)) for n in range(90)))
    assert sorted(result.filed[0].uid for result in results) == list(range(1, 91))
    assert len({result.filed[0].modseq for result in results}) == 90
    for store in stores:
        assert list(await store.uids(account, inbox)) == list(range(1, 91))
    assert await stores[0].verify() == []


async def test_a_read_sees_what_a_sibling_was_told_is_written(opener):
    """What one worker's commit acknowledged every other reads at once."""
    one, two = await opener(), await opener()
    (account,) = await furnish(one, "ann@example.org")
    assert (await two.account("ann@example.org")).id == account
    inbox = (await two.mailbox_named(account, "INBOX")).id
    for number in range(1, 20):
        await (one, two)[number % 2].commit(delivery(account))
        assert (await (two, one)[number % 2].mailbox(account, inbox)).messages == number


async def test_no_recipient_is_claimed_twice(opener):
    """Claims of several workers at a time share out the due recipients."""
    stores = [await opener() for _ in range(3)]
    for _ in range(10):
        await stores[0].commit(queued("a@x.example", "b@y.example", "c@z.example"))
    claims = await asyncio.gather(
        *(
            stores[n % 3].commit(ClaimRecipients(owner=f"w{n}", now=EPOCH + 1, lease_until=EPOCH + 99, limit=4))
            for n in range(12)
        )
    )
    claimed = [(row.queue_id, row.number) for rows in claims for row in rows]
    assert len(claimed) == len(set(claimed)) == 30


async def test_one_worker_has_a_duty(opener):
    """Of several workers that ask at a time one gets the duty."""
    stores = [await opener() for _ in range(3)]
    held = await asyncio.gather(
        *(store.commit(TakeDuty(name="d", owner=f"w{n}", now=0, until=10)) for n, store in enumerate(stores))
    )
    assert sorted(held) == [False, False, True]


def work(home, worker, account, count, results):
    """Deliver from a process of its own and report what was acknowledged."""

    async def run():
        async with make_store(home, worker=worker) as store:
            done = await asyncio.gather(*(store.commit(delivery(account, f"{worker}-{n}")) for n in range(count)))
            results.put([result.filed[0].uid for result in done])

    asyncio.run(run())


@pytest.mark.slow
async def test_processes_share_one_store(tmp_path):
    """Processes that deliver at a time lose nothing and double nothing."""
    home = tmp_path / "home"
    async with make_store(home) as store:
        (account,) = await furnish(store, "ann@example.org")
        inbox = (await store.mailbox_named(account, "INBOX")).id
        context = multiprocessing.get_context("spawn")
        results = context.Queue()
        processes = [context.Process(target=work, args=(home, n, account, 200, results)) for n in range(1, 4)]
        for process in processes:
            process.start()
        own = await asyncio.gather(*(store.commit(delivery(account, f"0-{n}")) for n in range(200)))
        uids = [result.filed[0].uid for result in own]
        for _ in processes:
            uids += await asyncio.to_thread(results.get, timeout=60)
        for process in processes:
            await asyncio.to_thread(process.join)
        assert sorted(uids) == list(range(1, 801))
        contents = {content for (content,) in await store.messages(account, inbox, ALL, (Field.CONTENT,))}
        assert len(contents) == 800
        assert await store.verify() == []


def open_only(home, worker, results):
    """Open the store from a process of its own."""

    async def run():
        async with make_store(home, worker=worker) as store:
            results.put(await store.directory_version())

    asyncio.run(run())


@pytest.mark.slow
async def test_processes_that_open_an_empty_home_at_once(tmp_path):
    """One of them makes the database; all find it whole."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=open_only, args=(tmp_path / "home", n, results)) for n in range(3)]
    for process in processes:
        process.start()
    assert [await asyncio.to_thread(results.get, timeout=60) for _ in processes] == [0, 0, 0]
    for process in processes:
        await asyncio.to_thread(process.join)
