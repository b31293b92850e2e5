"""The MIME tree of a message with byte offsets (RFC 2045, RFC 2046 §5). Room: message.

One walk from front to back. Each open multipart searches its own delimiter, and only up to where the delimiter of the
multipart around it was found; a found place is kept until it is passed. So each depth sees each octet once, and all
searching is done by ``find`` in C, on bytes and on memory maps alike. Line ends are counted once, in windows.

Invariants: never raises, no recursion, no copy of a body. Parts deeper than ``limits.MIME_DEPTH``, beyond
``limits.MIME_PARTS``, or behind more header octets or searching than below are left inside the part before them.

Not here: IMAP text (``message.bodystructure``), decoding (``message.scan``). Tests:
``tests/unit/message/test_message_structure.py``, ``tests/property/test_message_properties.py``,
``tests/interop/test_message_oracles.py``.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field

from posthouse.core import limits
from posthouse.message import mime
from posthouse.message.headers import HeaderIndex, section_end
from posthouse.message.mime import Params

_WINDOW = 256 * limits.KIB
_PART_HEADERS = 4 * limits.MIB  # octets of header sections of parts that are indexed, in all
_PART_HEADER = 64 * limits.KIB  # octets of one part's header section that are indexed
_SEARCH_FACTOR = 24  # times the size of the message that delimiters are searched; nested deeper they stay unread
_BOUNDARY = 1_000  # octets; RFC 2046 §5.1.1 allows 70


@dataclass(slots=True, eq=False)
class Part:
    """One entity of the tree: a message's top, a body part, or the message inside a message/rfc822 part.

    Offsets are absolute in the content. ``header_end`` is after the empty line and is where the body starts;
    ``body_end`` is before the line end that belongs to the delimiter that follows. Treat it as read-only.

    Attributes:
        type, subtype: as written, without change of case; ``media`` is both, folded ("text/plain").
        params: Content-Type parameters as (name, value), in order (RFC 2231 continuations joined).
        encoding: Content-Transfer-Encoding as written, b"7bit" where absent.
        lines: line ends in the body.
        children: parts of a multipart, in order; empty for all else.
        embedded: the message inside a message/rfc822 part; it is a ``Part`` of its own with a header section.
    """

    header_start: int
    header_end: int = 0
    body_end: int = 0
    lines: int = 0
    type: bytes = b"text"
    subtype: bytes = b"plain"
    media: str = "text/plain"
    params: Params = ()
    encoding: bytes = b"7bit"
    content_id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    disposition: bytes | None = None
    disposition_params: Params = ()
    language: tuple[bytes, ...] = ()
    location: bytes | None = None
    children: list[Part] = field(default_factory=list)
    embedded: Part | None = None

    @property
    def body_start(self) -> int:
        """Where the body starts."""
        return self.header_end

    @property
    def size(self) -> int:
        """Octets of the body, as encoded."""
        return self.body_end - self.header_end

    @property
    def is_multipart(self) -> bool:
        """Whether the part is a multipart with parts that could be told apart."""
        return bool(self.children)

    @property
    def filename(self) -> str:
        """The name to save it under, decoded, from Content-Disposition or Content-Type; "" where there is none."""
        return mime.param_text(self.disposition_params, b"filename") or mime.param_text(self.params, b"name")


def part_at(root: Part, path: tuple[int, ...]) -> Part | None:
    """Return the part with an IMAP section number such as ``(1, 2)``, or None (RFC 3501 §6.4.5).

    ``(1,)`` of a message that is no multipart is its one part, that is the root itself. Inside a message/rfc822 part
    the numbers are those of the embedded message. ``BODY[n.HEADER]`` and ``BODY[n.TEXT]`` speak of ``part.embedded``.
    """
    part, is_message = root, True
    for number in path:
        if not is_message and part.embedded is not None:
            part, is_message = part.embedded, True
        if part.children:
            if not 1 <= number <= len(part.children):
                return None
            part = part.children[number - 1]
        elif not is_message or number != 1:
            return None
        is_message = False
    return part


class _LineCounter:
    """Counts line ends up to offsets that only rise."""

    __slots__ = ("_at", "_content", "_lines")

    def __init__(self, content: bytes | mmap.mmap) -> None:
        self._content = content
        self._at = 0
        self._lines = 0

    def upto(self, offset: int) -> int:
        content = self._content
        if isinstance(content, bytes):
            self._lines += content.count(b"\n", self._at, offset)
            self._at = offset
        while self._at < offset:
            end = min(self._at + _WINDOW, offset)
            self._lines += content[self._at : end].count(b"\n")
            self._at = end
        return self._lines


class _Open:
    """A multipart whose closing delimiter has not come: its delimiter, and where that is next.

    ``hit`` is the offset of the line end before the delimiter; where ``own`` is false it is the limit of the search.
    """

    __slots__ = ("delimiter", "depth", "hit", "own")

    def __init__(self, delimiter: bytes, depth: int) -> None:
        self.delimiter = delimiter
        self.depth = depth
        self.hit = -1
        self.own = False


class _Walk:
    """The walk's state: the chain of parts from the root to the one being read, and the open multiparts among them."""

    def __init__(self, content: bytes | mmap.mmap, size: int) -> None:
        self.content = content
        self.size = size
        self.counter = _LineCounter(content)
        self.chain: list[Part] = []
        self.lines: list[int] = []  # line ends before each part's body, beside ``chain``
        self.open: list[_Open] = []
        self.parts = 0
        self.header_room = _PART_HEADERS
        self.search_room = _SEARCH_FACTOR * size + limits.MIB

    def run(self, root: Part, headers: HeaderIndex) -> None:
        position = self.enter(root, headers)
        while self.open and self.parts < limits.MIME_PARTS and self.header_room > 0:
            self.search(position)
            level = self.nearest()
            if not level.own:
                break
            position = self.delimiter(level)
        self.close(0, self.size)

    def enter(self, part: Part, headers: HeaderIndex) -> int:
        """Take a part whose header section is known into the chain, with what is embedded in it; return its body."""
        while True:
            describe(part, headers, digest=bool(self.chain) and self.chain[-1].media == "multipart/digest")
            self.chain.append(part)
            self.lines.append(self.counter.upto(part.header_end))
            self.parts += 1
            deep = len(self.chain) >= limits.MIME_DEPTH
            if part.media == "message/rfc822" and not deep:
                limit = min(self.open[-1].hit + 1, self.size) if self.open else self.size
                embedded = part.embedded = Part(part.header_end)
                part, headers = embedded, self.index(embedded, max(limit, embedded.header_start))
                continue
            if part.media.startswith("multipart/") and not deep and self.search_room > 0:
                boundary = mime.boundary(part.params)
                if boundary is not None:  # an empty one is not allowed, and found all the same
                    self.open.append(_Open(b"\n--" + boundary[:_BOUNDARY].rstrip(), len(self.chain)))
            return part.header_end

    def index(self, part: Part, limit: int) -> HeaderIndex:
        part.header_end = section_end(self.content, part.header_start, limit)
        length = part.header_end - part.header_start
        self.header_room -= min(length, _PART_HEADER)
        return HeaderIndex(self.content, part.header_start, part.header_end, most=_PART_HEADER)

    def search(self, position: int) -> None:
        """Find each open multipart's next delimiter at or after ``position``, outermost first."""
        start = max(position - 1, 0)
        bound = self.size
        outer: _Open | None = None
        for level in self.open:
            if level.hit < start and outer is not None and outer.delimiter == level.delimiter:
                level.hit, level.own = outer.hit, outer.own  # multiparts that all have one boundary, nested deep
            elif level.hit < start:
                # The inner delimiter may be the longer one on the very line that the outer one was found on.
                end = min(self.size, bound + len(level.delimiter))
                at = self.content.find(level.delimiter, start, end)
                level.own = at >= 0
                level.hit = at if at >= 0 else bound
                self.search_room -= level.hit - start
            bound, outer = level.hit, level

    def nearest(self) -> _Open:
        """Return the multipart whose delimiter is next; of several on one line the longest wins, then the innermost."""
        best = self.open[-1]
        for level in reversed(self.open):
            if level.hit != best.hit:
                break
            if level.own and (not best.own or len(level.delimiter) > len(best.delimiter)):
                best = level
        return best

    def delimiter(self, level: _Open) -> int:
        """Take a delimiter line: end the parts inside, and start the next one unless it closes; return what follows."""
        content, hit = self.content, level.hit
        multipart = self.chain[level.depth - 1]
        end = hit - 1 if hit and content[hit - 1] == 13 else hit
        self.close(level.depth, max(end, self.chain[-1].header_end))
        while self.open[-1] is not level:
            self.open.pop()
        after = hit + len(level.delimiter)
        line_end = content.find(b"\n", after, self.size)
        position = self.size if line_end < 0 else line_end + 1
        if content[after : after + 2] == b"--":
            self.open.pop()
            # The line end of the closing line may be the one before a delimiter of the multipart around it.
            return position
        self.search(position)
        part = Part(position)
        multipart.children.append(part)
        return self.enter(part, self.index(part, max(min(self.nearest().hit + 1, self.size), position)))

    def close(self, depth: int, end: int) -> None:
        """End all parts of the chain below ``depth`` at ``end``."""
        lines = self.counter.upto(end)
        for part, before in zip(self.chain[depth:], self.lines[depth:], strict=True):
            part.body_end = end
            part.lines = lines - before
        del self.chain[depth:]
        del self.lines[depth:]


def build(content: bytes | mmap.mmap, size: int, headers: HeaderIndex) -> Part:
    """Return the tree of a message whose header section has been indexed."""
    root = Part(0, headers.end)
    _Walk(content, size).run(root, headers)
    return root


def _content_type(part: Part, value: bytes) -> None:
    parsed = mime.parse_content_type(value)
    if parsed is not None:
        part.type, part.subtype, part.params = parsed
        part.media = (part.type + b"/" + part.subtype).lower().decode("latin-1")
        if part.media == "message/rfc822":
            part.type, part.subtype = b"message", b"rfc822"


def _disposition(part: Part, value: bytes) -> None:
    parsed = mime.parse_disposition(value)
    if parsed is not None:
        part.disposition, part.disposition_params = parsed


def describe(part: Part, headers: HeaderIndex, *, digest: bool) -> None:
    """Fill in what the part's header section says; ``digest``: the default is message/rfc822 (RFC 2046 §5.1.5)."""
    if digest:
        part.type, part.subtype, part.media = b"message", b"rfc822", "message/rfc822"
    seen = set()
    for number, (name, _, _) in enumerate(headers.fields):
        if not name.startswith(b"content-") or name in seen:
            continue
        seen.add(name)  # of a field that is there twice, the first one counts
        if name == b"content-type":
            _content_type(part, headers.value(number))
        elif name == b"content-transfer-encoding":
            part.encoding = mime.parse_encoding(headers.value(number))
        elif name == b"content-disposition":
            _disposition(part, headers.value(number))
        elif name == b"content-id":
            part.content_id = headers.value(number)
        elif name == b"content-description":
            part.description = headers.value(number)
        elif name == b"content-language":
            part.language = mime.parse_tokens(headers.value(number))
        elif name == b"content-location":
            part.location = headers.value(number)
        elif name == b"content-md5":
            part.md5 = headers.value(number)
