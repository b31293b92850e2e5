"""Commands about mailboxes as wholes: arguments to values (RFC 3501 §6.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.imap.grammar.listing import (
    list_pattern,
    list_patterns,
    list_returns,
    list_selection,
    status_items,
    use_attribute,
)
from posthouse.protocols.imap.grammar.strings import astring, end, expect, mailbox, parenthesised, space, word
from posthouse.protocols.imap.types import commands
from posthouse.protocols.imap.types.listing import ListReturn, ListSelection, StatusItem
from posthouse.protocols.imap.types.mailbox_name import DELIMITER, check_name, decode_name, fold_inbox

T = TypeVar("T")


def one_mailbox(make: Callable[[str], T]) -> Callable[[bytes], T]:
    """Return the parser of a command whose only argument is a mailbox."""

    def parse(text: bytes) -> T:
        name, at = mailbox(text, 0)
        end(text, at)
        return make(name)

    return parse


def select(*, read_only: bool) -> Callable[[bytes], commands.Select]:
    """Return the parser of SELECT or EXAMINE: ``mailbox [SP "(" select-param ")"]`` (RFC 7162 §3.1.8)."""

    def parse(text: bytes) -> commands.Select:
        name, at = mailbox(text, 0)
        condstore = False
        if at < len(text):
            parameters, at = parenthesised(text, space(text, at), word, most=16)
            if set(parameters) != {b"CONDSTORE"}:
                raise SyntaxFault("no such parameter", where="imap.select", offset=at)
            condstore = True
        end(text, at)
        return commands.Select(mailbox=name, read_only=read_only, condstore=condstore)

    return parse


def _new_name(text: bytes, at: int) -> tuple[str, int]:
    """Read a mailbox to be made; one final delimiter says that children will follow (RFC 3501 §6.3.3)."""
    data, at = astring(text, at)
    name = fold_inbox(decode_name(data).removesuffix(DELIMITER))
    check_name(name)
    return name, at


def create(text: bytes) -> commands.Create:
    r"""``mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]`` (RFC 6154 §6)."""
    name, at = _new_name(text, 0)
    uses: list[str] = []
    if at < len(text):
        at = expect(text, space(text, at), b"(")
        parameter, at = word(text, at)
        if parameter != b"USE":
            raise SyntaxFault("no such parameter", where="imap.create", offset=at)
        uses, at = parenthesised(text, space(text, at), use_attribute, most=16, empty=True)
        at = expect(text, at, b")")
    end(text, at)
    return commands.Create(mailbox=name, special_use=tuple(uses))


def rename(text: bytes) -> commands.Rename:
    """``mailbox SP mailbox`` (RFC 3501 §6.3.5)."""
    source, at = mailbox(text, 0)
    target, at = _new_name(text, space(text, at))
    end(text, at)
    return commands.Rename(source=source, target=target)


def list_(text: bytes) -> commands.List:
    """``[list-select-opts SP] mailbox SP mbox-or-pat [SP "RETURN" SP list-return-opts]`` (RFC 5258 §6)."""
    selection, returns, at = ListSelection.NONE, ListReturn.NONE, 0
    items: tuple[StatusItem, ...] = ()
    extended = text.startswith(b"(")
    if extended:
        selection, at = list_selection(text, 0)
        at = space(text, at)
    data, at = astring(text, at) if not text.startswith(b'""', at) else (b"", at + 2)
    at = space(text, at)
    extended = extended or text.startswith(b"(", at)
    patterns, at = list_patterns(text, at)
    if at < len(text):
        name, at = word(text, space(text, at))
        if name != b"RETURN":
            raise SyntaxFault("RETURN expected", where="imap.list", offset=at)
        returns, items, at = list_returns(text, space(text, at))
        extended = True
    end(text, at)
    reference = decode_name(data)
    if extended or patterns != [""]:
        patterns = [reference + pattern for pattern in patterns]
    return commands.List(
        reference=reference,
        patterns=tuple(patterns),
        selection=selection,
        returns=returns,
        status=items,
        extended=extended,
    )


def lsub(text: bytes) -> commands.Lsub:
    """``mailbox SP list-mailbox`` (RFC 3501 §6.3.9)."""
    data, at = astring(text, 0)
    pattern, at = list_pattern(text, space(text, at))
    end(text, at)
    reference = decode_name(data)
    return commands.Lsub(reference=reference, pattern=reference + pattern)


def status(text: bytes) -> commands.Status:
    """``mailbox SP "(" status-att *(SP status-att) ")"`` (RFC 3501 §6.3.10)."""
    name, at = mailbox(text, 0)
    items, at = status_items(text, space(text, at))
    end(text, at)
    return commands.Status(mailbox=name, items=items)


def get_quota(text: bytes) -> commands.GetQuota:
    """``quota-root-name`` (RFC 9208 §7)."""
    data, at = astring(text, 0)
    end(text, at)
    return commands.GetQuota(root=data.decode("utf-8", "replace"))
