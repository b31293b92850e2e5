"""What settings are worth: inheritance, bad rows, compatibility levels."""

from __future__ import annotations

import pytest

from posthouse.config.definitions.server import COMPATIBILITY_LEVEL
from posthouse.config.setting import PER_ACCOUNT, int_setting
from posthouse.config.settings import Settings
from posthouse.store.directory_rows import SettingRow

DEPTH = int_setting("t.depth", 1, "Depth.", scopes=PER_ACCOUNT, minimum=0)
WIDTH = int_setting("t.width", 10, "Width.", earlier_defaults=((1, 5),))
DEFINED = {setting.name: setting for setting in (DEPTH, WIDTH, COMPATIBILITY_LEVEL)}


def row(name: str, value: str, scope: str = "server") -> SettingRow:
    """Return a stored setting."""
    return SettingRow(name, scope, value, "admin", 0.0)


ROWS = [row("t.depth", "2"), row("t.depth", "3", "domain:a.test"), row("t.depth", "4", "account:x@a.test")]


@pytest.mark.parametrize(
    ("where", "value", "source"),
    [
        ({}, 2, "server"),
        ({"domain": "a.test"}, 3, "domain:a.test"),
        ({"domain": "b.test"}, 2, "server"),
        ({"account": "x@a.test"}, 4, "account:x@a.test"),
        ({"account": "y@a.test"}, 3, "domain:a.test"),
        ({"account": "y@b.test"}, 2, "server"),
        ({"account": "y@b.test", "domain": "a.test"}, 3, "domain:a.test"),
    ],
)
def test_narrower_scopes_win(where, value, source) -> None:
    """An account inherits from its domain, a domain from the server."""
    settings = Settings(ROWS, DEFINED)
    assert settings.get(DEPTH, **where) == value
    explained = settings.explain(DEPTH, **where)
    assert (explained.value, explained.source, explained.default) == (str(value), source, "1")


def test_defaults_hold_where_nothing_is_set() -> None:
    """Without rows every setting has its default."""
    settings = Settings((), DEFINED)
    assert settings.get(DEPTH, account="x@a.test") == 1
    assert settings.explain(DEPTH).source == "default"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row("t.unknown", "1"), "there is no such setting"),
        (row("t.depth", "many"), "cannot be used"),
        (row("t.width", "3", "domain:a.test"), "cannot be set for domain:a.test"),
        (row("t.depth", "3", "planet:earth"), "cannot be set for planet:earth"),
        (row("t.depth", "3", "domain:"), "cannot be set for"),
        (row("t.depth", "3", "server:x"), "cannot be set for"),
    ],
)
def test_bad_rows_are_reported_and_skipped(bad, words) -> None:
    """One bad row costs itself only."""
    settings = Settings([bad, *ROWS], DEFINED)
    assert len(settings.problems) == 1
    assert words in settings.problems[0]
    assert settings.get(DEPTH) == 2


def test_load_replaces_in_place() -> None:
    """Whoever holds the settings sees what is loaded later, and nothing that is gone."""
    settings = Settings(ROWS, DEFINED)
    assert settings.load([row("t.depth", "9", "domain:b.test")]) == []
    assert settings.get(DEPTH) == 1
    assert settings.get(DEPTH, domain="a.test") == 1
    assert settings.get(DEPTH, domain="b.test") == 9


def test_an_earlier_level_keeps_its_defaults(monkeypatch) -> None:
    """A default that changed keeps its old value at the old level, unless it was set, and is named."""
    assert Settings((), DEFINED).get(WIDTH) == 5
    assert Settings((), DEFINED).outdated_defaults() == ["t.width"]
    assert Settings((), DEFINED).explain(WIDTH).source == "default"
    settings = Settings([row("t.width", "7")], DEFINED)
    assert settings.get(WIDTH) == 7
    assert settings.outdated_defaults() == []
    assert (WIDTH.default_at(1), WIDTH.default_at(2)) == (5, 10)
