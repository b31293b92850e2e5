"""Properties of the message room: never raises, offsets are sound, scanning again or from a map gives the same."""

import mmap
import tempfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posthouse.message.addresses import parse_addresses
from posthouse.message.dates import format_date, parse_date
from posthouse.message.encoded_words import decode_words
from posthouse.message.headers import HeaderIndex, section_end
from posthouse.message.mime import parse_content_type
from posthouse.message.scan import decode_text, part_at, scan
from posthouse.message.subject import base_subject
from posthouse.protocols.imap.format.structure import plain_body

PIECES = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b" ", b"\t", b"--", b"--x", b"--x--", b"--xy", b"--xy--", b"\r\n--x\r\n", b"\r\n--xy\r\n",
        b"\r\n\r\n", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n", b"Content-Type: multipart/digest; boundary=xy\r\n\r\n",
        b"Content-Type: message/rfc822\r\n\r\n", b"Content-Type: text/html; charset=utf-8\r\n", b"Content-Type: ", b"; boundary=",
        b"Content-Transfer-Encoding: base64\r\n", b"Content-Disposition: attachment; filename*0*=a'b'%", b"Subject: ", b"From: ",
        b"=?utf-8?q?a?=", b"=?x?b?w7?=", b"a@b", b"<", b">", b"(", b")", b'"', b"\\", b",", b";", b":", b"\0", b"\xff", b"text",
        b"Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n", b"References: <a@b>\r\n", b"Re: ", b"[x] ", b"<b>", b"<style>", b"&amp;",
    ]
)  # fmt: skip
MAIL = st.one_of(st.binary(max_size=400), st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=40).map(b"".join))


def check(part, start, end, content):
    assert start <= part.header_start <= part.header_end <= part.body_end <= end
    assert part.lines == content.count(b"\n", part.body_start, part.body_end)
    position = part.body_start
    for child in part.children:
        check(child, position, part.body_end, content)
        position = child.body_end
    if part.embedded is not None:
        check(part.embedded, part.body_start, part.body_end, content)
        assert part.embedded.body_end == part.body_end
    decode_text(content, part, 64)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(MAIL)
def test_offsets_lie_inside_one_another(content):
    """Each part lies inside its parent and after its elder siblings; its lines are counted right."""
    scanned = scan(content)
    facts = scanned.facts()
    assert facts.size == len(content)
    assert scanned.root.body_end == len(content)
    check(scanned.root, 0, len(content), content)
    assert part_at(scanned.root, ()) is scanned.root
    assert "\n" not in facts.subject + facts.from_text + facts.preview
    previous = 0
    for name, start, end in scanned.headers.fields:
        assert previous <= start < end <= scanned.header_size
        assert content[start : start + len(name)].lower() == name
        previous = end


def balanced(text):
    """Whether the parentheses outside strings and literals of an IMAP value match."""
    depth, at = 0, 0
    while at < len(text):
        octet = text[at : at + 1]
        at += 1
        if octet == b'"':
            while text[at : at + 1] != b'"':
                at += 2 if text[at : at + 1] == b"\\" else 1
            at += 1
        elif octet == b"{":
            end = text.index(b"}\r\n", at)
            at = end + 3 + int(text[at:end])
        else:
            depth += (octet == b"(") - (octet == b")")
            assert depth > 0 or at == len(text)
    return depth == 0


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(MAIL)
def test_imap_values_are_well_formed(content):
    """ENVELOPE, BODYSTRUCTURE and BODY are one balanced list each, without NUL."""
    facts = scan(content).facts()
    for value in (facts.envelope, facts.bodystructure, plain_body(facts.bodystructure)):
        assert balanced(value)
        assert b"\0" not in value


@settings(deadline=None, max_examples=50)
@given(MAIL.filter(bool))
def test_a_map_gives_what_bytes_give(content):
    """The scan is stable, and the same over a memory map."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert scan(mapped).facts() == scan(content).facts() == scan(content).facts()


@given(MAIL)
def test_parsers_take_any_octets(value):
    """Each parser of a field body gives a value for any octets."""
    parse_addresses(value)
    parse_content_type(value)
    parse_date(value)
    base_subject(decode_words(value))


@given(st.integers(min_value=-62135596800, max_value=253402300799))
def test_dates_are_written_and_read_back(seconds):
    """parse_date is the inverse of format_date for every second of the years 1 to 9999."""
    assert parse_date(format_date(seconds).encode()) == seconds


@given(st.lists(st.tuples(st.from_regex(rb"\A[A-Za-z0-9-]{1,10}\Z"), st.from_regex(rb"\A[ -~]{0,20}\Z")), max_size=8))
def test_written_headers_are_read_back(fields):
    """A header section built from names and values is indexed to the same names and values."""
    content = b"".join(name + b": " + value + b"\r\n" for name, value in fields) + b"\r\nbody"
    headers = HeaderIndex(content, 0, section_end(content, 0, len(content)))
    assert [(name, headers.value(number)) for number, (name, _, _) in enumerate(headers.fields)] == [
        (name.lower(), value.strip()) for name, value in fields
    ]
