"""What the documents promise of protocols and replies is what the code announces and says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from posthouse.protocols.imap.capabilities import capability_data
from posthouse.protocols.sasl.exchange import SERVER_MECHANISMS
from posthouse.protocols.smtp.types import Extension

ROOT = Path(__file__).parents[2]
SUPPORTED = (ROOT / "SUPPORTED.md").read_text()
TROUBLES = (ROOT / "docs" / "troubleshooting.md").read_text()
SOURCE = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.py")))

CAPABILITIES = {
    word.decode().partition("=")[0] if not word.startswith(b"STATUS=") else word.decode()
    for signed_in in (True, False)
    for word in capability_data(signed_in=signed_in, starttls=True, passwords=True).split()[1:]
}
REPLIES = sorted(set(re.findall(r"`[\d.x ]*[45]\d\d \d\.\d+\.\d+ ([A-Z][^`.]+)`", TROUBLES)))
RULES = sorted(set(re.findall(r"\| ([a-z]+\.[a-z_]+) \|", TROUBLES)))


@pytest.mark.parametrize("name", sorted(CAPABILITIES | {each.value for each in Extension} | set(SERVER_MECHANISMS)))
def test_what_is_announced_is_documented(name) -> None:
    """Every capability, extension keyword and mechanism stands in SUPPORTED.md."""
    documented = {"ENHANCEDSTATUSCODES": "enhanced codes", "AUTH": "RFC 4954 AUTH"}.get(name, name)
    assert documented in SUPPORTED


@pytest.mark.parametrize("text", REPLIES)
def test_replies_that_are_explained_exist(text) -> None:
    """The words by which a person looks a reply up are the words that we say."""
    assert text in SOURCE


@pytest.mark.parametrize("rule", RULES)
def test_rules_that_are_explained_exist(rule) -> None:
    """The rule beside a reply is the one that the journey shows."""
    assert f'"{rule}"' in SOURCE


def test_there_is_something_to_compare() -> None:
    """The tables are found where they are looked for."""
    assert len(REPLIES) > 12
    assert len(RULES) > 8
