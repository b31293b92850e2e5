"""IMAP changes under kill -9: what was answered OK survives; what was cut is as before or as after, nothing else."""

import asyncio
import collections
import os
import random
import re
import signal

import pytest

from tests.crash.house import MortalServer
from tests.crash.imap_load import ImapLoad
from tests.support.server import DOMAIN, PASSWORD

pytestmark = [pytest.mark.crash, pytest.mark.slow]

ROUNDS = max(2, int(os.environ.get("POSTHOUSE_CRASH_ROUNDS", "6")) // 2)
PEOPLE = ("anna", "ben", "cora")
PROGRESS = 20
_ROW = re.compile(rb"FLAGS \(([^)]*)\)")
_SUBJECT = re.compile(rb"Subject: (\S+)")


def found(house, name):
    """Return where each message is, and how often."""
    places = collections.defaultdict(list)
    with house.imap(name) as client:
        for mailbox in ("INBOX", "Archive", "Trash"):
            _, counts = client.select(mailbox, readonly=True)
            if counts[0] == b"0":
                continue
            _, parts = client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            for part in parts:
                if isinstance(part, tuple):
                    token = _SUBJECT.search(part[1])[1].decode()
                    places[token].append((mailbox, b"\\Flagged" in _ROW.search(part[0])[1]))
    return places


def check(house, name, load):
    """Compare what is there with what may be there; each message may then only be as it was found."""
    places = found(house, name)
    assert places.keys() <= load.may_be.keys()
    for token, allowed in load.may_be.items():
        there = places.get(token, [])
        assert len(there) == len(set(there)), f"{token} of {name} is doubled: {there}"
        assert frozenset(there) in allowed, f"{token} of {name}: {there}, not {allowed}"
        load.may_be[token] = (frozenset(there),)


async def kill_rounds(house, loads):
    """Kill and check."""
    dice = random.Random()
    for _ in range(ROUNDS):
        await asyncio.sleep(dice.random() * 0.5)
        await asyncio.to_thread(house.kill, dice.choice(("worker", "worker", "all")), dice.randrange(2))
        before = sum(load.acknowledged for load in loads)
        async with asyncio.timeout(30):
            while sum(load.acknowledged for load in loads) < before + PROGRESS:  # noqa: ASYNC110  (a test's wait)
                await asyncio.sleep(0.02)
        for name, load in zip(PEOPLE, loads, strict=True):
            await load.rest()
            await asyncio.to_thread(check, house, name, load)
            load.paused = False
    done = await asyncio.to_thread(house.run, "verify")
    assert done.returncode == 0, done.stdout + done.stderr


async def test_imap_changes_that_were_answered_ok_survive_kill_9(tmp_path, capsys):
    """APPEND, STORE, COPY, MOVE and EXPUNGE are there after a kill, or were cut and are wholly there or not at all."""
    house = MortalServer(tmp_path / "home", PEOPLE)
    await asyncio.to_thread(house.found)
    await asyncio.to_thread(house.restart)
    loads = [ImapLoad(house.port(143), f"{name}@{DOMAIN}", PASSWORD) for name in PEOPLE]
    tasks = [asyncio.create_task(load.run()) for load in loads]
    try:
        await kill_rounds(house, loads)
    finally:
        for load in loads:
            load.stopped = True
        await asyncio.wait(tasks)
        await asyncio.to_thread(house.stop, signal.SIGKILL)
    assert [task.exception() for task in tasks] == [None] * len(tasks)
    with capsys.disabled():
        print(f"\n{house.report()}; {sum(load.acknowledged for load in loads)} changes acknowledged")
