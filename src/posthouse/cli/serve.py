"""``posthouse serve``."""

from __future__ import annotations

import sys

import click

from posthouse.cli.common import home_option
from posthouse.config.home import Home


@click.command()
@home_option
def command(home: Home) -> int:
    """Run the server in the foreground until SIGTERM; prints ``ready`` when every listener answers.

    SIGHUP reloads settings and certificates and reopens the log; SIGUSR2 replaces the code without refusing a
    connection.
    """
    from posthouse.serving import serve

    return serve(home, _say_ready)


def _say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
