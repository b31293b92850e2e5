"""The manual made from the definitions."""

from __future__ import annotations

from pathlib import Path

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.reference import PAGE, make_page


def test_the_committed_page_is_up_to_date() -> None:
    """docs/settings.md is what ``python -m posthouse.config.reference`` writes."""
    committed = Path(__file__).parents[3] / PAGE
    assert committed.read_text(encoding="utf-8") == make_page(), "run: python -m posthouse.config.reference"


def test_every_setting_is_in_it() -> None:
    """No setting is left out."""
    page = make_page()
    for name in DEFINITIONS:
        assert f"### `{name}`" in page
