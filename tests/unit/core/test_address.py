"""Addresses: what parses, what it becomes, and where a bad one stops being one."""

import pytest

from posthouse.core import limits
from posthouse.core.address import Address, domain_to_ascii, fold_domain, format_local_part, parse_address
from posthouse.core.errors import SyntaxFault

GOOD = [
    pytest.param("anna@example.org", "anna", "example.org", id="plain"),
    pytest.param("Anna.Berg+list@Example.ORG", "Anna.Berg+list", "example.org", id="case of the domain is folded"),
    pytest.param('"a b"@example.org', "a b", "example.org", id="quoted"),
    pytest.param(r'"a\"b\\c"@example.org', 'a"b\\c', "example.org", id="quoted pairs"),
    pytest.param('""@example.org', "", "example.org", id="empty quoted string"),
    pytest.param('"a@b"@example.org', "a@b", "example.org", id="at sign in quotes"),
    pytest.param("a@[192.0.2.1]", "a", "[192.0.2.1]", id="IPv4 literal"),
    pytest.param("a@[IPv6:2001:DB8::1]", "a", "[ipv6:2001:db8::1]", id="IPv6 literal"),
    pytest.param("josé@exämple.com", "josé", "exämple.com", id="SMTPUTF8"),
    pytest.param("a@xn--exmple-cua.com", "a", "exämple.com", id="A-labels become U-labels"),
    pytest.param("a@example.org.", "a", "example.org", id="final dot"),
    pytest.param("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~", "example.org", id="every atext"),
    pytest.param("a@localhost", "a", "localhost", id="one label"),
    pytest.param("a@_spf.example.org", "a", "_spf.example.org", id="underscore, as the DNS has it"),
]
BAD = [
    pytest.param("", 0, id="nothing"),
    pytest.param("anna", 4, id="no at sign"),
    pytest.param("anna@", 5, id="no domain"),
    pytest.param("@example.org", 0, id="no local part"),
    pytest.param(".a@example.org", 0, id="leading dot"),
    pytest.param("a..b@example.org", 1, id="double dot"),
    pytest.param("a.@example.org", 1, id="trailing dot"),
    pytest.param("a b@example.org", 1, id="space"),
    pytest.param("a@b@example.org", 2, id="two at signs"),
    pytest.param('"a@example.org', 0, id="unclosed quote"),
    pytest.param("a@-x.org", 2, id="label begins with a hyphen"),
    pytest.param("a@x..org", 2, id="empty label"),
    pytest.param("a@example.org..", 2, id="two final dots"),
    pytest.param("a@" + "x" * 64 + ".org", 2, id="label too long"),
    pytest.param("a@[192.0.2]", 2, id="short literal"),
    pytest.param("a@[192.0.2.1", 2, id="unclosed literal"),
    pytest.param("a\r\n@example.org", 1, id="line end"),
    pytest.param("a@exa mple.org", 2, id="space in domain"),
    pytest.param("\udce9@example.org", 0, id="undecodable octet"),
]


@pytest.mark.parametrize(("text", "local", "domain"), GOOD)
def test_good_addresses_parse(text, local, domain):
    """Each corner form of RFC 5321 and RFC 6531 gives its local part and folded domain, and parses again when printed."""
    address = parse_address(text)
    assert (address.local_part, address.domain) == (local, domain)
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(("text", "offset"), BAD)
def test_bad_addresses_name_the_offset(text, offset):
    """What is no address raises a SyntaxFault that says at which character."""
    with pytest.raises(SyntaxFault) as caught:
        parse_address(text)
    assert caught.value.offset == offset
    assert caught.value.outcome.code == 501


def test_a_path_that_is_too_long_is_refused_unread():
    """The limit is checked before any grammar."""
    with pytest.raises(SyntaxFault) as caught:
        parse_address("a" * limits.PATH + "@example.org")
    assert caught.value.offset == limits.PATH


def test_forms_of_an_address():
    """The folded form is the directory's key; the ASCII form is for the DNS."""
    address = Address("José", "exämple.com")
    assert address.folded == "josé@exämple.com"
    assert address.domain_ascii == "xn--exmple-cua.com"
    assert not address.is_ascii
    assert Address("a", "b.org").is_ascii


@pytest.mark.parametrize(("local", "written"), [("a.b", "a.b"), ("a b", '"a b"'), ('a"b', r'"a\"b"'), ("", '""')])
def test_local_parts_are_quoted_where_needed(local, written):
    """Only what is no Dot-string is quoted."""
    assert format_local_part(local) == written


def test_domains_without_an_idna_form():
    """A domain that IDNA cannot express is a SyntaxFault, and a broken A-label stays as it is."""
    with pytest.raises(SyntaxFault):
        domain_to_ascii("a" * 70 + "ä.org")
    assert fold_domain("xn--zzzzzzzzzzzz99999999.org").startswith("xn--")


def test_a_label_that_does_not_come_back_stays_ascii():
    """An A-label whose U-label would be written otherwise is kept, so that a printed address parses to itself."""
    address = parse_address("x@xn--bce.org")
    assert address.domain == "xn--bce.org"
    assert parse_address(str(address)) == address
