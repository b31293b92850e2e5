"""``posthouse verify``."""

from __future__ import annotations

import os

import click

from posthouse.cli.common import home_option, json_option, print_list, record, with_tools
from posthouse.config.home import Home


@click.command()
@json_option
@home_option
def command(home: Home, as_json: bool) -> int:
    """Check every invariant of the store: counters, order, bodies readable and hash-true, no orphan.

    May run beside a server. The exit code is 65 where something was found.
    """
    findings = with_tools(home, lambda tools: tools.store.verify())
    if findings or as_json:
        print_list(map(record, findings), ("invariant", "where", "detail", "remedy"), as_json=as_json)
    else:
        click.echo("The store is sound.")
    return os.EX_DATAERR if findings else os.EX_OK
