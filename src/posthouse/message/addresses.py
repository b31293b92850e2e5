"""Addresses in header fields: mailboxes, names, comments, routes, groups (RFC 5322 §3.4, §4.4). Room: message.

Two readers of one grammar. A regular expression takes the forms nearly all mail uses, one address a match; where it
does not match, ``_Reader`` reads by the grammar with the obsolete forms and goes on behind whatever is broken. What is
missing is filled as Dovecot does (``MISSING_DOMAIN``), so that clients see the same whoever serves them.

Invariants: never raises; every step consumes, so time is linear; comments nest without recursion.
Not here: addresses in SMTP commands (``core.address``). Tests: ``tests/unit/message/test_message_addresses.py``,
fuzz target ``addresses``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from posthouse.message.encoded_words import decode_words

MOST_ADDRESSES = 20_000  # of one field; more are left in the bytes
MISSING_MAILBOX = b"MISSING_MAILBOX"
MISSING_DOMAIN = b"MISSING_DOMAIN"
SYNTAX_ERROR = b"SYNTAX_ERROR"
INVALID_ROUTE = b"INVALID_ROUTE"

_ATEXT = rb"[^\x00-\x20\"(),:;<>@\[\]\\.\x7f]"
_ATOM_OR_DOT = rb"[^\x00-\x20\"(),:;<>@\[\]\\\x7f]"
_LOCAL = _ATOM_OR_DOT + rb"++"
_DOMAIN = _ATEXT + rb"++(?:\." + _ATEXT + rb"++)*+"
# name-addr or addr-spec with nothing unusual in it, up to the comma or the end (RFC 5322 §3.4)
_USUAL = re.compile(
    rb"[ \t]*+(?:(?:\"([^\"\\]*+)\"|(?!\.)("
    + _LOCAL
    + rb"(?:[ \t]++"
    + _LOCAL
    + rb")*+))?+[ \t]*+<("
    + _LOCAL
    + rb")@("
    + _DOMAIN
    + rb")>|("
    + _LOCAL
    + rb")@("
    + _DOMAIN
    + rb"))[ \t]*+(?:,[ \t]*+|\Z)"
)
_WHITE = re.compile(rb"[ \t\r\n]*+")
_ATOMS = re.compile(_ATOM_OR_DOT + rb"++")
_ATOM = re.compile(_ATEXT + rb"++")
_IN_QUOTES = re.compile(rb"[^\"\\\r\n]*+(?:(?:\\.|[\r\n])[^\"\\\r\n]*+)*+", re.DOTALL)
_LITERAL = re.compile(rb"\[[^\[\]\\]*+(?:\\.[^\[\]\\]*+)*+\]", re.DOTALL)
_COMMENT_STEP = re.compile(rb"[^()\\]*+(?:\\.[^()\\]*+)*+", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_COMMA = re.compile(rb",")
_COMMA_OR_END = re.compile(rb"[,;]")


class HeaderAddress(NamedTuple):
    """One address as ENVELOPE lists it (RFC 3501 §7.4.2): ``host`` None starts a group, all None ends one."""

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None


GROUP_END = HeaderAddress(None, None, None, None)


def parse_addresses(value: bytes) -> list[HeaderAddress]:
    """Parse an unfolded address-list; groups appear as their start, members and end."""
    found: list[HeaderAddress] = []
    position, end = 0, len(value)
    match_usual = _USUAL.match
    while position < end and len(found) < MOST_ADDRESSES:
        match = match_usual(value, position)
        if match is None:
            position = _Reader(value, position, found).address()
            continue
        quoted, phrase, local, host, bare_local, bare_host = match.groups()
        if bare_local is not None:
            found.append(HeaderAddress(None, None, bare_local, bare_host))
        elif phrase is not None:
            name = b" ".join(phrase.split()) if b"  " in phrase or b"\t" in phrase else phrase
            found.append(HeaderAddress(name, None, local, host))
        else:
            found.append(HeaderAddress(quoted or None, None, local, host))
        position = match.end()
    return found


def _after(pattern: re.Pattern[bytes], value: bytes, position: int) -> int:
    match = pattern.match(value, position)
    return position if match is None else match.end()


class _Reader:
    """Reads one address at a position, by the grammar of RFC 5322 with its obsolete forms."""

    def __init__(self, value: bytes, position: int, found: list[HeaderAddress]) -> None:
        self.value = value
        self.at = position
        self.found = found
        self.comment = b""

    def peek(self) -> bytes:
        return self.value[self.at : self.at + 1]

    def skip(self) -> None:
        """CFWS: white space and comments, which nest; the last comment is kept, for it may be a name."""
        while True:
            self.at = _after(_WHITE, self.value, self.at)
            if self.peek() != b"(":
                return
            start, depth = self.at + 1, 0
            while self.at < len(self.value):
                depth += {b"(": 1, b")": -1}.get(self.peek(), 0)
                self.at += 1
                if depth == 0:
                    break
                self.at = _after(_COMMENT_STEP, self.value, self.at)
            closed = depth == 0
            self.comment = _ESCAPE.sub(rb"\1", self.value[start : self.at - closed])

    def address(self) -> int:
        """``address = mailbox / group``; return where the next address starts."""
        self.skip()
        if self.at >= len(self.value):
            return self.at
        if self.peek() == b",":
            self.at += 1  # an empty element of obs-addr-list
            return self.at
        start = self.at
        phrase = self.phrase()
        if phrase is not None and self.peek() == b":":
            self.group(phrase)
        else:
            self.at = start
            self.mailbox()
        if self.at < len(self.value):
            self.to_any(_COMMA)
            self.at += 1
        return self.at

    def to_any(self, ends: re.Pattern[bytes]) -> None:
        # Behind a broken address everything up to the next separator is garbage.
        match = ends.search(self.value, self.at)
        self.at = len(self.value) if match is None else match.start()

    def group(self, name: bytes) -> None:
        """``group = display-name ":" [mailbox-list] ";"``."""
        found = self.found
        found.append(HeaderAddress(None, None, name, None))
        self.at += 1
        self.skip()
        while self.at < len(self.value) and self.peek() != b";" and len(found) < MOST_ADDRESSES:
            self.mailbox()
            self.to_any(_COMMA_OR_END)
            while self.peek() == b",":
                self.at += 1
                self.skip()
        if self.peek() == b";":
            self.at += 1
            self.skip()
        found.append(GROUP_END)

    def mailbox(self) -> None:
        """``mailbox = name-addr / addr-spec``; append what was understood."""
        start = self.at
        self.comment = b""
        phrase = self.phrase()
        if phrase is not None and self.peek() == b"<":
            route, local, host = self.angle_addr()
            name: bytes | None = phrase or None
        else:
            far, self.at = self.at, start
            route, name = None, None
            local, host = self.addr_spec()
            if self.comment:
                name = self.comment
            if self.at < len(self.value) and self.peek() not in {b",", b";"}:
                self.at = max(self.at, far)  # never read twice what was read in vain: that keeps time linear
                if host is None and phrase and phrase != local:
                    name, local = phrase, None
        self.found.append(HeaderAddress(name, route, local or MISSING_MAILBOX, host or MISSING_DOMAIN))

    def angle_addr(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """``angle-addr = "<" [route ":"] addr-spec ">"``; what is broken has SYNTAX_ERROR for its host."""
        self.at += 1
        self.skip()
        route = None
        if self.peek() == b"@":
            route = self.route()
        local, host = self.addr_spec()
        if self.peek() != b">":
            return route, local, SYNTAX_ERROR
        self.at += 1
        self.skip()
        return route, local, host

    def route(self) -> bytes:
        """``obs-domain-list ":"``."""
        domains = []
        while self.peek() == b"@":
            self.at += 1
            domain = self.domain()
            if domain is None:
                break
            domains.append(b"@" + domain)
            while self.peek() == b",":
                self.at += 1
                self.skip()
        if self.peek() == b":" and domains:
            self.at += 1
            self.skip()
            return b",".join(domains)
        return INVALID_ROUTE

    def addr_spec(self) -> tuple[bytes | None, bytes | None]:
        """``addr-spec = local-part "@" domain``."""
        local = self.local_part()
        host = None
        if self.peek() == b"@":
            self.at += 1
            host = self.domain()
        return local, host

    def local_part(self) -> bytes | None:
        if self.peek() == b'"':
            return self.quoted()
        return self.dotted(_ATOMS)

    def domain(self) -> bytes | None:
        """``domain = dot-atom / domain-literal``."""
        self.skip()
        literal = _LITERAL.match(self.value, self.at)
        if literal is not None:
            self.at = literal.end()
            self.skip()
            return literal[0]
        return self.dotted(_ATOM)

    def dotted(self, atom: re.Pattern[bytes]) -> bytes | None:
        """Atoms with dots between; white space and comments may stand around a dot (RFC 5322 §4.4)."""
        pieces = []
        while match := atom.match(self.value, self.at):
            pieces.append(match[0])
            self.at = match.end()
            self.skip()
            if self.peek() != b".":
                break
            pieces.append(b".")
            self.at += 1
            self.skip()
        return b"".join(pieces) or None

    def quoted(self) -> bytes:
        """``quoted-string``, unquoted; one that nobody closed takes the rest."""
        match = _IN_QUOTES.match(self.value, self.at + 1)
        assert match is not None
        text = match[0].replace(b"\r", b"").replace(b"\n", b"")
        self.at = match.end() + 1
        self.skip()
        return _ESCAPE.sub(rb"\1", text) if b"\\" in text else text

    def phrase(self) -> bytes | None:
        """``phrase``: words joined by one space each; b"" where there is none before ``<``, None for no phrase."""
        if self.peek() == b"<":
            return b""
        if self.peek() == b".":
            return None
        words = []
        while True:
            if self.peek() == b'"':
                words.append(self.quoted())
                continue
            match = _ATOMS.match(self.value, self.at)
            if match is None:
                break
            words.append(match[0])
            self.at = match.end()
            self.skip()
        return b" ".join(words) if words else None


def format_first(addresses: list[HeaderAddress]) -> str:
    """Return the first address of a list as readable text: ``Name <a@b>``, ``a@b``, or a group's name."""
    for address in addresses:
        if address.host is None:
            if address.mailbox is not None:
                return decode_words(address.mailbox)
            continue
        local = "" if address.mailbox in {None, MISSING_MAILBOX} else decode_words(address.mailbox or b"")
        missing = address.host in {MISSING_DOMAIN, SYNTAX_ERROR}
        spec = local if missing else f"{local}@{decode_words(address.host)}"
        if not address.name:
            return spec
        name = decode_words(address.name)
        return f"{name} <{spec}>" if spec else name
    return ""
