r"""LIST, extended LIST, LIST-STATUS and LSUB (RFC 3501 §6.3.8, §6.3.9, RFC 5258 §3, RFC 5819 §2, RFC 6154 §2).

Every mailbox can be selected here: a parent that is missing is made with its child. A name that is only subscribed
to is ``\NonExistent`` (RFC 5258 §3.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from posthouse.protocols.imap.format.mailbox import delimiter_response, list_response, status_response
from posthouse.protocols.imap.types.commands import List, Lsub
from posthouse.protocols.imap.types.listing import ListReturn, ListSelection
from posthouse.protocols.imap.types.mailbox_name import DELIMITER, compile_pattern
from posthouse.servers.imap.conversation import Conversation
from posthouse.servers.imap.status import counters
from posthouse.store.rows import MailboxRow
from posthouse.store.values import Role

_ROLE_ATTRIBUTES: Final = {
    role: b"\\" + role.value.capitalize().encode("ascii") for role in Role if role is not Role.INBOX
}


@dataclass(frozen=True, slots=True)
class _Name:
    """A name that LIST may tell: of a mailbox, or only subscribed to."""

    name: str
    row: MailboxRow | None
    is_subscribed: bool


async def do_list(talk: Conversation, tag: bytes, command: List) -> None:
    """List names that match a pattern and the selection."""
    if command.patterns == ("",) and not command.extended:
        talk.untagged(delimiter_response())
        talk.done(tag, b"List completed")
        return
    names = await _names(talk)
    matches = [compile_pattern(pattern) for pattern in command.patterns]
    selection = command.selection
    inside = (
        {parent for each in names if each.is_subscribed for parent in _parents(each.name)}
        if ListSelection.RECURSIVEMATCH in selection
        else set()
    )
    out: list[bytes] = []
    for each in _with_parents(names, inside):
        if not any(match(each.name) for match in matches) or not _is_selected(each, selection, inside):
            continue
        child_info = (b"SUBSCRIBED",) if each.name in inside else ()
        out.append(list_response(each.name, _attributes(each, command), child_info=child_info))
        if command.status and each.row is not None:
            out.append(status_response(each.name, counters(talk, each.row, command.status)))
    await talk.push(b"".join(out))
    talk.done(tag, b"List completed")


async def do_lsub(talk: Conversation, tag: bytes, command: Lsub) -> None:
    r"""List subscribed names; with ``%``, also parents of subscribed names, as \Noselect (RFC 3501 §6.3.9)."""
    names = {each.name for each in await _names(talk) if each.is_subscribed}
    match = compile_pattern(command.pattern)
    out = {name: () for name in names if match(name)}
    answers: dict[str, tuple[bytes, ...]] = dict(out)
    if "%" in command.pattern:
        for name in names:
            for parent in _parents(name):
                if parent not in answers and match(parent):
                    answers[parent] = (rb"\Noselect",)
    await talk.push(b"".join([list_response(name, answers[name], verb=b"LSUB") for name in _in_order(answers)]))
    talk.done(tag, b"Lsub completed")


async def _names(talk: Conversation) -> list[_Name]:
    rows = await talk.store.mailboxes(talk.account_id)
    there = {row.name for row in rows}
    subscriptions = set(await talk.store.subscriptions(talk.account_id))
    names = [_Name(row.name, row, row.name in subscriptions) for row in rows]
    names += [_Name(name, None, is_subscribed=True) for name in sorted(subscriptions - there)]
    return names


def _parents(name: str) -> Iterator[str]:
    place = name.rfind(DELIMITER)
    while place > 0:
        yield name[:place]
        place = name.rfind(DELIMITER, 0, place)


def _with_parents(names: list[_Name], inside: Iterable[str]) -> list[_Name]:
    """Add parents that exist nowhere but are to be told because of what is subscribed below them."""
    there = {each.name for each in names}
    return names + [_Name(name, None, is_subscribed=False) for name in sorted(inside) if name not in there]


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (name != "INBOX", name))


def _is_selected(each: _Name, selection: ListSelection, inside: set[str]) -> bool:
    if ListSelection.SPECIAL_USE in selection and (each.row is None or each.row.role not in _ROLE_ATTRIBUTES):
        return False
    if ListSelection.SUBSCRIBED in selection:
        return each.is_subscribed or each.name in inside
    return each.row is not None


def _attributes(each: _Name, command: List) -> tuple[bytes, ...]:
    row = each.row
    if row is None:
        attributes = [rb"\NonExistent"]
    else:
        attributes = [rb"\HasChildren" if row.has_children else rb"\HasNoChildren"]
        if row.role in _ROLE_ATTRIBUTES:
            attributes.append(_ROLE_ATTRIBUTES[row.role])
    wants_subscribed = ListReturn.SUBSCRIBED in command.returns or ListSelection.SUBSCRIBED in command.selection
    if wants_subscribed and each.is_subscribed:
        attributes.append(rb"\Subscribed")
    return tuple(attributes)
