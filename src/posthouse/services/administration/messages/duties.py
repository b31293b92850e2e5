"""Messages that nobody's call causes: the report of a day, and that somebody guessed a password.

One worker at a time looks, under a lease; each message is claimed in the commit that delivers it, so that none is sent
twice however workers come and go. The report of the day before is made at ``report.daily_at``, or when a server that
was down at that time is there again on the same day. Making it may take long and goes on beside the rounds.
Tests: ``tests/unit/services/administration/messages/test_duties.py``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from posthouse.config.definitions.report import DAILY_AT, DAILY_TO, time_of_day
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.core.errors import Fault
from posthouse.services.administration.messages.once import claim, commit_once, is_claimed
from posthouse.services.administration.messages.post import ServerMail, moment_text
from posthouse.services.identity.bans import AUTOMATIC
from posthouse.store.contract import Store
from posthouse.store.directory_rows import BanRow
from posthouse.store.values import TakeDuty
from posthouse.telemetry.log import Telemetry

DUTY: Final = "letters"
LEASE: Final = 60.0  # seconds
PERIOD: Final = 10.0  # seconds between two looks
RETRY: Final = 600.0  # seconds until a report that failed is tried again
FRESH: Final = 600.0  # seconds; of an older ban nobody is told any more
REPORT: Final = "daily report"
GUESSING: Final = "ban notice"
DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyParts:
    """What the rounds work with.

    Attributes:
        owner: who this worker is, in leases.
        report: makes the report of a day, as text. Raises Fault, OSError.
        zone: in which a day begins and ends; None for that of the machine.
    """

    store: Store
    mail: ServerMail
    settings: Settings
    clock: Clock
    telemetry: Telemetry
    hostname: str
    owner: str
    report: Callable[[dt.date], Awaitable[str]]
    zone: dt.tzinfo | None = None


class LetterDuties:
    """Looks, again and again, for messages that are due."""

    def __init__(self, parts: DutyParts) -> None:
        self._parts = parts
        self._reporting: asyncio.Task[None] | None = None
        self._reported: dt.date | None = None
        self._not_before = 0.0
        self._version = -1
        self._told: set[str] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(PERIOD)
        finally:
            if self._reporting is not None:
                self._reporting.cancel()

    async def look(self) -> None:
        """Look once. Never raises but when cancelled."""
        parts = self._parts
        try:
            now = parts.clock.now()
            if await parts.store.commit(TakeDuty(name=DUTY, owner=parts.owner, now=now, until=now + LEASE)):
                await self._tell_of_guessing(now)
                await self._begin_report(now)
        except Fault as fault:
            parts.telemetry.event("letters.failed", level="warning", error=fault.detail or str(fault))
        except Exception as error:
            parts.telemetry.event("letters.failed", level="error", error=repr(error))

    async def idle(self) -> None:
        """Wait for the report that is being made, if one is."""
        if self._reporting is not None:
            await asyncio.wait([self._reporting])

    # ---- the report of a day --------------------------------------------------------------------------------------

    async def _begin_report(self, now: float) -> None:
        today = self._day_due(now)
        is_busy = self._reporting is not None and not self._reporting.done()
        if today is None or today == self._reported or is_busy or now < self._not_before:
            return
        if await is_claimed(self._parts.store, REPORT, today.isoformat()):
            self._reported = today
            return
        self._reporting = asyncio.create_task(self._send_report(today, now))

    def _day_due(self, now: float) -> dt.date | None:
        """Return the day whose report time has come; None where it has not, or there is none."""
        times = self._parts.settings.get(DAILY_AT)
        if not times:
            return None
        here = dt.datetime.fromtimestamp(now, self._parts.zone).astimezone(self._parts.zone)
        return here.date() if (here.hour, here.minute) >= time_of_day(times[0]) else None

    async def _send_report(self, today: dt.date, now: float) -> None:
        parts, day = self._parts, today - DAY
        try:
            text = await parts.report(day)
            sent = await self._deliver_report(day, text, today)
        except (Fault, OSError, TimeoutError) as error:
            self._not_before = now + RETRY
            detail = getattr(error, "detail", "") or getattr(error, "strerror", None) or repr(error)
            parts.telemetry.event("report.failed", level="warning", day=day.isoformat(), error=detail)
        else:
            self._reported = today
            if sent:
                parts.telemetry.event("report.sent", day=day.isoformat(), to=list(sent))

    async def _deliver_report(self, day: dt.date, text: str, today: dt.date) -> tuple[str, ...]:
        """Commit the report for all its readers; return them, or () where another worker was first."""
        parts = self._parts
        readers = parts.settings.get(DAILY_TO) or (f"postmaster@{parts.hostname}",)
        found = {}
        for each in readers:
            values = {"day": day.isoformat(), "report": text}
            delivery = await parts.mail.to_address("daily-summary", each, values)
            if delivery is not None:
                found[each] = delivery
        if not found:
            raise OSError(0, f"{', '.join(readers)} reaches nobody")
        once = claim(REPORT, today.isoformat(), parts.clock.now(), keep=DAY.total_seconds())
        return tuple(found) if await commit_once(parts.store, once, *found.values()) else ()

    # ---- guessed passwords ----------------------------------------------------------------------------------------

    async def _tell_of_guessing(self, now: float) -> None:
        """Tell owners of automatic bans for their accounts, each at most once a day."""
        version = await self._parts.store.directory_version()
        if version == self._version:
            return
        today = dt.datetime.fromtimestamp(now, dt.UTC).date().isoformat()
        for ban in await self._parts.store.bans():
            key = f"{ban.account} {today}"
            if ban.by == AUTOMATIC and ban.account and ban.since > now - FRESH and key not in self._told:
                await self._tell_owner(ban, key, now)
                self._told = {each for each in self._told if each.endswith(today)} | {key}
        self._version = version

    async def _tell_owner(self, ban: BanRow, key: str, now: float) -> None:
        parts = self._parts
        account = await parts.store.account(ban.account)
        if account is None:
            return
        values = {"network": ban.network, "until": moment_text(ban.until)}
        delivery = await parts.mail.to_owner("sign-in-ban", account, values)
        if delivery is not None:
            await commit_once(parts.store, claim(GUESSING, key, now), delivery)
