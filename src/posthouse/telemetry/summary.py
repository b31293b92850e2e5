"""The report of a day: what came in, what went out, what was refused and why, who signed in wrongly.

Made from the lines of the JSON log in one pass; memory is bounded however many senders and clients there were: the
largest are counted by ``TopCounter``, exact up to its capacity and too high by at most ``error`` beyond it (after the
space-saving algorithm of Metwally, Agrawal and El Abbadi, forgetting many at a time).
Tests: ``tests/unit/telemetry/test_summary.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from posthouse.telemetry.filters import LineFilter

CAPACITY: Final = 2_000
TOP: Final = 10
_LONGEST_KEY: Final = 320


class TopCounter:
    """Counts keys in bounded memory, so that the frequent ones are right."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._counts: dict[str, int] = {}
        self.error = 0  # how much too high a count may be

    def add(self, key: Any, count: int = 1) -> None:
        """Count a key; one that is not known may have been forgotten, so it begins with what it may have had."""
        text = str(key)[:_LONGEST_KEY]
        found = self._counts.get(text)
        self._counts[text] = count + (self.error if found is None else found)
        if len(self._counts) >= 2 * self._capacity:
            self._prune()

    def _prune(self) -> None:
        rows = self.top(2 * self._capacity)
        self.error = max(self.error, rows[self._capacity][1])
        self._counts = dict(rows[: self._capacity])

    def top(self, most: int = TOP) -> list[tuple[str, int]]:
        """Return the largest, largest first."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:most]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What happened between two moments. Lists hold names with counts, largest first."""

    since: float
    until: float
    lines: int = 0
    received: int = 0
    received_octets: int = 0
    filed: int = 0
    queued: int = 0
    sent: int = 0
    deferred: int = 0
    bounced: int = 0
    refused: int = 0
    refused_for_now: int = 0
    failed: int = 0
    signed_in: int = 0
    sign_in_failures: int = 0
    sessions: int = 0
    refused_by_reason: list[tuple[str, int]] = field(default_factory=list)
    deferred_by_reply: list[tuple[str, int]] = field(default_factory=list)
    bounced_by_reply: list[tuple[str, int]] = field(default_factory=list)
    senders: list[tuple[str, int]] = field(default_factory=list)
    recipients: list[tuple[str, int]] = field(default_factory=list)
    clients: list[tuple[str, int]] = field(default_factory=list)
    sign_in_failures_by_client: list[tuple[str, int]] = field(default_factory=list)
    sessions_by_protocol: list[tuple[str, int]] = field(default_factory=list)
    problems: list[tuple[str, int]] = field(default_factory=list)


_LISTS: Final = (
    "refused_by_reason", "deferred_by_reply", "bounced_by_reply", "senders", "recipients", "clients",
    "sign_in_failures_by_client", "sessions_by_protocol", "problems",
)  # fmt: skip


class _Tally:
    """Counts while lines are read."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.tops = {name: TopCounter() for name in _LISTS}

    def add(self, name: str, count: int = 1) -> None:
        self.numbers[name] = self.numbers.get(name, 0) + count

    def take(self, event: Mapping[str, Any]) -> None:
        self.add("lines")
        name = str(event["event"])
        if event.get("level") == "error":
            self.tops["problems"].add(name)
        count = _COUNTS.get(name)
        if count is not None:
            count(self, event)


def _received(tally: _Tally, event: Mapping[str, Any]) -> None:
    tally.add("received")
    tally.add("received_octets", int(event.get("size", 0)))
    tally.add("filed", int(event.get("filed", 0)))
    tally.add("queued", int(event.get("queued", 0)))
    tally.tops["senders"].add(event.get("from") or "<>")
    tally.tops["clients"].add(event.get("peer") or "this machine")
    to = event.get("to")
    for each in to if isinstance(to, list) else ():
        tally.tops["recipients"].add(each)


def _sent(tally: _Tally, event: Mapping[str, Any]) -> None:
    tally.add("sent")
    tally.tops["recipients"].add(event.get("to", ""))


def _refused(tally: _Tally, event: Mapping[str, Any]) -> None:
    is_for_now = int(event.get("code", 500)) < 500
    tally.add("refused_for_now" if is_for_now else "refused")
    tally.tops["refused_by_reason"].add(f"{event.get('rule') or '?'} ({event.get('code', '')})")


def _attempt(number: str, reasons: str) -> Callable[[_Tally, Mapping[str, Any]], None]:
    def count(tally: _Tally, event: Mapping[str, Any]) -> None:
        tally.add(number)
        tally.tops[reasons].add(str(event.get("reply", ""))[:100])

    return count


def _sign_in_failed(tally: _Tally, event: Mapping[str, Any]) -> None:
    tally.add("sign_in_failures")
    tally.tops["sign_in_failures_by_client"].add(event.get("peer") or "this machine")


def _session(tally: _Tally, event: Mapping[str, Any]) -> None:
    tally.add("sessions")
    tally.tops["sessions_by_protocol"].add(event.get("protocol", ""))


_COUNTS: Final[dict[str, Callable[[_Tally, Mapping[str, Any]], None]]] = {
    "auth.granted": lambda tally, _event: tally.add("signed_in"),
    "auth.refused": _sign_in_failed,
    "door.closed": _session,
    "message.failed": lambda tally, _event: tally.add("failed"),
    "message.received": _received,
    "message.refused": _refused,
    "relay.deferred": _attempt("deferred", "deferred_by_reply"),
    "relay.failed": _attempt("bounced", "bounced_by_reply"),
    "relay.sent": _sent,
}


def summarise(lines: Iterable[bytes], *, since: float, until: float, top: int = TOP) -> Summary:
    """Return the summary of the lines between two moments; lines that are no events are passed over."""
    wanted = LineFilter(since=since, until=until)
    tally = _Tally()
    for line in lines:
        event = wanted.match(line)
        if event is not None:
            try:
                tally.take(event)
            except (TypeError, ValueError):  # a field of another type than ours
                continue
    lists = {name: counter.top(top) for name, counter in tally.tops.items()}
    return Summary(since=since, until=until, **tally.numbers, **lists)  # type: ignore[arg-type]  # both are by name


_NUMBERS: Final = (
    ("received", "messages received"),
    ("filed", "copies filed in mailboxes"),
    ("queued", "recipients queued for other servers"),
    ("sent", "recipients sent to other servers"),
    ("deferred", "attempts deferred"),
    ("bounced", "recipients given up"),
    ("refused", "refused for good"),
    ("refused_for_now", "refused for now"),
    ("failed", "not taken because of an error of ours"),
    ("sessions", "sessions"),
    ("signed_in", "sign-ins"),
    ("sign_in_failures", "sign-ins that failed"),
)
_HEADINGS: Final = (
    ("refused_by_reason", "Refused, by rule"),
    ("deferred_by_reply", "Deferred, by reply"),
    ("bounced_by_reply", "Given up, by reply"),
    ("senders", "Senders"),
    ("recipients", "Recipients"),
    ("clients", "Clients"),
    ("sign_in_failures_by_client", "Failed sign-ins, by client"),
    ("sessions_by_protocol", "Sessions, by protocol"),
    ("problems", "Errors, by event"),
)


def summary_text(summary: Summary, title: str) -> str:
    """Return the report for people: plain text, no line that a peer could have shaped, empty lists left out."""
    lines = [title, "=" * len(title), ""]
    octets = f"{summary.received_octets / (1 << 20):.1f} MiB"
    for name, words in _NUMBERS:
        more = f" ({octets})" if name == "received" else ""
        lines.append(f"{getattr(summary, name):>10}  {words}{more}")
    for name, heading in _HEADINGS:
        rows: list[tuple[str, int]] = getattr(summary, name)
        if rows:
            lines += ["", heading, "-" * len(heading)]
            lines += [f"{count:>10}  {_printable(key)}" for key, count in rows]
    return "\n".join(lines) + "\n"


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
