"""From a home to a running server: what happens between ``posthouse serve`` and ``ready``.

The order matters: configuration, the one lock of the home, sockets (as root where the ports need it), privileges
dropped, the store opened once (schema up to date) and closed again, then the workers. Each step that fails says one
line with its remedy and leaves nothing running. Tests: ``tests/unit/test_serving.py``, ``tests/interop``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pwd
import resource
import sys
from collections.abc import Callable
from dataclasses import replace

from posthouse.config.faults import ConfigFault
from posthouse.config.file import Configuration, load_configuration
from posthouse.config.home import Home
from posthouse.core.errors import Unavailable
from posthouse.servers import inherit
from posthouse.servers.listeners import OpenListener, close_listeners
from posthouse.servers.tls import make_server_context
from posthouse.store import upgrade as upgrades
from posthouse.store.open import open_store
from posthouse.store.values import EVERY_OWNER, ReleaseLeases
from posthouse.supervisor import LOCK_NAME, LOCK_VARIABLE, Plan, Supervisor, drop_privileges, lock_home
from posthouse.telemetry.formats import open_outputs
from posthouse.telemetry.log import Telemetry
from posthouse.telemetry.output import Outputs
from posthouse.toolbox import SystemClock
from posthouse.worker import WorkerParts, run_worker

GENERATION_VARIABLE = "POSTHOUSE_GENERATION"
_UPGRADE_PATIENCE = 5.0  # seconds for others to close the store
_DRAIN_PATIENCE = 120.0


def serve(home: Home, on_ready: Callable[[], None]) -> int:
    """Serve a home until a signal ends it; return the exit code.

    Args:
        home: what to serve.
        on_ready: called when every listener answers.

    Raises Fault: where serving cannot begin.
    """
    configuration = load_configuration(home.file)
    _make_folders(home, configuration)
    if configuration.needs_tls:
        make_server_context(configuration.in_home(configuration.certificate), configuration.in_home(configuration.key))
    workers = configuration.workers or os.cpu_count() or 1
    generation = int(os.environ.pop(GENERATION_VARIABLE, "0"))
    _raise_descriptor_limit()
    lock = lock_home(home.run)
    listeners: list[OpenListener] = []
    try:
        listeners += inherit.adopt_or_open(configuration, workers)
        drop_privileges(configuration.user)
        _upgrade_store(home, configuration, is_alone=generation == 0)
        asyncio.run(_prepare_store(home, configuration, is_alone=generation == 0))
        writer = _open_log(home, configuration)
        telemetry = Telemetry(writer)
        parts = WorkerParts(
            home=home,
            configuration=configuration,
            listeners=listeners,
            workers=workers,
            generation=generation,
            telemetry=telemetry,
            writer=writer,
        )
        plan = Plan(
            workers=workers,
            run_worker=lambda number, ready, lifeline: run_worker(parts, number, ready, lifeline),
            on_ready=on_ready,
            before_exec=lambda: _environment(listeners, lock, generation),
        )
        # What was imported so far is shared with the workers for good; the collector need not touch its pages.
        gc.collect()
        gc.freeze()
        return Supervisor(plan, telemetry, writer).run()
    finally:
        close_listeners(listeners)
        os.close(lock)


def _raise_descriptor_limit() -> None:
    """Use all the descriptors we may have: every connection needs one, and shells start programs with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # some systems name a hard limit that they do not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _environment(listeners: list[OpenListener], lock: int, generation: int) -> dict[str, str]:
    os.set_inheritable(lock, True)
    return {
        inherit.VARIABLE: inherit.describe(listeners),
        LOCK_VARIABLE: str(lock),
        GENERATION_VARIABLE: str(generation + 1),
    }


def _open_log(home: Home, configuration: Configuration) -> Outputs:
    specs = [
        replace(each, target=str(configuration.in_home(each.target))) if each.is_file else each
        for each in configuration.log.all_outputs
    ]
    try:
        return open_outputs(SystemClock(), specs, hostname=configuration.hostname)
    except OSError as error:
        raise ConfigFault(
            f"the log {error.filename} cannot be opened: {error.strerror}",
            place=str(home.file),
            remedy="Give its folder to the user that runs the server, or change log.target.",
        ) from None


def _make_folders(home: Home, configuration: Configuration) -> None:
    """Make what is missing below the home, for the user whom the server becomes."""
    try:
        for path in home.folders():
            path.mkdir(mode=0o700, exist_ok=True)
        (home.run / LOCK_NAME).touch(0o600)  # here, so that it is given away with the rest
        if os.geteuid() == 0 and configuration.user:
            _give_away(home, configuration.user)
    except OSError as error:
        fault = ConfigFault(
            f"{error.filename}: {error.strerror}",
            place=str(home.file),
            remedy="Give the home to the user that runs the server, and see that its disk has room and can be written.",
        )
        if isinstance(error, PermissionError):
            fault.exit_code = os.EX_NOPERM
        raise fault from None


def _give_away(home: Home, user: str) -> None:
    try:
        owner = pwd.getpwnam(user)
    except KeyError:
        return  # drop_privileges says so
    for folder, _, files in os.walk(home.path):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:  # noqa: PTH118  (os.walk speaks text)
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def _upgrade_store(home: Home, configuration: Configuration, *, is_alone: bool) -> None:
    """Upgrade a store of an older version, unless the file says to ask first. Raises OlderSchema, Unavailable."""
    stands = upgrades.standing(configuration.store_url, home.path)
    if not stands.is_older:
        return
    if configuration.store_upgrade == "ask":
        raise upgrades.OlderSchema(
            f"the store has schema {stands.revision}, this version needs {stands.newest}, and store.upgrade is ask;"
            " run `posthouse store upgrade`, which keeps a copy",
            where="serving.store",
        )
    # Workers of the version before may still drain, with the store open.
    patience = _UPGRADE_PATIENCE if is_alone else _UPGRADE_PATIENCE + _DRAIN_PATIENCE
    upgrades.upgrade(configuration.store_url, home.path, patience=patience, tell=_tell)


def _tell(text: str) -> None:
    sys.stderr.write(f"posthouse: {text}\n")


async def _prepare_store(home: Home, configuration: Configuration, *, is_alone: bool) -> None:
    """Open the store once, so that it is there; where no worker of before drains, end the leases of the dead."""
    store = open_store(configuration.store_url, worker=0, home=home.path, clock=SystemClock())
    await store.open()
    try:
        if is_alone:
            await store.commit(ReleaseLeases(owner=EVERY_OWNER))
    except Unavailable:
        pass  # a full disk, say: leases end by themselves, and mail can be read meanwhile
    finally:
        await store.close()
