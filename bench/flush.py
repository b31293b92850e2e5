"""Each acknowledged message was flushed before its reply: the server's own system calls, read from strace.

For every ``250`` that acknowledges a message there must be an ``fdatasync`` or ``fsync`` that began after the last octet of
that message was read and ended before the reply was written. With one session each message is a group of its own;
with twenty, groups are shared, and the number of flushes shows how much.
"""

import re
import subprocess
import tempfile
import time
from pathlib import Path

from bench.load import Load, run
from bench.posthouse_side import Posthouse
from bench.table import Row

TITLE = "Flushes: acknowledged messages and what was flushed before the reply"
CALL = re.compile(r"^(\d+) +(\d+\.\d+) (?:<\.\.\. )?(\w+)(?:\((\d+)| resumed)")
FLUSHES = {"fdatasync", "fsync"}
ACKNOWLEDGED = re.compile(r'"250 2\.\d\.\d [^"]*queued|"250 2\.\d\.\d [^"]*accepted', re.IGNORECASE)


def _count(trace: Path) -> tuple[int, int, int]:
    """Return acknowledged messages, flushes, and acknowledgements with no flush since the previous one's data."""
    acknowledged = flushes = bare = 0
    data_since: dict[str, bool] = {}
    for line in trace.read_text(errors="replace").splitlines():
        match = CALL.match(line)
        if match is None:
            continue
        descriptor = match[4] or ""
        if match[3] in FLUSHES and line.rstrip().endswith("= 0"):
            flushes += 1
            data_since = dict.fromkeys(data_since, True)
        elif "\\r\\n.\\r\\n" in line and match[3] in {"recvfrom", "read", "recvmsg"}:
            data_since[descriptor] = False
        elif ACKNOWLEDGED.search(line):
            acknowledged += 1
            bare += not data_since.pop(descriptor, False)
    return acknowledged, flushes, bare


def _trace(ours: Posthouse, count: int, sessions: int) -> tuple[int, int, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace")
        tracer = subprocess.Popen(
            ["strace", "-f", "-ttt", "-s", "16384", "-o", str(path), "-e",
             "trace=fdatasync,fsync,read,write,recvfrom,sendto,recvmsg,sendmsg,writev", "-p", str(ours.worker_pid())],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(1)
        run(Load(ours.port(25), count, sessions, ours.addresses, reuse=True, size=2_000))
        time.sleep(0.5)
        tracer.terminate()
        tracer.wait()
        return _count(path)


def measure(*, small: bool) -> list[Row]:
    """Return how many acknowledgements and flushes there were; raises where one came without a flush."""
    rows = []
    with Posthouse(4, workers=1) as ours:
        for sessions in (1, 20):
            count = 40 if small else 400
            acknowledged, flushes, bare = _trace(ours, count, sessions)
            if acknowledged != count or bare:
                raise RuntimeError(f"{acknowledged} of {count} acknowledged, {bare} of them without a flush")
            rows.append(
                Row(f"{sessions} sessions: {acknowledged} acknowledged, each after a flush; flushes", flushes, None, "")
            )
    return rows
