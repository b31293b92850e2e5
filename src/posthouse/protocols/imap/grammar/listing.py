"""Options of LIST, items of STATUS, special-use attributes (RFC 5258 §6, RFC 5819 §4, RFC 6154 §6)."""

from __future__ import annotations

from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.protocols.imap.grammar.strings import atom, expect, list_mailbox, parenthesised, space, word
from posthouse.protocols.imap.types.listing import ListReturn, ListSelection, StatusItem
from posthouse.protocols.imap.types.mailbox_name import decode_name

_MOST_PATTERNS = 100
_LONGEST_PATTERN = 4_096
_SELECTIONS = {
    b"SUBSCRIBED": ListSelection.SUBSCRIBED,
    b"REMOTE": ListSelection.REMOTE,
    b"RECURSIVEMATCH": ListSelection.RECURSIVEMATCH,
    b"SPECIAL-USE": ListSelection.SPECIAL_USE,
}
_RETURNS = {
    b"SUBSCRIBED": ListReturn.SUBSCRIBED,
    b"CHILDREN": ListReturn.CHILDREN,
    b"SPECIAL-USE": ListReturn.SPECIAL_USE,
}


def status_item(text: bytes, at: int) -> tuple[StatusItem, int]:
    """``status-att``."""
    name, after = word(text, at)
    try:
        return StatusItem(name), after
    except ValueError:
        raise SyntaxFault("no such status item", where="imap.status", offset=at) from None


def status_items(text: bytes, at: int) -> tuple[tuple[StatusItem, ...], int]:
    """``"(" status-att *(SP status-att) ")"``, without doubles."""
    items, at = parenthesised(text, at, status_item, most=64)
    return tuple(dict.fromkeys(items)), at


def list_pattern(text: bytes, at: int) -> tuple[str, int]:
    """``list-mailbox``, decoded. Raises NameFault and LimitFault too."""
    data, at = list_mailbox(text, at)
    if len(data) > _LONGEST_PATTERN:
        raise LimitFault("pattern too long", where="imap.list")
    return decode_name(data), at


def list_patterns(text: bytes, at: int) -> tuple[list[str], int]:
    """``mbox-or-pat = list-mailbox / "(" list-mailbox *(SP list-mailbox) ")"``."""
    if text.startswith(b"(", at):
        return parenthesised(text, at, list_pattern, most=_MOST_PATTERNS)
    pattern, at = list_pattern(text, at)
    return [pattern], at


def list_selection(text: bytes, at: int) -> tuple[ListSelection, int]:
    """``list-select-opts``; RECURSIVEMATCH needs another that selects (RFC 5258 §3.1)."""
    names, at = parenthesised(text, at, word, most=16, empty=True)
    found = ListSelection.NONE
    for name in names:
        option = _SELECTIONS.get(name)
        if option is None:
            raise SyntaxFault("no such selection option", where="imap.list", offset=at)
        found |= option
    alone = ListSelection.RECURSIVEMATCH | ListSelection.REMOTE
    if found & ListSelection.RECURSIVEMATCH and not found & ~alone:
        raise SyntaxFault("RECURSIVEMATCH needs something to match", where="imap.list", offset=at)
    return found, at


def list_returns(text: bytes, at: int) -> tuple[ListReturn, tuple[StatusItem, ...], int]:
    """``list-return-opts``, the STATUS option with its items among them (RFC 5819 §4)."""
    at = expect(text, at, b"(")
    found = ListReturn.NONE
    items: tuple[StatusItem, ...] = ()
    while not text.startswith(b")", at):
        name, at = word(text, at)
        if name == b"STATUS":
            items, at = status_items(text, space(text, at))
        elif name in _RETURNS:
            found |= _RETURNS[name]
        else:
            raise SyntaxFault("no such return option", where="imap.list", offset=at)
        if not text.startswith(b")", at):
            at = space(text, at)
    return found, items, at + 1


def use_attribute(text: bytes, at: int) -> tuple[str, int]:
    r"""``use-attr = "\" atom``, in lower case without the backslash (RFC 6154 §6)."""
    name, at = atom(text, expect(text, at, b"\\"))
    return name.decode("ascii").lower(), at
