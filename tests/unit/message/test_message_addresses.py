"""Addresses of header fields: usual forms, obsolete forms, and what is broken."""

import pytest

from posthouse.message.addresses import GROUP_END, HeaderAddress, format_first, parse_addresses

A = HeaderAddress
ROWS = [
    pytest.param(b"", [], id="nothing"),
    pytest.param(b"a@b.example", [A(None, None, b"a", b"b.example")], id="bare"),
    pytest.param(b"Joe <a@b>", [A(b"Joe", None, b"a", b"b")], id="name-addr"),
    pytest.param(b'"Blow, Joe" <a@b>', [A(b"Blow, Joe", None, b"a", b"b")], id="quoted name"),
    pytest.param(b'"a \\" b" <a@b>', [A(b'a " b', None, b"a", b"b")], id="escape in a quoted name"),
    pytest.param(b"a@b (Joe (J.))", [A(b"Joe (J.)", None, b"a", b"b")], id="comment is the name"),
    pytest.param(b'"q s"@b', [A(None, None, b"q s", b"b")], id="quoted local part"),
    pytest.param(b"<@x,@y:a@b>", [A(None, b"@x,@y", b"a", b"b")], id="route"),
    pytest.param(b"a@[192.0.2.1]", [A(None, None, b"a", b"[192.0.2.1]")], id="domain literal"),
    pytest.param(b"a . b @ c . d", [A(None, None, b"a.b", b"c.d")], id="space around dots"),
    pytest.param(
        b"team: a@b, C <c@d>;, e@f",
        [A(None, None, b"team", None), A(None, None, b"a", b"b"), A(b"C", None, b"c", b"d"), GROUP_END,
         A(None, None, b"e", b"f")],
        id="group",
    ),
    pytest.param(b"undisclosed-recipients:;", [A(None, None, b"undisclosed-recipients", None), GROUP_END], id="empty group"),
    pytest.param(b", ,a@b,,", [A(None, None, b"a", b"b")], id="empty elements"),
    pytest.param(b"foo", [A(None, None, b"foo", b"MISSING_DOMAIN")], id="no domain"),
    pytest.param(b"Big Bug bb", [A(b"Big Bug bb", None, b"MISSING_MAILBOX", b"MISSING_DOMAIN")], id="words alone"),
    pytest.param(b"<a@b", [A(None, None, b"a", b"SYNTAX_ERROR")], id="angle not closed"),
    pytest.param(b"x <>", [A(b"x", None, b"MISSING_MAILBOX", b"MISSING_DOMAIN")], id="empty angle"),
    pytest.param(b"a@b junk, c@d", [A(None, None, b"a", b"b"), A(None, None, b"c", b"d")], id="garbage behind"),
    pytest.param(b"\xc3\xbc <\xc3\xbc@b>", [A(b"\xc3\xbc", None, b"\xc3\xbc", b"b")], id="UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), ROWS)
def test_an_address_list_is_read(value, expected):
    """Each form gives the addresses that ENVELOPE lists."""
    assert parse_addresses(value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(b"=?utf-8?q?J=C3=B6?= <a@b>, c@d", "Jö <a@b>", id="decoded name, first only"),
        pytest.param(b"a@b", "a@b", id="no name"),
        pytest.param(b"team: a@b;", "team", id="a group by its name"),
        pytest.param(b"foo", "foo", id="no domain"),
        pytest.param(b"Big Bug bb", "Big Bug bb", id="no address"),
        pytest.param(b"", "", id="nothing"),
    ],
)
def test_the_first_address_is_shown(value, text):
    """Lists show the first address, decoded."""
    assert format_first(parse_addresses(value)) == text


@pytest.mark.parametrize("piece", [b"a b ", b'a "," ', b"(", b"<a", b"a . ", b"@a,", b"a:b c ", b'"\\'])
def test_time_is_linear_in_broken_lists(piece):
    """A hundred kilobytes of any broken form end, as any list of addresses does."""
    found = parse_addresses(piece * (100_000 // len(piece)))
    assert len(found) <= 100_000
