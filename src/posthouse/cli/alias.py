"""``posthouse alias``."""

from __future__ import annotations

import click

from posthouse.cli.common import confirm, home_option, json_option, print_list, print_object, record, with_tools
from posthouse.config.home import Home


@click.group()
def command() -> None:
    """Aliases: addresses that lead to others, here or elsewhere."""


@command.command()
@click.argument("address")
@click.argument("targets", nargs=-1, required=True)
@json_option
@home_option
def add(home: Home, address: str, targets: tuple[str, ...], as_json: bool) -> None:
    """Add an alias that leads to TARGETS."""
    row = with_tools(home, lambda tools: tools.directory.add_alias(address, targets))
    print_object(record(row), as_json=as_json)


@command.command(name="set")
@click.argument("address")
@click.argument("targets", nargs=-1, required=True)
@json_option
@home_option
def set_(home: Home, address: str, targets: tuple[str, ...], as_json: bool) -> None:
    """Replace the targets of an alias."""
    row = with_tools(home, lambda tools: tools.directory.set_alias(address, targets))
    print_object(record(row), as_json=as_json)


@command.command()
@click.argument("address")
@json_option
@home_option
def show(home: Home, address: str, as_json: bool) -> None:
    """Show an alias."""
    print_object(record(with_tools(home, lambda tools: tools.directory.show_alias(address))), as_json=as_json)


@command.command(name="list")
@click.option("--domain", default="", help="Only those of this domain.")
@json_option
@home_option
def list_(home: Home, domain: str, as_json: bool) -> None:
    """List aliases."""
    rows = with_tools(home, lambda tools: tools.directory.aliases(domain))
    print_list(map(record, rows), ("address", "targets"), as_json=as_json)


@command.command()
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def remove(home: Home, address: str, yes: bool) -> None:
    """Remove an alias."""
    confirm(f"Remove the alias {address}?", yes=yes)
    with_tools(home, lambda tools: tools.directory.remove_alias(address))
