"""Every script of tests/dialogues/imap_server, whole and byte by byte, on a loopback socket with the real store."""

from __future__ import annotations

from pathlib import Path

import pytest

from posthouse.testing.dialogue import run_dialogue_socket

SCRIPTS = sorted((Path(__file__).parents[3] / "dialogues" / "imap_server").glob("*.txt"))


@pytest.mark.parametrize("bytewise", ["", "yes"], ids=["whole", "bytewise"])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
async def test_dialogue(house, script, bytewise):
    """The server says what the script says."""

    async def start(config):
        return await house.serve({**config, "bytewise": bytewise})

    await run_dialogue_socket(script, start)
    assert house.telemetry.named("imap.command_failed") + house.telemetry.named("door.failed") == []
