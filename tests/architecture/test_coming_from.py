"""The tables for people who come from other servers: every command, option and setting they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from posthouse.cli.root import root
from posthouse.config.definitions import DEFINITIONS

PAGES = sorted(Path("docs/coming-from").glob("*.md"))
COMMAND = re.compile(r"`posthouse ([a-z][^`]*)`")
SETTING = re.compile(r"`([a-z0-9]+\.[a-z0-9_]+)`")
NOT_YET = re.compile(r"\*not yet\*")
IDS = re.compile(r"\b(?:SM|QD|MA|DI|FI|DE|LI|GW|WE|OP|SC)-\d\d\b")
# Words that say where something is without naming a command or a setting of ours.
ELSEWHERE = ("posthouse.toml", "always", "the default", "nothing to", "none", "any ", "see [", "the API", "one fixed order",
             "a home for each", "the directory", "`/`", "postmaster of")  # fmt: skip


def rows() -> list[tuple[str, str, str, str]]:
    """Return page, what it is there, what it is here, and remarks, of every row of every table."""
    found = []
    for page in PAGES:
        for line in page.read_text().splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if line.startswith("|") and len(cells) == 3 and cells[1] != "Posthouse" and not line.startswith("|---"):
                found.append((page.name, *cells))
    return found


ROWS = rows()


def command_of(words: list[str]) -> tuple[click.Command | None, list[str]]:
    """Return the command that words name, and the words left."""
    command: click.Command | None = root
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        context = click.Context(command)
        found = command.get_command(context, words[0])
        if found is None:
            return None, words
        command, words = found, words[1:]
    return command, words


def test_there_are_tables_for_everybody():
    """Each of the systems people come from has its page, long enough to be one."""
    assert {page.stem for page in PAGES} == {"hmailserver", "mailenable", "imail", "plesk", "postfix"}
    assert len(ROWS) > 250


@pytest.mark.parametrize(("page", "there", "here", "remarks"), ROWS)
def test_what_a_row_names_exists(page: str, there: str, here: str, remarks: str):
    """Its commands are commands with these options, its settings are settings; what is not there says when."""
    options: set[str] = set()
    for text in COMMAND.findall(f"{here} {remarks}"):
        words = text.split()
        command, left = command_of(words)
        assert command is not None, f"{page}: {there}: posthouse {text}"
        assert not isinstance(command, click.Group) or command is root or not left or left[0].startswith("-"), text
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        options |= known
        assert {word for word in left if word.startswith("--")} <= known, f"{page}: {there}: posthouse {text}"
    for option in re.findall(r"`(--[a-z-]+)", remarks):
        if options and option not in {"--scope", "--home", "--json", "--server"}:
            assert option in options, f"{page}: {there}: {option}"
    for name in SETTING.findall(f"{here} {remarks}"):
        if not name.endswith((".toml", ".cf", ".md")):
            assert name in DEFINITIONS, f"{page}: {there}: {name}"
    if NOT_YET.search(here):
        assert IDS.search(f"{here} {remarks}"), f"{page}: {there}: not yet, but which feature?"
    else:
        named = COMMAND.search(here) or SETTING.search(here) or any(word in here for word in ELSEWHERE)
        assert named, f"{page}: {there}: {here} names nothing"
