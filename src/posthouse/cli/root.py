"""The root of the command line: finds the noun, imports only its file, turns faults into lines and exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any, Final, NoReturn

import click

import posthouse
from posthouse.cli.target import target_options
from posthouse.core.errors import Fault, Unavailable
from posthouse.services.administration.catalogue import NOUNS as OPERATIONS

# Noun -> (module, one line of help) of those that are no operations, because they work on the machine itself.
WRITTEN: Final[dict[str, tuple[str, str]]] = {
    "completion": ("completion", "Complete commands in bash, zsh or fish."),
    "init": ("init", "Make a home: configuration, store, certificate, first domain and account."),
    "log": ("log", "Live events, events from the files, the summary of a day."),
    "quickstart": ("quickstart", "Start a demonstration server on high loopback ports."),
    "remote": ("remote", "Servers elsewhere that commands reach by name."),
    "serve": ("serve", "Run the server in the foreground."),
    "store": ("store", "The store's schema, the copies upgrades kept, upgrade and the way back."),
}
# Modules are imported when their noun is used, which keeps the start quick.
NOUNS: Final = {noun: ("generated", text) for noun, (_, text) in OPERATIONS.items()} | WRITTEN

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
        command: click.Command = module.command if cmd_name in WRITTEN else module.command_for(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of nouns without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(noun, NOUNS[noun][1]) for noun in sorted(NOUNS)])


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(posthouse.__version__, prog_name="posthouse")
def root(**_: object) -> None:
    """Posthouse: a complete mail system in one program."""


root.params += target_options(hidden=False)


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
