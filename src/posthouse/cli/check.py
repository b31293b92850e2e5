"""``posthouse check``."""

from __future__ import annotations

import asyncio
import os

import click

from posthouse.cli.common import home_option, json_option, print_list, record, safe
from posthouse.cli.control import ask_workers
from posthouse.config.home import Home

_MARKS = {"ok": "ok     ", "warning": "WARNING", "error": "ERROR  "}


@click.command()
@click.option("--force", "forced", is_flag=True, help="An open relay is meant: report it as a warning.")
@json_option
@home_option
def command(home: Home, forced: bool, as_json: bool) -> int:
    """Look for what is wrong: configuration, certificate, ports, store, DNS, who may relay.

    May run beside a server; then its listeners must answer, else their ports must be free. The exit code is 78 where
    there is an error, 0 where there are warnings at most.
    """
    from posthouse.checking import check_home

    findings = asyncio.run(check_home(home, serving=bool(ask_workers(home)), forced=forced))
    rows = [record(finding) for finding in findings]
    if as_json:
        print_list(rows, (), as_json=True)
    else:
        _print(rows)
    return os.EX_CONFIG if any(row["severity"] == "error" for row in rows) else os.EX_OK


def _print(rows: list[dict[str, str]]) -> None:
    for row in rows:
        evidence = f" ({row['evidence']})" if row["evidence"] else ""
        click.echo(safe(f"{_MARKS[row['severity']]}  {row['topic']}: {row['what']}{evidence}"))
        if row["remedy"]:
            click.echo(safe(f"{'':9}{row['remedy']}"))
    counts = [sum(row["severity"] == severity for row in rows) for severity in ("error", "warning")]
    words = [
        f"{count} {word}{'s' if count != 1 else ''}" for count, word in zip(counts, ("error", "warning"), strict=True)
    ]
    click.echo("\n" + (", ".join(words) if any(counts) else "All is well."))
