"""Workers are killed at random instants: what was acknowledged is there exactly once, and the store is sound.

``POSTHOUSE_CRASH_ROUNDS`` sets the number of rounds (default 15).
"""

import collections
import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from posthouse.core.flags import Flag
from posthouse.store.rows import Field
from tests.support.stores import furnish, make_store

ROOT = Path(__file__).parents[2]
ROUNDS = int(os.environ.get("POSTHOUSE_CRASH_ROUNDS", "15"))
WORKERS = 2
ALL = ((1, 0xFFFFFFFF),)


class Told:
    """What the workers of all rounds said was acknowledged, or about to be done."""

    def __init__(self):
        self.filed = {}
        self.ids = {"queued": set(), "relaying": set(), "relayed": set()}
        self.names = {"seen": set(), "moved": set(), "expunging": set(), "expunged": set()}

    def note(self, line):
        record = json.loads(line)
        kind = record["kind"]
        if kind == "filed":
            self.filed[record["name"]] = record["uid"]
        elif kind in self.ids:
            self.ids[kind].add(record["id"])
        elif kind in self.names:
            self.names[kind].add(record["name"])


def start(home, worker, seed):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.crash.store_worker", str(home), str(worker), str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
    )


def run_and_kill(home, seed, dice, told):
    """Start the workers, read what they say, and kill each after a random number of lines."""
    workers = [start(home, number, seed) for number in range(WORKERS)]

    def follow(process, lines):
        for number, line in enumerate(process.stdout):
            if line.endswith("\n"):  # the last line may be cut in its middle
                told.note(line)
            if number == lines:
                process.kill()

    threads = [threading.Thread(target=follow, args=(process, dice.randrange(2, 400))) for process in workers]
    for thread in threads:
        thread.start()
    for thread, process in zip(threads, workers, strict=True):
        thread.join()
        process.wait()
        process.stdout.close()


async def check(home, told):
    """Reopen the store and compare it with what was told."""
    async with make_store(home) as store:
        assert await store.verify() == []
        account = (await store.account("ann@example.org")).id
        found = collections.Counter()
        state = {}
        for row in await store.mailboxes(account):
            for uid, subject, flags in await store.messages(
                account, row.id, ALL, (Field.UID, Field.SUBJECT, Field.FLAGS)
            ):
                found[subject] += 1
                state[subject] = (row.name, uid, flags)
        waiting = {row.queue_id for row in await store.queue_rows(limit=1_000_000)}
    assert max(found.values(), default=1) == 1
    names = told.names
    for name, uid in told.filed.items():
        if name not in found:
            assert name in names["expunging"]
            continue
        mailbox, seen_uid, flags = state[name]
        assert name not in names["expunged"]
        assert mailbox == "Archive" or (seen_uid == uid and name not in names["moved"])
        assert flags & Flag.SEEN or name not in names["seen"]
    assert not told.ids["relayed"] & waiting
    assert told.ids["queued"] - waiting <= told.ids["relaying"]


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("first", [1])
async def test_what_was_acknowledged_survives_kill_9(tmp_path, first):
    """After every kill the store opens, is sound, and holds each acknowledged change exactly once."""
    home = tmp_path / "home"
    async with make_store(home) as store:
        await furnish(store, "ann@example.org")
    told = Told()
    dice = random.Random(first)
    for seed in range(ROUNDS):
        run_and_kill(home, seed, dice, told)
        await check(home, told)
    assert len(told.filed) > ROUNDS
