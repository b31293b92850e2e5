"""``posthouse domain``."""

from __future__ import annotations

import click

from posthouse.cli.common import confirm, home_option, json_option, print_list, print_object, record, with_tools
from posthouse.config.home import Home


@click.group()
def command() -> None:
    """Domains and alias domains."""


@command.command()
@click.argument("name")
@click.option("--alias-of", default="", metavar="DOMAIN", help="Make it another name of that domain.")
@click.option("--catch-all", default="", metavar="ADDRESS", help="Where mail for unknown addresses goes.")
@json_option
@home_option
def add(home: Home, name: str, alias_of: str, catch_all: str, as_json: bool) -> None:
    """Add a domain."""
    row = with_tools(home, lambda tools: tools.directory.add_domain(name, alias_of=alias_of, catch_all=catch_all))
    print_object(record(row), as_json=as_json)


@command.command(name="set")
@click.argument("name")
@click.option("--alias-of", metavar="DOMAIN", help='Make it another name of that domain; "" makes it one of its own.')
@click.option("--catch-all", metavar="ADDRESS", help='Where mail for unknown addresses goes; "" refuses it.')
@click.option("--disabled/--enabled", default=None, help="Whether mail for it is refused.")
@json_option
@home_option
def set_(
    home: Home, *, name: str, alias_of: str | None, catch_all: str | None, disabled: bool | None, as_json: bool
) -> None:
    """Change a domain."""
    row = with_tools(
        home, lambda tools: tools.directory.set_domain(name, alias_of=alias_of, catch_all=catch_all, disabled=disabled)
    )
    print_object(record(row), as_json=as_json)


@command.command()
@click.argument("name")
@json_option
@home_option
def show(home: Home, name: str, as_json: bool) -> None:
    """Show a domain."""
    print_object(record(with_tools(home, lambda tools: tools.directory.show_domain(name))), as_json=as_json)


@command.command(name="list")
@json_option
@home_option
def list_(home: Home, as_json: bool) -> None:
    """List domains."""
    rows = with_tools(home, lambda tools: tools.directory.domains())
    print_list(map(record, rows), ("name", "alias_of", "catch_all", "disabled"), as_json=as_json)


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def remove(home: Home, name: str, yes: bool) -> None:
    """Remove a domain that has no accounts, aliases or alias domains."""
    confirm(f"Remove the domain {name}?", yes=yes)
    with_tools(home, lambda tools: tools.directory.remove_domain(name))
