"""Runs checks: concurrently, within a time, and without ever failing itself.

A check that raises becomes a finding that says so; what has not ended in time becomes one too. Domains are many: one
run looks at ``check.domains`` of them, spread evenly, and the report says how many it left out.
Tests: ``tests/unit/services/administration/diagnosis/test_run.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from posthouse.config.definitions import check as definitions
from posthouse.core.address import domain_to_ascii
from posthouse.core.errors import Fault, SyntaxFault
from posthouse.services.administration.diagnosis.catalogue import CHECKS, matching
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Examination, Selection
from posthouse.services.administration.diagnosis.findings import Finding, Severity, warning
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.resolver.contract import Finding as Found

_ORDER: Final = {check.id: place for place, check in enumerate(CHECKS)}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Checks that were not run, and why."""

    checks: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run found.

    Attributes:
        findings: in the order of the catalogue, then of their subjects.
        left_out: what was not looked at.
        domains: how many domains were looked at; ``domains_left_out`` how many were not.
        seconds: how long it took.
    """

    findings: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...] = ()
    domains: int = 0
    domains_left_out: int = 0
    seconds: float = 0.0

    @property
    def has_errors(self) -> bool:
        """Whether anything is an error."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings that are at least so bad."""
        return tuple(finding for finding in self.findings if finding.severity.rank >= severity.rank)


@dataclass(frozen=True, slots=True)
class _Job:
    check: Check
    domain: str


async def run_checks(parts: DiagnosisParts, selection: Selection) -> Report:
    """Run the checks that are selected. Raises Refused: where the selection names nothing there is."""
    chosen = [check for check in matching(selection.only) if not selection.domain or check.per_domain or check.narrows]
    if not chosen:
        raise Refused(
            f"no check is called {', '.join(selection.only)}",
            "docs/check.md lists them; patterns such as dns.* may be given.",
            kind=Kind.MISSING,
            field="only",
        )
    examination = Examination(parts, selection)
    begun = parts.clock.monotonic()
    try:
        run = _Run(examination, chosen)
        await run.run()
    finally:
        examination.close()
    return replace(run.report(), seconds=parts.clock.monotonic() - begun)


class _Run:
    """One run."""

    def __init__(self, examination: Examination, chosen: Sequence[Check]) -> None:
        self._examination = examination
        self._chosen = chosen
        self._findings: list[Finding] = []
        self._left_out: dict[str, list[str]] = {}
        self._domains: list[str] = []
        self._domains_left_out = 0
        self._open: dict[str, int] = {}  # check -> jobs that have not ended

    async def run(self) -> None:
        """Find out what can be looked at, then look, for as long as there is time."""
        settings = self._examination.parts.settings
        try:
            async with asyncio.timeout(settings.get(definitions.TIME_BUDGET)):
                await self._choose_domains()
                jobs = list(await self._jobs())
                for job in jobs:
                    self._open[job.check.id] = self._open.get(job.check.id, 0) + 1
                await self._work(iter(jobs), settings.get(definitions.CONCURRENCY))
        except TimeoutError:
            self._note_what_is_open()

    def report(self) -> Report:
        """Return what was found."""
        findings = sorted(self._findings, key=lambda finding: (_ORDER[finding.id], finding.subject))
        left_out = (LeftOut(tuple(ids), reason) for reason, ids in self._left_out.items())
        return Report(
            findings=tuple(findings),
            left_out=tuple(left_out),
            domains=len(self._domains),
            domains_left_out=self._domains_left_out,
        )

    # ---- what to do -----------------------------------------------------------------------------------------------

    async def _choose_domains(self) -> None:
        examination, selection = self._examination, self._examination.selection
        if examination.parts.store is None:
            return
        rows = [row for row in await examination.domains() if not row.disabled]
        if selection.domain:
            rows = [row for row in await examination.domains() if row.name == selection.domain]
            if not rows:
                raise Refused(f"there is no domain {selection.domain}", kind=Kind.MISSING, field="domain")
        limit = 0 if selection.every_domain else examination.parts.settings.get(definitions.DOMAINS)
        names = [row.name for row in rows]
        chosen = names if not limit or len(names) <= limit else _spread(names, limit)
        self._domains, self._domains_left_out = chosen, len(names) - len(chosen)

    async def _jobs(self) -> Iterator[_Job]:
        missing = await self._missing()
        jobs: list[_Job] = []
        for check in self._chosen:
            lacks = next((missing[need] for need in Need if need in check.needs and need in missing), "")
            if lacks:
                self._left_out.setdefault(lacks, []).append(check.id)
            elif not check.per_domain:
                jobs.append(_Job(check, ""))
            else:
                jobs += [_Job(check, domain) for domain in self._askable(check)]
        return iter(jobs)

    def _askable(self, check: Check) -> list[str]:
        if Need.NAMES not in check.needs:
            return self._domains
        found = [domain for domain in self._domains if self._examination.is_asked(domain)]
        if len(found) < len(self._domains):
            reason = f"{len(self._domains) - len(found)} domains have names that the public DNS never knows"
            self._left_out.setdefault(reason, []).append(check.id)
        return found

    async def _missing(self) -> dict[Need, str]:
        """Return the needs that are not met, with the reason in words."""
        examination = self._examination
        parts = examination.parts
        missing: dict[Need, str] = {}
        if parts.store is None:
            missing[Need.STORE] = "the store could not be opened"
        if not parts.configuration.needs_tls:
            missing[Need.TLS] = "no listener uses TLS"
        if not examination.outbound:
            missing[Need.OUTBOUND] = f"it takes {Need.OUTBOUND.value}"
        if not examination.time_source:
            missing[Need.TIME_SOURCE] = f"it takes {Need.TIME_SOURCE.value}"
        wanted = {need for check in self._chosen for need in check.needs}
        if Need.SERVER in wanted and not await examination.workers():
            missing[Need.SERVER] = "no server runs"
        if Need.NAMES in wanted and await _names_fault(examination, self._domains):
            missing[Need.NAMES] = "no name server answers"
        return missing

    # ---- doing it -------------------------------------------------------------------------------------------------

    async def _work(self, jobs: Iterator[_Job], hands: int) -> None:
        async def hand() -> None:
            for job in jobs:  # one iterator for all hands: each takes the next
                self._findings += await self._do(job)
                self._open[job.check.id] -= 1

        async with asyncio.TaskGroup() as group:
            for _ in range(hands):
                group.create_task(hand())

    async def _do(self, job: _Job) -> list[Finding]:
        try:
            found = await job.check.look(self._examination, job.domain)
        except Fault as fault:
            found = [_failed(fault.detail or type(fault).__name__)]
        except Exception as error:
            found = [_failed(type(error).__name__)]
        return [replace(each, id=job.check.id, subject=each.subject or job.domain) for each in found]

    def _note_what_is_open(self) -> None:
        budget = self._examination.parts.settings.get(definitions.TIME_BUDGET)
        remedy = "Give more time (posthouse setting set check.time_budget), or look at less (--only, --domain)."
        for name, count in self._open.items():
            if count:
                what = f"not looked at within {budget:g} seconds"
                evidence = f"{count} domains" if count > 1 else ""
                self._findings.append(replace(warning(what, evidence, remedy), id=name))


def _failed(reason: str) -> Finding:
    return warning("the check itself failed", reason, "Try again; if it stays so, tell us what it says.")


def _spread(names: Sequence[str], count: int) -> list[str]:
    """Return ``count`` of the names, spread evenly: the same ones at every run, so that runs can be compared."""
    return [names[place * len(names) // count] for place in range(count)]


async def _names_fault(examination: Examination, domains: Sequence[str]) -> str:
    """Return why no name can be looked up; "" where some name server answers, or no name would be asked for."""
    name = next((each for each in (examination.hostname, *domains) if examination.is_asked(each)), "")
    if not name:
        return ""
    try:
        answer = await examination.parts.resolver.addresses(domain_to_ascii(name))
    except SyntaxFault:
        return ""
    return (answer.detail or "no answer") if answer.finding is Found.UNAVAILABLE else ""
