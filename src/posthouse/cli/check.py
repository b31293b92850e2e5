"""``posthouse check``: diagnosis on the machine itself. Tests: ``tests/unit/cli/test_commands.py``."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from posthouse.cli.common import home_option, json_option, print_list, print_object, read_password, record, safe
from posthouse.config.home import Home
from posthouse.services.administration.faults import Refused

if TYPE_CHECKING:
    from posthouse.services.administration.diagnosis.findings import Finding
    from posthouse.services.administration.diagnosis.parts import DiagnosisParts
    from posthouse.services.administration.diagnosis.run import Report

T = TypeVar("T")
MOST_ALIKE = 20  # findings of one check and severity that are printed; a hoster's run has thousands
_MARKS = {"ok": "ok     ", "notice": "notice ", "warning": "WARNING", "error": "ERROR  "}
_SEVERITIES = click.Choice(list(_MARKS))
_STATES = {"right": "right", "wrong": "WRONG", "missing": "MISSING", "not known": "not known", "not asked": "not asked"}


@click.group(invoke_without_command=True)
@click.option("--only", multiple=True, metavar="ID", help="Only these checks, such as dns.spf or 'dns.*'; repeatable.")
@click.option("--domain", default="", metavar="NAME", help="Only what concerns this domain.")
@click.option("--severity", type=_SEVERITIES, default="ok", help="Leave out findings that are less bad.")
@click.option("--outbound", default="", metavar="HOST", help="Try port 25 of this host, or of this domain's exchanger.")
@click.option("--time-source", default="", metavar="HOST", help="Compare the clock with this time server.")
@click.option("--all-domains", is_flag=True, help="Look at every domain, however many there are.")
@click.option("--force", "forced", is_flag=True, help="An open relay is meant: report it as a warning.")
@json_option
@home_option
@click.pass_context
def command(context: click.Context, /, home: Home, **options: Any) -> int:
    """Look for what is wrong: configuration, store, disk, ports, services, relaying, certificate, DNS.

    May run beside a server; then its listeners must answer, else their ports must be free. The exit code is 78 where
    there is an error, 0 where there are warnings at most. docs/check.md explains every check.
    """
    if context.invoked_subcommand is not None:
        return os.EX_OK
    return _check(home, **options)


def _check(home: Home, *, severity: str, as_json: bool, **options: Any) -> int:
    from posthouse.checking import check_home
    from posthouse.services.administration.diagnosis.examination import Selection
    from posthouse.services.administration.diagnosis.findings import Severity

    selection = Selection(
        only=tuple(options["only"]),
        domain=_domain(options["domain"]),
        outbound=options["outbound"],
        time_source=options["time_source"],
        forced=options["forced"],
        every_domain=options["all_domains"],
    )
    report = asyncio.run(check_home(home, selection))
    findings = report.at_least(Severity(severity))
    if as_json:
        print_list([finding_record(finding) for finding in findings], (), as_json=True)
    else:
        _print(report, findings)
    return os.EX_CONFIG if report.has_errors else os.EX_OK


def _domain(text: str) -> str:
    from posthouse.services.administration import words

    return words.domain_name(text) if text else ""


def finding_record(finding: Finding) -> dict[str, Any]:
    """Return a finding as ``--json`` prints it."""
    fields = record(finding)
    order = ("id", "severity", "subject", "what", "evidence", "remedy")
    records = [
        {"name": each.name, "type": each.type, "ttl": each.ttl, "value": each.value, "line": each.zone_line}
        for each in finding.records
    ]
    return {**{name: fields[name] for name in order}, "records": records}


def _print(report: Report, findings: tuple[Finding, ...]) -> None:
    told: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        kind = (finding.id, finding.severity.value)
        told[kind] += 1
        if told[kind] <= MOST_ALIKE:
            _print_finding(finding)
    click.echo()
    for (name, severity), count in told.items():
        if count > MOST_ALIKE:
            click.echo(f"{count - MOST_ALIKE} more of {name} are {severity}; --json, --only or --domain show them.")
    for left in report.left_out:
        click.echo(safe(f"Not looked at: {', '.join(left.checks)}: {left.reason}."))
    if report.domains_left_out:
        click.echo(
            f"{report.domains} domains were looked at, {report.domains_left_out} were not;"
            " --domain NAME or --all-domains looks at them."
        )
    click.echo(_summary(report))


def _print_finding(finding: Finding) -> None:
    subject = f"{finding.subject}: " if finding.subject else ""
    evidence = f" ({finding.evidence})" if finding.evidence else ""
    click.echo(safe(f"{_MARKS[finding.severity.value]}  {finding.id}: {subject}{finding.what}{evidence}"))
    for line in (finding.remedy, *(each.zone_line for each in finding.records)):
        if line:
            click.echo(safe(f"{'':9}{line}"))


def _summary(report: Report) -> str:
    values = [finding.severity.value for finding in report.findings]
    counts = [(values.count(word), word) for word in ("error", "warning", "notice")]
    if not values.count("error") and not values.count("warning"):
        return "All is well."
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)


def _with_parts(home: Home, action: Callable[[DiagnosisParts], Coroutine[Any, Any, T]]) -> T:
    from posthouse.checking import opened_parts
    from posthouse.config.file import load_configuration

    async def run() -> T:
        async with opened_parts(home, load_configuration(home.file)) as parts:
            if parts.store is None:
                raise Refused(parts.store_fault, "See `posthouse check --only 'store.*'`.", exit_code=os.EX_UNAVAILABLE)
            return await action(parts)

    return asyncio.run(run())


@command.command("dns")
@click.argument("domain", default="")
@json_option
@home_option
def dns_command(home: Home, domain: str, as_json: bool) -> None:
    """Print the DNS records to publish, as lines of a zone file, each with how it stands.

    Without DOMAIN, those of all domains.
    """
    from posthouse.services.administration.diagnosis.dns_report import report_dns

    async def action(parts: DiagnosisParts) -> list[dict[str, Any]]:
        assert parts.store is not None
        names = [row.name for row in await parts.store.domains() if not row.disabled]
        if domain:
            name = _domain(domain)
            if await parts.store.domain(name) is None:
                raise Refused(f"there is no domain {name}", f"posthouse domain add {name}")
            names = [name]
        return [
            {
                **finding_line(each.record),
                "check": each.record.check,
                "purpose": each.record.purpose,
                "state": each.state.value,
                "has": list(each.has),
                "reason": each.reason,
            }
            for each in await report_dns(parts, names)
        ]

    rows = _with_parts(home, action)
    if as_json:
        print_list(rows, (), as_json=True)
        return
    for row in rows:
        click.echo(safe(f"; {row['purpose']}: {_state_words(row)}"))
        click.echo(safe(row["line"]))


def finding_line(each: Any) -> dict[str, Any]:
    """Return a record as ``--json`` prints it."""
    return {"name": each.name, "type": each.type, "ttl": each.ttl, "value": each.value, "line": each.zone_line}


def _state_words(row: dict[str, Any]) -> str:
    words = _STATES[row["state"]]
    if row["state"] == "wrong":
        words += f": has {'; '.join(row['has'])}"
    return f"{words} ({row['reason']})" if row["reason"] else words


@command.command("mx")
@click.argument("domain")
@json_option
@home_option
def mx_command(home: Home, domain: str, as_json: bool) -> None:
    """Ask for the mail exchangers of a domain, and say what the courier would do."""
    from posthouse.services.administration.diagnosis.mx import query_mx

    report = _with_parts(home, lambda parts: query_mx(parts, _domain(domain)))
    if as_json:
        print_object(_plain(report), as_json=True)
        return
    click.echo(f"MX of {report.domain}: {report.finding}{', proven by DNSSEC' if report.is_proven else ''}")
    if report.is_null:
        click.echo("It says that it takes no mail (null MX).")
    for host in report.exchangers:
        tlsa = f", {len(host.tlsa)} TLSA{'' if host.tlsa_is_proven else ' (not proven)'}" if host.tlsa else ""
        click.echo(safe(f"{host.preference:>6}  {host.host}  {', '.join(host.addresses) or host.fault}{tlsa}"))
    for name, text in (("MTA-STS", report.policy), ("Route", report.route)):
        if text:
            click.echo(safe(f"{name}: {text}"))
    for line in report.words:
        click.echo(safe(line))


def _plain(report: Any) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(report)


@command.command("relay")
@click.option("--force", "forced", is_flag=True, help="An open relay is meant: report it as a warning.")
@json_option
@home_option
def relay_command(home: Home, forced: bool, as_json: bool) -> int:
    """Try to relay through our own listeners, in every way in which servers have been talked into it."""
    options = {"domain": "", "outbound": "", "time_source": "", "all_domains": False}
    return _check(home, only=("relay.*",), severity="ok", as_json=as_json, forced=forced, **options)


@command.command("sign-in")
@click.argument("address")
@click.option("--password-file", metavar="FILE", help="Its first line is the password; - is standard input.")
@click.option("--protocol", type=click.Choice(["imap", "pop3", "smtp"]), default="imap", help="By which protocol.")
@json_option
@home_option
def sign_in_command(home: Home, address: str, password_file: str | None, protocol: str, as_json: bool) -> int:
    """Try a sign-in through the whole chain, and explain each step."""
    from posthouse.services.administration.diagnosis.sign_in import explain_sign_in

    password = read_password(password_file, prompt=True)
    if password is None:
        raise Refused("no password to try", "Give --password-file FILE, or - for standard input.")
    secret = password.rstrip(b"\r\n")
    report = _with_parts(home, lambda parts: explain_sign_in(parts, address, secret, protocol))
    if as_json:
        print_object(_plain(report), as_json=True)
    else:
        for step in report.steps:
            mark = {True: "ok     ", False: "ERROR  ", None: "       "}[step.is_good]
            click.echo(safe(f"{mark}  {step.name}: {step.text}"))
            if step.remedy:
                click.echo(safe(f"{'':9}{step.remedy}"))
    return os.EX_OK if report.is_signed_in else os.EX_NOPERM
