"""Notices between workers: who is told what, and what a dead worker leaves."""

import asyncio

import pytest

from posthouse.store.directory_values import PutSetting
from posthouse.store.notices import LocalNotices
from posthouse.store.values import (
    CreateMailbox,
    QueueControl,
    QueueResult,
    RecipientResult,
    RecipientState,
    ReleaseLeases,
)
from tests.support.stores import EPOCH, delivery, furnish, make_store, queued


def collect(store, seen, name):
    """Note every notice of a store."""
    store.notices.on_accounts(lambda accounts: seen.append((name, "accounts", sorted(accounts))))
    store.notices.on_directory(lambda: seen.append((name, "directory")))
    store.notices.on_queue(lambda: seen.append((name, "queue")))


async def settle(seen, wanted):
    """Let the loop run until the notices are there."""
    for _ in range(2000):
        if all(entry in seen for entry in wanted):
            return
        await asyncio.sleep(0)
    raise AssertionError(f"{wanted} not all in {seen}")


async def test_workers_are_told_what_changed(tmp_path):
    """A commit is told to this worker and to siblings, those that came later as well."""
    async with make_store(tmp_path, worker=1) as one, make_store(tmp_path, worker=2) as two:
        seen = []
        collect(one, seen, 1)
        collect(two, seen, 2)
        (account,) = await furnish(one, "ann@example.org")
        await settle(seen, [(1, "directory"), (2, "directory")])
        await two.commit(delivery(account))
        await settle(seen, [(1, "accounts", [account]), (2, "accounts", [account])])
        await one.commit(queued("a@x.example"))
        await settle(seen, [(1, "queue"), (2, "queue")])
        seen.clear()
        await one.commit(queued("a@x.example", lease_owner="w", lease_until=9e9))
        await two.commit(ReleaseLeases(owner="nobody"))
        await two.commit(PutSetting(name="n", value="1"))
        await settle(seen, [(1, "directory"), (2, "directory")])
        assert {entry[1] for entry in seen} == {"directory"}


async def test_a_read_after_a_notice_sees_the_change(tmp_path):
    """When a sibling is told of a change, its reads show it."""
    async with make_store(tmp_path, worker=1) as one, make_store(tmp_path, worker=2) as two:
        (account,) = await furnish(one, "ann@example.org")
        told = asyncio.get_running_loop().create_future()
        two.notices.on_accounts(lambda accounts: told.done() or told.set_result(accounts))
        await one.commit(CreateMailbox(account=account, name="new"))
        assert account in await told
        assert await two.mailbox_named(account, "new") is not None


async def test_what_an_administrator_wants_tried_now_is_told(tmp_path):
    """A retry by hand tells every worker so; one that falls due by itself soon is told as plain queue news."""
    async with make_store(tmp_path, worker=1) as one, make_store(tmp_path, worker=2) as two:
        waiting = queued("a@x.example")
        await one.commit(waiting)
        seen = []
        for name, store in enumerate((one, two), 1):
            store.notices.on_retry(lambda name=name: seen.append((name, "retry")))
            store.notices.on_queue(lambda name=name: seen.append((name, "queue")))
        queue_id, now = waiting.queue_id, EPOCH
        later = RecipientResult(
            queue_id=queue_id, number=0, state=RecipientState.WAITING, next_attempt=now + 5, reply="busy"
        )
        await one.commit(QueueResult(results=(later,)))
        await settle(seen, [(1, "queue"), (2, "queue")])
        assert {entry[1] for entry in seen} == {"queue"}
        await two.commit(QueueControl(queue_id=queue_id, state=RecipientState.WAITING, now=now))
        await settle(seen, [(1, "retry"), (2, "retry")])


async def test_ending_a_subscription(tmp_path):
    """What ends a callback ends it, also within a callback, and may be called twice."""
    async with make_store(tmp_path) as store:
        seen = []

        def once(accounts):
            seen.append(accounts)
            end()

        end = store.notices.on_accounts(once)
        (account,) = await furnish(store, "ann@example.org")
        await store.commit(delivery(account))
        end()
        assert len(seen) == 1


async def test_a_failing_callback_stops_no_other(tmp_path):
    """An error in a callback is reported by the loop; commit and other callbacks go on."""
    reported, seen = [], []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context["exception"]))
    async with make_store(tmp_path) as store:
        store.notices.on_directory(lambda: 1 / 0)
        store.notices.on_directory(lambda: seen.append(1))
        await furnish(store, "ann@example.org")
    assert len(seen) == 2
    assert all(isinstance(error, ZeroDivisionError) for error in reported)


async def test_the_socket_of_a_dead_worker_is_removed(tmp_path):
    """A socket nobody listens on is removed by the first who sends to it; one that left is forgotten."""
    import socket

    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    dead.bind(str(tmp_path / "notice.9.1.1.sock"))
    dead.close()
    notices = LocalNotices(tmp_path, 1)
    notices.open(asyncio.get_running_loop())
    notices.publish([1], directory=False, queue=False)
    assert [path.name.split(".")[1] for path in tmp_path.iterdir()] == ["1"]
    notices.close()
    notices.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("datagram", [b"", b"\x01abc", b"\xff" * 9, b"\x01" + b"\x00" * 65000], ids=len)
async def test_datagrams_that_are_not_ours(tmp_path, datagram):
    """Any datagram is taken without an error, and tells of no account that could be."""
    import socket

    notices = LocalNotices(tmp_path, 1)
    notices.open(asyncio.get_running_loop())
    seen = []
    notices.on_accounts(seen.extend)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(datagram, str(next(tmp_path.iterdir())))
    notices._read()
    notices.close()
    assert set(seen) <= {-1, 0}  # what octets of ours might have said; no account has such a number


async def test_many_accounts_are_told_in_pieces(tmp_path):
    """More accounts than one datagram holds all arrive."""
    one, two = LocalNotices(tmp_path, 1), LocalNotices(tmp_path, 2)
    loop = asyncio.get_running_loop()
    one.open(loop)
    two.open(loop)
    seen = set()
    two.on_accounts(seen.update)
    one._read()
    one.publish(range(2000), directory=False, queue=False)
    for _ in range(2000):
        if len(seen) == 2000:
            break
        await asyncio.sleep(0)
    assert seen == set(range(2000))
    one.close()
    two.close()


async def test_a_long_path_is_no_obstacle(tmp_path):
    """Sockets work in a directory whose path is longer than a socket's may be."""
    folder = tmp_path / ("x" * 120)
    notices = LocalNotices(folder, 1)
    notices.open(asyncio.get_running_loop())
    assert len(list(folder.iterdir())) == 1
    notices.close()
