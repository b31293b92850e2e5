"""P4: IMAP commands on a mailbox of 20 000 messages of 10 kB; against Dovecot with warm caches.

Times are medians in milliseconds over a plaintext loopback connection, until the tagged reply has been read.
"""

import asyncio
import statistics
import time

from bench.corpus import messages
from bench.fill import fill_inbox
from bench.imap_client import ImapClient
from bench.peer_side import PostfixWithDovecot
from bench.posthouse_side import Posthouse
from bench.table import Row

TITLE = "P4 IMAP on 20 000 messages (milliseconds, less is better)"
# name, command, repetitions; {n} is the number of messages, {b} of those whose bodies are fetched
LINES = [
    ("SELECT", "SELECT INBOX", 5),
    ("FETCH 1:* (UID FLAGS)", "FETCH 1:* (UID FLAGS)", 5),
    ("FETCH 1:* ENVELOPE", "FETCH 1:* (ENVELOPE)", 5),
    ("FETCH 1:* as a client opens a mailbox", "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", 5),
    ("FETCH 1:* BODYSTRUCTURE", "FETCH 1:* (BODYSTRUCTURE)", 5),
    ("FETCH 1:{b} BODY.PEEK[]", "FETCH 1:{b} (BODY.PEEK[])", 3),
    ("FETCH 1:{b} BODY.PEEK[HEADER]", "FETCH 1:{b} (BODY.PEEK[HEADER])", 3),
    ("STORE 1:* +FLAGS", "STORE 1:* +FLAGS (\\Flagged)", 1),
    ("STORE 1:* -FLAGS.SILENT", "STORE 1:* -FLAGS.SILENT (\\Flagged)", 1),
    ("SEARCH UNSEEN", "SEARCH UNSEEN", 5),
    ("SEARCH SUBJECT", "SEARCH SUBJECT invoice", 3),
    ("SEARCH BODY", "SEARCH BODY nowheretobefound", 1),
]
AHEAD = {"FETCH 1:* ENVELOPE", "STORE 1:* +FLAGS"}
ADDRESS = "user0@bench.test"


def _time(client: ImapClient, line: str, repetitions: int) -> float:
    return statistics.median(client.command(line)[0] for _ in range(repetitions)) * 1000


def _noops(client: ImapClient, count: int) -> float:
    began = time.perf_counter()
    for _ in range(count):
        client.command("NOOP")
    return count / (time.perf_counter() - began)


def measure(*, small: bool) -> list[Row]:
    """Return the rows of P4."""
    count, bodies = (300, 50) if small else (20_000, 3_000)
    contents = messages(100 if small else 500)
    ours = Posthouse(1)
    with PostfixWithDovecot(1) as peer, ours:
        ours.stop()
        asyncio.run(fill_inbox(ours.home, ADDRESS, contents, count))
        peer.fill(ADDRESS, contents, count)
        ours.serve()
        sides = [ours.imap(ADDRESS), peer.imap(ADDRESS)]
        for client in sides:
            client.command("SELECT INBOX")
            for warm in ("ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE RFC822.SIZE", "BODY.PEEK[HEADER]"):
                client.command(f"FETCH 1:* ({warm})")
        rows = []
        for name, line, repetitions in LINES:
            line = line.format(b=bodies)  # noqa: PLW2901
            mine, theirs = (_time(client, line, repetitions) for client in sides)
            floor = 1.0 if name in AHEAD else 0.5
            rows.append(Row(name.format(b=bodies), mine, theirs, "ms", floor, 1.0, lower_is_better=True))
        mine, theirs = (_noops(client, 100 if small else 5_000) for client in sides)
        rows.append(Row("NOOP round trips", mine, theirs, "1/s", 0.5, 1.0))
        for client in sides:
            client.close()
    return rows
