"""Commands about messages of the selected mailbox: arguments to values (RFC 3501 §6.4)."""

from __future__ import annotations

from collections.abc import Callable

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.imap.grammar import search as keys
from posthouse.protocols.imap.grammar.fetch import fetch_items
from posthouse.protocols.imap.grammar.flags import flags
from posthouse.protocols.imap.grammar.sequence import sequence_set
from posthouse.protocols.imap.grammar.strings import end, expect, mailbox, number64, space, word
from posthouse.protocols.imap.types import commands
from posthouse.protocols.imap.types.fetch import FetchAttribute
from posthouse.protocols.imap.types.flags import StoreMode
from posthouse.protocols.imap.types.sequence import SequenceSet

_STORE_ITEMS = {
    mode.value + b"FLAGS" + suffix: (mode, bool(suffix)) for mode in StoreMode for suffix in (b"", b".SILENT")
}


def fetch(text: bytes, *, uid: bool = False) -> commands.Fetch:
    """``sequence-set SP items [SP "(" "CHANGEDSINCE" SP mod-sequence ")"]`` (RFC 7162 §7)."""
    numbers, at = sequence_set(text, 0)
    items, at = fetch_items(text, space(text, at))
    changed_since = None
    if at < len(text):
        changed_since, at = _modifier(text, space(text, at), b"CHANGEDSINCE")
        end(text, at)
        if FetchAttribute.MODSEQ not in items:
            items = (*items, FetchAttribute.MODSEQ)
    if uid and FetchAttribute.UID not in items:
        items = (FetchAttribute.UID, *items)
    return commands.Fetch(numbers=numbers, items=items, uid=uid, changed_since=changed_since)


def _modifier(text: bytes, at: int, expected: bytes) -> tuple[int, int]:
    """``"(" name SP mod-sequence ")"`` with that one name."""
    name, at = word(text, expect(text, at, b"("))
    if name != expected:
        raise SyntaxFault("no such modifier", where="imap.modifier", offset=at)
    value, at = number64(text, space(text, at))
    return value, expect(text, at, b")")


def store(text: bytes, *, uid: bool = False) -> commands.Store:
    """``sequence-set [SP "(" "UNCHANGEDSINCE" ... ")"] SP item SP flags`` (RFC 3501 §6.4.6, RFC 7162 §7)."""
    numbers, at = sequence_set(text, 0)
    at = space(text, at)
    unchanged_since = None
    if text.startswith(b"(", at):
        unchanged_since, at = _modifier(text, at, b"UNCHANGEDSINCE")
        at = space(text, at)
    name, at = word(text, at)
    item = _STORE_ITEMS.get(name)
    if item is None:
        raise SyntaxFault("no such item", where="imap.store", offset=at)
    named, at = flags(text, space(text, at))
    end(text, at)
    return commands.Store(
        numbers=numbers,
        mode=item[0],
        flags=named.flags,
        keywords=named.keywords,
        silent=item[1],
        uid=uid,
        unchanged_since=unchanged_since,
    )


def _numbers_and_mailbox(text: bytes) -> tuple[SequenceSet, str]:
    numbers, at = sequence_set(text, 0)
    name, at = mailbox(text, space(text, at))
    end(text, at)
    return numbers, name


def copy(text: bytes, *, uid: bool = False) -> commands.Copy:
    """``sequence-set SP mailbox`` (RFC 3501 §6.4.7)."""
    numbers, name = _numbers_and_mailbox(text)
    return commands.Copy(numbers=numbers, mailbox=name, uid=uid)


def move(text: bytes, *, uid: bool = False) -> commands.Move:
    """``sequence-set SP mailbox`` (RFC 6851 §6)."""
    numbers, name = _numbers_and_mailbox(text)
    return commands.Move(numbers=numbers, mailbox=name, uid=uid)


def search(text: bytes, *, uid: bool = False) -> commands.Search:
    """``["RETURN" SP opts SP] ["CHARSET" SP astring SP] search-key *(SP search-key)`` (RFC 4466 §2.6.1)."""
    at, returns, codec = 0, None, "utf-8"
    if text[:7].upper() == b"RETURN ":
        returns, at = keys.search_return(text, 7)
        at = space(text, at)
    if text[at : at + 8].upper() == b"CHARSET ":
        codec, at = keys.charset(text, at + 8)
        at = space(text, at)
    key, at = keys.search_keys(text, at, codec)
    end(text, at)
    return commands.Search(key=key, uid=uid, returns=returns)


def uid_expunge(text: bytes) -> commands.Expunge:
    """``sequence-set`` (RFC 4315 §4)."""
    numbers, at = sequence_set(text, 0)
    end(text, at)
    return commands.Expunge(uids=numbers)


_UID_FORMS: dict[bytes, Callable[..., commands.Command]] = {
    b"FETCH": fetch,
    b"STORE": store,
    b"COPY": copy,
    b"MOVE": move,
    b"SEARCH": search,
}


def uid(text: bytes) -> commands.Command:
    """``"UID" SP (copy / fetch / store / search / move / expunge)`` (RFC 3501 §6.4.8)."""
    name, _, rest = text.partition(b" ")
    name = name.upper()
    form = _UID_FORMS.get(name)
    if form is not None:
        return form(rest, uid=True)
    if name == b"EXPUNGE":
        return uid_expunge(rest)
    raise SyntaxFault("no such command with UIDs", where="imap.uid")
