"""``posthouse remote``: servers elsewhere, known by a name. Tests: ``tests/unit/cli/test_remotes.py``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from posthouse.cli.common import json_option, print_list
from posthouse.cli.files import ask_secret
from posthouse.cli.remotes import SavedRemote, checked_name, read_remotes, saved_remote, write_remotes
from posthouse.cli.target import checked_url, read_token
from posthouse.services.administration.faults import Kind, Refused


@click.group()
def command() -> None:
    """Servers elsewhere that commands reach by name: `posthouse --remote NAME ...`."""


@command.command()
@click.argument("name")
@click.argument("url")
@click.option("--token-file", metavar="FILE", help="Its first line is the token; - is standard input.")
@click.option("--ca", metavar="FILE", default="", help="Trust the authorities, or the certificate, in this file.")
@click.option("--yes", is_flag=True, help="Replace one that is there.")
def add(*, name: str, url: str, token_file: str | None, ca: str, yes: bool) -> None:
    """Save a server with its token, for you alone to read."""
    remotes = read_remotes()
    if checked_name(name) in remotes and not yes:
        raise Refused(f"a server is saved as {name} already", "Give --yes to replace it.", kind=Kind.EXISTS)
    address = checked_url(url)
    token = read_token(token_file) if token_file is not None else ask_secret("Token")
    if not token:
        raise Refused("there is no token", "Give --token-file FILE, or - for standard input.", exit_code=os.EX_USAGE)
    trusted = str(Path(ca).absolute()) if ca else ""
    write_remotes({**remotes, name: SavedRemote(url=address, token=token.strip(), ca=trusted)})
    click.echo(f"Saved. Try: posthouse --remote {name} domain list")


@command.command(name="list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the servers that are saved; never their tokens."""
    rows = [{"name": name, "url": each.url, "ca": each.ca} for name, each in sorted(read_remotes().items())]
    print_list(rows, ("name", "url", "ca"), as_json=as_json)


@command.command()
@click.argument("name")
def remove(*, name: str) -> None:
    """Forget a server. Its token goes on being good until it is revoked there."""
    saved_remote(name)
    write_remotes({each: remote for each, remote in read_remotes().items() if each != name})
