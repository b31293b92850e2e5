"""`posthouse check dns`: the records that domains should have, beside what is published.

Tests: ``tests/interop/test_check_live.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from posthouse.config.definitions import check as definitions
from posthouse.core.address import domain_to_ascii
from posthouse.services.administration.diagnosis.examination import Examination, Selection
from posthouse.services.administration.diagnosis.findings import DnsRecord
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.diagnosis.published import Published, State, published
from posthouse.services.administration.diagnosis.records import DnsFacts, host_records, records_for


async def dns_facts(parts: DiagnosisParts) -> DnsFacts:
    """Return what records are made from, for ``records.records_for``."""
    examination = Examination(parts, Selection())
    try:
        return await examination.dns_facts()
    finally:
        examination.close()


async def report_dns(parts: DiagnosisParts, domains: Sequence[str]) -> list[Published]:
    """Return the records of the host and of each domain, with how they stand.

    Bounded: ``check.concurrency`` look-ups at once, ``check.time_budget`` for all of them; what was not looked up in
    time is UNKNOWN, and so is everything where no name server answers.
    """
    examination = Examination(parts, Selection())
    gate = asyncio.Semaphore(parts.settings.get(definitions.CONCURRENCY))
    try:
        facts = await examination.dns_facts()
        wanted = dict.fromkeys(host_records(facts), "")
        for name in domains:
            for record in records_for(name, facts):
                wanted.setdefault(record, domain_to_ascii(name))  # what domains share is told once
        jobs = [asyncio.ensure_future(_state(examination, facts, pair, gate)) for pair in wanted.items()]
        if not jobs:
            return []
        done, late = await asyncio.wait(jobs, timeout=parts.settings.get(definitions.TIME_BUDGET))
        for job in late:
            job.cancel()
        return [
            _result(job, record) if job in done else _late(record) for job, record in zip(jobs, wanted, strict=True)
        ]
    finally:
        examination.close()


def _late(record: DnsRecord) -> Published:
    return Published(record=record, state=State.UNKNOWN, reason="not looked up in time")


def _result(job: asyncio.Future[Published], record: DnsRecord) -> Published:
    if job.exception() is not None:
        return Published(record=record, state=State.UNKNOWN, reason="the look-up itself failed")
    return job.result()


async def _state(
    examination: Examination, facts: DnsFacts, wanted: tuple[DnsRecord, str], gate: asyncio.Semaphore
) -> Published:
    record, domain = wanted
    if not examination.is_asked(domain or facts.hostname):
        return Published(record=record, state=State.NOT_ASKED, reason="a name that the public DNS never knows")
    async with gate:
        return await published(examination.parts.resolver, facts, record, domain)
