"""The dialogues of the SMTP server, against the real door, services and session: whole, byte by byte, by socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from posthouse.testing.dialogue import run_dialogue, run_dialogue_bytewise, run_dialogue_socket, serve_peer
from posthouse.testing.smtp_house import make_peer_factory

SCRIPTS = sorted((Path(__file__).parents[3] / "dialogues" / "smtp-server").glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_whole(script: Path, tmp_path: Path) -> None:
    """The script holds with each client turn sent at once."""
    run_dialogue(script, make_peer_factory(tmp_path))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_byte_by_byte(script: Path, tmp_path: Path) -> None:
    """The script holds with each byte sent alone."""
    run_dialogue_bytewise(script, make_peer_factory(tmp_path))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
async def test_by_socket(script: Path, tmp_path: Path) -> None:
    """The script holds over a loopback socket."""
    await run_dialogue_socket(script, serve_peer(make_peer_factory(tmp_path)))
