"""STORE, also conditional (RFC 3501 §6.4.6, RFC 7162 §3.1.3)."""

from __future__ import annotations

from typing import Final

from posthouse.core.ids import ModSeq
from posthouse.protocols.imap.format import codes
from posthouse.protocols.imap.format.fetch import fetch_flags_bulk, fetch_modseq_bulk
from posthouse.protocols.imap.types.commands import Store
from posthouse.protocols.imap.types.flags import StoreMode
from posthouse.protocols.imap.types.sequence import Ranges
from posthouse.servers.imap.answers import READ_ONLY
from posthouse.servers.imap.conversation import Conversation
from posthouse.services.mailstore.slices import split_by_rows
from posthouse.store.values import FlagChange, FlagMode, FlagsChanged

_MODES: Final = {StoreMode.REPLACE: FlagMode.REPLACE, StoreMode.ADD: FlagMode.ADD, StoreMode.REMOVE: FlagMode.REMOVE}
ROWS: Final = 50_000  # changed in one commit: all of most mailboxes, in some MB of memory


async def do_store(talk: Conversation, tag: bytes, command: Store) -> None:
    """Change flags and tell the result, except where the client asked for silence."""
    opened = talk.selected
    ranges = opened.view.resolve(command.numbers, uid=command.uid)
    if opened.read_only:
        talk.refuse(tag, READ_ONLY)
        return
    # What others changed is told first: from here on a row with the modseq of our change is no news.
    await talk.news(expunges=False, uid=command.uid)
    modified: list[int] = []
    for piece in split_by_rows(ranges, opened.view.members(ranges), ROWS):
        modified += await _store(talk, command, piece)
    await talk.news(expunges=command.uid, uid=command.uid)
    if modified:
        numbers = modified if command.uid else opened.view.seqnums(opened.view.known(modified))
        code = codes.modified(numbers) if len(numbers) else None
        talk.done(tag, b"Conditional STORE failed for some", code)
    else:
        talk.done(tag, b"Store completed")


async def _store(talk: Conversation, command: Store, ranges: Ranges) -> list[int]:
    """Change flags of one piece; return the UIDs that the condition left alone."""
    opened, session = talk.selected, talk.session
    recent_from = opened.recent_from
    before = opened.view.modseq
    since = command.unchanged_since
    result: FlagsChanged = await talk.store.commit(
        FlagChange(
            account=opened.account,
            mailbox=opened.mailbox,
            uids=ranges,
            mode=_MODES[command.mode],
            flags=command.flags,
            keywords=command.keywords,
            unchanged_since=None if since is None else ModSeq(since),
        )
    )
    rows = result.changed
    if rows:
        highest = max([row[3] for row in rows])
        if highest > before:
            opened.told(highest)
        opened.tell_keywords(session, {row[2] for row in rows if row[2]})
        numbers = opened.view.seqnums([row[0] for row in rows])
        if not command.silent:
            await talk.push(
                fetch_flags_bulk(numbers, rows, uid=command.uid, modseq=session.condstore, recent_from=recent_from)
            )
        elif session.condstore:  # RFC 7162 §3.1.3: the new mod-sequence is told even then
            uids, modseqs = [row[0] for row in rows], [row[3] for row in rows]
            await talk.push(fetch_modseq_bulk(numbers, uids, modseqs, uid=command.uid))
    return result.modified
