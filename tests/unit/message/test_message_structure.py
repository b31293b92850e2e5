"""The MIME tree, IMAP part numbers, ENVELOPE and BODYSTRUCTURE."""

import pytest

from posthouse.core import limits
from posthouse.message.scan import part_at, scan
from posthouse.message.wire import nstring, string
from posthouse.protocols.imap.format.structure import plain_body

# RFC 3501 §6.4.5's example, with what each part number names as its text
SECTIONS = b"""Content-Type: multipart/mixed; boundary=x

--x

1
--x
Content-Type: application/octet-stream

2
--x
Content-Type: message/rfc822

Subject: three
Content-Type: multipart/mixed; boundary=3x

--3x

3.1
--3x
Content-Type: application/octet-stream

3.2
--3x--

--x
Content-Type: multipart/mixed; boundary=4x

--4x
Content-Type: image/gif

4.1
--4x
Content-Type: message/rfc822

Subject: four two
Content-Type: multipart/mixed; boundary=42x

--42x

4.2.1
--42x
Content-Type: multipart/alternative; boundary=422x

--422x

4.2.2.1
--422x
Content-Type: text/richtext

4.2.2.2
--422x--

--42x--

--4x--

--x--
""".replace(b"\n", b"\r\n")


def body(content, part):
    return content[part.body_start : part.body_end]


@pytest.mark.parametrize("number", ["1", "2", "3.1", "3.2", "4.1", "4.2.1", "4.2.2.1", "4.2.2.2"])
def test_part_numbers_name_the_parts_of_the_rfc(number):
    """The example of RFC 3501 §6.4.5, leaf by leaf."""
    path = tuple(map(int, number.split(".")))
    part = part_at(scan(SECTIONS).root, path)
    assert body(SECTIONS, part) == number.encode()


@pytest.mark.parametrize("path", [(0,), (5,), (1, 1), (3, 3), (4, 2, 2, 3), (4, 2, 3), (3, 0), (-1,)])
def test_part_numbers_that_name_nothing(path):
    """Numbers beyond the tree give None."""
    assert part_at(scan(SECTIONS).root, path) is None


def test_an_embedded_message_has_its_own_header():
    """A message/rfc822 part holds the message with its offsets."""
    part = part_at(scan(SECTIONS).root, (3,))
    embedded = part.embedded
    assert embedded.header_start == part.body_start
    assert SECTIONS[embedded.header_start : embedded.header_end].startswith(b"Subject: three\r\n")
    assert body(SECTIONS, part).endswith(b"--3x--\r\n")
    assert body(SECTIONS, part) == SECTIONS[embedded.header_start : embedded.body_end]


def test_part_one_of_a_plain_message_is_the_message():
    """A message without parts is its own part 1; deeper there is nothing."""
    root = scan(b"Subject: x\r\n\r\nhello\r\n").root
    assert part_at(root, (1,)) is root
    assert part_at(root, ()) is root
    assert part_at(root, (2,)) is None
    assert part_at(root, (1, 1)) is None


def test_part_one_of_a_message_that_is_a_message():
    """Where the whole is message/rfc822, part 1.1 is the embedded message's text."""
    content = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntext\r\n"
    root = scan(content).root
    assert part_at(root, (1,)) is root
    assert part_at(root, (1, 1)) is root.embedded
    assert body(content, root.embedded) == b"text\r\n"


def shape(part):
    inner = [shape(child) for child in part.children]
    if part.embedded:
        inner.append(shape(part.embedded))
    return (part.media.partition("/")[2], *inner)


def multipart(boundary, text, kind="mixed"):
    return b'Content-Type: multipart/%b; boundary="%b"\r\n\r\n%b' % (kind.encode(), boundary, text)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", ("plain",), id="nothing"),
        pytest.param(multipart(b"x", b"--x\r\n\r\na"), ("mixed", ("plain",)), id="no closing delimiter"),
        pytest.param(multipart(b"x", b"nothing here"), ("mixed",), id="no delimiter at all"),
        pytest.param(b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\na", ("mixed",), id="no boundary"),
        pytest.param(multipart(b"x", b"--x--\r\n--x\r\n\r\na"), ("mixed",), id="closed before it began"),
        pytest.param(multipart(b"x", b"--x\r\n--x--"), ("mixed", ("plain",)), id="empty part"),
        pytest.param(multipart(b"x", b"--x  \r\n\r\na\r\n--x--"), ("mixed", ("plain",)), id="padding"),
        pytest.param(multipart(b"x", b"--x\n\na\n--x--\n").replace(b"\r", b""), ("mixed", ("plain",)), id="bare LF"),
        pytest.param(
            multipart(b"x", b"--x\r\n" + multipart(b"xy", b"--xy\r\n\r\na\r\n--xy--\r\n--x--")),
            ("mixed", ("mixed", ("plain",))),
            id="inner boundary begins with the outer",
        ),
        pytest.param(
            multipart(b"xy", b"--xy\r\n" + multipart(b"x", b"--x\r\n\r\na\r\n--xy\r\n\r\nb")),
            ("mixed", ("mixed", ("plain",)), ("plain",)),
            id="outer boundary begins with the inner",
        ),
        pytest.param(
            multipart(b"x", b"--x\r\n" + multipart(b"y", b"--y\r\n\r\na\r\n--x\r\n\r\nb\r\n--x--")),
            ("mixed", ("mixed", ("plain",)), ("plain",)),
            id="inner not closed",
        ),
        pytest.param(
            multipart(b"x", b"--x\r\n" + multipart(b"x", b"--x\r\n\r\na\r\n--x--\r\n--x\r\n\r\nb\r\n--x--")),
            ("mixed", ("mixed", ("plain",)), ("plain",)),
            id="one boundary for both",
        ),
        pytest.param(
            multipart(b"x", b"--x\r\n\r\nSubject: a\r\n\r\nb\r\n--x--", "digest"),
            ("digest", ("rfc822", ("plain",))),
            id="digest",
        ),
        pytest.param(
            multipart(b"x", b"--x\r\nContent-Type: image/gif\r\n--x\r\n\r\na"),
            ("mixed", ("gif",), ("plain",)),
            id="delimiter inside a part's header",
        ),
    ],
)
def test_trees_of_odd_multiparts(content, expected):
    """Delimiters are taken as RFC 2046 §5.1.1 says, whatever is missing or doubled."""
    assert shape(scan(content).root) == expected


def test_offsets_leave_out_the_line_end_of_the_delimiter():
    """A body ends before the CRLF that belongs to the delimiter; lines are counted in what is left."""
    content = multipart(b"x", b"pre\r\n--x\r\n\r\na\r\nb\r\n\r\n--x--\r\nepilogue")
    part = scan(content).root.children[0]
    assert body(content, part) == b"a\r\nb\r\n"
    assert part.lines == 2
    assert part.size == 6


def test_an_embedded_message_cut_in_its_header_ends_with_the_content():
    """No offset lies beyond the last octet."""
    content = multipart(b"x", b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: a")
    embedded = scan(content).root.children[0].embedded
    assert embedded.header_end == embedded.body_end == len(content)


def test_depth_and_number_of_parts_are_bounded():
    """A thousand levels and a hundred thousand parts end at the limits."""
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000))
    part, depth = scan(deep).root, 1
    while part.children:
        part, depth = part.children[0], depth + 1
    assert depth == limits.MIME_DEPTH
    assert scan(deep).facts().bodystructure.count(b"(") >= limits.MIME_DEPTH
    letters = b"Content-Type: message/rfc822\r\n\r\n" * 1000
    part, depth = scan(letters).root, 1
    while part.embedded:
        part, depth = part.embedded, depth + 1
    assert depth == limits.MIME_DEPTH
    assert len(scan(multipart(b"x", b"--x\r\n\r\n" * 20_000)).root.children) < limits.MIME_PARTS


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"a", b'"a"', id="plain"),
        pytest.param(b'a"\\b', b'"a\\"\\\\b"', id="escapes"),
        pytest.param(b"a\r\nb", b"{4}\r\na\r\nb", id="line end"),
        pytest.param("ü".encode(), b"{2}\r\n\xc3\xbc", id="8-bit"),
        pytest.param(b"a\0b", b"{3}\r\na\x80b", id="NUL"),
        pytest.param(b"", b'""', id="empty"),
    ],
)
def test_strings_take_the_form_they_need(value, expected):
    """Quoted where the grammar allows, else literal."""
    assert string(value) == expected
    assert nstring(None) == b"NIL"


ENVELOPE = (
    b'("Mon, 1 Jan 2024 00:00:00 +0000" "a b" (("J" NIL "a" "b")) (("J" NIL "a" "b")) ((NIL NIL "r" "s")) NIL NIL NIL'
    b' "<x@y>" "<m@n>")'
)


def test_an_envelope_has_its_defaults():
    """Sender is From where absent, Reply-To is its own, the subject is one line."""
    content = (
        b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nSubject: a\r\n\t b\r\nFrom: J <a@b>\r\nReply-To: r@s\r\n"
        b"In-Reply-To: <x@y>\r\nMessage-ID: <m@n>\r\n\r\n"
    )
    assert scan(content).facts().envelope == ENVELOPE
    assert scan(b"").facts().envelope == b"(" + b" ".join([b"NIL"] * 10) + b")"


def test_bodystructure_carries_extension_data():
    """All fields of a part, and BODY made from it."""
    content = (
        b'Content-Type: text/html; charset=utf-8\r\nContent-Disposition: inline; filename="x"\r\nContent-ID: <i>\r\n'
        b"Content-Description: d\r\nContent-Transfer-Encoding: base64\r\nContent-Language: en, de\r\n"
        b"Content-Location: http://x\r\nContent-MD5: m\r\n\r\nabc\r\n"
    )
    structure = scan(content).facts().bodystructure
    assert structure == (
        b'("text" "html" ("charset" "utf-8") "<i>" "d" "base64" 5 1 "m" ("inline" ("filename" "x")) ("en" "de") "http://x")'
    )
    assert plain_body(structure) == b'("text" "html" ("charset" "utf-8") "<i>" "d" "base64" 5 1)'


def test_body_is_bodystructure_without_extension_data():
    """Nested parts, embedded messages and literals are cut as the grammar says."""
    content = multipart(
        b"x",
        b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: \xc3\xbc(\r\n\r\nhi\r\n--x\r\n"
        b"Content-Type: image/gif; name=a\r\n\r\nx\r\n--x--\r\n",
    )
    assert plain_body(scan(content).facts().bodystructure) == (
        b'(("message" "rfc822" NIL NIL NIL "7bit" 18 (NIL {3}\r\n\xc3\xbc( NIL NIL NIL NIL NIL NIL NIL NIL)'
        b' ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 2 0) 2)'
        b'("image" "gif" ("name" "a") NIL NIL "7bit" 1) "mixed")'
    )
    assert plain_body(scan(multipart(b"x", b"")).facts().bodystructure).endswith(b'"7bit" 0 0) "mixed")')
