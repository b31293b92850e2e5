"""any bytes give sections with sound offsets and searches with an answer, in bounded memory, never an exception.

The first octet chooses the section. Every section of every part lies inside the message; a partial fetch is the same
octets as a piece of the whole; header fields that are picked and those that are left make up all fields.
"""

from __future__ import annotations

from posthouse.message.scan import scan
from posthouse.services.mailstore.matching import Matter
from posthouse.services.mailstore.sections import Section, SectionKind, entity_header, filter_fields, locate

_KINDS = tuple(SectionKind)
_PATHS = ((), (1,), (2,), (1, 1), (1, 2, 1), (3, 1, 1, 1))
_NAMES = (b"subject", b"content-type", b"x")


def target(data: bytes) -> None:
    """Cut sections out of the data, and search it."""
    if not data:
        return
    how, data = data[0], data[1:]
    scanned = scan(data)
    kind = _KINDS[how % len(_KINDS)]
    for path in _PATHS[1:]:
        octets = locate(scanned.root, Section(path, kind))
        if octets is not None:
            assert 0 <= octets.start <= octets.start + octets.length <= len(data)
            piece = octets.cut(how, 10)
            assert _read(data, piece) == _read(data, octets)[how : how + 10]
    header = data[: scanned.header_size]
    picked, left = filter_fields(header, _NAMES, keep=True), filter_fields(header, _NAMES, keep=False)
    assert picked.endswith(b"\r\n")
    assert entity_header(left) == left
    assert len(picked) + len(left) <= len(header) + 8
    matter = Matter(b"", data, scanned.header_size)
    for text in ("a", "ä", "subject"):
        if matter.body_contains(text):
            assert matter.text_contains(text)
        matter.header_contains("subject", text)
    matter.close()


def _read(data: bytes, octets) -> bytes:
    return octets.head + data[octets.start : octets.start + octets.length]
