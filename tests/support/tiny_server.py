"""A supervisor over tiny workers, for the tests of the supervisor: ``python tests/support/tiny_server.py MODE ...``.

Every process writes what happens to it to standard output, one line each. Modes: ``steady`` workers end at SIGTERM,
``stubborn`` ones do not, ``unable`` ones return 78 before they are ready, ``mortal`` ones die soon after they were
ready, ``once`` dies once.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from pathlib import Path

from posthouse.supervisor import Plan, Supervisor
from posthouse.telemetry.formats import open_telemetry
from posthouse.toolbox import SystemClock

MODE = sys.argv[1]
WORKERS = int(sys.argv[2])
DRAIN_SECONDS = float(sys.argv[3])
FOLDER = Path(sys.argv[4])


def say(*words: object) -> None:
    """Write one line, whole."""
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def run_worker(number: int, ready_fd: int, lifeline_fd: int) -> int:
    """Be a tiny worker."""
    if MODE == "unable":
        return 78
    signal.signal(signal.SIGTERM, lambda *_: None if MODE == "stubborn" else _leave(number))
    signal.signal(signal.SIGHUP, lambda *_: say("reloaded", number))
    say("started", number, os.getpid())
    os.write(ready_fd, b"R")
    if MODE == "mortal" or (MODE == "once" and not (FOLDER / "died").exists()):
        (FOLDER / "died").touch()
        return 3
    while not select.select([lifeline_fd], [], [], None)[0]:
        pass
    say("orphaned", number)
    return 69


def _leave(number: int) -> None:
    say("drained", number)
    os._exit(0)


def main() -> int:
    """Supervise."""
    telemetry, writer = open_telemetry(SystemClock(), target=str(FOLDER / "log"))
    plan = Plan(workers=WORKERS, run_worker=run_worker, on_ready=lambda: say("ready"), drain_seconds=DRAIN_SECONDS)
    code = Supervisor(plan, telemetry, writer).run()
    writer.flush()
    say("ended", code, round(time.monotonic()))
    return code


if __name__ == "__main__":
    sys.exit(main())
