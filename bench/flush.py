"""Each acknowledged message was flushed before its reply: the server's own system calls, read from strace.

For every ``250`` that acknowledges a message there must be an ``fdatasync`` or ``fsync`` that began after the last octet of
that message was read and ended before the reply was written. With one session each message is a group of its own;
with twenty, groups are shared, and the number of flushes shows how much.
"""

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.load import Load, run
from bench.posthouse_side import Posthouse
from bench.table import Row

TITLE = "Flushes: acknowledged messages and what was flushed before the reply"
BEGUN = re.compile(r"^(\d+) +\d+\.\d+ (\w+)\((\d+)")
RESUMED = re.compile(r"^(\d+) +\d+\.\d+ <\.\.\. (\w+) resumed>")
FLUSHES = {"fdatasync", "fsync"}
READS = {"recvfrom", "read", "recvmsg"}
ACKNOWLEDGED = re.compile(r'"250 2\.\d\.\d [^"]*queued', re.IGNORECASE)


def _calls(trace: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, descriptor and text of each call, at its end; an acknowledgement at its beginning."""
    open_calls: dict[str, str] = {}
    for line in trace.read_text(errors="replace").splitlines():
        begun, resumed = BEGUN.match(line), RESUMED.match(line)
        if begun is not None:
            if "<unfinished ...>" in line and not ACKNOWLEDGED.search(line):
                open_calls[begun[1]] = begun[3]
            else:
                yield begun[2], begun[3], line
        elif resumed is not None and resumed[1] in open_calls:
            yield resumed[2], open_calls.pop(resumed[1]), line


def _count(trace: Path) -> tuple[int, int, int]:
    """Return acknowledged messages, flushes, and acknowledgements with no flush since the last octets were read."""
    acknowledged = flushes = bare = 0
    is_flushed: dict[str, bool] = {}
    for name, descriptor, text in _calls(trace):
        if name in FLUSHES and text.rstrip().endswith("= 0"):
            flushes += 1
            is_flushed = dict.fromkeys(is_flushed, True)
        elif ACKNOWLEDGED.search(text):
            acknowledged += 1
            bare += not is_flushed.get(descriptor, False)
        elif name in READS and not text.rstrip().endswith(("EAGAIN (Resource temporarily unavailable)", "= 0")):
            is_flushed[descriptor] = False
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
