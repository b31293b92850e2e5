"""P1: accept and deliver to local mailboxes; against Postfix -> LMTP -> Dovecot (Maildir).

A message counts when it lies in a mailbox. Both sides get the same varied corpus over 20 sessions.
"""

import asyncio
import time
from typing import Protocol

from bench.corpus import messages
from bench.fill import fill_inbox
from bench.load import Load, run
from bench.peer_side import PostfixWithDovecot
from bench.posthouse_side import Posthouse
from bench.table import Row

TITLE = "P1 deliver: accept over SMTP and file in mailboxes (messages/s delivered, 10 kB)"
ACCOUNTS = 10
WARM = 60  # messages sent before the clock runs, so that no side is measured while it opens files


class Side(Protocol):
    """What both sides can tell."""

    addresses: list[str]

    def delivered(self) -> int:
        """Return how many messages lie in the inboxes."""
        ...


def _rate(side: Side, port: int, count: int, *, reuse: bool) -> float:
    run(Load(port, WARM, 20, side.addresses, reuse))
    before = _settled(side)
    began = run(Load(port, count, 20, side.addresses, reuse))
    deadline = time.monotonic() + 300
    while (there := side.delivered() - before) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {there} of {count} messages were delivered")
        time.sleep(0.02)
    seconds = time.monotonic() - began
    if there != count:
        raise RuntimeError(f"{there} messages delivered of {count} sent")
    return count / seconds


def _settled(side: Side) -> int:
    """Wait until nothing more arrives; return how many messages there are."""
    before = -1
    while (there := side.delivered()) != before:
        before = there
        time.sleep(0.3)
    return there


def measure(*, small: bool) -> list[Row]:
    """Return the rows of P1."""
    ours_count, peer_count, old = (400, 200, 2_000) if small else (10_000, 3_000, 100_000)
    rows = []
    with PostfixWithDovecot(ACCOUNTS) as peer, Posthouse(ACCOUNTS) as ours:
        for what in ("fresh mailboxes", f"mailboxes of {old // ACCOUNTS if small else old:,} messages"):
            if not what.startswith("fresh"):
                ours.stop()
                for address in ours.addresses[:1]:
                    asyncio.run(fill_inbox(ours.home, address, messages(50, 1_500), old))
                    peer.fill(address, messages(50, 1_500), old)
                ours.serve()
                ours.addresses, peer.addresses = ours.addresses[:1], peer.addresses[:1]
            for reuse in (False, True):
                name = f"{what}, {'connections reused' if reuse else 'one message a connection'}"
                count = ours_count if what.startswith("fresh") else ours_count // 2
                peers = peer_count if what.startswith("fresh") else peer_count // 15
                theirs = _rate(peer, peer.port, max(20, peers // 20 * 20), reuse=reuse)
                rows.append(
                    Row(name, _rate(ours, ours.port(25), count, reuse=reuse), theirs, "msg/s", floor=5, goal=10)
                )
    return rows
