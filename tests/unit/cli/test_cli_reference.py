"""The manual of commands."""

from __future__ import annotations

from pathlib import Path

from posthouse.cli.reference import PAGE, make_page
from posthouse.cli.root import NOUNS


def test_the_committed_page_of_commands_is_up_to_date() -> None:
    """docs/commands.md is what ``python -m posthouse.cli.reference`` writes."""
    committed = Path(__file__).parents[3] / PAGE
    assert committed.read_text(encoding="utf-8") == make_page(), "run: python -m posthouse.cli.reference"


def test_every_noun_is_in_it() -> None:
    """No command is left out, and each says what it does."""
    page = make_page()
    for noun in NOUNS:
        assert f"\n## posthouse {noun}\n" in page
    assert "```text\nposthouse account add [OPTIONS] ADDRESS\n```" in page
