"""``clock.*``: whether the time is right, without asking anybody unless told to.

Tests: ``tests/unit/services/administration/diagnosis/test_check_machine.py``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from posthouse.core.ids import queue_id_time
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, notice, ok, warning
from posthouse.services.administration.diagnosis.time_source import TimeFault, ask_time

EARLIEST: Final = 1_735_689_600.0  # 2025-01-01: before this program was written
WENT_BACK: Final = 60.0  # seconds that the clock may be behind what the store has seen
OFF_WARNING: Final = 5.0
OFF_ERROR: Final = 300.0  # TOTP, Kerberos, signatures and SSO fail from here on
_REMEDY: Final = "Let the machine follow a time server: systemctl enable --now systemd-timesyncd (or chrony)."


def _shown(at: float) -> str:
    try:
        return dt.datetime.fromtimestamp(at, tz=dt.UTC).isoformat(" ", "seconds")
    except (OverflowError, OSError, ValueError):
        return f"second {at:.0f}"


async def _plausible(examination: Examination, _: str) -> Sequence[Finding]:
    now = examination.parts.clock.now()
    if now < EARLIEST:
        return [error("the clock is years behind", _shown(now), _REMEDY)]
    if examination.parts.store is None:
        return [ok("the clock is plausible", _shown(now))]
    latest, what = await _latest(examination)
    if latest > now + WENT_BACK:
        evidence = f"now {_shown(now)}, {what} {_shown(latest)}"
        return [error("the clock has gone back: it is behind what the store has seen", evidence, _REMEDY)]
    return [ok("the clock is plausible and has not gone back", _shown(now))]


async def _latest(examination: Examination) -> tuple[float, str]:
    """Return the latest time that the store has seen, and what it was."""
    times = [(row.at, "a setting was changed") for row in await examination.store.settings()]
    times += [(queue_id_time(each), "a message came") for each in await examination.store.journey_find(limit=1)]
    return max(times, default=(0.0, ""))


async def _synchronised(examination: Examination, _: str) -> Sequence[Finding]:
    state = examination.parts.machine.clock_is_synchronised()
    if state is None:
        return [ok("the kernel does not tell whether its clock is kept right")]
    if state:
        return [ok("the kernel says that its clock follows another")]
    what = "the kernel says that its clock follows no other"
    return [notice(what, "adjtimex: TIME_ERROR", f"{_REMEDY} In a virtual machine the host may keep it right.")]


async def _source(examination: Examination, _: str) -> Sequence[Finding]:
    host = examination.time_source
    found = await examination.parts.courier_resolver.addresses(host)
    if not found.addresses:
        return [warning("the time server has no address", f"{host}: {found.detail}", "Name another one.")]
    try:
        offset = await ask_time(found.addresses[-1], examination.parts.clock)  # IPv4 where there is any
    except TimeFault as fault:
        return [warning("the time server does not say what time it is", f"{host}: {fault}", "Name another one.")]
    evidence = f"{abs(offset):.3f} seconds {'behind' if offset > 0 else 'ahead of'} {host}"
    if abs(offset) >= OFF_ERROR:
        return [error("the clock is wrong", evidence, _REMEDY)]
    if abs(offset) >= OFF_WARNING:
        return [warning("the clock is off", evidence, _REMEDY)]
    return [ok("the clock is right", evidence)]


CHECKS = (
    Check(
        id="clock.plausible",
        title="the clock",
        explanation="A clock that is years off, or that went back behind what the store has seen, breaks certificates, "
        "retries and the order of messages.",
        remedy="Let the machine follow a time server.",
        look=_plausible,
    ),
    Check(
        id="clock.synchronised",
        title="whether the clock is kept right",
        explanation="Asks the kernel, and nobody outside, whether its clock follows a time server.",
        remedy="systemctl enable --now systemd-timesyncd (or chrony).",
        look=_synchronised,
    ),
    Check(
        id="clock.source",
        title="comparison with a time server",
        explanation="Compares the clock with a time server (SNTP), where one is named. One-time codes and "
        "signatures fail where it is minutes off.",
        remedy="Let the machine follow a time server.",
        look=_source,
        needs=frozenset({Need.TIME_SOURCE}),
    ),
)
