"""Makes the manual of commands from the commands themselves.

``python -m posthouse.cli.reference`` writes ``docs/commands.md`` below the current directory; a test fails where the
committed file is another. Tests: ``tests/unit/cli/test_cli_reference.py``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from posthouse.cli.root import NOUNS, root

PAGE: Final = Path("docs/commands.md")
_HEAD: Final = """# Commands

This page is made from the commands; do not edit it, run `python -m posthouse.cli.reference`.

`posthouse NOUN VERB`. Every command takes `--home DIR` (else the variable `POSTHOUSE_HOME`, else
`/var/lib/posthouse`), before or after the noun, and `--help`. Commands that print data take `--json`: an object, or one
object a line for lists. What writes takes `--dry-run`: it is checked and said, and nothing is changed. What destroys
asks first; `--yes` answers. Most commands work beside a running server and while none runs. Secrets are read from files
(`--password-file FILE`, `-` for standard input) or asked for, never taken as a value. At a terminal tables fit its
width; into a pipe they go whole.

The same commands work on a server elsewhere, over its API: `--server URL` with `--token-file FILE`, or `--remote NAME`
after `posthouse remote add`, or the variables `POSTHOUSE_SERVER` with `POSTHOUSE_TOKEN_FILE` or `POSTHOUSE_TOKEN`.
Certificates are verified; `--ca FILE` (`POSTHOUSE_CA`) trusts an authority of your own. [Working
elsewhere](remote.md) tells more. Only `completion`, `init`, `log`, `quickstart`, `remote`, `serve` and `store` work on
the machine itself alone.

Errors go to standard error: one line that says what and where, then what to do. Exit codes are those of sysexits.h:
0 done, 64 wrong usage, 65 wrong data, 66 no such input file, 69 not available (no server answers, a port is taken),
70 a fault of ours, 75 try again later, 77 a right is missing, 78 wrong configuration.
"""


def make_page() -> str:
    """Return the whole page, Markdown."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield _HEAD
    context = click.Context(root, info_name="posthouse")
    for noun in sorted(NOUNS):
        command = root.get_command(context, noun)
        assert command is not None
        yield from _noun(noun, command, context)


def _noun(noun: str, command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## posthouse {noun}\n"
    yield from _explained(command)
    if not isinstance(command, click.Group):
        yield from _usage(f"posthouse {noun}", command)
        return
    if command.invoke_without_command:
        yield f"Without a verb, `posthouse {noun}` takes the options of `posthouse {noun} run` and does the same.\n"
    inner = click.Context(command, info_name=noun, parent=context)
    for verb in command.list_commands(inner):
        each = command.get_command(inner, verb)
        assert each is not None
        yield f"### posthouse {noun} {verb}\n"
        yield from _explained(each)
        yield from _usage(f"posthouse {noun} {verb}", each)


def _explained(command: click.Command) -> Iterator[str]:
    yield inspect.cleandoc(command.help or "").replace("``", "`") + "\n"


def _usage(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield "```text"
    yield " ".join([name, *command.collect_usage_pieces(context)])
    yield "```\n"
    rows = [record for record in _records(command, context) if record]
    if rows:
        yield "| option | meaning |"
        yield "|---|---|"
        yield from (f"| `{left.replace('|', '/')}` | {right} |" for left, right in rows)
        yield ""


def _records(command: click.Command, context: click.Context) -> Iterator[tuple[str, str] | None]:
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option) and not {"--home", "--help"} & set(parameter.opts):
            yield parameter.get_help_record(context)


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(make_page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} written\n")


if __name__ == "__main__":
    main()
