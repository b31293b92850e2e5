"""What runs: listeners, workers, sessions, what waits, the store. Of the whole server, for its administrators.

Tests: ``tests/unit/services/administration/operations/test_status_operation.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from posthouse.config.file import Configuration, load_configuration
from posthouse.config.home import Home
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.fields import Octets
from posthouse.services.administration.operation import Input, Operation, Output, Rule, on_server, operation
from posthouse.services.administration.operations.queue_models import Summary

_DESTINATIONS = 100  # that are told, those with the most recipients first


class AskStatus(Input):
    """Nothing to say."""


class ListenerStatus(Output):
    """A listener."""

    listener: str = Field(description="Its name.")
    protocol: str = Field(description="What is spoken there.")
    bind: list[str] = Field(description="Where it listens.")
    tls: str = Field(description="`off`, `starttls` or `implicit`.")
    sessions: int = Field(description="How many connections are open.")


class WorkerStatus(Output):
    """A worker."""

    worker: int = Field(description="Its number.")
    pid: int = Field(description="Its process.")
    seconds: float = Field(description="How long it has been running.")
    draining: bool = Field(description="Whether it takes no more connections.")
    sessions: dict[str, int] = Field(description="How many connections are open, by listener.")
    queue_in_flight: int = Field(description="How many recipients it is trying at this moment.")
    duties: list[str] = Field(description="What it does for all workers.")


class StoreStatus(Output):
    """The store."""

    url: str = Field(description="Where it is, without a password.")
    octets: Octets = Field(description="How large it is.")
    free_octets: Octets = Field(description="How much room is left beside it.")


class Status(Output):
    """What runs."""

    home: str = Field(description="The server's home.")
    hostname: str = Field(description="The server's name.")
    serving: bool = Field(description="Whether a server answers.")
    listeners: list[ListenerStatus] = Field(description="The listeners.")
    workers: list[WorkerStatus] = Field(description="The workers that answer.")
    queue: list[Summary] = Field(description="What waits, by destination; the most first.")
    store: StoreStatus = Field(description="The store.")


@operation("status", "", rule=Rule(Role.SERVER, on_server()), http="GET /status")
async def status(call: Call, given: AskStatus) -> Status:
    """Show listeners, workers, sessions, what waits, and the store."""
    del given
    desk = call.desk
    configuration = await asyncio.to_thread(load_configuration, Home(desk.home).file)
    workers = await desk.live.ask("status") if desk.live is not None else []
    workers = sorted(workers, key=lambda answer: int(answer["worker"]))
    waiting = sorted(await desk.store.queue_summary(), key=lambda row: -row[2])[:_DESTINATIONS]
    return Status(
        home=str(desk.home),
        hostname=desk.hostname,
        serving=bool(workers),
        listeners=_listeners(configuration, workers),
        workers=[WorkerStatus(**{name: answer[name] for name in WorkerStatus.model_fields}) for answer in workers],
        queue=[
            Summary(destination=destination, state=state, recipients=count, next_attempt=when)
            for destination, state, count, when in waiting
        ],
        store=await asyncio.to_thread(_store, desk.home, configuration),
    )


def _listeners(configuration: Configuration, workers: Sequence[Mapping[str, Any]]) -> list[ListenerStatus]:
    return [
        ListenerStatus(
            listener=one.name,
            protocol=one.protocol,
            bind=[str(bind) for bind in one.bind],
            tls=one.tls,
            sessions=sum(worker["sessions"].get(one.name, 0) for worker in workers),
        )
        for one in configuration.listeners
    ]


def _store(home: Path, configuration: Configuration) -> StoreStatus:
    url = configuration.store_url
    used = 0
    if url.startswith("sqlite:///"):
        path = configuration.in_home(url.removeprefix("sqlite:///"))
        for each in (path, path.with_name(f"{path.name}-wal")):
            with contextlib.suppress(OSError):
                used += each.stat().st_size
    return StoreStatus(url=_shown(url), octets=used, free_octets=shutil.disk_usage(home).free)


def _shown(url: str) -> str:
    """Return a store's address without the password that may stand in it."""
    scheme, separator, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{host}"


OPERATIONS: tuple[Operation[Any, Any], ...] = (status,)
