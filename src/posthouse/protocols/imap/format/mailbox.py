"""Responses about mailboxes and their size (RFC 3501 §7.2-7.4.1, RFC 4731, RFC 5258, RFC 9208)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from posthouse.core.flags import FLAG_NAMES
from posthouse.protocols.imap.format.strings import astring, mailbox, quoted_or_literal
from posthouse.protocols.imap.types.listing import StatusItem
from posthouse.protocols.imap.types.search import SearchReturn
from posthouse.protocols.imap.types.sequence import format_ranges, ranges_of

_SYSTEM_FLAGS = b" ".join(FLAG_NAMES.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectFacts:
    """What SELECT tells (RFC 3501 §6.3.1); ``first_unseen`` is a sequence number, 0 for none."""

    messages: int
    recent: int
    first_unseen: int
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    keywords: Sequence[str] = ()
    read_only: bool = False


def select_responses(facts: SelectFacts) -> bytes:
    """Return the untagged responses of SELECT and EXAMINE, all but the tagged one."""
    flags = b" ".join([_SYSTEM_FLAGS, *(keyword.encode("ascii", "replace") for keyword in facts.keywords)])
    permanent = b"" if facts.read_only else flags + b" \\*"
    unseen = b"* OK [UNSEEN %d] First unseen\r\n" % facts.first_unseen if facts.first_unseen else b""
    return (
        b"* FLAGS (%b)\r\n* OK [PERMANENTFLAGS (%b)] Flags permitted\r\n* %d EXISTS\r\n* %d RECENT\r\n%b"
        b"* OK [UIDVALIDITY %d] UIDs valid\r\n* OK [UIDNEXT %d] Predicted next UID\r\n"
        b"* OK [HIGHESTMODSEQ %d] Highest\r\n"
    ) % (
        flags,
        permanent,
        facts.messages,
        facts.recent,
        unseen,
        facts.uidvalidity,
        facts.uidnext,
        max(1, facts.highestmodseq),  # a mod-sequence is never 0 (RFC 7162 §7)
    )


def flags_response(keywords: Iterable[str]) -> bytes:
    """Return FLAGS and PERMANENTFLAGS again, because keywords came into use."""
    flags = b" ".join([_SYSTEM_FLAGS, *(keyword.encode("ascii", "replace") for keyword in keywords)])
    return b"* FLAGS (%b)\r\n* OK [PERMANENTFLAGS (%b \\*)] Flags permitted\r\n" % (flags, flags)


def exists(count: int) -> bytes:
    """Return EXISTS."""
    return b"* %d EXISTS\r\n" % count


def recent(count: int) -> bytes:
    """Return RECENT."""
    return b"* %d RECENT\r\n" % count


def expunges(seqnums: Sequence[int]) -> bytes:
    """Return one EXPUNGE for each number, in the order given."""
    return (b"* %d EXPUNGE\r\n" * len(seqnums)) % tuple(seqnums)


def list_response(
    name: str,
    attributes: Iterable[bytes],
    *,
    child_info: Sequence[bytes] = (),
    verb: bytes = b"LIST",
) -> bytes:
    """Return LIST or LSUB for a mailbox; ``attributes`` with their backslash.

    ``child_info`` are selection options that a child below satisfies, such as ``SUBSCRIBED`` (RFC 5258 §3.5).
    """
    extended = b""
    if child_info:
        extended = b' ("CHILDINFO" (%b))' % b" ".join([b'"%b"' % option for option in child_info])
    return b'* %b (%b) "/" %b%b\r\n' % (verb, b" ".join(attributes), mailbox(name), extended)


def delimiter_response() -> bytes:
    r"""Return what LIST "" "" asks for: the hierarchy delimiter and the root name (RFC 3501 §6.3.8)."""
    return b'* LIST (\\Noselect) "/" ""\r\n'


def status_response(name: str, counters: Mapping[StatusItem, int]) -> bytes:
    """Return STATUS with the counters in the order of the mapping."""
    items = b" ".join([b"%b %d" % (item.value, value) for item, value in counters.items()])
    return b"* STATUS %b (%b)\r\n" % (mailbox(name), items)


def search_response(numbers: Iterable[int], *, modseq: int = 0) -> bytes:
    """Return SEARCH; ``modseq`` is the highest of the messages found, where MODSEQ was searched (RFC 7162 §3.1.5)."""
    found = b" ".join([b"* SEARCH", *map(b"%d".__mod__, numbers)])
    return found + (b" (MODSEQ %d)\r\n" % modseq if modseq else b"\r\n")


def esearch_response(
    tag: bytes, returns: SearchReturn, numbers: Sequence[int], *, uid: bool = False, modseq: int = 0
) -> bytes:
    """Return ESEARCH for rising numbers (RFC 4731 §3.1); where nothing matched only COUNT is told."""
    parts = [b"* ESEARCH (TAG %b)" % quoted_or_literal(tag)]
    if uid:
        parts.append(b"UID")
    if numbers:
        if SearchReturn.MIN in returns:
            parts.append(b"MIN %d" % numbers[0])
        if SearchReturn.MAX in returns:
            parts.append(b"MAX %d" % numbers[-1])
        if SearchReturn.ALL in returns:
            parts.append(b"ALL " + format_ranges(ranges_of(numbers)))
    if SearchReturn.COUNT in returns:
        parts.append(b"COUNT %d" % len(numbers))
    if modseq and numbers:
        parts.append(b"MODSEQ %d" % modseq)
    return b" ".join(parts) + b"\r\n"


def quota_response(root: str, resources: Sequence[tuple[bytes, int, int]]) -> bytes:
    """Return QUOTA with ``(resource, usage, limit)``; STORAGE counts units of 1024 octets (RFC 9208 §5.1)."""
    items = b" ".join([b"%b %d %d" % resource for resource in resources])
    return b"* QUOTA %b (%b)\r\n" % (astring(root.encode("utf-8")), items)


def quotaroot_response(name: str, roots: Sequence[str]) -> bytes:
    """Return QUOTAROOT (RFC 9208 §4.2.2)."""
    return b"* QUOTAROOT %b\r\n" % b" ".join([mailbox(name), *(astring(root.encode("utf-8")) for root in roots)])
