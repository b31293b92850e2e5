"""How the answers of ``posthouse check`` are printed. Tests: ``tests/unit/cli/test_check_printing.py``."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import click

from posthouse.cli.tables import has_colours, safe

MOST_ALIKE: Final = 20  # findings of one check and severity that are printed; a hoster's run has thousands
_MARKS: Final = {"ok": "ok     ", "notice": "notice ", "warning": "WARNING", "error": "ERROR  "}
_COLOURS: Final = {"ok": "green", "notice": "cyan", "warning": "yellow", "error": "red"}
_INDENT: Final = " " * 9


def code_of(report: Mapping[str, Any]) -> int:
    """Return the exit code of a report: 78 where there is an error."""
    return os.EX_CONFIG if report["errors"] else os.EX_OK


def print_report(report: Mapping[str, Any]) -> None:
    """Print findings with evidence, remedy and records, then how many there are."""
    told: Counter[tuple[str, str]] = Counter()
    for finding in report["findings"]:
        kind = (finding["id"], finding["severity"])
        told[kind] += 1
        if told[kind] <= MOST_ALIKE:
            _print_finding(finding)
    click.echo()
    for (name, severity), count in told.items():
        if count > MOST_ALIKE:
            click.echo(f"{count - MOST_ALIKE} more of {name} are {severity}; --json, --only or --domain show them.")
    for left in report["left_out"]:
        click.echo(safe(f"Not looked at: {', '.join(left['checks'])}: {left['reason']}."))
    if report["domains_left_out"]:
        click.echo(
            f"{report['domains']} domains were looked at, {report['domains_left_out']} were not;"
            " --domain NAME or --all-domains looks at them."
        )
    click.echo(_summary(report))


def _print_finding(finding: Mapping[str, Any]) -> None:
    subject = f"{finding['subject']}: " if finding["subject"] else ""
    evidence = f" ({finding['evidence']})" if finding["evidence"] else ""
    text = safe(f"{finding['id']}: {subject}{finding['what']}{evidence}")
    click.echo(f"{_mark(finding['severity'])}  {text}")
    for line in (finding["remedy"], *(each["line"] for each in finding["records"])):
        if line:
            click.echo(safe(f"{_INDENT}{line}"))


def _mark(severity: str) -> str:
    mark = _MARKS[severity]
    return click.style(mark, fg=_COLOURS[severity]) if has_colours(sys.stdout) else mark


def _summary(report: Mapping[str, Any]) -> str:
    if not report["errors"] and not report["warnings"]:
        return "All is well."
    notices = sum(finding["severity"] == "notice" for finding in report["findings"])
    counts = [(report["errors"], "error"), (report["warnings"], "warning"), (notices, "notice")]
    told = [(count, word) for count, word in counts if count or word != "notice"]
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in told)


def print_records(view: Mapping[str, Any]) -> None:
    """Print DNS records as lines of a zone file, each after a comment on how it stands."""
    for row in view["records"]:
        click.echo(safe(f"; {row['purpose']}: {_state(row)}"))
        click.echo(safe(row["line"]))
    if view["left_out"]:
        click.echo(f"; {view['left_out']} more domains: posthouse check dns DOMAIN", err=True)


def _state(row: Mapping[str, Any]) -> str:
    state = str(row["state"])
    words = state.upper() if state in {"wrong", "missing"} else state
    if state == "wrong":
        words += f": has {'; '.join(row['has'])}"
    return f"{words} ({row['reason']})" if row["reason"] else words


def print_exchangers(view: Mapping[str, Any]) -> None:
    """Print the exchangers of a domain, and what the courier would do."""
    click.echo(f"MX of {view['domain']}: {view['finding']}{', proven by DNSSEC' if view['is_proven'] else ''}")
    if view["is_null"]:
        click.echo("It says that it takes no mail (null MX).")
    for host in view["exchangers"]:
        proven = "" if host["tlsa_is_proven"] else " (not proven)"
        tlsa = f", {len(host['tlsa'])} TLSA{proven}" if host["tlsa"] else ""
        addresses = ", ".join(host["addresses"]) or host["fault"]
        click.echo(safe(f"{host['preference']:>6}  {host['host']}  {addresses}{tlsa}"))
    for name, text in (("MTA-STS", view["policy"]), ("Route", view["route"])):
        if text:
            click.echo(safe(f"{name}: {text}"))
    for line in view["words"]:
        click.echo(safe(line))


def print_steps(view: Mapping[str, Any]) -> None:
    """Print the steps of an explained sign-in."""
    for step in view["steps"]:
        mark = {True: _mark("ok"), False: _mark("error"), None: " " * 7}[step["is_good"]]
        click.echo(f"{mark}  {safe(step['name'])}: {safe(step['text'])}")
        if step["remedy"]:
            click.echo(safe(f"{_INDENT}{step['remedy']}"))
