"""SEARCH: the wire's keys to the mailstore's criteria, and what was found to SEARCH or ESEARCH.

RFC 3501 §6.4.4, RFC 4731 §3, RFC 7162 §3.1.5. Days are those of UTC, for the store keeps moments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from posthouse.protocols.imap.format.mailbox import esearch_response, search_response
from posthouse.protocols.imap.types import search as keys
from posthouse.protocols.imap.types.commands import Search
from posthouse.protocols.imap.types.sequence import LARGEST
from posthouse.servers.imap.conversation import Conversation
from posthouse.servers.imap.opened import Opened
from posthouse.services.mailstore import criteria as c
from posthouse.services.mailstore.search import Found
from posthouse.store.rows import Field

DAY: Final = 86_400
NOTHING: Final = c.Not(c.Everything())


async def do_search(talk: Conversation, tag: bytes, command: Search) -> None:
    """Tell which messages match."""
    opened = talk.selected
    criterion = criterion_of(command.key, opened)
    with_modseq = keys.has_modseq(command.key)
    found = await talk.services.searcher.search(
        opened.account, opened.mailbox, _candidates(criterion, opened), criterion, with_modseq=with_modseq
    )
    uids = found.uids
    numbers: Sequence[int] = uids if command.uid else opened.view.seqnums(uids)
    if command.returns is None:
        await talk.push(search_response(numbers, modseq=found.modseq))
    else:
        modseq = await _modseq_of_answer(talk, found, command.returns)
        await talk.push(esearch_response(tag, command.returns, numbers, uid=command.uid, modseq=modseq))
    await talk.news(expunges=command.uid, uid=command.uid)
    talk.done(tag, b"Search completed")


async def _modseq_of_answer(talk: Conversation, found: Found, returns: keys.SearchReturn) -> int:
    """Return the highest modseq of the messages that the answer names (RFC 7162 §3.1.5)."""
    if not found.modseq or returns & (keys.SearchReturn.ALL | keys.SearchReturn.COUNT):
        return found.modseq
    ends = set()
    if keys.SearchReturn.MIN in returns:
        ends.add(found.uids[0])
    if keys.SearchReturn.MAX in returns:
        ends.add(found.uids[-1])
    opened = talk.selected
    ranges = [(uid, uid) for uid in sorted(ends)]
    rows = await talk.store.messages(opened.account, opened.mailbox, ranges, (Field.MODSEQ,))
    return max([row[0] for row in rows], default=0)


def _candidates(criterion: c.Criterion, opened: Opened) -> Sequence[int]:
    """Return the UIDs among which the matches are, so that a search of a few messages reads only their rows."""
    parts = criterion.children if isinstance(criterion, c.And) else (criterion,)
    for part in parts:
        if isinstance(part, c.Uids):
            return opened.view.members(list(part.ranges))
    return opened.view.uids


def criterion_of(key: keys.SearchKey, opened: Opened) -> c.Criterion:
    """Return what a key asks for in terms of UIDs."""
    return _CRITERIA[type(key)](key, opened)


def _and(key: keys.And, opened: Opened) -> c.Criterion:
    return c.And(tuple(criterion_of(each, opened) for each in key.keys))


def _or(key: keys.Or, opened: Opened) -> c.Criterion:
    return c.Or((criterion_of(key.left, opened), criterion_of(key.right, opened)))


def _negated(criterion: c.Criterion, is_set: bool) -> c.Criterion:
    return criterion if is_set else c.Not(criterion)


def _recent(_key: keys.Recent, opened: Opened) -> c.Criterion:
    return c.Uids(((opened.recent_from, LARGEST),)) if opened.recent_from else NOTHING


def _uids(key: keys.Uids, opened: Opened) -> c.Criterion:
    return c.Uids(tuple(opened.view.resolve(key.numbers, uid=True)))


def _numbers(key: keys.SequenceNumbers, opened: Opened) -> c.Criterion:
    """Message numbers that are not there match nothing: SEARCH asks, it does not address (RFC 3501 §6.4.4)."""
    uids, count = opened.view.uids, len(opened.view)
    ranges = [(low, min(high, count)) for low, high in key.numbers.resolve(count) if low <= count]
    return c.Uids(tuple([(uids[low - 1], uids[high - 1]) for low, high in ranges]))


def _day(key: keys.Day, _opened: Opened) -> c.Criterion:
    low = None if key.comparison is keys.Comparison.BEFORE else key.day
    high = {keys.Comparison.BEFORE: key.day, keys.Comparison.ON: key.day + 1}.get(key.comparison)
    if key.sent:
        return c.SentBetween(low, high)
    return c.Between(Field.INTERNAL_DATE, None if low is None else low * DAY, None if high is None else high * DAY)


_CRITERIA: Final[dict[type, Callable[[Any, Opened], c.Criterion]]] = {
    keys.All: lambda _key, _opened: c.Everything(),
    keys.And: _and,
    keys.Or: _or,
    keys.Not: lambda key, opened: c.Not(criterion_of(key.key, opened)),
    keys.HasFlag: lambda key, _opened: _negated(c.HasFlag(key.flag), key.is_set),
    keys.HasKeyword: lambda key, _opened: _negated(c.HasKeyword(key.keyword), key.is_set),
    keys.Recent: _recent,
    keys.SequenceNumbers: _numbers,
    keys.Uids: _uids,
    keys.Day: _day,
    keys.Larger: lambda key, _opened: c.Between(Field.SIZE, key.octets + 1),
    keys.Smaller: lambda key, _opened: c.Between(Field.SIZE, None, key.octets),
    keys.HeaderContains: lambda key, _opened: c.HeaderContains(key.name, key.text),
    keys.BodyContains: lambda key, _opened: c.BodyContains(key.text),
    keys.TextContains: lambda key, _opened: c.TextContains(key.text),
    keys.ModSeqAtLeast: lambda key, _opened: c.Between(Field.MODSEQ, key.modseq),
}
