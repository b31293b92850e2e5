"""Tables for mailbox names and patterns (RFC 3501 §5.1, §6.3.8)."""

from __future__ import annotations

import pytest

from posthouse.core import limits
from posthouse.protocols.imap.types.mailbox_name import (
    NameFault,
    compile_pattern,
    decode_name,
    encode_name,
    parse_name,
)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        pytest.param(b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語", id="RFC 3501 §5.1.3"),
        pytest.param(b"Jo&AOk-", "Joé", id="latin"),
        pytest.param(b"a&-b", "a&b", id="ampersand"),
        pytest.param(b"&2D3cqQ-", "💩", id="surrogate pair"),
        pytest.param(b"&Jjo-!", "☺!", id="RFC 3501 §5.1.3 corrected"),
        pytest.param(b"Sent Items", "Sent Items", id="plain"),
    ],
)
def test_both_ways(wire, text):
    """Modified UTF-7 is read and written."""
    assert decode_name(wire) == text
    assert encode_name(text) == wire


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"&Jjo!", id="unterminated, RFC 3501 §5.1.3"),
        pytest.param(b"&U,BTFw-&ZeVnLIqe-", id="superfluous shift, RFC 3501 §5.1.3"),
        pytest.param(b"&AGE-", id="ASCII in base64"),
        pytest.param(b"&ACY-", id="ampersand in base64"),
        pytest.param(b"&A-", id="half an octet"),
        pytest.param(b"&2D0-", id="lone surrogate"),
        pytest.param(b"&AOl-", id="padding bits set"),
        pytest.param(b"J\xc3\xa9", id="8-bit"),
        pytest.param(b"a\tb", id="control"),
        pytest.param(b"&", id="only a shift"),
    ],
)
def test_not_canonical(wire):
    """What is not the one form of a name is refused."""
    with pytest.raises(NameFault):
        decode_name(wire)


@pytest.mark.parametrize(
    ("wire", "name"),
    [(b"inbox", "INBOX"), (b"InBox/Sub", "INBOX/Sub"), (b"inboxes", "inboxes"), (b"a/inbox", "a/inbox")],
)
def test_inbox_fold(wire, name):
    """INBOX has one spelling, alone and as the first level."""
    assert parse_name(wire) == name


@pytest.mark.parametrize(
    "wire",
    [b"", b"/", b"/a", b"a/", b"a//b", b"&AAA-", b"x" * (limits.MAILBOX_NAME + 1), b"/".join([b"a"] * 33)],
)
def test_impossible_names(wire):
    """Names that no mailbox can have are refused."""
    with pytest.raises(NameFault):
        parse_name(wire)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*", ["a", "a/b", "INBOX"], []),
        ("%", ["a", "INBOX"], ["a/b"]),
        ("inbox", ["INBOX"], ["inbox2"]),
        ("a/%", ["a/b"], ["a", "a/b/c", "b/c"]),
        ("a*", ["a", "ab", "a/b"], ["b"]),
        ("%/b", ["a/b"], ["b", "a/c/b"]),
        ("*%", ["a", "a/b"], []),
        ("%a%b%c%", ["abc", "xaxbxcx"], ["a/bc", "acb"]),
        ("*a%b*c", ["abc", "x/axb/c"], ["a/bc", "abcd"]),
        ("a.c", ["a.c"], ["abc"]),
        ("", [""], ["a"]),
        ("a%*%b", ["ab", "a/b", "axxb"], ["a", "ba"]),
    ],
)
def test_patterns(pattern, matching, others):
    """A LIST pattern matches these names and not those."""
    match = compile_pattern(pattern)
    assert [name for name in matching + others if match(name)] == matching


def test_pattern_never_backtracks():
    """Many wildcards cost no more than a step for each letter of the name."""
    match = compile_pattern("%a" * 400 + "b")
    assert not match("a" * 1000)
