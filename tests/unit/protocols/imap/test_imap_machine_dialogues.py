"""Dialogues about what the IMAP machine answers alone, in memory: whole and byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from posthouse.testing.dialogue import run_dialogue, run_dialogue_bytewise
from posthouse.testing.imap_peer import imap_peer

SCRIPTS = sorted((Path(__file__).parents[3] / "dialogues" / "imap" / "machine").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_whole(script):
    """The machine says what the script expects when each turn comes at once."""
    run_dialogue(script, imap_peer)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_bytewise(script):
    """The machine says the same when every octet comes alone."""
    run_dialogue_bytewise(script, imap_peer)
