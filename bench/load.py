"""The load: Postfix's smtp-source, one process a session, each with its own messages of the corpus."""

import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import messages


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
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for session, content in enumerate(messages(load.sessions, load.size)):
            path = Path(folder, f"{session}.eml")
            path.write_bytes(content.replace(b"\r\n", b"\n"))
            commands.append(
                ["smtp-source", *(["-d"] if load.reuse else []), "-s", "1", "-m", str(load.count // load.sessions),
                 "-f", f"sender{session}@example.net", "-t", load.recipients[session % len(load.recipients)],
                 "-F", str(path), f"127.0.0.1:{load.port}"]
            )  # fmt: skip
        began = time.monotonic()
        running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
        for process in running:
            _, errors = process.communicate(timeout=600)
            if process.returncode:
                raise RuntimeError(f"smtp-source: {errors.strip()}")
    return began
