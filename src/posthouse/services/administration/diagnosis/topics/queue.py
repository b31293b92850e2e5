"""``queue.*``: how much waits, for how long, for whom.

Tests: ``tests/unit/services/administration/diagnosis/test_check_queue.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from posthouse.config.definitions import check as definitions
from posthouse.config.setting import format_duration
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, notice, ok, warning

_STORE: Final = frozenset({Need.STORE})
MOST_DESTINATIONS: Final = 5
FAILING: Final = 10  # recipients that were tried and wait, for one destination, from which on it is told
_SAMPLE: Final = 1000


async def _size(examination: Examination, _: str) -> Sequence[Finding]:
    waiting = sum(row[2] for row in await examination.once("queue", examination.store.queue_summary))
    most = examination.parts.settings.get(definitions.QUEUE_SIZE)
    words = "1 recipient waits in the queue" if waiting == 1 else f"{waiting} recipients wait in the queue"
    if waiting > most:
        remedy = "posthouse queue list --summary shows for whom; see queue.destinations below."
        return [warning(words, f"check.queue_size is {most}", remedy)]
    return [ok(words)]


async def _age(examination: Examination, _: str) -> Sequence[Finding]:
    rows = await examination.store.queue_rows(limit=1)  # queue ids rise with time
    if not rows:
        return [ok("nothing waits")]
    age = max(0.0, examination.parts.clock.now() - rows[0].received)
    what = f"the oldest message waits for {format_duration(float(int(age)))}"
    evidence = f"to {rows[0].address}: {rows[0].last_reply or 'not tried yet'}"
    if age > examination.parts.settings.get(definitions.QUEUE_AGE):
        return [warning(what, evidence, "posthouse queue show ID tells why; posthouse queue retry tries it now.")]
    return [ok(what, evidence)]


async def _destinations(examination: Examination, _: str) -> Sequence[Finding]:
    """Told by what was tried in vain: of the oldest recipients in the queue, those with a reply."""
    rows = await examination.store.queue_rows(limit=_SAMPLE)
    failing = Counter(row.destination for row in rows if row.attempts and row.last_reply)
    replies = {row.destination: row.last_reply for row in reversed(rows) if row.last_reply}
    found = []
    for destination, count in failing.most_common(MOST_DESTINATIONS):
        make = warning if count >= FAILING else notice
        what = f"{count} recipients could not be delivered yet"
        found.append(make(what, replies[destination], "posthouse check mx DOMAIN tells more.", subject=destination))
    return found or [ok("no destination fails")]


CHECKS = (
    Check(
        id="queue.size",
        title="size of the queue",
        explanation="Many waiting recipients mean that a destination is away, that port 25 is closed, or that an "
        "account sends unwanted mail.",
        remedy="posthouse queue list; posthouse check mx DOMAIN.",
        look=_size,
        needs=_STORE,
    ),
    Check(
        id="queue.age",
        title="age of the queue",
        explanation="Mail that waits for a day will not get better by itself.",
        remedy="posthouse queue show ID tells why it waits.",
        look=_age,
        needs=_STORE,
    ),
    Check(
        id="queue.destinations",
        title="failing destinations",
        explanation="The destinations for which most recipients were tried in vain, with the last reply.",
        remedy="posthouse check mx DOMAIN tells what is known about a destination.",
        look=_destinations,
        needs=_STORE,
    ),
)
