"""Live events as an operation: the log, the queue, sessions, as they happen.

Who administers the whole server sees all events; an administrator of a post office or a domain those that name an
address or a domain of his. Tests:
``tests/unit/services/administration/operations/test_event_operations.py``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Literal

from pydantic import Field

from posthouse.services.administration.access import reaches
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import Input, Operation, Output, Rule, on_own, operation
from posthouse.services.administration.reach import Reach, Target

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# kind -> beginnings of the names of its events
_KINDS: Final = {
    "log": ("",),
    "queue": ("queue.", "relay.", "message."),
    "sessions": ("door.", "auth.", "pop3.signed_in", "imap.client"),
}
_ADDRESS: Final = re.compile(r"[^\s<>@,;]+@([^\s<>@,;]+)")
_TEXTS: Final = ("account", "login", "from", "to", "domain", "address")  # fields that name whom an event is about
_KNOWN: Final = 10_000  # domains whose reach is remembered for one stream
_REMEMBERED: Final = 1.0  # seconds; a domain may go to another post office while a stream is open


class Follow(Input):
    """Which events."""

    kind: Literal["log", "queue", "sessions"] = Field(
        "log", description="`log` for all events, `queue` for what happens to messages, `sessions` for connections."
    )
    level: Literal["info", "warning", "error"] = Field("info", description="The least important events to show.")
    event: str = Field("", max_length=100, description="Only events whose name begins so, such as `relay.sent`.")
    contains: str = Field("", max_length=200, description="Only events that hold this text, such as an address.")


class Event(Output):
    """Something that happened."""

    ts: str = Field(description="When, in RFC 3339.")
    level: str = Field(description="How important: `debug`, `info`, `warning`, `error`.")
    event: str = Field(description="What, such as `relay.sent`; docs/logs.md lists them.")
    fields: dict[str, Any] = Field(description="What is known of it.")


@operation("event", "follow", rule=Rule(Role.DOMAIN, on_own()), http="GET /events", streams=True)
async def follow(call: Call, given: Follow) -> AsyncIterator[Event]:
    """Follow live events."""
    if call.desk.live is None:
        raise Refused("no server runs here", "Start it with `posthouse serve`.", kind=Kind.UNAVAILABLE)
    return _events(call, given, call.desk.live.follow())


async def _events(call: Call, given: Follow, source: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[Event]:
    reach = _Narrowed(call)
    try:
        async for told in source:
            if _is_wanted(told, given) and await reach.shows(told):
                yield _shown(told)
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


def _is_wanted(told: Mapping[str, Any], given: Follow) -> bool:
    name = str(told.get("event", ""))
    if not name.startswith(_KINDS[given.kind]) or not name.startswith(given.event):
        return False
    if _LEVELS.get(str(told.get("level")), 20) < _LEVELS[given.level]:
        return False
    return not given.contains or any(given.contains in str(value) for value in told.values())


class _Narrowed:
    """Whether events concern what the caller administers; remembers what it found out of domains."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._domains: dict[str, bool] = {}
        self._since = 0.0

    async def shows(self, told: Mapping[str, Any]) -> bool:
        """Whether the caller may see an event: it names somebody whom he administers."""
        if self._call.caller.role is Role.SERVER:
            return True
        texts = [str(told[name]) for name in _TEXTS if name in told]
        names = {match.lower().rstrip(".") for text in texts for match in _ADDRESS.findall(text)}
        names |= {str(told["domain"]).lower()} if "domain" in told else set()
        answers = [await self._is_his(name) for name in names]
        return any(answers)

    async def _is_his(self, domain: str) -> bool:
        now = self._call.desk.clock.monotonic()
        if now - self._since >= _REMEMBERED or len(self._domains) >= _KNOWN:
            self._since = now
            self._domains.clear()
        if domain not in self._domains:
            target = Target(Reach.DOMAIN, domain)
            self._domains[domain] = await reaches(self._call.desk.store, self._call.caller, target)
        return self._domains[domain]


def _shown(told: Mapping[str, Any]) -> Event:
    rest = {name: value for name, value in told.items() if name not in {"ts", "level", "event"}}
    return Event(
        ts=str(told.get("ts", "")), level=str(told.get("level", "info")), event=str(told.get("event", "")), fields=rest
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (follow,)
