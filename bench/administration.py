"""What an administrator waits for: help, a command, a request to the API, and until a change holds in every worker."""

import http.client
import json
import smtplib
import statistics
import subprocess
import sys
import time

from bench.posthouse_side import Posthouse
from bench.table import Row

TITLE = "Administration"
CLIENTS = 16  # connections opened at once, so that each of two workers gets some


def _command(ours: Posthouse, *words: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "posthouse.cli", "--home", str(ours.home), *words], check=True, capture_output=True
    )
    return time.perf_counter() - began


def _requests(ours: Posthouse, count: int) -> tuple[float, float]:
    """Return the seconds of the first request to the API, and the median of those after it."""
    token = json.loads(ours.run("token", "add", "bench", "--json"))["token"]
    link = http.client.HTTPConnection("127.0.0.1", ours.port(80), timeout=30)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        link.request("GET", "/api/v1/accounts?limit=100", headers={"authorization": f"Bearer {token}"})
        answer = link.getresponse()
        answer.read()
        assert answer.status == 200
        times.append(time.perf_counter() - began)
    return times[0], statistics.median(times[1:])


def _effective(ours: Posthouse, number: int) -> float:
    """Return the seconds from the end of a command until every worker takes mail for the account it added."""
    address = f"new{number}@bench.test"
    clients = [smtplib.SMTP("127.0.0.1", ours.port(25), timeout=30) for _ in range(CLIENTS)]
    for client in clients:
        client.ehlo("bench.test")
        client.mail("somebody@elsewhere.test")
        assert client.rcpt(address)[0] == 550
    ours.run("account", "add", address)
    began = time.perf_counter()
    slowest = 0.0
    for client in clients:
        while client.rcpt(address)[0] != 250:
            assert time.perf_counter() - began < 20
        slowest = max(slowest, time.perf_counter() - began)
        client.close()
    return slowest


def measure(*, small: bool) -> list[Row]:
    """Return what each thing takes."""
    rounds = 2 if small else 20
    with Posthouse(1) as ours:
        help_time = min(_command(ours, "--help") for _ in range(rounds))
        listing = min(_command(ours, "account", "list") for _ in range(rounds))
        first, later = _requests(ours, 5 if small else 200)
        changes = [_effective(ours, number) for number in range(rounds)]
    return [
        Row("`posthouse --help` (promised: 150 ms)", help_time * 1000, None, "ms", lower_is_better=True),
        Row("`posthouse account list`, the whole command", listing * 1000, None, "ms", lower_is_better=True),
        Row("first request to the API, which loads it", first * 1000, None, "ms", lower_is_better=True),
        Row("a page of accounts over the API, median", later * 1000, None, "ms", lower_is_better=True),
        Row("a change holds in every worker, slowest (promised: 1 s)", max(changes), None, "s", lower_is_better=True),
    ]
