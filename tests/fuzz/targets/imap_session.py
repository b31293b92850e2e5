"""Any bytes give events or a named answer, in bounded memory, never another exception.

The first octet chooses how the machine begins (signed in or not, selected or not) and in what pieces the rest comes.
Checked beside that: what is sent is whole lines, and no more is held than ``limits`` allow.
"""

from __future__ import annotations

from posthouse.core import limits
from posthouse.protocols.imap.types.state import SessionConfig
from posthouse.testing.imap_peer import ImapPeer

_PIECES = (1 << 30, 1, 7, 1000)


def target(data: bytes) -> None:
    """Feed the machine."""
    if not data:
        return
    start, rest = data[0], data[1:]
    peer = ImapPeer(SessionConfig(plaintext_allowed=bool(start & 1), tls_available=bool(start & 2), append_limit=4096))
    if start & 4:
        peer.session.authenticated()
    if start & 12 == 12:
        peer.session.selected(read_only=False)
    size = _PIECES[start >> 4 & 3]
    sent = peer.feed(b"")
    for place in range(0, len(rest), size):
        sent += peer.feed(rest[place : place + size])
        assert peer.session._wire.held <= limits.IMAP_COMMAND_TOTAL + limits.IMAP_COMMAND_LINE + size
    assert sent.endswith(b"\r\n")
    assert all(peer.messages) or b"" in peer.messages
