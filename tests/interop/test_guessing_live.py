"""Five thousand guessed passwords from one address: who guesses is banned, and others sign in as fast as before.

The guesser is 127.0.0.9, the others are 127.0.0.1: loopback has as many addresses as one likes.
"""

from __future__ import annotations

import asyncio
import statistics
import time

import pytest

from tests.support.operating import operate
from tests.support.server import DOMAIN, PASSWORD, PosthouseServer

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.xdist_group("guessing")]
GUESSES = 5_000
CONNECTIONS = 40
GUESSER = "127.0.0.9"
SLOWEST = 1.0  # seconds that half of the others' sign-ins may take at most, on two cores that the tests share


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a server of its own: its bans concern nobody else."""
    with PosthouseServer(tmp_path_factory.mktemp("house") / "home") as server:
        server.add(*(f"p{number}" for number in range(60)))
        yield server


async def connect(house, source: str):
    """Open an IMAP connection from an address of this machine; return its ends after the greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port(143), local_addr=(source, 0))
    await reader.readline()
    return reader, writer


async def guess(house, numbers, answers: dict[str, int]) -> None:
    """Try passwords one after the other, on as many connections as that takes."""
    reader = writer = None
    for number in numbers:
        if writer is None:
            try:
                reader, writer = await connect(house, GUESSER)
            except OSError:
                answers["closed"] = answers.get("closed", 0) + 1
                continue
        try:
            writer.write(f"a LOGIN anna@{DOMAIN} guess-{number}\r\n".encode())
            line = await asyncio.wait_for(reader.readline(), 60)
        except OSError:
            line = b""
        code = line.partition(b"[")[2].partition(b"]")[0].decode() or "closed"
        answers[code] = answers.get(code, 0) + 1
        if not line or code == "closed":
            writer.close()
            writer = None
    if writer is not None:
        writer.close()


async def sign_in(house, name: str) -> float:
    """Sign somebody in whose password is not remembered; return how long that took."""
    began = time.perf_counter()
    reader, writer = await connect(house, "127.0.0.1")
    writer.write(f"a LOGIN {name}@{DOMAIN} {PASSWORD}\r\n".encode())
    line = await reader.readline()
    took = time.perf_counter() - began
    assert line.startswith(b"a OK"), line
    writer.close()
    return took


async def test_a_guesser_is_banned_and_slows_nobody_down(house, record_property) -> None:
    """At most some dozens of guesses are looked at; the others' sign-ins take about as long as in peace."""
    calm = [await sign_in(house, f"p{number}") for number in range(10)]
    answers: dict[str, int] = {}
    share = GUESSES // CONNECTIONS
    guessers = [
        asyncio.create_task(guess(house, range(first, first + share), answers)) for first in range(0, GUESSES, share)
    ]
    during, number = [], 10
    while not all(task.done() for task in guessers) and number < 60:
        during.append(await sign_in(house, f"p{number}"))
        number += 1
        await asyncio.sleep(0.1)
    await asyncio.gather(*guessers)
    record_property("calm", statistics.median(calm))
    record_property("during", statistics.median(during))
    assert answers.get("AUTHENTICATIONFAILED", 0) <= 2 * (12 + CONNECTIONS)  # by two workers; what was under way
    assert answers["UNAVAILABLE"] > 0
    assert statistics.median(during) < max(SLOWEST, 5 * statistics.median(calm))
    bans = (await asyncio.to_thread(operate, house, "ban.list", address=GUESSER))["items"]
    assert [row["network"] for row in bans] == [GUESSER]
    shown = await asyncio.to_thread(operate, house, "ban.show", network=GUESSER, account=f"anna@{DOMAIN}")
    assert "different wrong passwords" in shown["explanation"]
    assert await sign_in(house, "anna") < 10
    # The way back in: the ban is lifted, and the right password works from there within a second.
    await asyncio.to_thread(operate, house, "ban.remove", network=GUESSER, account=f"anna@{DOMAIN}")
    await asyncio.sleep(1.2)
    reader, writer = await connect(house, GUESSER)
    writer.write(f"a LOGIN anna@{DOMAIN} {PASSWORD}\r\n".encode())
    assert (await reader.readline()).startswith(b"a OK")
    writer.close()
