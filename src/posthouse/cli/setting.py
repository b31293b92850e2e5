"""``posthouse setting``."""

from __future__ import annotations

import getpass

import click

from posthouse.cli.common import home_option, json_option, print_list, print_object, record, with_tools
from posthouse.config.home import Home

scope_option = click.option(
    "--scope", default="server", show_default=True, help="server, domain:NAME or account:ADDRESS."
)


@click.group()
def command() -> None:
    """Settings: what may be different, where it is set, what it does."""


@command.command()
@click.argument("name")
@scope_option
@json_option
@home_option
def get(home: Home, name: str, scope: str, as_json: bool) -> None:
    """Print what a setting is worth in a scope."""
    _, found = with_tools(home, lambda tools: tools.settings.explain(name, scope))
    if as_json:
        print_object(record(found), as_json=True)
    else:
        click.echo(found.value)


@command.command(name="set")
@click.argument("name")
@click.argument("value")
@scope_option
@click.option("--force", "forced", is_flag=True, help="Set it even if that makes an open relay.")
@json_option
@home_option
def set_(home: Home, *, name: str, value: str, scope: str, forced: bool, as_json: bool) -> None:
    """Set a setting."""
    found = with_tools(home, lambda tools: tools.settings.set(name, value, scope, by=getpass.getuser(), forced=forced))
    print_object({"name": name, "value": found.value, "source": found.source}, as_json=as_json)


@command.command()
@click.argument("name")
@scope_option
@json_option
@home_option
def unset(home: Home, name: str, scope: str, as_json: bool) -> None:
    """Take a setting back to what it inherits."""
    found = with_tools(home, lambda tools: tools.settings.unset(name, scope, by=getpass.getuser()))
    print_object({"name": name, "value": found.value, "source": found.source}, as_json=as_json)


@command.command(name="list")
@json_option
@home_option
def list_(home: Home, as_json: bool) -> None:
    """List every setting with its value for the server."""
    rows = with_tools(home, lambda tools: tools.settings.list())
    print_list(map(record, rows), ("name", "value", "source"), as_json=as_json)


@command.command()
@click.argument("name")
@scope_option
@json_option
@home_option
def explain(home: Home, name: str, scope: str, as_json: bool) -> None:
    """Say what a setting does, what is allowed, and where its value comes from."""
    definition, found = with_tools(home, lambda tools: tools.settings.explain(name, scope))
    fields = record(found) | {
        "allowed": definition.allowed,
        "scopes": [item.value for item in definition.scopes],
        "restart_needed": definition.restart_needed,
        "since": definition.since,
        "rfc": definition.rfc,
    }
    print_object(fields, as_json=as_json)
