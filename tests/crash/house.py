"""A server whose processes are killed: what the crash tests do to it and ask of it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from posthouse.config.home import Home
from posthouse.servers.live import LiveServer
from tests.support.server import PosthouseServer, until


class MortalServer(PosthouseServer):
    """A server with two workers; ``kill`` a part of it, and it is brought back."""

    def __init__(self, home: Path, people: tuple[str, ...]) -> None:
        super().__init__(home, people=people, workers=2)
        self.kills: dict[str, int] = {"worker": 0, "supervisor": 0, "all": 0}
        self.restarts: list[float] = []  # seconds from the start of ``serve`` to ``ready``
        self.replacements: list[float] = []  # seconds from the death of a worker until another one answers

    def worker_pids(self) -> list[int]:
        """The workers that the supervisor has now."""
        assert self.process is not None
        pid = self.process.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def serving(self) -> set[int]:
        """The process ids of workers that answer."""
        return {each["pid"] for each in asyncio.run(LiveServer(Home(self.home).run).ask("status"))}

    def kill(self, what: str, which: int = 0) -> None:
        """Kill ``worker`` number ``which`` of those there are, the ``supervisor``, or ``all``; wait until it serves."""
        self.kills[what] += 1
        workers = self.worker_pids()
        if what == "worker":
            victim = workers[which % len(workers)]
            os.kill(victim, signal.SIGKILL)
            self._await_replacement(victim)
            return
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        if what == "all":
            for pid in workers:
                os.kill(pid, signal.SIGKILL)
        self.stop(signal.SIGKILL)
        self.restart()

    def restart(self) -> None:
        """Start it again, and measure that."""
        began = time.monotonic()
        self.start()
        self.restarts.append(time.monotonic() - began)

    def _await_replacement(self, dead: int) -> None:
        began = time.monotonic()
        until(lambda: len(self.serving() - {dead}) == self.workers, "a worker in place of the dead one", 10)
        self.replacements.append(time.monotonic() - began)

    def report(self) -> str:
        """Say what was done to it, in one line."""
        kills = ", ".join(f"{count} {what}" for what, count in self.kills.items())
        restart = f"{max(self.restarts, default=0):.2f}"
        return f"kills: {kills}; longest restart {restart} s, replacement {max(self.replacements, default=0):.2f} s"
