"""The root of the command line: finds the noun, imports only its file, turns faults into lines and exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any, NoReturn

import click

import posthouse
from posthouse.core.errors import Fault, Unavailable

# Noun -> (module, one line of help). Modules are imported when their noun is used, which keeps the start quick.
NOUNS: dict[str, tuple[str, str]] = {
    "account": ("account", "Accounts: people and their mailboxes."),
    "alias": ("alias", "Aliases: addresses that lead to others."),
    "check": ("check", "Look for what is wrong, with remedies."),
    "domain": ("domain", "Domains and alias domains."),
    "init": ("init", "Make a home: configuration, store, certificate, first domain and account."),
    "journey": ("journey", "What happened to a message, and why."),
    "log": ("log", "Live events."),
    "queue": ("queue", "Mail that waits for other servers."),
    "quickstart": ("quickstart", "Start a demonstration server on high loopback ports."),
    "route": ("route", "Next hops for domains; the smart host is the route of *."),
    "serve": ("serve", "Run the server in the foreground."),
    "setting": ("setting", "Settings, with scope and explanation."),
    "status": ("status", "What runs, how many sessions, what waits."),
    "store": ("store", "The store's schema, the copies upgrades kept, upgrade and the way back."),
    "verify": ("verify", "Check every invariant of the store."),
}

_REMEDIES: dict[int | None, str] = {
    errno.EROFS: "Mount that file system so that it can be written.",
    errno.ENOSPC: "Make room on that disk.",
    errno.EDQUOT: "Make room, or raise that user's disk quota.",
    errno.EIO: "That disk may be failing: see the kernel's log.",
}


class Nouns(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the nouns in order."""
        return sorted(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a noun's command."""
        if cmd_name not in NOUNS:
            return None
        module = importlib.import_module(f"posthouse.cli.{NOUNS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of nouns without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(noun, NOUNS[noun][1]) for noun in sorted(NOUNS)])


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(posthouse.__version__, prog_name="posthouse")
@click.option("--home", metavar="DIR", help="The server's home (else POSTHOUSE_HOME, else /var/lib/posthouse).")
@click.pass_context
def root(context: click.Context, home: str | None) -> None:
    """Posthouse: a complete mail system in one program."""
    context.obj = home


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with an exit code of sysexits.h."""
    try:
        code = root.main(arguments, prog_name="posthouse", standalone_mode=False)
    except click.exceptions.Abort:
        _leave(130, "interrupted", "")
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(os.EX_USAGE)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "posthouse"
        _leave(os.EX_USAGE, error.format_message(), f"`{command} --help` shows how.")
    except click.ClickException as error:
        _leave(os.EX_DATAERR, error.format_message(), "")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Fault as fault:
        _leave(exit_code_of(fault), str(fault) or fault.detail, getattr(fault, "remedy", ""))
    except PermissionError as error:
        _leave(
            os.EX_NOPERM,
            f"{error.filename}: {error.strerror}",
            "Run the command as the user that owns the home, or as root.",
        )
    except OSError as error:
        _leave(
            os.EX_UNAVAILABLE,
            f"{error.filename or 'system'}: {error.strerror or error}",
            _REMEDIES.get(error.errno, ""),
        )
    sys.exit(code if isinstance(code, int) else 0)


def exit_code_of(fault: Fault) -> int:
    """Return the exit code that fits a fault: its own, 75 for what may pass, else 70."""
    own: Any = getattr(fault, "exit_code", None)
    if isinstance(own, int):
        return own
    return os.EX_TEMPFAIL if isinstance(fault, Unavailable) else os.EX_SOFTWARE


def _leave(code: int, line: str, remedy: str) -> NoReturn:
    click.echo(f"posthouse: {line}", err=True)
    if remedy:
        click.echo(f"  {remedy}", err=True)
    sys.exit(code)
