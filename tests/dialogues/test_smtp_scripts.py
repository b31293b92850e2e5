"""Every SMTP dialogue plays whole, byte by byte, and over a loopback socket."""

from pathlib import Path

import pytest
from smtp_peer import SmtpPeer

from posthouse.testing.dialogue import run_dialogue, run_dialogue_bytewise, run_dialogue_socket, serve_peer

SCRIPTS = sorted((Path(__file__).parent / "smtp").glob("*.txt"))
# These show what happens to octets that arrive in one piece with what is before them.
ONE_PIECE = {"smuggling-early-data", "starttls-injection"}
# These make the server speak unasked, which is done in memory only.
STEPS = {"shutdown", "starttls", "starttls-injection"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_whole(path):
    """The server says what the script says."""
    run_dialogue(path, SmtpPeer)


@pytest.mark.parametrize("path", [p for p in SCRIPTS if p.stem not in ONE_PIECE], ids=lambda path: path.stem)
def test_bytewise(path):
    """The server says the same where every octet comes alone."""
    run_dialogue_bytewise(path, SmtpPeer)


@pytest.mark.parametrize("path", [p for p in SCRIPTS if p.stem not in STEPS | ONE_PIECE], ids=lambda path: path.stem)
async def test_over_a_socket(path):
    """The server says the same over a socket."""
    await run_dialogue_socket(path, serve_peer(SmtpPeer))
