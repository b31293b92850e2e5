"""What a command works with: a home's store, open beside a server that may be running, and services over it.

A tool is imported and made when it is first asked for, so that listing accounts does not load the mail server. Nothing
here decides anything. Tests: ``tests/unit/test_toolbox.py``, and every test of the command line.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from posthouse.config.file import Configuration, load_configuration
from posthouse.config.home import Home
from posthouse.core.clock import Clock
from posthouse.store.contract import Store
from posthouse.store.open import open_store

if TYPE_CHECKING:
    from posthouse.services.administration.directory import DirectoryAdministration
    from posthouse.services.administration.settings import SettingAdministration
    from posthouse.services.journey.story import Journey
    from posthouse.services.queue.control import QueueControls, Writer

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

    @cached_property
    def directory(self) -> DirectoryAdministration:
        """Domains, accounts, aliases, routes."""
        from posthouse.services.administration.directory import DirectoryAdministration

        return DirectoryAdministration(self.store)

    @cached_property
    def settings(self) -> SettingAdministration:
        """Settings."""
        from posthouse.services.administration.settings import SettingAdministration

        return SettingAdministration(self.store, self.clock)

    @cached_property
    def journey(self) -> Journey:
        """The stories of messages."""
        from posthouse.services.journey.story import Journey

        return Journey(self.store)

    @cached_property
    def queue(self) -> QueueControls:
        """The queue, without notices: everything but ``bounce``."""
        return self._queue(None)

    async def bouncing_queue(self) -> QueueControls:
        """Return the queue as ``bounce`` needs it: with what writes the notice to the sender."""
        from posthouse.services.delivery.notice import NoticePlanner
        from posthouse.services.identity.directory import Directory
        from posthouse.services.identity.inheritance import read_settings
        from posthouse.services.journey.queue_ids import QueueIds
        from posthouse.services.relay.notices import NoticeWriter
        from posthouse.services.routing.router import Router

        settings = await read_settings(self.store)
        queue_ids = QueueIds(self.clock, os.getpid())
        hostname = self.configuration.hostname
        router = Router(Directory(self.store, self.clock, settings, hostname=hostname))
        planner = NoticePlanner(router, queue_ids, settings, self.clock)
        notices = NoticeWriter(self.store, planner, queue_ids, self.clock, hostname=hostname)
        return self._queue(notices.write)

    def _queue(self, writer: Writer | None) -> QueueControls:
        from posthouse.services.queue.control import QueueControls

        return QueueControls(self.store, self.clock, by="command line", writer=writer)


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
