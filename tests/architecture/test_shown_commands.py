"""Commands that the documents show, or that the server tells people to use, exist with these options; so do settings."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from posthouse.cli.root import NOUNS, root
from posthouse.config.definitions import DEFINITIONS
from posthouse.config.file import FILE_KEYS
from posthouse.services.administration.catalogue import all_operations
from posthouse.services.administration.diagnosis.catalogue import CHECKS
from posthouse.telemetry.events import EVENTS

ROOT = Path(__file__).parents[2]
LEFT_OUT = {"settings.md", "commands.md", "CHANGELOG.md", "message-oracles.md"}  # made, of the past, or about code
DOCUMENTS = sorted(path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")) if path.name not in LEFT_OUT)
READ_ONLY = re.compile(r"^```(?:sh)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(posthouse [a-z-][^`]*)`")
END = re.compile(r"\s(?:\||&&|;|>|<|#)\s?|\$\(")
TOLD = re.compile(r"posthouse ([a-z-]+(?: [a-z][a-z-]+)?)((?: (?!posthouse)[^`.,;()\n]+)?)")
TOPICS = {name.partition(".")[0] for name in DEFINITIONS}
SETTING = re.compile(r"`([a-z0-9]+\.[a-z0-9_]+)`")
ELSEWHERE = {*FILE_KEYS, *EVENTS, *(check.id for check in CHECKS), *(each.name for each in all_operations())}
FILES = {"toml", "md", "py", "db", "pem", "txt", "csv", "conf", "cf", "key", "sh"}


def shown(path: Path) -> Iterator[str]:
    """Yield the commands of ours that a document shows for reading."""
    text = path.read_text()
    for block in READ_ONLY.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.search(r"(?:^|sudo |&& )(posthouse .*)", line)
            if found:
                yield END.split(found[1])[0]
    for command in INLINE.findall(re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)):
        yield END.split(command.replace("\n", " "))[0]


ROWS = [
    pytest.param(command, id=f"{path.relative_to(ROOT)}: {command}")
    for path in DOCUMENTS
    for command in dict.fromkeys(shown(path))
]


def options_of(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command by their names."""
    found = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    return {name: option for option in found for name in (*option.opts, *option.secondary_opts)} | {
        "--help": click.Option(["--help"], is_flag=True)
    }


@pytest.mark.parametrize("text", ROWS)
def test_a_command_that_is_shown_exists(text: str) -> None:
    """Its nouns, verbs and options are there."""
    words = shlex.split(text.replace("...", ""))[1:]
    command: click.Command = root
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            option = options_of(command).get(word.partition("=")[0])
            assert option is not None, f"{command.name} has no {word}"
            if not option.is_flag and "=" not in word and words:
                words.pop(0)
        elif isinstance(command, click.Group) and (command is root or re.fullmatch(r"[a-z-]+", word)):
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"{command.name} has no {word}"
            command = found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_settings_that_are_named_exist(path: Path) -> None:
    """What looks like a setting in backquotes is one, or the name of an event, a check, an operation or a file."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for name in SETTING.findall(text):
        topic, _, last = name.partition(".")
        if topic in TOPICS and last not in FILES:
            assert name in DEFINITIONS or name in ELSEWHERE, name


def told(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands that texts in a source file tell people to use, with the options named after them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        for command, rest in TOLD.findall(text):
            yield command, re.findall(r"--[a-z][a-z-]+", rest)


def test_commands_that_the_server_tells_people_exist() -> None:
    """A remedy names a command that is there, with options that it has."""
    for path in sorted((ROOT / "src" / "posthouse").rglob("*.py")):
        for words, options in told(path):
            noun, _, verb = words.partition(" ")
            if noun not in NOUNS:
                continue
            command = root.get_command(click.Context(root), noun)
            assert command is not None
            if isinstance(command, click.Group) and verb:
                inner = command.get_command(click.Context(command), verb)
                assert inner is not None or command.invoke_without_command, f"{path.name}: posthouse {words}"
                command = inner or command
            known = {*options_of(root), *options_of(command)}
            assert set(options) <= known, f"{path.name}: posthouse {words} {' '.join(options)}"
