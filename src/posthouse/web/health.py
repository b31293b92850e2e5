"""Whether this server is alive and ready, with what is missing in words.

Live: the process answers. Ready: it is not draining, its listeners accept, the store answers a read in time, and the
disk of the home has more room than ``metrics.ready_disk_space``. Tests: ``tests/unit/web/test_health.py``.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from posthouse.config.definitions.metrics import READY_DISK_SPACE
from posthouse.config.setting import format_size
from posthouse.config.settings import Settings
from posthouse.core.errors import Fault
from posthouse.store.contract import Store

PATIENCE: Final = 2.0  # seconds for the store's answer


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthParts:
    """What is looked at.

    Attributes:
        home: the folder whose disk must have room.
        is_draining: whether the worker is told to end.
        closed_listeners: names of listeners that do not accept.
    """

    store: Store
    settings: Settings
    home: Path
    is_draining: Callable[[], bool]
    closed_listeners: Callable[[], Sequence[str]]


async def missing(parts: HealthParts) -> list[str]:
    """Return what keeps this worker from serving, a sentence each; empty where it is ready."""
    found = ["The server is stopping."] if parts.is_draining() else []
    found += [f"The listener {name} does not accept connections." for name in parts.closed_listeners()]
    try:
        async with asyncio.timeout(PATIENCE):
            await parts.store.directory_version()
    except (TimeoutError, Fault):
        found.append("The store does not answer.")
    mark = parts.settings.get(READY_DISK_SPACE)
    try:
        free = shutil.disk_usage(parts.home).free
    except OSError:
        found.append("The disk of the home cannot be read.")
    else:
        if free < mark:
            found.append(f"The disk of the home has {free >> 20} MiB left, less than {format_size(mark)}.")
    return found
