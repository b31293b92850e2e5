"""Octets of stored messages: whole, in ranges, as sections, bounded in memory whatever the size.

A message's octets are its row's prefix followed by its body (``store.values.Filing``). Small bodies come inline with
the row; large ones are read in chunks, and where their MIME tree is needed they are laid out in a nameless spool file
and mapped, so that their pages are not our heap. Trees are kept for the bodies last asked for.
Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

import mmap
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from posthouse.core import limits
from posthouse.core.errors import Bug
from posthouse.core.ids import BodyId
from posthouse.message.scan import scan
from posthouse.message.structure import Part
from posthouse.services.mailstore.matching import Matter
from posthouse.services.mailstore.sections import (
    HEADER_KINDS,
    Octets,
    Section,
    SectionKind,
    filter_fields,
    locate,
)
from posthouse.store.contract import Store
from posthouse.store.rows import Field
from posthouse.store.spool import Spool

SOURCE_FIELDS: Final = (Field.PREFIX, Field.BODY_ID, Field.BODY_SIZE, Field.HEADER_SIZE, Field.CONTENT)
TREES: Final = 32  # a client that walks the parts of a message asks for one after the other


@dataclass(frozen=True, slots=True)
class Source:
    """Where a message's octets are; made of the columns ``SOURCE_FIELDS`` in that order."""

    prefix: bytes
    body_id: int
    body_size: int
    header_size: int
    content: bytes | None

    @property
    def size(self) -> int:
        """Octets of the message."""
        return len(self.prefix) + self.body_size


class Contents:
    """Reads octets of messages from one store."""

    def __init__(self, store: Store) -> None:
        """Only borrow the store."""
        self._store = store
        self._trees: OrderedDict[int, Part] = OrderedDict()

    async def section(self, source: Source, section: Section) -> Octets | None:
        """Return where a section's octets are, or None where the message has no such part.

        Raises Vanished: where the body went away meanwhile. Raises Unavailable.
        """
        if not section.part:
            if section.kind in HEADER_KINDS:
                header = source.prefix + await self._range(source, 0, source.header_size)
                return _of_header(header, section)
            if section.kind is SectionKind.TEXT:
                return Octets(b"", source.header_size, source.body_size - source.header_size)
            return Octets(source.prefix, 0, source.body_size)
        found = locate(await self._tree(source), section)
        if found is None or section.kind not in HEADER_KINDS:
            return found
        header = await self._range(source, found.start, found.length)
        if section.kind is SectionKind.MIME and found.start == 0:
            header = source.prefix + header
        return _of_header(header, section)

    async def read(self, source: Source, octets: Octets) -> bytes:
        """Return octets in one piece; for what is known to be small."""
        if not octets.length:
            return octets.head
        return octets.head + await self._range(source, octets.start, octets.length)

    async def chunks(self, source: Source, octets: Octets, size: int = limits.BODY_CHUNK) -> AsyncIterator[bytes]:
        """Yield octets in chunks. Raises Vanished, Unavailable; Bug where the body is shorter than its row says."""
        if octets.head:
            yield octets.head
        offset, end = octets.start, octets.start + octets.length
        while offset < end:
            chunk = await self._range(source, offset, min(size, end - offset))
            if not chunk:
                raise Bug("the body is shorter than its row says", where="mailstore.content")
            yield chunk
            offset += len(chunk)

    async def matter(self, source: Source, *, whole: bool) -> Matter:
        """Return what a search looks through; close it after use. ``whole`` False leaves the body out."""
        if source.content is not None:
            return Matter(source.prefix, source.content, source.header_size)
        if not whole:
            return Matter(source.prefix, await self._range(source, 0, source.header_size), source.header_size)
        spool = await self._spooled(source)
        try:
            return Matter(source.prefix, spool.map(), source.header_size)
        finally:
            spool.close()

    async def _range(self, source: Source, start: int, length: int) -> bytes:
        if source.content is not None:
            return source.content[start : start + length]
        if not length:
            return b""
        parts = [await self._store.read_body(BodyId(source.body_id), start, length)]
        got = len(parts[0])
        while 0 < got < length and parts[-1]:
            parts.append(await self._store.read_body(BodyId(source.body_id), start + got, length - got))
            got += len(parts[-1])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _spooled(self, source: Source) -> Spool:
        spool = self._store.new_spool()
        try:
            async for chunk in self.chunks(source, Octets(b"", 0, source.body_size)):
                spool.write(chunk)
        except BaseException:
            spool.close()
            raise
        return spool

    async def _tree(self, source: Source) -> Part:
        tree = self._trees.get(source.body_id)
        if tree is not None:
            self._trees.move_to_end(source.body_id)
            return tree
        tree = await self._scan(source)
        self._trees[source.body_id] = tree
        if len(self._trees) > TREES:
            self._trees.popitem(last=False)
        return tree

    async def _scan(self, source: Source) -> Part:
        if source.content is not None:
            return scan(source.content).root
        spool = await self._spooled(source)
        try:
            mapped: mmap.mmap = spool.map()
        finally:
            spool.close()
        # The tree keeps offsets; the map is let go with the scan.
        return scan(mapped).root


def _of_header(header: bytes, section: Section) -> Octets:
    """Cut a header section down to what was asked for."""
    if section.kind is SectionKind.FIELDS:
        return Octets(filter_fields(header, section.fields, keep=True))
    if section.kind is SectionKind.FIELDS_NOT:
        return Octets(filter_fields(header, section.fields, keep=False))
    return Octets(header)
