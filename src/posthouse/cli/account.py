"""``posthouse account``."""

from __future__ import annotations

from typing import Any

import click

from posthouse.cli.common import (
    confirm,
    home_option,
    json_option,
    print_list,
    print_object,
    read_password,
    record,
    with_tools,
)
from posthouse.cli.times import rounded_size
from posthouse.config.home import Home
from posthouse.store.directory_rows import AccountRow
from posthouse.store.rows import Usage

PASSWORD_HELP = "File whose first line is the password; - reads standard input. Asked for where there is a terminal."


def as_shown(row: AccountRow, usage: Usage | None = None) -> dict[str, Any]:
    """Return what people may see of an account: never the hash, but whether there is a password."""
    fields = record(row)
    fields["has_password"] = bool(fields.pop("password_hash"))
    if usage is not None:
        fields |= {"used_bytes": usage.octets, "messages": usage.messages}
    return fields


def for_people(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the same with sizes that can be read; what nobody needs to see is left out."""
    told = {"quota_bytes": "quota", "used_bytes": "used"}
    return {
        told.get(name, name): (rounded_size(value) if value or name != "quota_bytes" else "none")
        if name in told
        else value
        for name, value in fields.items()
        if name != "id"
    }


def _print_account(fields: dict[str, Any], *, as_json: bool) -> None:
    print_object(fields if as_json else for_people(fields), as_json=as_json)


@click.group()
def command() -> None:
    """Accounts: people and their mailboxes."""


@command.command()
@click.argument("address")
@click.option("--password-file", metavar="FILE", help=PASSWORD_HELP)
@click.option("--name", default="", help="The person's name.")
@click.option("--quota", default="0", metavar="SIZE", help="Such as 2G; 0 means none.")
@click.option("--admin", "is_admin", is_flag=True, help="May administer the server.")
@json_option
@home_option
def add(
    home: Home, *, address: str, password_file: str | None, name: str, quota: str, is_admin: bool, as_json: bool
) -> None:
    """Add an account."""
    password = read_password(password_file, prompt=True)
    row = with_tools(
        home,
        lambda tools: tools.directory.add_account(
            address, password=password, name=name, quota=quota, is_admin=is_admin
        ),
    )
    _print_account(as_shown(row), as_json=as_json)
    if password is None:
        click.echo(f"Nobody can sign in yet: posthouse account set {row.address} --password-file FILE", err=True)


@command.command(name="set")
@click.argument("address")
@click.option("--password-file", metavar="FILE", help=PASSWORD_HELP)
@click.option("--password", "ask_password", is_flag=True, help="Ask for a new password at the terminal.")
@click.option("--name", help="The person's name.")
@click.option("--quota", metavar="SIZE", help="Such as 2G; 0 means none.")
@click.option("--admin/--no-admin", "is_admin", default=None, help="Whether the account administers the server.")
@click.option("--disabled/--enabled", default=None, help="A disabled account gets no mail and cannot sign in.")
@json_option
@home_option
def set_(
    home: Home,
    *,
    address: str,
    password_file: str | None,
    ask_password: bool,
    name: str | None,
    quota: str | None,
    is_admin: bool | None,
    disabled: bool | None,
    as_json: bool,
) -> None:
    """Change an account."""
    password = read_password(password_file, prompt=ask_password)
    row = with_tools(
        home,
        lambda tools: tools.directory.set_account(
            address, password=password, name=name, quota=quota, is_admin=is_admin, disabled=disabled
        ),
    )
    _print_account(as_shown(row), as_json=as_json)


@command.command()
@click.argument("address")
@json_option
@home_option
def show(home: Home, address: str, as_json: bool) -> None:
    """Show an account with what it uses."""

    async def action(tools: Any) -> dict[str, Any]:
        row = await tools.directory.show_account(address)
        return as_shown(row, await tools.directory.usage(row))

    _print_account(with_tools(home, action), as_json=as_json)


@command.command(name="list")
@click.option("--domain", default="", help="Only those of this domain.")
@json_option
@home_option
def list_(home: Home, domain: str, as_json: bool) -> None:
    """List accounts."""
    rows = with_tools(home, lambda tools: tools.directory.accounts(domain))
    shown = map(as_shown, rows)
    columns = ("address", "display_name", "quota", "is_admin", "has_password", "disabled")
    print_list(shown if as_json else map(for_people, shown), columns, as_json=as_json)


@command.command()
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
def remove(home: Home, address: str, yes: bool) -> None:
    """Remove an account with all its mail."""
    confirm(f"Remove {address} with all its mail? This cannot be undone.", yes=yes)
    with_tools(home, lambda tools: tools.directory.remove_account(address))
