"""``posthouse init``."""

from __future__ import annotations

import asyncio

import click

from posthouse.cli.common import home_option, read_password
from posthouse.cli.files import PASSWORD_HELP
from posthouse.config.home import Home


@click.command()
@click.option("--hostname", required=True, help="The server's name, such as mail.example.org.")
@click.option("--domain", required=True, help="The first domain.")
@click.option("--admin", required=True, metavar="ADDRESS", help="The administrator's address in that domain.")
@click.option("--password-file", metavar="FILE", help=PASSWORD_HELP)
@click.option("--listen", multiple=True, metavar="ADDR", help="Listen on this IP address only; may be repeated.")
@click.option("--port-offset", default=0, metavar="N", help="Added to every port: 20000 puts SMTP on 20025.")
@click.option("--user", default="", help="System user whom the server becomes when it is started as root.")
@home_option
def command(
    home: Home,
    *,
    hostname: str,
    domain: str,
    admin: str,
    password_file: str | None,
    listen: tuple[str, ...],
    port_offset: int,
    user: str,
) -> None:
    """Make a home: configuration, store, certificate, first domain and administrator."""
    from posthouse.founding import Founding, found_home

    plan = Founding(
        hostname=hostname,
        domain=domain,
        admin=admin,
        password=read_password(password_file, prompt=True),
        listen=listen or ("*",),
        port_offset=port_offset,
        user=user,
    )
    asyncio.run(found_home(home, plan))
    click.echo(f"Made {home.path}. Start the server: posthouse --home {home.path} serve")
    if plan.password is None:
        click.echo(
            f"Nobody can sign in yet: posthouse --home {home.path} account set {admin} --password-file FILE", err=True
        )


__all__ = ["command"]
