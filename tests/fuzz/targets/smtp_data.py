"""any bytes give content that ends at the first CRLF.CRLF or a named fault, in bounded memory, never another exception.

The first octet says how the rest is cut into pieces. Stuffing what was received gives octets that are received to the
same content again: what we relay means to the next server what it meant to us.
"""

from __future__ import annotations

from posthouse.protocols.smtp.data import ContentGate, DataReceiver, DotStuffer, has_bare_newline
from posthouse.protocols.smtp.types import BareNewline


def target(data: bytes) -> None:
    """Receive the data as one message, with both policies, and send it on."""
    step = (data[0] if data else 0) + 1
    wire = data[1:]
    end = (b"\r\n" + wire).find(b"\r\n.\r\n")
    for policy in BareNewline:
        content, used, gate = _receive(wire, step, policy)
        assert used == (end + 3 if end >= 0 else -1)
        assert not has_bare_newline(content)
        if gate.fault is None:
            stuffer = DotStuffer()
            sent = stuffer.feed(content) + stuffer.finish()
            again, used, gate = _receive(sent + wire, step, BareNewline.REFUSE)
            assert gate.fault is None
            assert used == len(sent)
            assert again == (content if content.endswith(b"\r\n") or not content else content + b"\r\n")


def _receive(wire: bytes, step: int, policy: BareNewline) -> tuple[bytes, int, ContentGate]:
    gate = ContentGate(0, policy)
    receiver = DataReceiver(gate)
    pieces = []
    for at in range(0, len(wire), step):
        content, used = receiver.feed(wire[at : at + step])
        pieces.append(content)
        if used >= 0:
            return b"".join(pieces), at + used, gate
    return b"".join(pieces), -1, gate
