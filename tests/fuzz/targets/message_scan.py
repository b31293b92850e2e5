"""any bytes give a scan with sound offsets and facts, in bounded memory, never an exception."""

from __future__ import annotations

from posthouse.message.scan import Part, decode_text, scan
from posthouse.protocols.imap.format.structure import plain_body


def target(data: bytes) -> None:
    """Scan, check that parts lie inside their parents, make the facts, decode every part."""
    scanned = scan(data)
    facts = scanned.facts()
    assert facts.size == len(data)
    plain_body(facts.bodystructure)
    stack: list[tuple[Part, int, int]] = [(scanned.root, 0, len(data))]
    while stack:
        part, start, end = stack.pop()
        assert start <= part.header_start <= part.header_end <= part.body_end <= end
        decode_text(data, part, 256)
        stack += [(child, part.body_start, part.body_end) for child in part.children]
        if part.embedded is not None:
            stack.append((part.embedded, part.body_start, part.body_end))
