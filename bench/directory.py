"""DI: a directory of 10 000 domains and 1 000 000 accounts: import, finding, list pages, lookups of the mail path.

The column ``peer`` holds what is promised instead of another program's figure; a ratio above 1 keeps the promise.
Accounts and aliases are imported through the store's own contract, some hundred to a commit, each commit flushed, and
each account with its mailboxes. Of every other figure the slowest of its kind is told.
"""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from bench.table import Row
from posthouse.config.settings import Settings
from posthouse.core.address import parse_address
from posthouse.services.identity.directory import Directory
from posthouse.store.contract import Store
from posthouse.store.directory_values import AccountState, Level, PutAccount, PutAlias, PutDomain, PutOffice
from posthouse.store.open import open_store
from posthouse.store.values import Change
from posthouse.toolbox import SystemClock

TITLE = "DI directory (peer: what is promised)"
BATCH = 400
PER_DOMAIN = 100
OFFICES = 100
MS = 1000.0
FIRST = [
    "anna",
    "ben",
    "carla",
    "dmitri",
    "eva",
    "franz",
    "greta",
    "hugo",
    "ines",
    "jan",
    "katrin",
    "lars",
    "maria",
    "nils",
    "olga",
    "pia",
    "quentin",
    "rosa",
    "sven",
    "tina",
]
LAST = [
    "berg",
    "okafor",
    "smith",
    "mueller",
    "larsen",
    "rossi",
    "dubois",
    "novak",
    "garcia",
    "chen",
    "ivanova",
    "haddad",
    "svensson",
    "kowalski",
    "tanaka",
]
COMMON = ("a", "an", "com", "example", "company", "ann", "@company", "mueller", "Anna Berg", "0")
RARE = ("xq", "zzz", "pia.chen9", "company77.ex", "a77@company", "9999.example", "Quentin Tanaka", "no-such-address")


def _address(number: int) -> str:
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    return f"{first}.{last}{number}@company{number // PER_DOMAIN}.example"


def _changes(accounts: int) -> Iterator[Change]:
    for number in range(OFFICES):
        yield PutOffice(name=f"office{number}")
    for number in range(accounts):
        domain = number // PER_DOMAIN
        if number % PER_DOMAIN == 0:
            yield PutDomain(name=f"company{domain}.example", office=f"office{domain % OFFICES}")
        address = _address(number)
        local = address.partition("@")[0]
        first, _, last = local.partition(".")
        name = f"{first.title()} {last.rstrip('0123456789').title()}"
        level = Level.DOMAIN if number % PER_DOMAIN == 0 else Level.USER
        state = AccountState.DISABLED if number % 50 == 49 else AccountState.ACTIVE
        yield PutAccount(
            address=address, display_name=name, password_hash="x" * 90, quota_bytes=1 << 30, level=level, state=state
        )
        if number % 10 == 0:
            yield PutAlias(address=f"info{number}@company{domain}.example", targets=(address,))


async def _import(store: Store, accounts: int) -> float:
    batch: list[Change] = []
    began = time.perf_counter()
    for change in _changes(accounts):
        batch.append(change)
        if len(batch) == BATCH:
            await store.commit(*batch)
            batch = []
    if batch:
        await store.commit(*batch)
    return accounts / (time.perf_counter() - began)


async def _slowest(calls: list[Callable[[], Awaitable[object]]]) -> float:
    """Return milliseconds of the slowest call; each is made twice and its better time counts."""
    worst = 0.0
    for call in calls:
        times = []
        for _ in range(2):
            began = time.perf_counter()
            await call()
            times.append(time.perf_counter() - began)
        worst = max(worst, min(times))
    return worst * MS


def _finds(store: Store, texts: tuple[str, ...], **within: str) -> list[Callable[[], Awaitable[object]]]:
    return [lambda text=text: store.find(text, **within) for text in texts]


def _pages(store: Store, accounts: int) -> list[Callable[[], Awaitable[object]]]:
    last = (accounts - 1) // PER_DOMAIN
    middle = f"company{last // 2}.example"
    return [
        lambda: store.accounts(limit=100),
        lambda: store.accounts(after="larsen", limit=100),
        lambda: store.accounts(after="tina.x", limit=100),
        lambda: store.accounts(domain=middle, limit=100),
        lambda: store.accounts(domain=middle, after="m", limit=100),
        lambda: store.accounts(office="office7", limit=100),
        lambda: store.accounts(office="office7", after="larsen", limit=100),
        lambda: store.accounts(office="office7", after="tina.x", limit=100),
        lambda: store.accounts(state=AccountState.DISABLED, after="m", limit=100),
        lambda: store.accounts(level=Level.DOMAIN, office="office7", limit=100),
        lambda: store.aliases(after="info5", limit=100),
        lambda: store.aliases(office="office7", limit=100),
        lambda: store.domains(limit=100),
        lambda: store.domains(after=middle, limit=100),
        lambda: store.domains(office="office7", limit=100),
        lambda: store.offices(limit=100),
    ]


async def _lookups(store: Store, accounts: int, count: int) -> tuple[float, float]:
    """Return microseconds of a lookup that the worker remembers, and milliseconds of one it does not."""
    directory = Directory(store, SystemClock(), Settings())
    chosen = random.Random(1)
    addresses = [parse_address(_address(chosen.randrange(accounts))) for _ in range(count)]
    began = time.perf_counter()
    for address in addresses:
        await directory.resolve(address)
    uncached = (time.perf_counter() - began) / count
    began = time.perf_counter()
    for address in addresses:
        await directory.resolve(address)
    cached = (time.perf_counter() - began) / count
    directory.close()
    return cached * 1e6, uncached * MS


async def _measure(home: Path, accounts: int, lookups: int) -> list[Row]:
    store = open_store("sqlite:///store.db", worker=0, home=home, clock=SystemClock())
    await store.open()
    try:
        speed = await _import(store, accounts)
        await store.housekeep()
        common = await _slowest(_finds(store, COMMON))
        rare = await _slowest(_finds(store, RARE))
        scoped = await _slowest(
            _finds(store, COMMON + RARE, office="office7") + _finds(store, COMMON + RARE, domain="company3.example")
        )
        pages = await _slowest(_pages(store, accounts))
        cached, uncached = await _lookups(store, accounts, lookups)
    finally:
        await store.close()
    size = sum(file.stat().st_size for file in home.glob("store.db*")) / accounts
    return [
        Row(f"import of {accounts:,} accounts with aliases", speed, 5000, "accounts/s"),
        Row("find, common parts, slowest", common, 50, "ms", lower_is_better=True),
        Row("find, rare parts, slowest", rare, 50, "ms", lower_is_better=True),
        Row("find in a post office or domain, slowest", scoped, 50, "ms", lower_is_better=True),
        Row("list page of 100, slowest", pages, 50, "ms", lower_is_better=True),
        Row("lookup on the mail path, remembered", cached, 20, "us", lower_is_better=True),
        Row("lookup on the mail path, not remembered", uncached, 1, "ms", lower_is_better=True),
        Row("on the disk for each account", size / 1024, None, "KiB"),
    ]


def measure(*, small: bool) -> list[Row]:
    """Return the rows of the directory."""
    home = Path(tempfile.mkdtemp(prefix="posthouse-directory-"))
    try:
        return asyncio.run(_measure(home, 20_000 if small else 1_000_000, 2_000 if small else 15_000))
    finally:
        shutil.rmtree(home, ignore_errors=True)
