"""Which lines of the JSON log somebody wants to see, live or from files.

Lines are looked at as octets first, so that the many that cannot match cost no parsing. What is no event, such as half
a line of a file that a crash cut, matches nothing. Tests: ``tests/unit/telemetry/test_filters.py``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from posthouse.telemetry.log import LEVELS

LONGEST: Final = 1 << 20  # octets of a line that is read at all
_TS: Final = b'{"ts":"'
_ADDRESS_FIELDS: Final = ("from", "to", "account", "login", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFilter:
    """What a line must have; "" and 0.0 ask for nothing.

    Attributes:
        event: how the event's name begins.
        level: the least important level.
        session: the whole session id.
        address: part of an address in ``from``, ``to``, ``account`` or ``login``, in any case.
        queue_id: the whole queue id, in any case.
        contains: any text of the line.
        since, until: seconds since 1970; the first belongs to what is wanted, the second does not.
    """

    event: str = ""
    level: str = ""
    session: str = ""
    address: str = ""
    queue_id: str = ""
    contains: str = ""
    since: float = 0.0
    until: float = 0.0

    def match(self, line: bytes) -> Mapping[str, Any] | None:
        """Return the event of a line that is wanted, else None."""
        if len(line) > LONGEST or not self._may_match(line):
            return None
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        return found if isinstance(found, dict) and self._matches(found) else None

    def _may_match(self, line: bytes) -> bool:
        needles = (self.session, self.queue_id.upper(), self.contains)
        if not all(_written(needle) in line for needle in needles if needle):
            return False
        if not (self.since or self.until) or not line.startswith(_TS):
            return True
        at = line[len(_TS) : len(_TS) + 24]
        return not (self.since and at < stamp(self.since)) and not (self.until and at >= stamp(self.until))

    def _matches(self, found: Mapping[str, Any]) -> bool:
        name, level = found.get("event"), found.get("level")
        if not isinstance(name, str) or not name.startswith(self.event):
            return False
        if self.level and LEVELS.get(str(level), 0) < LEVELS[self.level]:
            return False
        if self.session and found.get("session") != self.session:
            return False
        if self.queue_id and str(found.get("queue_id", "")).upper() != self.queue_id.upper():
            return False
        return not self.address or _has_address(found, self.address.lower())


def _written(text: str) -> bytes:
    """Return text as it stands inside a JSON string."""
    return orjson.dumps(text)[1:-1]


def stamp(seconds: float) -> bytes:
    """Return a moment as ``ts`` writes it; such texts sort as their moments do."""
    whole = int(seconds)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return f"{text}.{int((seconds - whole) * 1000):03d}Z".encode()


def _has_address(found: Mapping[str, Any], part: str) -> bool:
    for name in _ADDRESS_FIELDS:
        value = found.get(name)
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, str) and part in each.lower():
                return True
    return False
