"""Our side of a benchmark: a real home made with ``posthouse init``, a real server started with ``posthouse serve``."""

import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.imap_client import ImapClient
from bench.memory import tree

PASSWORD = "measured-in-seconds"
BASE_PORTS = (25, 24, 587, 465, 80, 110, 143, 443, 993, 995, 9290)


def free_offset() -> int:
    """Return a port offset at which every port of ours is free."""
    while True:
        offset = random.randrange(20_000, 41_000)
        try:
            for base in BASE_PORTS:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", offset + base))
        except OSError:
            continue
        return offset


class Posthouse:
    """A server in a temporary home with the domain ``bench.test`` and some accounts; use as a context."""

    def __init__(self, accounts: int = 0, workers: int = 2) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="posthouse-bench."))
        self.home.rmdir()
        self.offset = free_offset()
        self.addresses = [f"user{number}@bench.test" for number in range(accounts)]
        self._workers = workers
        self._process: subprocess.Popen[str] | None = None

    def run(self, *words: str, text: str = "") -> str:
        """Run a command of ours; return what it prints."""
        command = [sys.executable, "-m", "posthouse.cli", "--home", str(self.home), *words]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"posthouse {' '.join(words)}: {done.stderr}")
        return done.stdout

    def port(self, base: int) -> int:
        """Return the port that stands for a well-known one."""
        return self.offset + base

    def make(self) -> None:
        """Make the home."""
        self.run(
            "init", "--hostname", "mx.bench.test", "--domain", "bench.test", "--admin", "admin@bench.test",
            "--password-file", "-", "--listen", "127.0.0.1", "--port-offset", str(self.offset), text=PASSWORD + "\n",
        )  # fmt: skip
        file = self.home / "posthouse.toml"
        file.write_text(re.sub(r"(?m)^#? *count *=.*$", f"count = {self._workers}", file.read_text()))
        for address in self.addresses:
            self.run("account", "add", address, "--password-file", "-", text=PASSWORD + "\n")

    def serve(self) -> float:
        """Start the server; return the seconds until it said ``ready``."""
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "posthouse.cli", "--home", str(self.home), "serve"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == "ready":
                return time.monotonic() - began
        raise RuntimeError("the server ended before it was ready")

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._process is not None
        return self._process.pid

    def worker_pid(self) -> int:
        """Return the process id of a worker."""
        return next(pid for pid in tree(self.pid) if pid != self.pid)

    def imap(self, address: str) -> ImapClient:
        """Return a signed-in IMAP connection."""
        return ImapClient(self.port(143), address, PASSWORD)

    def delivered(self) -> int:
        """Return how many messages the inboxes of all accounts hold."""
        total = 0
        for address in self.addresses:
            client = self.imap(address)
            total += client.count("INBOX")
            client.close()
        return total

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def __enter__(self) -> "Posthouse":
        self.make()
        self.serve()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
