"""DI: a directory of 10 000 domains and 1 000 000 accounts: import, finding, list pages, lookups of the mail path.

The column ``peer`` holds what is promised instead of another program's figure; a ratio above 1 keeps the promise.
Post offices, domains and accounts are what `posthouse import csv` makes of a file of a million lines: the operation
with its checks, limits, checkpoints and entries of the audit log, each account with its mailboxes, each batch flushed.
Aliases are added behind it, to be looked for. Of every other figure the slowest of its kind is told.
"""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from bench.table import Row
from posthouse.config.settings import Settings
from posthouse.core.address import parse_address
from posthouse.services.administration.call import Call, perform
from posthouse.services.administration.caller import Caller
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.operations import import_
from posthouse.services.administration.operations.import_models import ImportCsv
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.inheritance import read_settings
from posthouse.services.identity.sealing import Sealing
from posthouse.store.contract import Store
from posthouse.store.directory_values import AccountState, Level, PutAlias
from posthouse.store.open import open_store
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


def _write_csv(path: Path, accounts: int) -> None:
    with path.open("w") as file:
        file.write("address,password_hash,name,quota,office,level,disabled\n")
        for number in range(accounts):
            address = _address(number)
            first, _, last = address.partition("@")[0].partition(".")
            name = f"{first.title()} {last.rstrip('0123456789').title()}"
            secret = f"{{SSHA512}}{number:08d}{'A' * 80}"
            level = "domain" if number % PER_DOMAIN == 0 else "user"
            office = f"office{number // PER_DOMAIN % OFFICES}"
            file.write(f"{address},{secret},{name},1G,{office},{level},{'yes' if number % 50 == 49 else 'no'}\n")


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 18):
            yield piece


async def _hash(_: bytes) -> str:
    raise AssertionError("the file has hashes")


async def _import(store: Store, home: Path, accounts: int) -> tuple[float, float]:
    """Return accounts a second, and microseconds of processor time for each."""
    file = home / "people.csv"
    _write_csv(file, accounts)
    desk = Desk(
        store=store,
        clock=SystemClock(),
        settings=await read_settings(store),
        hostname="mail.example.org",
        home=home,
        hash_password=_hash,
        sealing=Sealing(bytes(32)),
    )
    call = Call(caller=Caller.on_this_machine("bench"), desk=desk, upload=_pieces(file))
    began, cpu = time.perf_counter(), time.process_time()
    told = await perform(import_.csv, call, ImportCsv())
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    if told.counts["accounts"] != {"made": accounts}:
        raise AssertionError(told)
    file.unlink()
    return accounts / seconds, cpu / accounts * 1e6


async def _add_aliases(store: Store, accounts: int) -> None:
    made = [
        PutAlias(address=f"info{number}@company{number // PER_DOMAIN}.example", targets=(_address(number),))
        for number in range(0, accounts, 10)
    ]
    for start in range(0, len(made), BATCH):
        await store.commit(*made[start : start + BATCH])


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
        speed, cpu = await _import(store, home, accounts)
        await _add_aliases(store, accounts)
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
        Row(f"import of {accounts:,} accounts", speed, 5000, "accounts/s"),
        Row("import, processor time for each account", cpu, None, "us"),
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
