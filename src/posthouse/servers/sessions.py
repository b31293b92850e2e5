"""The open connections of a worker, for the list of sessions, and how one is ended.

Tests: ``tests/unit/servers/test_sessions.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from posthouse.servers.door import Door, DoorContext


def session_commands(context: DoorContext) -> dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]:
    """Return what answers ``sessions`` and ``disconnect`` at the control socket."""
    return {
        "sessions": lambda _: {"worker": context.worker, "sessions": sessions(context)},
        "disconnect": lambda asked: {"ended": disconnect(context, asked.get("sessions"))},
    }


def sessions(context: DoorContext) -> list[dict[str, Any]]:
    """Return what is known of each open connection."""
    now = context.clock.now()
    return [_described(door, now) for door in _doors(context)]


def disconnect(context: DoorContext, ids: object) -> list[str]:
    """End the connections with these ids at once; return those that were there."""
    wanted = set(ids) if isinstance(ids, list) else set()
    found = [door for door in _doors(context) if door.session_id in wanted]
    for door in found:
        door.abort("administrator")
    return [door.session_id for door in found]


def _doors(context: DoorContext) -> list[Door]:
    return [each for each in tuple(context.sweep.doors) if isinstance(each, Door)]


def _described(door: Door, now: float) -> dict[str, Any]:
    return {
        "id": door.session_id,
        "protocol": door.listener.protocol,
        "listener": door.listener.name,
        "account": door.account,
        "address": door.peer_host,
        "since": round(now - door.age, 3),
        "tls": door.is_secure,
        "received": door.received,
        "sent": door.sent,
    }
