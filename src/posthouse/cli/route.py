"""``posthouse route``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from posthouse.cli.common import confirm, home_option, json_option, print_list, print_object, record, with_tools
from posthouse.config.home import Home

F = TypeVar("F", bound=Callable[..., Any])

COLUMNS = ("domain", "host", "port", "tls", "mx_lookup", "recipients_local")


def route_options(function: F) -> F:
    """The options that ``add`` and ``set`` share."""
    for option in (
        click.option("--host", required=True, help="The next hop: a name or an IP address."),
        click.option("--port", default=25, show_default=True, help="Its port."),
        click.option(
            "--tls",
            type=click.Choice(("none", "may", "must")),
            default="may",
            show_default=True,
            help="may: use TLS where it is offered; must: never without.",
        ),
        click.option("--mx-lookup", is_flag=True, help="Look up MX records of the host, in place of its address."),
        click.option(
            "--recipients-local", is_flag=True, help="Strangers may send to this domain (gateway, backup MX)."
        ),
    ):
        function = option(function)
    return function


@click.group()
def command() -> None:
    """Next hops: of a DOMAIN, of .DOMAIN (all below it), or of * (the smart host)."""


def _put(home: Home, domain: str, options: dict[str, Any], *, must_be_new: bool) -> None:
    as_json = options.pop("as_json")
    row = with_tools(home, lambda tools: tools.directory.put_route(domain, must_be_new=must_be_new, **options))
    print_object(record(row), as_json=as_json)


@command.command()
@click.argument("domain")
@route_options
@json_option
@home_option
def add(home: Home, domain: str, **options: Any) -> None:
    """Add a route."""
    _put(home, domain, options, must_be_new=True)


@command.command(name="set")
@click.argument("domain")
@route_options
@json_option
@home_option
def set_(home: Home, domain: str, **options: Any) -> None:
    """Replace a route."""
    _put(home, domain, options, must_be_new=False)


@command.command()
@click.argument("domain")
@json_option
@home_option
def show(home: Home, domain: str, as_json: bool) -> None:
    """Show a route."""
    print_object(record(with_tools(home, lambda tools: tools.directory.show_route(domain))), as_json=as_json)


@command.command(name="list")
@json_option
@home_option
def list_(home: Home, as_json: bool) -> None:
    """List routes."""
    print_list(map(record, with_tools(home, lambda tools: tools.directory.routes())), COLUMNS, as_json=as_json)


@command.command()
@click.argument("domain")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def remove(home: Home, domain: str, yes: bool) -> None:
    """Remove a route."""
    confirm(f"Remove the route of {domain}?", yes=yes)
    with_tools(home, lambda tools: tools.directory.remove_route(domain))
