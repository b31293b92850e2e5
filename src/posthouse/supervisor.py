"""The supervisor: one process that keeps the workers alive and does nothing with mail.

It opens nothing and parses nothing from the network. Its states:

    starting ──all workers ready──> serving ──SIGTERM, SIGINT──> draining ──all gone──> ended
                                      │  ^
                                      │  └── a worker ends: replaced, with growing delay where it did not live long
                                      ├── SIGHUP: passed on; workers load settings, certificates and reopen the log
                                      └── SIGUSR2: workers drain while the same process starts the new code (exec);
                                          listening sockets stay open all the time, so no connection is refused

Invariants: the listening sockets belong to this process and outlive every worker; workers hold the read end of the
lifeline pipe, so that they end by themselves when this process is killed; nothing that was acknowledged depends on
any of these processes. Tests: ``tests/unit/test_supervisor.py``, ``tests/crash/test_process_crash.py``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import os
import pwd
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from posthouse.core.errors import Fault
from posthouse.telemetry.log import Telemetry
from posthouse.telemetry.output import Outputs

LIFELINE_VARIABLE = "POSTHOUSE_LIFELINE"
LOCK_VARIABLE = "POSTHOUSE_LOCK"
LOCK_NAME = "server.lock"
_RESTART_DELAYS = (0.0, 0.1, 0.5, 1.0)  # seconds, by number of quick deaths in a row; connections wait meanwhile
_QUICK_DEATH = 5.0  # a worker that lived less than this many seconds died quickly
_LOCK_PATIENCE = 3.0  # seconds to wait for the workers of a supervisor that was killed to go


class SupervisorFault(Fault):
    """Serving cannot begin; ``detail`` is one line that says what and the remedy. ``exit_code`` is from sysexits.h."""

    def __init__(self, detail: str, exit_code: int) -> None:
        super().__init__(detail, where="supervisor")
        self.exit_code = exit_code


@dataclass(slots=True)
class _Worker:
    number: int
    pid: int
    ready_fd: int
    started: float
    is_ready: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to supervise.

    Attributes:
        workers: how many worker processes.
        run_worker: runs in the child with ``(number, ready_fd, lifeline_fd)``; writes one octet to ``ready_fd`` when
            it serves, ends when ``lifeline_fd`` reads end of file; returns the exit code.
        on_ready: called once, when every worker is ready.
        before_exec: returns the variables that carry sockets and lock over to new code (SIGUSR2).
        drain_seconds: how long workers may take to end their sessions before they are killed.
    """

    workers: int
    run_worker: Callable[[int, int, int], int]
    on_ready: Callable[[], None]
    before_exec: Callable[[], Mapping[str, str]] = dict
    drain_seconds: float = 30.0


class Supervisor:
    """Runs the plan until a signal ends it. Use from the main thread, with no event loop running."""

    def __init__(self, plan: Plan, telemetry: Telemetry, writer: Outputs) -> None:
        self._plan = plan
        self._telemetry = telemetry
        self._writer = writer
        self._workers: dict[int, _Worker] = {}
        self._due: list[tuple[float, int]] = []  # (monotonic moment, worker number) to be started
        self._quick_deaths = dict.fromkeys(range(plan.workers), 0)
        self._is_draining = False
        self._is_announced = False
        self._exit_code = 0
        self._kill_at = 0.0
        self._signals, self._signals_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._lifeline_read, self._lifeline_write = _lifeline()

    def run(self) -> int:
        """Start the workers and keep them; return the exit code when all have ended."""
        self._install_signals()
        self._due = [(0.0, number) for number in range(self._plan.workers)]
        while self._workers or (self._due and not self._is_draining):
            self._start_due()
            self._wait()
            self._reap()
            self._kill_late()
        sd_notify("STOPPED=1")
        return self._exit_code

    def _install_signals(self) -> None:
        signal.set_wakeup_fd(self._signals_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def _start_due(self) -> None:
        if self._is_draining:
            return
        now = time.monotonic()
        due = [number for moment, number in self._due if moment <= now]
        self._due = [(moment, number) for moment, number in self._due if moment > now]
        for number in due:
            self._fork(number)

    def _fork(self, number: int) -> None:
        ready_read, ready_write = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            os.close(ready_read)
            self._be_worker(number, ready_write)
        os.close(ready_write)
        self._workers[pid] = _Worker(number, pid, ready_read, time.monotonic())
        self._telemetry.event("worker.started", worker=number, pid=pid)

    def _be_worker(self, number: int, ready_fd: int) -> None:
        """Turn this fresh child into a worker; never returns."""
        code = os.EX_SOFTWARE
        try:
            signal.set_wakeup_fd(-1)
            for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD):
                signal.signal(name, signal.SIG_DFL)
            for descriptor in (self._signals, self._signals_write, self._lifeline_write):
                os.close(descriptor)
            code = self._plan.run_worker(number, ready_fd, self._lifeline_read)
        except BaseException as error:
            self._telemetry.event("worker.failed", level="error", worker=number, error=repr(error))
            sys.excepthook(type(error), error, error.__traceback__)
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
            os._exit(code)

    def _wait(self) -> None:
        waiting = [worker.ready_fd for worker in self._workers.values() if not worker.is_ready]
        moments = [moment for moment, _ in self._due] + ([self._kill_at] if self._kill_at else [])
        timeout = max(0.0, min(moments) - time.monotonic()) if moments else None
        readable, _, _ = select.select([self._signals, *waiting], [], [], timeout)
        for worker in list(self._workers.values()):
            if not worker.is_ready and worker.ready_fd in readable:
                worker.is_ready = bool(os.read(worker.ready_fd, 1))
                if not worker.is_ready:
                    continue
                self._announce()
        if self._signals in readable:
            for number in os.read(self._signals, 512):
                self._on_signal(number)

    def _announce(self) -> None:
        serving = sum(worker.is_ready for worker in self._workers.values())
        if not self._is_announced and serving == self._plan.workers:
            self._is_announced = True
            self._plan.on_ready()
            self._telemetry.event("server.ready", workers=serving)
            sd_notify("READY=1")

    def _on_signal(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._drain()
        elif number == signal.SIGHUP:
            self._writer.reopen()
            self._telemetry.event("server.reloaded")
            self._tell(signal.SIGHUP)
        elif number == signal.SIGUSR2 and not self._is_draining:
            self._replace()

    def _drain(self) -> None:
        if not self._is_draining:
            self._is_draining = True
            self._kill_at = time.monotonic() + self._plan.drain_seconds
            self._telemetry.event("server.draining")
            sd_notify("STOPPING=1")
        self._tell(signal.SIGTERM)

    def _replace(self) -> None:
        """Let the workers drain and become the new code, in the same process, with the same sockets."""
        self._telemetry.event("server.replaced")
        sd_notify("RELOADING=1")
        self._tell(signal.SIGTERM)
        os.set_inheritable(self._lifeline_read, True)
        os.set_inheritable(self._lifeline_write, True)
        os.environ[LIFELINE_VARIABLE] = f"{self._lifeline_read},{self._lifeline_write}"
        os.environ.update(self._plan.before_exec())
        self._writer.flush()
        os.execv(  # noqa: S606  (a list of our own words, no shell)
            sys.executable, [sys.executable, "-m", "posthouse.cli", *sys.argv[1:]]
        )

    def _tell(self, number: int) -> None:
        for pid in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            worker = self._workers.pop(pid, None)
            if worker is not None:
                os.close(worker.ready_fd)
                self._on_death(worker, os.waitstatus_to_exitcode(status))

    def _on_death(self, worker: _Worker, code: int) -> None:
        level = "info" if self._is_draining and code == 0 else "error"
        self._telemetry.event("worker.ended", level=level, worker=worker.number, pid=worker.pid, code=code)
        if self._is_draining:
            return
        if not self._is_announced and not worker.is_ready and code > 0:
            # It could not start at all: more attempts would meet the same configuration.
            self._exit_code = code
            self._drain()
            return
        is_quick = time.monotonic() - worker.started < _QUICK_DEATH
        deaths = self._quick_deaths[worker.number] = self._quick_deaths[worker.number] + 1 if is_quick else 0
        delay = _RESTART_DELAYS[min(deaths, len(_RESTART_DELAYS) - 1)]
        self._due.append((time.monotonic() + delay, worker.number))

    def _kill_late(self) -> None:
        if self._kill_at and time.monotonic() >= self._kill_at and self._workers:
            self._kill_at = 0.0
            self._telemetry.event("server.drain_cut_short", level="warning", workers=len(self._workers))
            self._tell(signal.SIGKILL)


def _lifeline() -> tuple[int, int]:
    inherited = os.environ.pop(LIFELINE_VARIABLE, "")
    if inherited:
        read_end, write_end = (int(part) for part in inherited.split(","))
        os.set_inheritable(read_end, False)
        os.set_inheritable(write_end, False)
        return read_end, write_end
    return os.pipe2(os.O_CLOEXEC)


def lock_home(run_folder: Path) -> int:
    """Take the one lock of a home; return its descriptor, which must stay open.

    Raises SupervisorFault: EX_UNAVAILABLE where another server holds it.
    """
    inherited = os.environ.pop(LOCK_VARIABLE, "")
    if inherited:
        return int(inherited)
    path = run_folder / LOCK_NAME
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES) or _is_held_by_living(descriptor, deadline):
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
                os.close(descriptor)
                raise SupervisorFault(
                    f"another Posthouse (process {holder}) serves this home ({run_folder.parent}); "
                    "stop it first, or give this one a --home of its own",
                    os.EX_UNAVAILABLE,
                ) from None
            time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _is_held_by_living(descriptor: int, deadline: float) -> bool:
    """Whether the holder of the lock is alive; workers of a dead supervisor are given until ``deadline`` to go."""
    try:
        os.kill(int(os.pread(descriptor, 32, 0) or b"0"), 0)
    except (ProcessLookupError, ValueError):
        return time.monotonic() >= deadline
    except PermissionError:
        return True
    return True


def drop_privileges(user: str) -> None:
    """Become ``user`` for good, with that user's groups only. Does nothing where we are not root.

    Raises SupervisorFault: EX_NOPERM or EX_CONFIG where there is no such user.
    """
    if os.geteuid() != 0 or not user:
        return
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise SupervisorFault(
            f"posthouse.toml: user = {user!r}: there is no such user; make it (adduser --system {user}) "
            "or take the line out",
            os.EX_CONFIG,
        ) from None
    groups = [group.gr_gid for group in grp.getgrall() if user in group.gr_mem]
    os.setgroups([entry.pw_gid, *groups])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def sd_notify(state: str) -> None:
    """Tell systemd (or whoever set NOTIFY_SOCKET) our state; silence where nobody asked (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        link.connect("\0" + address[1:] if address.startswith("@") else address)
        link.send(state.encode())
