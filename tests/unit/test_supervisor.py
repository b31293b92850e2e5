"""The supervisor over real tiny processes, and its small parts."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from posthouse import supervisor
from posthouse.supervisor import SupervisorFault, drop_privileges, lock_home, sd_notify

PROGRAM = Path(__file__).parents[1] / "support" / "tiny_server.py"
PATIENCE = 20.0  # seconds for anything to happen; a loaded machine forks slowly

pytestmark = pytest.mark.slow


class TinyServer:
    """One tiny server, line by line."""

    def __init__(self, folder: Path, mode: str, *, workers: int = 2, drain: float = 10.0, **environment: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), mode, str(workers), str(drain), str(folder)],
            stdout=subprocess.PIPE,
            env=os.environ | environment,
        )
        self._rest = b""

    def line(self) -> str:
        """Return the next line that any of its processes said."""
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "nothing was said in time"
            data = os.read(self.process.stdout.fileno(), 4096)
            assert data, "the server ended"
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    def until(self, word: str) -> list[str]:
        """Return the lines up to one that begins with a word."""
        lines = [self.line()]
        while not lines[-1].startswith(word):
            lines.append(self.line())
        return lines

    def events(self) -> list[str]:
        """Return names of the events that it logged, once it has ended."""
        return [json.loads(line)["event"] for line in (self.folder / "log").read_bytes().splitlines()]

    def __enter__(self) -> TinyServer:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def pids(lines: list[str]) -> dict[int, int]:
    """Return the process of each worker that started."""
    words = [line.split() for line in lines if line.startswith("started")]
    return {int(number): int(pid) for _, number, pid in words}


def test_it_is_ready_when_every_worker_is_and_drains_at_sigterm(tmp_path) -> None:
    """``ready`` comes once, after all workers; SIGTERM ends them and then the supervisor, with code 0."""
    with TinyServer(tmp_path, "steady", workers=3) as server:
        lines = server.until("ready")
        assert len(pids(lines)) == 3
        server.process.send_signal(signal.SIGTERM)
        said = server.until("ended")
        assert sorted(said[:-1]) == ["drained 0", "drained 1", "drained 2"]
        assert server.process.wait(PATIENCE) == 0
        assert server.events()[-1] == "worker.ended"


def test_a_worker_that_is_killed_is_replaced(tmp_path) -> None:
    """The worker gets a new process under its old number; the other one is left alone, ready is not said again."""
    with TinyServer(tmp_path, "steady") as server:
        before = pids(server.until("ready"))
        os.kill(before[1], signal.SIGKILL)
        after = pids([server.line()])
        assert list(after) == [1]
        assert after[1] != before[1]
        server.process.send_signal(signal.SIGINT)
        assert "ready" not in server.until("ended")


def test_a_worker_that_dies_again_and_again_is_started_ever_more_rarely(tmp_path) -> None:
    """The pauses between its lives grow."""
    with TinyServer(tmp_path, "mortal", workers=1) as server:
        moments = []
        while len(moments) < 4:
            if server.line().startswith("started"):
                moments.append(time.monotonic())
        pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
        assert pauses[2] > pauses[0]
        assert pauses[2] >= 0.9  # the third pause is one second
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0


def test_workers_that_cannot_start_end_the_server_with_their_code(tmp_path) -> None:
    """A configuration that no worker can use is not tried for ever."""
    with TinyServer(tmp_path, "unable") as server:
        assert server.until("ended")[-1].startswith("ended 78")
        assert server.process.wait(PATIENCE) == 78


def test_a_worker_that_does_not_end_is_killed(tmp_path) -> None:
    """Draining takes no longer than it may."""
    with TinyServer(tmp_path, "stubborn", drain=0.2) as server:
        server.until("ready")
        server.process.send_signal(signal.SIGTERM)
        assert server.until("ended")[-1].startswith("ended 0")
        assert "server.drain_cut_short" in server.events()


def test_workers_end_when_the_supervisor_is_killed(tmp_path) -> None:
    """The lifeline is cut, and every worker sees it."""
    with TinyServer(tmp_path, "steady") as server:
        server.until("ready")
        server.process.kill()
        assert sorted([server.line(), server.line()]) == ["orphaned 0", "orphaned 1"]


def test_sighup_reaches_the_workers(tmp_path) -> None:
    """Reloading is passed on."""
    with TinyServer(tmp_path, "steady") as server:
        server.until("ready")
        server.process.send_signal(signal.SIGHUP)
        assert sorted([server.line(), server.line()]) == ["reloaded 0", "reloaded 1"]


def test_systemd_is_told(tmp_path) -> None:
    """READY when all serve, STOPPING when draining begins, STOPPED at the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "notify"))
        notices.settimeout(PATIENCE)
        with TinyServer(tmp_path, "steady", NOTIFY_SOCKET=str(tmp_path / "notify")) as server:
            assert notices.recv(100) == b"READY=1"
            server.process.send_signal(signal.SIGTERM)
            assert notices.recv(100) == b"STOPPING=1"
            assert notices.recv(100) == b"STOPPED=1"


# ---- parts ----------------------------------------------------------------------------------------------------


def test_sd_notify_without_a_listener_is_silent(monkeypatch, tmp_path) -> None:
    """A socket that nobody reads, or none at all, hurts nobody."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    sd_notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nothing"))
    sd_notify("READY=1")


def test_sd_notify_knows_abstract_sockets(monkeypatch) -> None:
    """A name that begins with @ is in the abstract namespace (sd_notify(3))."""
    name = f"posthouse-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind("\0" + name)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        sd_notify("READY=1")
        assert notices.recv(100) == b"READY=1"


def test_a_home_has_one_server(tmp_path) -> None:
    """A second one is told who serves, with the exit code for a service that is not available."""
    lock = lock_home(tmp_path)
    with pytest.raises(SupervisorFault, match=f"process {os.getpid()}") as refused:
        lock_home(tmp_path)
    assert refused.value.exit_code == os.EX_UNAVAILABLE
    os.close(lock)
    os.close(lock_home(tmp_path))


def test_the_workers_of_a_dead_supervisor_are_waited_for(tmp_path, monkeypatch) -> None:
    """The lock is held by a process that is not its owner: it is given time, and no more."""
    monkeypatch.setattr(supervisor, "_LOCK_PATIENCE", 0.1)
    lock = lock_home(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{gone.pid}\n".encode(), 0)
    with pytest.raises(SupervisorFault, match="another Posthouse"):
        lock_home(tmp_path)
    os.close(lock)


def test_a_lock_is_inherited_over_exec(tmp_path, monkeypatch) -> None:
    """New code goes on with the descriptor that it is told."""
    monkeypatch.setenv(supervisor.LOCK_VARIABLE, "12")
    assert lock_home(tmp_path) == 12
    assert supervisor.LOCK_VARIABLE not in os.environ


def test_privileges_are_dropped_to_a_user_that_exists(monkeypatch) -> None:
    """Root without a user stays root; a user who is not there is a fault of the configuration."""
    drop_privileges("")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SupervisorFault, match="there is no such user") as refused:
        drop_privileges("no-such-user-here")
    assert refused.value.exit_code == os.EX_CONFIG


def test_privileges_are_dropped_for_good(monkeypatch) -> None:
    """Groups first, then group, then user: the other way round would leave rights behind."""
    done: list[str] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "setgroups", lambda _: done.append("groups"))
    monkeypatch.setattr(os, "setgid", lambda _: done.append("gid"))
    monkeypatch.setattr(os, "setuid", lambda _: done.append("uid"))
    drop_privileges("nobody")
    assert done == ["groups", "gid", "uid"]
