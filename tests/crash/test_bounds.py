"""Memory of a worker of a real server: bounded for each transfer whatever its size, and for each rude client.

Measured is the anonymous memory of a fresh worker, sampled while clients are at work, against what it was after one message
of the same size had gone the same way alone, which fills the caches that the process has once (those of SQLite).
"""

import asyncio
import concurrent.futures
import contextlib
import os
import threading
import time

import pytest

from posthouse.core import limits
from tests.crash import bulk
from tests.crash.house import MortalServer
from tests.crash.sink import Sink
from tests.support.server import DOMAIN, PASSWORD, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bounds")]

PEOPLE = ("anna", "ben")
LOGIN = f"anna@{DOMAIN}"
AT_ONCE = 4
BLOCKS = int(os.environ.get("POSTHOUSE_BOUNDS_BLOCKS", "400"))  # of 64 800 octets: 25 MiB
MIDDLE = 20  # blocks
ALLOWED = limits.TRANSFER_MEMORY


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a running server with one worker, and a next hop that takes everything."""
    server = MortalServer(tmp_path_factory.mktemp("bounds") / "home", PEOPLE)
    server.workers = 1
    server.found()
    server.set(relay__networks="127.0.0.0/8", smtp__message_size="200 MiB", imap__append_size="200 MiB")
    with next_hop() as sink:
        server.route("far.test", sink.port, tls="none")
        server.sink = sink
        server.restart()
        try:
            for blocks in (MIDDLE, BLOCKS):
                WAYS["SMTP DATA"](server, blocks)
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def next_hop():
    """Run a sink on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    sink = Sink()
    sink.moody = False
    asyncio.run_coroutine_threadsafe(sink.__aenter__(), loop).result(10)
    try:
        yield sink
    finally:
        asyncio.run_coroutine_threadsafe(sink.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def relay(house, blocks):
    """Send a message to the next hop, and wait until that has taken it."""
    before = house.sink.taken.total()
    bulk.send_data(house.port(25), "x@far.test", blocks)
    until(lambda: house.sink.taken.total() > before, "the next hop to take the message", 60)


WAYS = {
    "SMTP DATA": lambda house, blocks: bulk.send_data(house.port(25), LOGIN, blocks),
    "SMTP BDAT": lambda house, blocks: bulk.send_bdat(house.port(25), LOGIN, blocks),
    "LMTP DATA": lambda house, blocks: bulk.send_data(house.port(24), LOGIN, blocks, b"LHLO"),
    "IMAP APPEND": lambda house, blocks: bulk.append(house.port(143), LOGIN, PASSWORD, blocks),
    "SMTP relay": relay,
    "IMAP FETCH": lambda house, blocks: bulk.fetch(house.port(143), LOGIN, PASSWORD, place(house, blocks)),
    "POP3 RETR": lambda house, blocks: bulk.retrieve(house.port(110), LOGIN, PASSWORD, place(house, blocks)),
}


def place(house, blocks):
    """Return the sequence number of a message of so many blocks in the inbox."""
    with bulk.sign_in(house.port(143), LOGIN, PASSWORD) as wire:
        wire.imap(b"a SELECT INBOX\r\n")
        size = bulk.octets_for(blocks)
        lines = wire.imap(b"a SEARCH LARGER %d SMALLER %d\r\n" % (size - 1, size + 2_000))
        return int(next(line for line in lines if line.startswith(b"* SEARCH")).split()[2])


def fresh_worker(house, name):
    """Put a new worker in place of the one there is, warm it, and return its process id."""
    house.kill("worker")
    for blocks in (MIDDLE, BLOCKS):
        WAYS[name](house, blocks)
    return house.worker_pids()[0]


@pytest.mark.parametrize("name", WAYS)
def test_a_transfer_takes_bounded_memory(house, name, capsys):
    """Several messages of 25 MiB at once take at most 1.25 MiB of the worker for each beyond the first."""
    with (
        bulk.MemoryWatch.of(fresh_worker(house, name)) as watch,
        concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        began = time.monotonic()
        for done in [pool.submit(WAYS[name], house, BLOCKS) for _ in range(AT_ONCE)]:
            done.result()
        seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\n{name}: {AT_ONCE} x {bulk.octets_for(BLOCKS) >> 20} MiB in {seconds:.1f} s, "
              f"{watch.growth / (AT_ONCE - 1) / limits.MIB:.2f} MiB each")  # fmt: skip
    assert watch.growth <= (AT_ONCE - 1) * ALLOWED


RUDE = {
    "IMAP FETCH BODY[]": (143, b"a FETCH 1:* BODY.PEEK[]\r\n"),
    "IMAP FETCH FLAGS": (143, b"a FETCH 1:* (FLAGS UID)\r\n"),
    "IMAP SEARCH": (143, b"a UID SEARCH OR 1:* 1:*\r\n"),
    "IMAP LIST": (143, b'a LIST "" *\r\n'),
    "IMAP STATUS": (143, b"a STATUS INBOX (MESSAGES UIDNEXT UNSEEN)\r\n"),
    "IMAP BAD": (143, b"a\r\n"),
    "IMAP IDLE": (143, b"a IDLE\r\nDONE\r\n"),
    "POP3 RETR": (110, b"RETR 1\r\n"),
    "POP3 LIST": (110, b"LIST\r\n"),
    "POP3 NOOP": (110, b"NOOP\r\n"),
    "SMTP NOOP": (25, b"NOOP\r\n"),
    "SMTP EHLO": (25, b"EHLO a.test\r\n"),
    "SMTP MAIL": (25, b"MAIL FROM:<a@else.test>\r\nRSET\r\n"),
    "SMTP message": (
        25, b"MAIL FROM:<a@else.test>\r\nRCPT TO:<ben@example.test>\r\nRCPT TO:<no@example.test>\r\nDATA\r\n.\r\n",
    ),
}  # fmt: skip
RUDE_ALLOWED = 2 * limits.MIB  # what is unsent, what is not yet looked at, and one answer
COMMANDS = 12 * limits.MIB  # octets of commands


def open_rude(house, base):
    """Return a connection that is signed in where there is something to sign in to, with a small receive buffer."""
    port = house.port(base)
    if base == 143:
        wire = bulk.sign_in(port, f"ben@{DOMAIN}", PASSWORD, buffer=4_096)
        wire.imap(b"a SELECT INBOX\r\n")
        return wire
    wire = bulk.Wire(port, buffer=4_096)
    if base == 110:
        wire.say(f"USER ben@{DOMAIN}\r\nPASS {PASSWORD}\r\n".encode())
        assert [wire.line()[:3] for _ in range(3)] == [b"+OK"] * 3
    else:
        wire.smtp(b"", b"220")
        wire.smtp(b"EHLO a.test\r\n", b"250")
    return wire


@pytest.fixture(scope="module")
def furnished(house):
    """Give ben 100 messages and 100 mailboxes."""
    with bulk.sign_in(house.port(143), f"ben@{DOMAIN}", PASSWORD) as wire:
        for number in range(100):
            wire.imap(b"a CREATE box%d\r\n" % number)
            wire.imap(b"a APPEND INBOX {2000+}\r\n" + b"Subject: x\r\n\r\n" + b"y" * 1_986 + b"\r\n")
    return house


@pytest.mark.parametrize("name", RUDE)
def test_a_client_that_never_reads_takes_bounded_memory(furnished, name, capsys):
    """Commands without end and no answer read: the client is made to wait or shut out, and memory stays bounded."""
    house = furnished
    base, command = RUDE[name]
    with open_rude(house, base) as wire:
        bulk.flood(wire, command, most=len(command))
    with open_rude(house, base) as wire, bulk.MemoryWatch.of(house.worker_pids()[0]) as watch:
        ended = bulk.flood(wire, command, most=COMMANDS)
        time.sleep(0.2)
    with capsys.disabled():
        print(f"\n{name}: {ended}, {watch.growth / limits.MIB:.2f} MiB")
    assert watch.growth <= RUDE_ALLOWED
    assert ended != "all"
    with house.smtp() as client:
        assert client.noop()[0] == 250


def recipients(count):
    """Return so many RCPT commands for one account."""
    return b"".join(b"RCPT TO:<ben+%d@example.test>\r\n" % number for number in range(count))


def test_a_hundred_thousand_recipients(house, capsys):
    """The first thousand are granted, the next thousand told to wait with 452 4.5.3, and then the session ends."""
    with bulk.Wire(house.port(25)) as wire, bulk.MemoryWatch.of(house.worker_pids()[0]) as watch:
        wire.smtp(b"", b"220")
        wire.smtp(b"EHLO me.test\r\n", b"250")
        wire.smtp(b"MAIL FROM:<me@else.test>\r\n", b"250")
        sender = threading.Thread(target=send_all, args=(wire, 100_000))
        sender.start()
        replies = read_replies(wire)
        sender.join()
    granted = limits.SMTP_RECIPIENTS
    with capsys.disabled():
        print(f"\n100 000 recipients: {watch.growth / limits.MIB:.2f} MiB")
    assert all(reply.startswith(b"250 ") for reply in replies[:granted])
    # The last replies may be lost: who goes on sending to a closed socket is answered with a reset.
    assert granted < len(replies) <= granted + limits.SMTP_RECIPIENT_OVERSHOOT + 2
    assert all(reply.startswith((b"452 4.5.3 ", b"421 ")) for reply in replies[granted:])
    assert watch.growth <= 4 * limits.MIB


def test_recipients_beyond_the_limit_do_not_harm_the_others(house):
    """A client that heeds 452 delivers to the first thousand, and goes on with the rest in its next transaction."""
    before = house.count("ben")
    with bulk.Wire(house.port(25)) as wire:
        wire.smtp(b"", b"220")
        wire.smtp(b"EHLO me.test\r\n", b"250")
        for count in (limits.SMTP_RECIPIENTS + 5, 5):
            wire.smtp(b"MAIL FROM:<me@else.test>\r\n", b"250")
            wire.say(recipients(count))
            replies = [wire.line()[:4] for _ in range(count)]
            assert replies.count(b"250 ") == min(count, limits.SMTP_RECIPIENTS)
            assert replies.count(b"452 ") == max(0, count - limits.SMTP_RECIPIENTS)
            wire.smtp(b"DATA\r\n", b"354")
            wire.smtp(b"Subject: x\r\n\r\nText\r\n.\r\n", b"250")
    assert house.count("ben") > before


def send_all(wire, count):
    """Send RCPT commands until the server has had enough."""
    with contextlib.suppress(OSError):
        wire.say(recipients(count))


def read_replies(wire):
    """Read replies up to the end of the connection."""
    replies = []
    with contextlib.suppress(OSError):
        while True:
            replies.append(wire.line())
    return replies
