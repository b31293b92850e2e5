r"""FETCH: rows in bulk, bodies message by message, both in bounded pieces (RFC 3501 §6.4.5, RFC 7162 §3.1.4).

A message that was expunged by somebody else meanwhile is left out of the answer, and where it was named by its number
EXPUNGEISSUED tells why (RFC 2180 §4.1.2, RFC 5530 §3). Fetching a body
without PEEK sets ``\Seen`` first, and the response then carries the flags. Once the head of a literal is sent its
octets must follow; where they cannot, the connection is cut.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from posthouse.core.errors import Fault
from posthouse.core.flags import Flag
from posthouse.core.ids import ModSeq
from posthouse.protocols.imap.format.fetch import CLOSE, FetchLayout, fetch_layout
from posthouse.protocols.imap.types.commands import Fetch
from posthouse.protocols.imap.types.fetch import BodySection, FetchAttribute, FetchItem
from posthouse.protocols.imap.types.sequence import Ranges
from posthouse.servers.imap.conversation import Conversation
from posthouse.services.mailstore.content import SOURCE_FIELDS, Contents, Source
from posthouse.services.mailstore.sections import Octets, Section, SectionKind
from posthouse.services.mailstore.slices import ranges_from_uids, split_by_rows, split_by_size
from posthouse.store.rows import Field
from posthouse.store.values import FlagChange, FlagMode, FlagsChanged

_IN_MEMORY: Final = ("uid", "flags", "keywords")
_WHOLE: Final = Section()


async def do_fetch(talk: Conversation, tag: bytes, command: Fetch) -> None:
    """Answer with what was asked of each message."""
    opened = talk.selected
    ranges = opened.view.resolve(command.numbers, uid=command.uid)
    if command.changed_since is not None:
        ranges = await _changed_since(talk, ranges, command.changed_since)
    items = command.items
    if ranges and not opened.read_only and any(isinstance(item, BodySection) and not item.peek for item in items):
        items = await _set_seen(talk, ranges, items)
    layout = fetch_layout(items)
    uids = opened.view.members(ranges)
    told = await (_fetch_sections if layout.sections else _fetch_rows)(talk, layout, ranges, uids)
    await talk.news(expunges=command.uid, uid=command.uid)
    talk.done(tag, b"Fetch completed", b"EXPUNGEISSUED" if told < len(uids) and not command.uid else None)


async def _changed_since(talk: Conversation, ranges: Ranges, modseq: int) -> Ranges:
    opened = talk.selected
    changed = await talk.store.changed_since(opened.account, opened.mailbox, ModSeq(modseq))
    known = set(opened.view.members(ranges))
    return ranges_from_uids(row[0] for row in changed if row[0] in known)


async def _set_seen(talk: Conversation, ranges: Ranges, items: tuple[FetchItem, ...]) -> tuple[FetchItem, ...]:
    r"""Set \Seen where it is not; return the items with FLAGS among them if that changed anything."""
    opened = talk.selected
    unseen: list[int] = []
    for piece in split_by_rows(ranges, opened.view.members(ranges)):
        rows = await talk.store.messages(opened.account, opened.mailbox, piece, (Field.UID, Field.FLAGS))
        unseen += [uid for uid, flags in rows if not flags & Flag.SEEN]
    if not unseen:
        return items
    before = opened.view.modseq
    change = FlagChange(
        account=opened.account,
        mailbox=opened.mailbox,
        uids=ranges_from_uids(unseen),
        mode=FlagMode.ADD,
        flags=Flag.SEEN,
    )
    try:
        result: FlagsChanged = await talk.store.commit(change)
    except Fault as fault:  # a full disk is no reason not to show the mail
        talk.telemetry.event("imap.seen_not_set", level="warning", error=type(fault).__name__, detail=fault.detail)
        return items
    highest = max([row[3] for row in result.changed], default=0)
    if highest > before:
        opened.told(highest)
    more = (FetchAttribute.FLAGS, FetchAttribute.MODSEQ) if talk.session.condstore else (FetchAttribute.FLAGS,)
    return (*(item for item in items if item not in more), *more)


async def _fetch_rows(talk: Conversation, layout: FetchLayout, ranges: Ranges, uids: array[int]) -> int:
    """Answer from rows alone; return how many messages were there."""
    opened, view = talk.selected, talk.selected.view
    fields = [Field(name) for name in layout.columns]
    told, columns = 0, None
    if layout.columns == _IN_MEMORY:
        columns = await talk.services.columns.get(opened.account, opened.mailbox, len(uids))
    for piece in split_by_rows(ranges, uids):
        if columns is not None:
            rows: Sequence[tuple[Any, ...]] = columns.rows(piece)
        else:
            rows = await talk.store.messages(opened.account, opened.mailbox, piece, fields)
        if rows:
            _name_keywords(talk, layout, rows)
            await talk.push(layout.rows(view.seqnums([row[0] for row in rows]), rows, recent_from=opened.recent_from))
        told += len(rows)
    return told


def _name_keywords(talk: Conversation, layout: FetchLayout, rows: Sequence[tuple[Any, ...]]) -> None:
    """SELECT does not look through all messages for their keywords; so FLAGS names them before FETCH shows them."""
    if Field.KEYWORDS.value in layout.columns:
        place = layout.columns.index(Field.KEYWORDS.value)
        talk.selected.tell_keywords(talk.session, {row[place] for row in rows if row[place]})


async def _fetch_sections(talk: Conversation, layout: FetchLayout, ranges: Ranges, uids: array[int]) -> int:
    """Answer with octets of the messages; return how many were there."""
    opened, view, told = talk.selected, talk.selected.view, 0
    fields = [*(Field(name) for name in layout.columns), *SOURCE_FIELDS]
    is_whole = len(layout.sections) == 1 and _section(layout.sections[0]) == _WHOLE and not layout.sections[0].partial
    for piece in split_by_rows(ranges, uids):
        sizes = await talk.store.messages(opened.account, opened.mailbox, piece, (Field.UID, Field.SIZE))
        for part in split_by_size(piece, sizes):
            rows = await talk.store.messages(opened.account, opened.mailbox, part, fields)
            _name_keywords(talk, layout, rows)
            numbers = view.seqnums([row[0] for row in rows])
            if is_whole and all(row[-1] is not None for row in rows):
                await talk.push(_whole_messages(layout, numbers, rows, opened.recent_from))
            else:
                await _messages(talk, layout, numbers, rows)
            told += len(rows)
    return told


def _whole_messages(
    layout: FetchLayout, numbers: Sequence[int], rows: list[tuple[Any, ...]], recent_from: int
) -> bytes:
    """Format the most frequent request of all, ``BODY[]`` of messages whose octets came with their rows."""
    item, width, head = layout.sections[0], len(layout.columns), layout.head
    out: list[bytes] = []
    for number, row in zip(numbers, rows, strict=True):
        prefix, content = row[width], row[-1]
        out += (
            head(number, row[:width], recent_from=recent_from),
            layout.section_head(item, len(prefix) + len(content)),
            prefix,
            content,
            CLOSE,
        )
    return b"".join(out)


async def _messages(
    talk: Conversation, layout: FetchLayout, numbers: Sequence[int], rows: list[tuple[Any, ...]]
) -> None:
    width, contents = len(layout.columns), talk.services.contents
    out: list[bytes] = []
    for number, row in zip(numbers, rows, strict=True):
        source = Source(*row[width:])
        # Everything that can fail for want of the body is looked up before the response is begun.
        found = [await _octets(contents, source, item) for item in layout.sections]
        out.append(layout.head(number, row[:width], recent_from=talk.selected.recent_from))
        for item, octets in zip(layout.sections, found, strict=True):
            if octets is None:
                out.append(layout.section_nil(item))
            elif source.content is not None or not octets.length:
                out.append(layout.section(item, await contents.read(source, octets)))
            else:
                out.append(layout.section_head(item, octets.size))
                await talk.push(b"".join(out))
                out = []
                await _stream(talk, source, octets)
        out.append(CLOSE)
    if out:
        await talk.push(b"".join(out))


async def _octets(contents: Contents, source: Source, item: BodySection) -> Octets | None:
    octets = await contents.section(source, _section(item))
    if octets is None or item.partial is None:
        return octets
    return octets.cut(*item.partial)


async def _stream(talk: Conversation, source: Source, octets: Octets) -> None:
    try:
        async for chunk in talk.services.contents.chunks(source, octets):
            await talk.push(chunk)
    except ConnectionResetError:
        raise
    except Exception:
        talk.cut("body unreadable")
        raise


@lru_cache(maxsize=1024)
def _section(item: BodySection) -> Section:
    return Section(item.part, SectionKind(item.text.value), item.fields)
