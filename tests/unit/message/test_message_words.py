"""Encoded words, charsets, parameters, dates and base subjects: octets to text."""

import pytest

from posthouse.message.charset import codec_for, decode_charset
from posthouse.message.dates import format_date, parse_date
from posthouse.message.encoded_words import decode_base64, decode_extended, decode_words
from posthouse.message.mime import (
    boundary,
    param_text,
    parse_content_type,
    parse_disposition,
    parse_encoding,
    parse_tokens,
)
from posthouse.message.subject import base_subject


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(b"plain", "plain", id="plain"),
        pytest.param(b"=?iso-8859-1?q?a_=FC?= b", "a ü b", id="Q"),
        pytest.param(b"=?UTF-8?B?w7w=?=", "ü", id="B"),
        pytest.param(b"=?utf-8?b?w7w?=", "ü", id="no padding"),
        pytest.param(b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab", id="space between words goes"),
        pytest.param(b"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c", id="space around text stays"),
        pytest.param(b"=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü", id="character cut between words"),
        pytest.param(b"=?utf-8*de?q?a?=", "a", id="language"),
        pytest.param(b"=?utf-8?q?a b?=", "a b", id="space in the encoded text"),
        pytest.param(b"=?utf-8?x?a?=", "=?utf-8?x?a?=", id="unknown encoding"),
        pytest.param(b"=?no-such?q?=C3=BC?=", "ü", id="unknown charset"),
        pytest.param("ü".encode(), "ü", id="raw UTF-8"),
        pytest.param(b"\xfc", "ü", id="raw Latin-1"),
        pytest.param(b"=?utf-8?q?a=0D=0AB:_c?=", "a  B: c", id="line ends do not get out"),
    ],
)
def test_encoded_words_are_decoded(value, text):
    """Words of RFC 2047 in all the ways mail has them."""
    assert decode_words(value) == text


def test_what_is_no_charset_is_not_reached():
    """Codecs that are no charset count as unknown; known names mean what people mean by them."""
    for name in ("idna", "punycode", "unicode_escape", "zlib", "rot13", "no-such", "x" * 1000, "../etc", "a.b", "\x00"):
        assert codec_for(name) == ""
    assert codec_for("ISO-8859-1") == "cp1252"
    assert decode_charset(b"\xa4\xe5", "GB2312") == b"\xa4\xe5".decode("gb18030")
    assert decode_charset(b"abc\xff", "us-ascii").startswith("abc")
    assert decode_charset(b"\x1b$B\x24\x22\x1b(B", "iso-2022-jp") == "あ"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"text/plain", (b"text", b"plain", ()), id="no params"),
        pytest.param(b'Text/HTML; Charset="utf-8"', (b"Text", b"HTML", ((b"Charset", b"utf-8"),)), id="quoted"),
        pytest.param(b"a/b; x=1 (comment); y=2", (b"a", b"b", ((b"x", b"1"), (b"y", b"2"))), id="comment"),
        pytest.param(b"a/b;; x=1", (b"a", b"b", ((b"x", b"1"),)), id="empty param"),
        pytest.param(b'a/b; x="a\\"b"', (b"a", b"b", ((b"x", b'a"b'),)), id="escape"),
        pytest.param(b"a/b; boundary=x=y", (b"a", b"b", ((b"boundary", b"x=y"),)), id="equals sign unquoted"),
        pytest.param(b"a/b; x*0=a; x*1=b", (b"a", b"b", ((b"x", b"ab"),)), id="continued"),
        pytest.param(b"a/b; x*1=b; x*0*=u''%20", (b"a", b"b", ((b"x*", b"u''%20b"),)), id="continued and extended"),
        pytest.param(b"text", None, id="no subtype"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_content_types_are_read(value, expected):
    """Types with their parameters, as written."""
    assert parse_content_type(value) == expected


def test_other_mime_fields_are_read():
    """Dispositions, encodings, languages, file names."""
    disposition = parse_disposition(b"attachment; filename*=utf-8''%C3%BC.txt")
    assert disposition is not None
    assert disposition[0] == b"attachment"
    assert param_text(disposition[1], b"filename") == "ü.txt"
    assert param_text(((b"name", b"=?utf-8?q?=C3=BC?="),), b"name") == "ü"
    assert parse_disposition(b";") is None
    assert parse_encoding(b"Base64;") == b"Base64"
    assert parse_encoding(b"text/html") == b"7bit"
    assert parse_encoding(b"x-uuencode") == b"x-uuencode"
    assert parse_tokens(b"en, de (x)") == (b"en", b"de")
    assert boundary(((b"boundary*", b"us-ascii''a%20b"),)) == b"a b"
    assert decode_extended(b"no quotes") == "no quotes"
    assert decode_base64(b"w7 w\r\n!=") == "ü".encode()


DATES = [
    pytest.param(b"Fri, 21 Nov 1997 09:55:06 -0600", 880127706, id="strict"),
    pytest.param(b"21 Nov 97 09:55 EST", 880124100, id="obsolete"),
    pytest.param(b"Fri Nov 21 09:55:06 1997", 880106106, id="ctime"),
    pytest.param(b"Fri, 21 Nov 1997 09:55:06 GMT (comment)", 880106106, id="comment"),
    pytest.param(b"Fri, 21-Nov-1997 09:55:06 +0000", 880106106, id="hyphens"),
    pytest.param(b"Thu, 1 Jan 1970 00:00:00 +0000", 0, id="epoch"),
    pytest.param(b"Thu, 29 Feb 2024 23:59:60 +0000", 1709251200, id="leap"),
    pytest.param(b"32 Jan 2000 00:00:00 +0000", None, id="no such day"),
    pytest.param(b"yesterday", None, id="words"),
    pytest.param(b"", None, id="nothing"),
]


@pytest.mark.parametrize(("value", "seconds"), DATES)
def test_dates_are_read(value, seconds):
    """Dates of RFC 5322 and those that mail has besides."""
    assert parse_date(value) == seconds


def test_dates_are_written():
    """The strict form, in UTC."""
    assert format_date(880127706.9) == "Fri, 21 Nov 1997 15:55:06 +0000"


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        pytest.param("hello", "hello", id="plain"),
        pytest.param("Re: hello", "hello", id="re"),
        pytest.param("RE[2]: Fwd: fw: hello (fwd) (FWD)", "hello", id="many"),
        pytest.param("[list] Re: [x] hello", "hello", id="blobs"),
        pytest.param("[only]", "[only]", id="a blob alone stays"),
        pytest.param("[Fwd: Re: hello]", "hello", id="wrapped"),
        pytest.param("  a\t b ", "a b", id="white space"),
        pytest.param("Re: ", "", id="nothing left"),
    ],
)
def test_base_subjects(subject, base):
    """RFC 5256 §2.1, step by step."""
    assert base_subject(subject) == base
