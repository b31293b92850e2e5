"""What a command works with: a home's store, open beside a server that may be running, and services over it.

A tool is imported and made when it is first asked for, so that listing accounts does not load the mail server. Nothing
here decides anything. Tests: ``tests/unit/test_toolbox.py``, and every test of the command line.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from posthouse.config.file import Configuration, load_configuration
from posthouse.config.home import Home
from posthouse.core.clock import Clock
from posthouse.store.contract import Store
from posthouse.store.open import open_store

if TYPE_CHECKING:
    from posthouse.config.settings import Settings
    from posthouse.servers.live import LiveServer
    from posthouse.services.administration.desk import Desk
    from posthouse.services.administration.diagnosis.parts import DiagnosisParts

_TOOL_WORKERS = 1_000  # commands count themselves from here, out of the way of the server's workers


class SystemClock:
    """The time of the machine."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class Toolbox:
    """The tools of one command, on an open store.

    Attributes:
        home: the server's home.
        configuration: what its ``posthouse.toml`` says.
        clock: the machine's.
        store: open.
    """

    def __init__(self, home: Home, configuration: Configuration, store: Store, clock: Clock) -> None:
        self.home = home
        self.configuration = configuration
        self.store = store
        self.clock = clock

    async def desk(self) -> Desk:
        """Return what operations work with, the running server included where there is one."""
        from posthouse.servers.live import LiveServer
        from posthouse.services.administration.desk import Desk
        from posthouse.services.identity.inheritance import read_settings
        from posthouse.services.identity.sealing import sealing_of

        settings = await read_settings(self.store)
        live = LiveServer(self.home.run)
        is_serving = any(self.home.run.glob("control.*.sock"))
        return Desk(
            store=self.store,
            clock=self.clock,
            settings=settings,
            hostname=self.configuration.hostname,
            home=self.home.path,
            hash_password=_hash_password,
            sealing=sealing_of(self.home.path),
            live=live if is_serving else None,
            parts={"diagnosis": lambda: self._diagnosis(settings, live)},
        )

    def _diagnosis(self, settings: Settings, live: LiveServer) -> DiagnosisParts:
        from posthouse.services.administration.diagnosis.assemble import make_parts

        async def workers() -> Sequence[Mapping[str, Any]]:
            return await live.ask("status")

        return make_parts(self.configuration, settings, self.clock, workers, store=self.store)


async def _hash_password(password: bytes) -> str:
    """Hash a password in a thread."""
    from posthouse.services.identity.passwords import hash_password

    return await asyncio.to_thread(hash_password, password)


@asynccontextmanager
async def opened_toolbox(home: Home) -> AsyncIterator[Toolbox]:
    """Open the store of a home, beside a server that may be running. Raises ConfigFault, Unavailable."""
    configuration = load_configuration(home.file)
    clock = SystemClock()
    store = open_store(configuration.store_url, worker=_TOOL_WORKERS + os.getpid(), home=home.path, clock=clock)
    await store.open()
    try:
        yield Toolbox(home, configuration, store, clock)
    finally:
        await store.close()
