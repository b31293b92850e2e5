"""``posthouse verify``."""

from __future__ import annotations

import os

import click

from posthouse.cli.common import home_option, json_option, print_list, record, with_tools
from posthouse.config.home import Home


@click.command()
@click.option("--repair", is_flag=True, help="Put right what can be: counts, orphans, indexes.")
@json_option
@home_option
def command(home: Home, repair: bool, as_json: bool) -> int:
    """Check every invariant of the store: counters, order, bodies readable and hash-true, no orphan.

    May run beside a server. The exit code is 65 where something was found that is not repaired.
    """
    findings = with_tools(home, lambda tools: tools.store.verify(repair=repair))
    columns = ("invariant", "where", "detail", "remedy", "repaired")
    if findings or as_json:
        print_list(map(record, findings), columns if repair else columns[:-1], as_json=as_json)
    else:
        click.echo("The store is sound.")
    return os.EX_OK if all(finding.repaired for finding in findings) else os.EX_DATAERR
