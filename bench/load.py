"""The load: Postfix's smtp-source, one process for each kind of message of the corpus, with its share of the sessions.

The generator runs on the same machine, so it has to cost little: one process that drives several sessions takes far
less from both sides than a process a session.
"""

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import KINDS, messages


@dataclass(frozen=True)
class Load:
    """``count`` messages over ``sessions`` sessions to ``recipients`` in turn; ``reuse`` keeps connections."""

    port: int
    count: int
    sessions: int
    recipients: list[str]
    reuse: bool
    size: int = 10_240


def run(load: Load) -> float:
    """Send everything; return the moment (monotonic) at which sending began. Raises where a message was refused."""
    processes = min(KINDS, load.sessions)
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for kind, content in enumerate(messages(processes, load.size)):
            path = Path(folder, f"{kind}.eml")
            path.write_bytes(content.replace(b"\r\n", b"\n"))
            commands.append(
                ["smtp-source", *(["-d"] if load.reuse else []), "-s", str(load.sessions // processes),
                 "-m", str(load.count // processes), "-f", f"sender{kind}@example.net",
                 "-t", load.recipients[kind % len(load.recipients)], "-F", str(path), f"127.0.0.1:{load.port}"]
            )  # fmt: skip
        began = time.monotonic()
        running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
        for process in running:
            _, errors = process.communicate(timeout=600)
            if process.returncode:
                raise RuntimeError(f"smtp-source: {errors.strip()}")
    return began
