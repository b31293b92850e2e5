"""P9: from the command to serving, and memory at rest with two workers (proportional set size of all processes)."""

import shutil
import time

from bench.memory import pss, tree
from bench.peer_side import PostfixWithDovecot
from bench.posthouse_side import Posthouse
from bench.table import Row

TITLE = "P9 start and rest"
MIB = 1024 * 1024


def _restart(ours: Posthouse) -> float:
    ours.stop()
    return ours.serve()


def _peer() -> tuple[float, int]:
    peer = PostfixWithDovecot(1)
    seconds = peer.start()
    try:
        master = int((peer.postfix.queue / "pid" / "master.pid").read_text())
        dovecot = int((peer.dovecot.folder / "run" / "master.pid").read_text())
        time.sleep(1)
        return seconds, pss(master) + pss(dovecot)
    finally:
        peer.stop()
        shutil.rmtree(peer.folder, ignore_errors=True)


def measure(*, small: bool) -> list[Row]:
    """Return the rows of P9."""
    with Posthouse(1) as ours:
        mine = min(_restart(ours) for _ in range(1 if small else 3))
        time.sleep(1 if small else 5)
        memory, processes = pss(ours.pid), len(tree(ours.pid))
    started, held = _peer()
    return [
        Row("start to serving (goal 1 s)", mine, started, "s", lower_is_better=True),
        Row(
            f"memory at rest, {processes} processes (goal 150 MiB)",
            memory / MIB,
            held / MIB,
            "MiB",
            lower_is_better=True,
        ),
    ]
