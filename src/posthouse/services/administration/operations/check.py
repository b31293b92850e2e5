"""Diagnosis, as operations: all checks, DNS records to publish, the MX query, the relay test, an explained sign-in.

Everything is done by ``services.administration.diagnosis``; here it gets its form.
Tests: ``tests/unit/services/administration/operations/test_check_operations.py``.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SecretStr

from posthouse.core.errors import SyntaxFault
from posthouse.services.administration import words
from posthouse.services.administration.access import require_over
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.diagnosis.dns_report import report_dns
from posthouse.services.administration.diagnosis.examination import Selection
from posthouse.services.administration.diagnosis.findings import DnsRecord, Finding, Severity
from posthouse.services.administration.diagnosis.mx import query_mx
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.diagnosis.run import Report, run_checks
from posthouse.services.administration.diagnosis.sign_in import explain_sign_in
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Operation,
    Output,
    Rule,
    on_address,
    on_server,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.reach import Reach, Target

MOST_DOMAINS = 1_000  # that `check dns` shows without being asked for one


class Record(Output):
    """A record to publish in the DNS."""

    name: str = Field(description="Its name, without the final dot.")
    type: str = Field(description="Its type, such as MX.")
    ttl: int = Field(description="How many seconds others may keep it.")
    value: str = Field(description="Its data; of TXT the text alone.")
    line: str = Field(description="The record as a line of a zone file.")


class FindingView(Output):
    """One thing that was looked at."""

    id: str = Field(description="Of the check, such as dns.spf.")
    severity: Literal["ok", "notice", "warning", "error"] = Field(description="How bad it is.")
    subject: str = Field(description="What it is about: a domain, a listener, an account; empty for the server.")
    what: str = Field(description="The finding, one line.")
    evidence: str = Field(description="What was seen.")
    remedy: str = Field(description="What to do about it.")
    records: list[Record] = Field(description="What to publish in the DNS.")


class LeftOutView(Output):
    """Checks that were not run."""

    checks: list[str] = Field(description="Their ids.")
    reason: str = Field(description="Why.")


class CheckReport(Output):
    """What a run found."""

    errors: int = Field(description="How many findings are errors.")
    warnings: int = Field(description="How many are warnings.")
    domains: int = Field(description="How many domains were looked at.")
    domains_left_out: int = Field(description="How many were not.")
    seconds: float = Field(description="How long it took.")
    findings: list[FindingView] = Field(description="Every finding, in the order of the manual.")
    left_out: list[LeftOutView] = Field(description="What was not looked at, and why.")


class RunChecks(Input):
    """What to look at."""

    only: list[str] = Field([], max_length=100, description="Ids of checks, or patterns such as dns.*; empty for all.")
    domain: str = Field("", max_length=320, description="Look at this domain alone.")
    severity: Literal["ok", "notice", "warning", "error"] = Field(
        "ok", description="Leave out findings that are less bad."
    )
    outbound: str = Field(
        "", max_length=260, description="Connect to this host, or this domain's exchanger, on port 25."
    )
    time_source: str = Field("", max_length=260, description="Compare the clock with this time server.")
    force: bool = Field(False, description="An open relay is meant: report it as a warning.")
    all_domains: bool = Field(False, description="Look at every domain, however many there are.")


class ShowDns(Input):
    """Whose records to show."""

    domain: str = Field("", max_length=320, description="The domain; empty for all within your reach.")


class DnsRow(Record):
    """A record, and how it stands."""

    state: str = Field(description="right, wrong, missing, not known, or not asked.")
    has: list[str] = Field(description="What is published.")
    reason: str = Field(description="Why it is so.")
    check: str = Field(description="The check that looks at it.")
    purpose: str = Field(description="What it is for.")


class DnsView(Output):
    """Records to publish."""

    records: list[DnsRow] = Field(description="In the order in which to publish them.")
    left_out: int = Field(description="How many domains were not looked at; name one to see it.")


class QueryMx(Input):
    """Which domain to ask about."""

    domain: str = Field(min_length=1, max_length=320, description="A domain, ours or anybody's.")


class ExchangerView(Output):
    """One exchanger."""

    preference: int = Field(description="Lower is tried first.")
    host: str = Field(description="Its name.")
    addresses: list[str] = Field(description="Its addresses.")
    fault: str = Field(description="Why it has none.")
    tlsa: list[str] = Field(description="Its TLSA records.")
    tlsa_is_proven: bool = Field(description="Whether the name server says that DNSSEC proves them.")


class MxView(Output):
    """What would become of mail to a domain."""

    domain: str = Field(description="As it stands in the DNS.")
    is_ours: bool = Field(description="Whether mail for it stays here.")
    finding: str = Field(description="How the question for MX ended.")
    is_null: bool = Field(description="Whether it says that it takes no mail.")
    is_proven: bool = Field(description="Whether the name server says that DNSSEC proves the answer.")
    exchangers: list[ExchangerView] = Field(description="In order of preference.")
    policy: str = Field(description="Its MTA-STS policy, in words.")
    route: str = Field(description="Our route that is used instead, in words.")
    plan: list[str] = Field(description="The addresses that would be tried, in order.")
    words: list[str] = Field(description="What the courier would do.")


class TestSignIn(Input):
    """Whose sign-in to try."""

    address: str = Field(min_length=1, max_length=320, description="The name that is signed in with.")
    password: SecretStr = Field(max_length=1024, description="The password; it is not kept.")
    protocol: Literal["imap", "pop3", "smtp"] = Field("imap", description="By which protocol.")


class StepView(Output):
    """One step of a sign-in."""

    name: str = Field(description="What was asked.")
    is_good: bool | None = Field(description="Whether the sign-in may go on; null where the step only tells.")
    text: str = Field(description="What came of it.")
    remedy: str = Field(description="What to do where it is not good.")


class SignInView(Output):
    """An explained sign-in."""

    address: str = Field(description="The name that was signed in with.")
    protocol: str = Field(description="The protocol.")
    is_signed_in: bool = Field(description="Whether it came about.")
    steps: list[StepView] = Field(description="Every step, in order.")


def _domain_or_server(given: Any) -> Target:
    return Target(Reach.DOMAIN, given.domain) if given.domain else Target(Reach.SERVER)


def _parts(call: Call) -> DiagnosisParts:
    if "diagnosis" not in call.desk.parts:
        raise Refused("diagnosis is not at hand here", "Run `posthouse check` on the machine.", kind=Kind.UNAVAILABLE)
    parts: DiagnosisParts = call.desk.part("diagnosis")
    return parts


@operation(
    "check",
    "run",
    rule=Rule(Role.DOMAIN, _domain_or_server),
    http="GET /checks",
    columns=("severity", "id", "subject", "what"),
)
async def run(call: Call, given: RunChecks) -> CheckReport:
    """Look for what is wrong, with remedies.

    Looks at configuration, directory, store, disk, clock, ports, services, queue, relaying, certificate, DNS and the
    way out. Administrators of a domain look at their domain.
    """
    if not given.domain or given.outbound or given.time_source:
        call.require(Role.SERVER, "looking at the server")
    return report_view(await run_checks(_parts(call), selection_of(given)), Severity(given.severity))


def selection_of(given: RunChecks) -> Selection:
    """Return what to look at. Raises Refused: where a name cannot be one."""
    return Selection(
        only=tuple(given.only),
        domain=words.domain_name(given.domain) if given.domain else "",
        outbound=given.outbound,
        time_source=given.time_source,
        forced=given.force,
        every_domain=given.all_domains,
    )


def report_view(report: Report, least: Severity) -> CheckReport:
    """Return a report in its outer form."""
    counts = {each: sum(finding.severity is each for finding in report.findings) for each in Severity}
    return CheckReport(
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        domains=report.domains,
        domains_left_out=report.domains_left_out,
        seconds=round(report.seconds, 3),
        findings=[_finding_view(finding) for finding in report.at_least(least)],
        left_out=[LeftOutView(checks=list(each.checks), reason=each.reason) for each in report.left_out],
    )


def _finding_view(finding: Finding) -> FindingView:
    return FindingView(
        id=finding.id,
        severity=finding.severity.value,
        subject=finding.subject,
        what=finding.what,
        evidence=finding.evidence,
        remedy=finding.remedy,
        records=[Record(**_record(record)) for record in finding.records],
    )


def _record(record: DnsRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": record.type,
        "ttl": record.ttl,
        "value": record.value,
        "line": record.zone_line,
    }


@operation(
    "check",
    "dns",
    rule=Rule(Role.DOMAIN, _domain_or_server),
    http="GET /checks/dns",
    arguments=("domain",),
    columns=("state", "line", "reason"),
)
async def dns(call: Call, given: ShowDns) -> DnsView:
    """Show the DNS records to publish, and how each stands."""
    if given.domain:
        name = words.domain_name(given.domain)
        if await call.desk.store.domain(name) is None:
            raise Refused(f"there is no domain {name}", kind=Kind.MISSING, field="domain")
        names, left_out = [name], 0
    else:
        every = [row.name for row in await call.desk.store.domains() if not row.disabled]
        names, left_out = every[:MOST_DOMAINS], len(every) - len(every[:MOST_DOMAINS])
    found = await report_dns(_parts(call), names)
    rows = [
        DnsRow(
            **_record(each.record),
            state=each.state.value,
            has=list(each.has),
            reason=each.reason,
            check=each.record.check,
            purpose=each.record.purpose,
        )
        for each in found
    ]
    return DnsView(records=rows, left_out=left_out)


@operation(
    "check",
    "mx",
    rule=Rule(Role.SERVER, on_server()),
    http="GET /checks/mx/{domain}",
    arguments=("domain",),
)
async def mx(call: Call, given: QueryMx) -> MxView:
    """Ask for the mail exchangers of a domain, and say what the courier would do."""
    try:
        report = await query_mx(_parts(call), words.domain_name(given.domain))
    except SyntaxFault as fault:
        raise Refused(f"{given.domain!r} has no form in the DNS ({fault.detail})", field="domain") from None
    return MxView(
        domain=report.domain,
        is_ours=report.is_ours,
        finding=report.finding,
        is_null=report.is_null,
        is_proven=report.is_proven,
        exchangers=[
            ExchangerView(
                preference=each.preference,
                host=each.host,
                addresses=list(each.addresses),
                fault=each.fault,
                tlsa=list(each.tlsa),
                tlsa_is_proven=each.tlsa_is_proven,
            )
            for each in report.exchangers
        ],
        policy=report.policy,
        route=report.route,
        plan=list(report.plan),
        words=list(report.words),
    )


class TestRelay(Input):
    """How to take what is found."""

    force: bool = Field(False, description="An open relay is meant: report it as a warning.")


@operation("check", "relay", rule=Rule(Role.SERVER, on_server()), http="GET /checks/relay")
async def relay(call: Call, given: TestRelay) -> CheckReport:
    """Try to relay through our own listeners, in every way in which servers have been talked into it."""
    selection = Selection(only=("relay.*",), forced=given.force)
    return report_view(await run_checks(_parts(call), selection), Severity.OK)


@operation(
    "check",
    "sign-in",
    rule=Rule(Role.DOMAIN, on_address("address")),
    http="POST /checks/sign-in",
    effect=Effect.CHANGE,  # the sign-in is real: it is counted, and noted as the last one
    arguments=("address",),
)
async def sign_in(call: Call, given: TestSignIn) -> SignInView:
    """Try a sign-in through the whole chain, and explain each step."""
    await _require_explainable(call, given.address)
    report = await explain_sign_in(
        _parts(call), given.address, given.password.get_secret_value().encode(), given.protocol
    )
    return SignInView(
        address=report.address,
        protocol=report.protocol,
        is_signed_in=report.is_signed_in,
        steps=[
            StepView(name=step.name, is_good=step.is_good, text=step.text, remedy=step.remedy) for step in report.steps
        ],
    )


async def _require_explainable(call: Call, login: str) -> None:
    """Raise Refused: FORBIDDEN, where the name leads to somebody who is not the caller's to look into.

    It tells whether a password is right, and what else an account has; that there is no account is told as well.
    """
    if call.caller.role is Role.SERVER:
        return
    try:
        row = await reading.account_row(call, login)
    except Refused as refused:
        if refused.kind is not Kind.MISSING:
            raise
        return
    require_over(call.caller, row)


OPERATIONS: tuple[Operation[Any, Any], ...] = (run, dns, mx, relay, sign_in)
