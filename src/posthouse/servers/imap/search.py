"""SEARCH: the wire's keys to the mailstore's criteria, and what was found to SEARCH or ESEARCH.

RFC 3501 §6.4.4, RFC 4731 §3, RFC 7162 §3.1.5. Days are those of UTC, for the store keeps moments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from posthouse.protocols.imap.format.mailbox import esearch_response, search_response
from posthouse.protocols.imap.selected import Selected
from posthouse.protocols.imap.types import search as keys
from posthouse.protocols.imap.types.commands import Search
from posthouse.servers.imap.conversation import Conversation
from posthouse.services.mailstore import criteria as c
from posthouse.services.mailstore.search import Found
from posthouse.store.rows import Field

DAY: Final = 86_400
NOTHING: Final = c.Not(c.Everything())


async def do_search(talk: Conversation, tag: bytes, command: Search) -> None:
    """Tell which messages match."""
    opened = talk.selected
    criterion = criterion_of(command.key, opened.view)
    with_modseq = keys.has_modseq(command.key)
    found = await talk.services.searcher.search(
        opened.account, opened.mailbox, _candidates(criterion, opened.view), criterion, with_modseq=with_modseq
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


def _candidates(criterion: c.Criterion, view: Selected) -> Sequence[int]:
    """Return the UIDs among which the matches are, so that a search of a few messages reads only their rows."""
    parts = criterion.children if isinstance(criterion, c.And) else (criterion,)
    for part in parts:
        if isinstance(part, c.Uids):
            return view.members(list(part.ranges))
    return view.uids


def criterion_of(key: keys.SearchKey, view: Selected) -> c.Criterion:
    """Return what a key asks for in terms of UIDs. Raises SequenceFault for a message number that is not there."""
    return _CRITERIA[type(key)](key, view)


def _and(key: keys.And, view: Selected) -> c.Criterion:
    return c.And(tuple(criterion_of(each, view) for each in key.keys))


def _or(key: keys.Or, view: Selected) -> c.Criterion:
    return c.Or((criterion_of(key.left, view), criterion_of(key.right, view)))


def _negated(criterion: c.Criterion, is_set: bool) -> c.Criterion:
    return criterion if is_set else c.Not(criterion)


def _numbers(key: keys.SequenceNumbers | keys.Uids, view: Selected) -> c.Criterion:
    return c.Uids(tuple(view.resolve(key.numbers, uid=isinstance(key, keys.Uids))))


def _day(key: keys.Day, _view: Selected) -> c.Criterion:
    low = None if key.comparison is keys.Comparison.BEFORE else key.day
    high = {keys.Comparison.BEFORE: key.day, keys.Comparison.ON: key.day + 1}.get(key.comparison)
    if key.sent:
        return c.SentBetween(low, high)
    return c.Between(Field.INTERNAL_DATE, None if low is None else low * DAY, None if high is None else high * DAY)


_CRITERIA: Final[dict[type, Callable[[Any, Selected], c.Criterion]]] = {
    keys.All: lambda _key, _view: c.Everything(),
    keys.And: _and,
    keys.Or: _or,
    keys.Not: lambda key, view: c.Not(criterion_of(key.key, view)),
    keys.HasFlag: lambda key, _view: _negated(c.HasFlag(key.flag), key.is_set),
    keys.HasKeyword: lambda key, _view: _negated(c.HasKeyword(key.keyword), key.is_set),
    keys.Recent: lambda _key, _view: NOTHING,
    keys.SequenceNumbers: _numbers,
    keys.Uids: _numbers,
    keys.Day: _day,
    keys.Larger: lambda key, _view: c.Between(Field.SIZE, key.octets + 1),
    keys.Smaller: lambda key, _view: c.Between(Field.SIZE, None, key.octets),
    keys.HeaderContains: lambda key, _view: c.HeaderContains(key.name, key.text),
    keys.BodyContains: lambda key, _view: c.BodyContains(key.text),
    keys.TextContains: lambda key, _view: c.TextContains(key.text),
    keys.ModSeqAtLeast: lambda key, _view: c.Between(Field.MODSEQ, key.modseq),
}
