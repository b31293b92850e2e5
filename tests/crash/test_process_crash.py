"""Processes of a real server are killed at random instants under load: nothing that was acknowledged is lost or doubled.

``POSTHOUSE_CRASH_ROUNDS`` sets the number of kills (default 6); a check of everything follows each tenth.
"""

import asyncio
import collections
import os
import random
import re
import signal
import statistics

import pytest

from tests.crash.house import MortalServer
from tests.crash.load import FAR, Load, Sender
from tests.crash.sink import Sink
from tests.support.server import until

pytestmark = [pytest.mark.crash, pytest.mark.slow]

ROUNDS = int(os.environ.get("POSTHOUSE_CRASH_ROUNDS", "6"))
CHECK_EVERY = 10
PEOPLE = ("anna", "ben", "cora", "dan")
READY_WITHIN = 2.0  # seconds, for the median: a machine that runs the whole of the tests at once may stumble
PROGRESS = 40  # messages that must be acknowledged after each kill
SUBJECT = re.compile(rb"^Subject: (\S+)", re.MULTILINE)


@pytest.fixture
def house(tmp_path):
    """Return a founded server that relays for this machine and tries again after a second."""
    server = MortalServer(tmp_path / "home", PEOPLE).found()
    server.set(relay__networks="127.0.0.0/8", queue__retry_schedule="1s", relay__dead_host_pause="1s")
    yield server
    if server.process is not None:
        server.stop(signal.SIGKILL)


async def until_true(condition, what, seconds=30.0):
    """Wait on the loop."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds} s in vain for {what}"
        await asyncio.sleep(0.02)


def subjects(house, name):
    """Count the tokens in an inbox."""
    with house.imap(name) as client:
        client.select("INBOX", readonly=True)
        _, parts = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    return collections.Counter(SUBJECT.search(part[1])[1].decode() for part in parts if isinstance(part, tuple))


def check_mailboxes(house, load):
    """Every acknowledged message is in its mailboxes exactly once; nothing is there twice."""
    for name in PEOPLE:
        found = subjects(house, name)
        wanted = {token for token, names in load.local.items() if name in names}
        assert not wanted - found.keys(), f"lost for {name}"
        assert [token for token, count in found.items() if count > 1] == [], f"doubled for {name}"


async def check(house, load, sink):
    """Stop the load for a while and compare."""
    await load.rest()
    sink.moody = False
    await until_true(lambda: load.remote <= sink.taken.keys(), "the queue to be delivered", 20)
    await asyncio.to_thread(check_mailboxes, house, load)
    done = await asyncio.to_thread(house.run, "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    await asyncio.to_thread(until, lambda: not house.rows("queue", "list"), "the queue to be empty")
    sink.moody = True
    load.paused = False


async def kill_rounds(house, load, sink):
    """Kill, wait until mail flows again, and check now and then."""
    dice = random.Random()
    for number in range(1, ROUNDS + 1):
        await asyncio.sleep(dice.random() * 0.6)
        what = dice.choice(("worker", "worker", "supervisor", "all"))
        await asyncio.to_thread(house.kill, what, dice.randrange(2))
        before = load.acknowledged
        await until_true(lambda before=before: load.acknowledged >= before + PROGRESS, "mail to flow again")
        if number % CHECK_EVERY == 0 or number == ROUNDS:
            await check(house, load, sink)


def start_senders(house, load):
    """Start six SMTP and two LMTP sessions."""
    senders = [Sender(load, house.port(25), f"s{number}") for number in range(6)]
    senders += [Sender(load, house.port(24), f"l{number}", lmtp=True) for number in range(2)]
    return [asyncio.create_task(sender.run()) for sender in senders]


async def test_acknowledged_mail_survives_kill_9_of_any_process(house, capsys):
    """Kill workers, the supervisor or all: local mail is there exactly once, remote mail arrives, verify is clean."""
    load = Load(PEOPLE)
    async with Sink() as sink:
        await asyncio.to_thread(house.route, FAR, sink.port, tls="none")
        await asyncio.to_thread(house.restart)
        tasks = start_senders(house, load)
        try:
            await kill_rounds(house, load, sink)
        finally:
            load.stopped = True
            await asyncio.wait(tasks)
        again = sum(sink.taken.values()) - len(sink.taken)
    await asyncio.to_thread(house.stop)
    with capsys.disabled():
        local, remote = len(load.local), len(load.remote)
        print(f"\n{house.report()}; acknowledged {load.acknowledged} ({local} local, {remote} remote, {again} again)")
    assert [task.exception() for task in tasks] == [None] * len(tasks)
    assert statistics.median(house.restarts) < READY_WITHIN


def send_one(house, recipient, subject):
    """Send a message."""
    with house.smtp() as client:
        client.sendmail("me@else.test", [recipient], f"Subject: {subject}\r\n\r\nText\r\n")


async def test_leases_of_killed_workers_do_not_delay_mail(house):
    """What workers of an earlier generation held when everything was killed is tried at once after the restart."""
    async with Sink() as sink:
        sink.moody, sink.silent = False, True
        await asyncio.to_thread(house.route, FAR, sink.port, tls="none")
        await asyncio.to_thread(house.start)
        house.process.send_signal(signal.SIGUSR2)
        await asyncio.to_thread(until, lambda: house.ready_count() == 2, "the new generation")
        await asyncio.to_thread(send_one, house, f"x@{FAR}", "kept")
        await asyncio.to_thread(until, lambda: house.rows("queue", "list"), "the message to be under way")
        sink.silent = False
        await asyncio.to_thread(house.kill, "all")
        await until_true(lambda: sink.taken["kept"] == 1, "the message to arrive", 5)
    await asyncio.to_thread(house.stop)
