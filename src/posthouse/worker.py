"""A worker: the process in which one ``Composition`` lives, from fork to the last commit.

    opening ──store open, doors listening──> serving ──SIGTERM or lifeline cut──> draining ──> ended

Draining: no new connections; sessions are told to end; the courier finishes its transactions and gives its leases back;
the store finishes its commits. When the supervisor was killed the worker ends at once: what is not acknowledged the
peers will send again. Tests: ``tests/crash/test_process_crash.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from posthouse import __version__, app
from posthouse.config.definitions import server as server_settings
from posthouse.config.faults import ConfigFault
from posthouse.config.file import Configuration
from posthouse.config.home import Home
from posthouse.config.settings import Settings
from posthouse.core.errors import Fault
from posthouse.servers.control import ControlDoor
from posthouse.servers.door import ListenerInfo
from posthouse.servers.listeners import OpenListener
from posthouse.servers.sessions import session_commands
from posthouse.services.administration.holding import purge_expired
from posthouse.services.identity.inheritance import load_settings
from posthouse.store.contract import Store
from posthouse.store.open import open_store
from posthouse.store.values import TakeDuty
from posthouse.telemetry.log import Telemetry
from posthouse.telemetry.metrics import Snapshot, merge
from posthouse.telemetry.output import Outputs
from posthouse.telemetry.process import measure_process, start_time
from posthouse.toolbox import SystemClock
from posthouse.web.health import HealthParts, missing
from posthouse.web.metrics import MetricsDesk, MetricsDoor
from posthouse.web.monitor import Monitor

HOUSEKEEPING = "housekeeping"
HOUSEKEEPING_PERIOD = 5.0  # seconds between two rounds
NOTE_PERIOD = 5.0  # seconds
DUTY_SECONDS = 60.0
SETTINGS_PERIOD = 1.0  # seconds after which a change whose notice was lost is seen
SWITCH_INTERVAL = 0.0005  # the flush thread gets the interpreter's lock back within half a millisecond


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerParts:
    """What a worker is given by the process it was forked from."""

    home: Home
    configuration: Configuration
    listeners: Sequence[OpenListener]
    workers: int
    generation: int
    telemetry: Telemetry
    writer: Outputs


def run_worker(parts: WorkerParts, number: int, ready_fd: int, lifeline_fd: int) -> int:
    """Be worker ``number`` until told to end; return the exit code."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(20_000, 20, 50)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(Worker(parts, number).run(ready_fd, lifeline_fd))
    except Fault as fault:
        parts.telemetry.event("worker.failed", level="error", worker=number, error=fault.detail or str(fault))
        sys.stderr.write(f"posthouse: {fault.detail or fault}\n")
        return getattr(fault, "exit_code", os.EX_TEMPFAIL)
    finally:
        parts.writer.flush()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


class Worker:
    """One worker on its loop."""

    def __init__(self, parts: WorkerParts, number: int) -> None:
        self._parts = parts
        self._number = number
        self._stop = asyncio.Event()
        self._telemetry = parts.telemetry.bind(worker=number)
        self._servers: list[asyncio.AbstractServer] = []
        self._listening: list[tuple[str, asyncio.AbstractServer]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._made: app.Composition
        self._changed = asyncio.Event()
        self._owner = f"worker-{number}.{parts.generation}"
        self._keeps_house = False
        self._started = SystemClock.monotonic()

    async def run(self, ready_fd: int, lifeline_fd: int) -> int:
        """Open, serve, drain. Raises Fault where opening fails."""
        loop = asyncio.get_running_loop()
        self._parts.writer.start(loop)
        loop.set_exception_handler(self._on_loop_error)
        loop.add_reader(lifeline_fd, self._orphaned, lifeline_fd)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        store = await self._open_store()
        try:
            await self._compose(store)
            loop.add_signal_handler(signal.SIGHUP, self._reload)
            await self._listen(loop)
            os.write(ready_fd, b"R")
            os.close(ready_fd)
            await self._stop.wait()
            await self._drain()
        finally:
            await store.close()
        return os.EX_OK

    async def _open_store(self) -> Store:
        parts = self._parts
        store = open_store(
            parts.configuration.store_url, worker=self._number, home=parts.home.path, clock=SystemClock()
        )
        await store.open()
        return store

    async def _compose(self, store: Store) -> None:
        settings = Settings()
        for problem in await load_settings(store, settings):
            self._telemetry.event("settings.skipped", level="warning", problem=problem)
        self._made = app.Composition(
            configuration=self._parts.configuration,
            store=store,
            settings=settings,
            telemetry=self._telemetry,
            number=self._number,
            workers=self._parts.workers,
            lease_owner=self._owner,
            metrics=self._parts.writer.metrics,
        )
        self._made.configure_log()
        self._watch_commits(store)
        store.notices.on_directory(self._changed.set)
        await self._made.courier.start()

    def _watch_commits(self, store: Store) -> None:
        metrics = self._parts.writer.metrics
        took = metrics.histogram("posthouse_store_commit_seconds")
        calls = metrics.counter("posthouse_store_committed_calls_total")

        def watch(seconds: float, count: int) -> None:
            took.observe(seconds)
            calls.value += count

        store.watch_commits(watch)

    async def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        self._made.context.sweep.start(loop)
        for listener in self._parts.listeners:
            factory = self._door_factory(listener.info)
            for each in listener.sockets[self._number]:
                server = await loop.create_server(factory, sock=each.dup(), backlog=1024)
                self._servers.append(server)
                self._listening.append((listener.info.name, server))
        await self._open_control(loop)
        self._tasks = [
            loop.create_task(each)
            for each in (
                self._keep_house(),
                self._watch_settings(),
                self._note_sign_ins(),
                self._made.letter_duties().run(),
            )
        ]
        if any(listener.info.protocol == "http" for listener in self._parts.listeners):
            self._tasks.append(loop.create_task(self._resume_jobs()))

    def _door_factory(self, listener: ListenerInfo) -> Callable[[], asyncio.BaseProtocol]:
        if listener.protocol != "metrics":
            return self._made.door_factory(listener)
        made, home = self._made, self._parts.home
        health = HealthParts(
            store=made.store,
            settings=made.settings,
            home=home.path,
            is_draining=lambda: made.context.is_draining,
            closed_listeners=self._closed_listeners,
        )
        self._monitor = Monitor(made.store, made.clock, self.metrics, own=self._number, run=home.run)
        desk = MetricsDesk(collect=self._monitor.collect, missing=lambda: missing(health), telemetry=self._telemetry)
        return lambda: MetricsDoor(desk)

    def _closed_listeners(self) -> list[str]:
        return [name for name, server in self._listening if not server.is_serving()]

    async def _open_control(self, loop: asyncio.AbstractEventLoop) -> None:
        path = self._parts.home.control_socket(self._number)
        path.unlink(missing_ok=True)
        commands = session_commands(self._made.context)
        self._servers.append(
            await loop.create_unix_server(
                lambda: ControlDoor(self.status, self._parts.writer.follow, self.metrics, commands), str(path)
            )
        )
        path.chmod(0o600)

    def status(self) -> dict[str, Any]:
        """Return what ``posthouse status`` shows of this worker."""
        doors: dict[str, int] = {}
        for door in self._made.context.sweep.doors:
            name = getattr(door, "listener", None)
            if name is not None:
                doors[name.name] = doors.get(name.name, 0) + 1
        return {
            "worker": self._number,
            "pid": os.getpid(),
            "draining": self._made.context.is_draining,
            "sessions": doors,
            "queue_in_flight": self._made.courier.in_flight,
            "duties": [HOUSEKEEPING] if self._keeps_house else [],
            "seconds": round(self._made.clock.monotonic() - self._started, 1),
        }

    def metrics(self) -> Snapshot:
        """Return the metrics of this worker, with what is measured only when somebody asks."""
        metrics, made = self._parts.writer.metrics, self._made
        dropped = metrics.counter("posthouse_log_dropped_lines_total")
        dropped.set(self._parts.writer.lost_total)
        measure_process(metrics, self._number, __version__, started=start_time(made.clock.monotonic() - self._started))
        return merge([metrics.snapshot(), made.context.measure()])

    # ---- while serving ----------------------------------------------------------------------------------------

    def _orphaned(self, lifeline_fd: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline_fd)
        self._telemetry.event("worker.orphaned", level="error")
        self._parts.writer.flush()
        os._exit(os.EX_UNAVAILABLE)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        told = "".join(traceback.format_exception(error)) if error is not None else ""
        self._telemetry.event("worker.loop_error", level="error", message=str(context.get("message")), error=told)

    def _reload(self) -> None:
        self._parts.writer.reopen()
        self._changed.set()
        try:
            self._made.reload_tls()
        except ConfigFault as fault:
            self._telemetry.event("tls.reload_failed", level="error", error=fault.detail)

    async def _watch_settings(self) -> None:
        """Load settings whenever their version moved; a notice or SIGHUP brings that forward."""
        seen = -1
        while True:
            with contextlib.suppress(Fault):
                version = await self._made.store.settings_version()
                if version != seen:
                    for problem in await self._made.load_settings():
                        self._telemetry.event("settings.skipped", level="warning", problem=problem)
                    self._made.configure_log()
                    seen = version
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), SETTINGS_PERIOD)

    async def _resume_jobs(self) -> None:
        try:
            await self._made.resume_jobs()
        except Fault as fault:
            self._telemetry.event("jobs.not_resumed", level="error", error=fault.detail)

    async def _note_sign_ins(self) -> None:
        """Write last sign-ins every few seconds."""
        while True:
            await asyncio.sleep(NOTE_PERIOD)
            await self._made.sign_in_notes.flush()

    async def _keep_house(self) -> None:
        """Do the housekeeping of the whole store while this worker holds the duty."""
        store, clock = self._made.store, self._made.clock
        while True:
            try:
                now = clock.now()
                duty = TakeDuty(name=HOUSEKEEPING, owner=self._owner, now=now, until=now + DUTY_SECONDS)
                self._keeps_house = await store.commit(duty)
                if self._keeps_house:
                    await store.housekeep()
                    await purge_expired(store, clock, self._telemetry)
            except Fault as fault:
                self._telemetry.event("housekeeping.failed", level="warning", error=fault.detail)
            except Exception as error:
                self._telemetry.event("housekeeping.failed", level="error", error=repr(error))
            await asyncio.sleep(HOUSEKEEPING_PERIOD)

    # ---- the end ----------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        grace = self._made.settings.get(server_settings.DRAIN_TIMEOUT)
        for server in self._servers:
            server.close()
        for each in (one for listener in self._parts.listeners for row in listener.sockets for one in row):
            each.close()  # the supervisor's stay open; new code must not find addresses taken by those who leave
        for task in self._tasks:
            task.cancel()
        context = self._made.context
        context.drain()
        administration = asyncio.ensure_future(self._made.stop_administering(grace))
        deadline = self._made.clock.monotonic() + grace
        while context.sweep.doors and self._made.clock.monotonic() < deadline:  # noqa: ASYNC110  (see below)
            await asyncio.sleep(0.02)  # doors say nothing when the last one closes; this runs once, at the end
        for door in tuple(context.sweep.doors):
            abort = getattr(door, "abort", None)
            if abort is not None:
                abort("drain")
        await administration
        await self._made.courier.stop(max(1.0, deadline - self._made.clock.monotonic()))
        context.sweep.stop()
        await self._made.sign_in_notes.flush()
        await self._made.sources.close()
        self._made.resolver.close()
        self._made.directory.close()
        self._parts.home.control_socket(self._number).unlink(missing_ok=True)
