"""P3: accept, queue, relay to a sink over SMTP; both sides hand on to Postfix's smtp-sink.

A message counts when the sink has taken it. The clock runs from the first connection to the last message at the sink.
"""

import re
import subprocess
import tempfile
import time
from pathlib import Path

from bench.load import Load, run
from bench.posthouse_side import Posthouse
from bench.table import Row
from tests.interop.peers.postfix import PostfixPeer, free_port

TITLE = "P3 relay: accept, queue, hand on to a sink (messages/s)"
WARM = 60  # messages sent before the clock runs


class Sink:
    """smtp-sink with its counter read from a file."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory()
        self._out = Path(self._folder.name, "counter")
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(
                ["smtp-sink", "-c", "-u", "postfix", f"127.0.0.1:{self.port}", "500"], stdout=out
            )

    def taken(self) -> int:
        """Return how many messages it has taken."""
        found = re.findall(rb"mesg=(\d+)", self._out.read_bytes()[-200:])
        return int(found[-1]) if found else 0

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


def _rate(port: int, sink: Sink, count: int, *, reuse: bool) -> float:
    warm = sink.taken() + WARM
    run(Load(port, WARM, 20, ["warm@far.test"], reuse))
    while sink.taken() < warm:
        time.sleep(0.02)
    before = sink.taken()
    began = run(Load(port, count, 20, [f"user{number}@far.test" for number in range(20)], reuse))
    deadline = time.monotonic() + 300
    while sink.taken() - before < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {sink.taken() - before} of {count} messages reached the sink")
        time.sleep(0.02)
    return count / (time.monotonic() - began)


def measure(*, small: bool) -> list[Row]:
    """Return the rows of P3."""
    ours_count, peer_count = (400, 200) if small else (10_000, 4_000)
    sink = Sink()
    rows = []
    try:
        with tempfile.TemporaryDirectory(prefix="postfix-bench.") as folder, PostfixPeer(Path(folder), relayhost=f"[127.0.0.1]:{sink.port}") as peer, Posthouse() as ours:  # fmt: skip
            ours.run("route", "add", "*", "--host", "127.0.0.1", "--port", str(sink.port))
            ours.run("setting", "set", "relay.networks", "127.0.0.0/8")
            time.sleep(1.5)
            for reuse in (False, True):
                name = "20 sessions, connections reused" if reuse else "20 sessions, one message a connection"
                theirs = _rate(peer.port, sink, peer_count, reuse=reuse)
                rows.append(
                    Row(name, _rate(ours.port(25), sink, ours_count, reuse=reuse), theirs, "msg/s", floor=2, goal=3)
                )
    finally:
        sink.close()
    return rows
