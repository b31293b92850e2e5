"""``posthouse store``: where mail is kept, and its way from one version of Posthouse to the next and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from posthouse.cli.common import confirm, home_option, json_option, print_list, print_object, record
from posthouse.cli.times import moment
from posthouse.config.file import load_configuration
from posthouse.config.home import Home
from posthouse.store import upgrade as upgrades


@click.group()
def command() -> None:
    """The store: its schema, the copies that upgrades kept, upgrade and the way back."""


@command.command()
@json_option
@home_option
def info(home: Home, as_json: bool) -> None:
    """Show where mail is kept, which schema it has, and which copies upgrades kept. May run beside a server."""
    stands = upgrades.standing(load_configuration(home.file).store_url, home.path)
    fields: dict[str, Any] = {
        "path": stands.path,
        "schema": stands.revision or "(no store yet)",
        "newest_schema": stands.newest,
        "upgrade_due": stands.is_older,
        "size": stands.size,
        "free": stands.free,
    }
    copies = [record(copy) for copy in stands.copies]
    if as_json:
        print_object(fields | {"copies": copies}, as_json=True)
        return
    print_object(fields, as_json=False)
    if copies:
        click.echo("\nKept copies:")
        rows = [copy | {"made": moment(copy["made"])} for copy in copies]
        print_list(rows, ("path", "revision", "upgraded_to", "made", "size"), as_json=False)


@command.command()
@click.option("--dry-run", is_flag=True, help="Only rehearse it on a copy, and say what came of it.")
@home_option
def upgrade(home: Home, dry_run: bool) -> None:
    """Bring the store to the schema of this version: copy, rehearse on a second copy, then upgrade.

    The server must not run. The copy is kept in the home's folder upgrades; `store rollback` goes back to it.
    """
    url = load_configuration(home.file).store_url
    with _locked(home):
        done = upgrades.upgrade(url, home.path, rehearse_only=dry_run, tell=_tell)
    for finding in done.found:
        _tell(f"found beside: {finding.invariant}: {finding.where}, {finding.detail}; {finding.remedy}")
    if dry_run:
        click.echo(f"The upgrade from schema {done.revision} to {done.newest} works; nothing was changed.")
    else:
        click.echo(f"The store has schema {done.newest}. To go back: posthouse store rollback")


@command.command()
@click.option("--yes", is_flag=True, help="Go back although something is lost by it.")
@home_option
def rollback(home: Home, yes: bool) -> None:
    """Go back to the copy that the last upgrade kept. The server must not run.

    Says what happened since, and is lost; the newer database is kept in the home's folder upgrades.
    """
    url = load_configuration(home.file).store_url
    with _locked(home):
        try:
            done = upgrades.rollback(url, home.path, accept_losses=yes, tell=_tell)
        except upgrades.LossesAhead as ahead:
            confirm(f"Since the upgrade there were {ahead.losses}, which are lost. Go back?", yes=False)
            done = upgrades.rollback(url, home.path, accept_losses=True, tell=_tell)
    click.echo(f"The store has schema {done.copy.revision} again: start the version of Posthouse that wrote it.")


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    """Hold the home's lock, so that no server runs meanwhile. Raises SupervisorFault."""
    from posthouse.supervisor import lock_home

    home.run.mkdir(mode=0o700, exist_ok=True)
    lock = lock_home(home.run)
    try:
        yield
    finally:
        os.close(lock)


def _tell(text: str) -> None:
    click.echo(text, err=True)
