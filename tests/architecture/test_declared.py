"""Settings and events: every one is used, and every one that is used is declared."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from posthouse.config.definitions import TOPICS
from posthouse.config.setting import Setting
from posthouse.telemetry.events import EVENTS

SOURCE = Path(__file__).parents[2] / "src" / "posthouse"
DEFINITIONS = SOURCE / "config" / "definitions"
READERS = [path for path in SOURCE.rglob("*.py") if path.parent != DEFINITIONS]
TEXTS = {path: path.read_text(encoding="utf-8") for path in READERS}
CONSTANTS = {
    f"{value.name}": name for topic in TOPICS for name, value in vars(topic).items() if isinstance(value, Setting)
}


def names_read() -> set[str]:
    """Return every name that the source outside the definitions loads."""
    trees = [ast.parse(text) for text in TEXTS.values()]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    loaded = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return loaded | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


READ = names_read()


@pytest.mark.parametrize("setting", CONSTANTS)
def test_every_setting_is_read(setting) -> None:
    """A setting that nothing reads promises what is not kept."""
    assert CONSTANTS[setting] in READ


def test_every_definition_is_registered() -> None:
    """A setting that stands in a topic file is in that file's SETTINGS."""
    registered = {setting.name for topic in TOPICS for setting in topic.SETTINGS}
    assert set(CONSTANTS) == registered


def test_every_topic_file_is_registered() -> None:
    """A topic file that nobody lists has settings that nobody sees."""
    files = {path.stem for path in DEFINITIONS.glob("*.py")} - {"__init__"}
    assert files == {topic.__name__.rpartition(".")[2] for topic in TOPICS}


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_reported_somewhere(name) -> None:
    """An event that is explained and never reported misleads whoever waits for it."""
    assert any(f'"{name}"' in text for path, text in TEXTS.items() if path.name not in {"events.py", "postfix.py"})


def test_every_event_reported_is_declared() -> None:
    """The names that the source reports are all explained."""
    used = {name for text in TEXTS.values() for name in re.findall(r"\.event\(\s*\"([^\"]+)\"", text)}
    assert used - set(EVENTS) == set()
