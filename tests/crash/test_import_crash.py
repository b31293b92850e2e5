"""An import is killed again and again in the middle: run once more it goes on, and the directory is that of one run."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys

import pytest

from posthouse.config.home import Home
from posthouse.founding import Founding, found_home
from posthouse.store.open import open_store
from posthouse.toolbox import SystemClock
from tests.support.server import PASSWORD, run_posthouse, until

pytestmark = [pytest.mark.crash, pytest.mark.slow]

DOMAINS = 120
PEOPLE = 100  # of each domain
HASH = "{SSHA512}" + "A" * 88
COMMAND = ("import", "csv")


def people():
    """Lines of a CSV file: people with further addresses and groups, in domains that the import makes."""
    yield "address,password_hash,quota,name,aliases,groups\n"
    for number in range(DOMAINS * PEOPLE):
        domain = f"d{number // PEOPLE}.example"
        further = f"first.p{number}@{domain}" if number % 10 == 0 else ""
        group = f"team@{domain}" if number % 25 == 0 else ""
        yield f"p{number}@{domain},{HASH},1G,Person {number},{further},{group}\n"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return the file that is imported."""
    path = tmp_path_factory.mktemp("source") / "people.csv"
    path.write_text("".join(people()))
    return path


def founded(path):
    """Make a home with one domain and its administrator."""
    plan = Founding(
        hostname="mx.example.test", domain="example.test", admin="admin@example.test",
        password=PASSWORD.encode(), listen=("127.0.0.1",),
    )  # fmt: skip
    asyncio.run(found_home(Home(path), plan))
    return path


@contextlib.asynccontextmanager
async def opened(home):
    store = open_store("sqlite:///store.db", worker=900, home=home, clock=SystemClock())
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def pages(read, **given):
    """Return all rows of a list."""
    found, after = [], ""
    while page := await read(after=after, **given):
        found += page
        after = getattr(page[-1], "address", None) or getattr(page[-1], "name", "")
    return found


def directory(home):
    """Return what the import made, without what differs by the time and order of making."""

    async def read():
        async with opened(home) as store:
            assert await store.verify() == []  # the chain of the audit log as well
            accounts = [row for row in await pages(store.accounts, limit=1000) if row.address.startswith("p")]
            told = {
                row.address: (row.display_name, row.quota_bytes, row.password_hash, row.state, row.level)
                for row in accounts
            }
            further = {row.address: await store.addresses(row.id) for row in accounts}
            boxes = {row.address: [box.name for box in await store.mailboxes(row.id)] for row in accounts[::50]}
            domains = {row.name: (row.accounts, row.groups, row.quota) for row in await store.domains()}
            groups = {row.address: await store.members(row.address) for row in await pages(store.groups, limit=1000)}
            traces, number = {}, 0
            while entries := await store.audit(after=number, limit=5000):
                number = entries[-1].number
                for entry in entries:
                    traces[entry.subject] = traces.get(entry.subject, 0) + 1
            return told, further, boxes, domains, groups, traces

    return asyncio.run(read())


def imported_so_far(home):
    """Return how many accounts there are."""
    with contextlib.closing(sqlite3.connect(f"file:{home}/store.db?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT sum(accounts) FROM domain").fetchone()[0]


def test_a_killed_import_goes_on_and_ends_the_same(tmp_path, source):
    """Kill -9 four times; the last run makes what is missing, once, and every thing's making is found in the log."""
    whole = founded(tmp_path / "whole")
    once = run_posthouse(whole, *COMMAND, str(source), seconds=120)
    assert once.returncode == 0, once.stderr
    home = founded(tmp_path / "killed")
    reached = [0]
    for share in (0.1, 0.3, 0.5, 0.5):
        process = subprocess.Popen(
            [sys.executable, "-m", "posthouse.cli", "--home", str(home), *COMMAND, str(source)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wanted = int(DOMAINS * PEOPLE * share)
        until(lambda wanted=wanted: imported_so_far(home) > wanted, f"{wanted} accounts", 120)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        reached.append(imported_so_far(home))
    assert reached == sorted(reached)
    assert reached[-1] < DOMAINS * PEOPLE  # each was killed in the middle
    last = run_posthouse(home, *COMMAND, str(source), "--json", seconds=120)
    assert last.returncode == 0, last.stderr
    assert '"complete":true' in last.stdout
    assert '"resumed_after":0' not in last.stdout
    told, expected = directory(home), directory(whole)
    assert told == expected
    assert all(told[-1][f"account:{address}"] == 1 for address in told[0])
    again = run_posthouse(home, *COMMAND, str(source), "--json", seconds=120)
    assert '"made"' not in again.stdout
    assert directory(home) == expected
