"""``ports.*``: whether each listener's address is there for it.

Tests: ``tests/unit/services/administration/diagnosis/test_check_machine.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from posthouse.services.administration.diagnosis.check import Check
from posthouse.services.administration.diagnosis.dialogue import LinkFault, linked, place_of
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, ok, warning

_REMEDIES: Final = {
    "no-address": "Change `bind` of that listener in posthouse.toml to an address of this machine.",
    "no-right": "Ports below 1024 need root or CAP_NET_BIND_SERVICE; check again as the user that starts it.",
}
_WORDS: Final = {
    "no-address": "is no address of this machine",
    "no-right": "needs a right that this user does not have",
}


async def _ports(examination: Examination, _: str) -> Sequence[Finding]:
    if await examination.workers():
        return await _reachable(examination)
    return await _free(examination)


async def _free(examination: Examination) -> list[Finding]:
    """No server runs: it has to be possible to listen."""
    found, well = [], []
    machine = examination.parts.machine
    for listener in examination.parts.configuration.listeners:
        for bind in listener.bind:
            facts = await asyncio.to_thread(machine.port, bind)
            if facts.state == "free":
                well.append(f"{listener.name} {bind}")
            elif facts.state == "taken":
                who = f" ({facts.program})" if facts.program else ""
                what = f"{bind} is in use by another program{who}"
                remedy = "Stop the other program, or change `bind` of that listener in posthouse.toml."
                found.append(error(what, facts.detail, remedy, subject=listener.name))
            else:
                make = warning if facts.state == "no-right" else error
                what = f"{bind} {_WORDS[facts.state]}"
                found.append(make(what, facts.detail, _REMEDIES[facts.state], subject=listener.name))
    return found + ([ok(f"{len(well)} free", ", ".join(well))] if well else [])


async def _reachable(examination: Examination) -> list[Finding]:
    """A server runs: each address has to take connections."""
    binds = [(each, bind) for each in examination.parts.configuration.listeners for bind in each.bind]
    faults = await asyncio.gather(*(_fault(examination, *place_of(listener, bind)) for listener, bind in binds))
    well = []
    found: list[Finding] = []
    for (listener, bind), fault in zip(binds, faults, strict=True):
        if fault:
            remedy = "See the log for why it does not listen, then restart the server."
            found.append(error(f"{bind} does not answer", fault, remedy, subject=listener.name))
        else:
            well.append(f"{listener.name} {bind}")
    return found + ([ok(f"{len(well)} reachable", ", ".join(well))] if well else [])


async def _fault(examination: Examination, host: str, port: int) -> str:
    if port < 0:
        host = str(examination.parts.configuration.in_home(host))
    try:
        async with linked(host, port):
            return ""
    except LinkFault as fault:
        return str(fault)


CHECKS = (
    Check(
        id="ports.listeners",
        title="ports",
        explanation="While no server runs, every address of every listener has to be free; the program that has one "
        "is named where it can be seen. While one runs, every address has to take connections.",
        remedy="Stop the other program, or change `bind` of that listener in posthouse.toml.",
        look=_ports,
    ),
)
