"""LDAP messages: octets of RFC examples and real servers, both directions, and what is no message."""

from __future__ import annotations

import pytest

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.ldap import ber
from posthouse.protocols.ldap.filters import parse_filter
from posthouse.protocols.ldap.messages import format_message, format_page, parse_message, parse_page
from posthouse.protocols.ldap.types import (
    PAGED_RESULTS,
    START_TLS,
    AbandonRequest,
    BindRequest,
    BindResponse,
    Control,
    ExtendedRequest,
    ExtendedResponse,
    IntermediateResponse,
    Message,
    OtherRequest,
    OtherResponse,
    Result,
    Sasl,
    Scope,
    SearchDone,
    SearchEntry,
    SearchReference,
    SearchRequest,
    Simple,
    UnbindRequest,
)

SEARCH = SearchRequest(
    base="dc=example,dc=org",
    filter=parse_filter("(&(objectClass=person)(|(mail=a*b*c)(!(cn=x)))(sn>=m)(sn<=z)(cn~=y)(o:dn:2.4.6:=v)(uid=*))"),
    scope=Scope.ONE,
    dereference=3,
    size_limit=10,
    time_limit=5,
    types_only=True,
    attributes=("mail", "1.1"),
)
OPERATIONS = [
    BindRequest("cn=a", Simple(b"\x00\xff")),
    BindRequest("", Sasl("EXTERNAL")),
    BindRequest("", Sasl("PLAIN", b"")),
    UnbindRequest(),
    SEARCH,
    AbandonRequest(300),
    ExtendedRequest(START_TLS),
    ExtendedRequest("1.2.3", b"value"),
    BindResponse(Result(49, "", "wrong")),
    BindResponse(Result(14), b"challenge"),
    BindResponse(Result(10, "dc=x", "", ("ldap://other/",))),
    SearchEntry("uid=a", (("mail", (b"a@x", b"b@x")), ("empty", ()))),
    SearchEntry("", ()),
    SearchReference(("ldap://a/", "ldap://b/")),
    SearchDone(Result(4, message="zu viele")),
    ExtendedResponse(Result(0), START_TLS),
    ExtendedResponse(Result(0), None, b"v"),
    IntermediateResponse("1.2", b"v"),
    IntermediateResponse(),
    OtherResponse(0x67, Result(53)),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: type(operation).__name__)
def test_every_message_is_read_as_written(operation) -> None:
    """With and without controls."""
    for controls in ((), (Control("1.2.3"), Control(PAGED_RESULTS, True, format_page(7, b"cookie")))):
        message = Message(5, operation, controls)
        assert parse_message(format_message(message)) == message


def test_octets_are_those_that_openldap_sends() -> None:
    """A bind of ldapsearch, and the answer of slapd."""
    octets = bytes.fromhex("300c020101600702010304008000")
    assert parse_message(octets) == Message(1, BindRequest("", Simple(b"")))
    assert format_message(Message(1, BindRequest("", Simple(b"")))) == octets
    answer = bytes.fromhex("300c02010161070a010004000400")
    assert parse_message(answer) == Message(1, BindResponse(Result(0)))
    assert format_message(Message(1, BindResponse(Result(0)))) == answer


def test_operations_that_change_a_directory_are_known_by_their_tags() -> None:
    """A read-only server answers them with the right tag."""
    octets = ber.element(ber.SEQUENCE, ber.integer(9), ber.element(0x66, ber.string("cn=x")))
    assert parse_message(octets).operation == OtherRequest(0x66, 0x67)
    assert parse_message(format_message(Message(9, OtherRequest(0x4A, 0x6B)))).operation == OtherRequest(0x4A, 0x6B)


def nested(depth):
    """Return a search whose filter is nested so deep."""
    inner = ber.string("cn", 0x87)
    for _ in range(depth):
        inner = ber.element(0xA2, inner)
    parts = ber.string("") + ber.integer(2, 0x0A) + ber.integer(0, 0x0A) + ber.integer(0) + ber.integer(0)
    body = ber.element(0x63, parts, ber.boolean(False), inner, ber.element(ber.SEQUENCE))
    return ber.element(ber.SEQUENCE, ber.integer(1), body)


def with_filter(octets):
    """Return a search with these octets as its filter."""
    parts = ber.string("") + ber.integer(2, 0x0A) + ber.integer(0, 0x0A) + ber.integer(0) + ber.integer(0)
    body = ber.element(0x63, parts, ber.boolean(False), octets, ber.element(ber.SEQUENCE))
    return ber.element(ber.SEQUENCE, ber.integer(1), body)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30\x00", id="an empty message"),
        pytest.param(b"\x30\x03\x02\x01\x01", id="no operation"),
        pytest.param(ber.element(0x30, ber.integer(1), ber.element(0x7F)), id="a tag of several octets"),
        pytest.param(ber.element(0x30, ber.integer(1), ber.element(0x55)), id="an operation that is none"),
        pytest.param(format_message(Message(1, UnbindRequest())) + b"x", id="octets after the message"),
        pytest.param(nested(40), id="a filter nested too deep"),
        pytest.param(nested(100_000)[:4_000_000], id="a filter nested without end"),
        pytest.param(with_filter(ber.element(0xA4, ber.string("cn"), ber.element(0x30))), id="no piece"),
        pytest.param(
            with_filter(ber.element(0xA4, ber.string("cn"), ber.element(0x30, ber.element(0x81)))), id="an empty piece"
        ),
        pytest.param(with_filter(ber.element(0xA9, ber.element(0x83, b"v"))), id="no attribute and no rule"),
        pytest.param(with_filter(ber.element(0xAF)), id="a filter that is none"),
        pytest.param(
            format_message(Message(1, SEARCH)).replace(b"\x0a\x01\x01", b"\x0a\x01\x09"), id="a scope of nine"
        ),
    ],
)
def test_what_is_no_message_is_a_fault(octets) -> None:
    """Never an exception of another kind, however deep."""
    with pytest.raises(SyntaxFault):
        parse_message(octets)


def test_a_filter_may_be_nested_as_deep_as_is_said() -> None:
    """Thirty-one times is still read."""
    assert isinstance(parse_message(nested(31)).operation, SearchRequest)


def test_pages_have_a_size_and_a_cookie() -> None:
    """An empty cookie begins and ends them (RFC 2696 §2)."""
    assert parse_page(format_page(500, b"\x00x")) == (500, b"\x00x")
    assert parse_page(format_page(0)) == (0, b"")
    with pytest.raises(SyntaxFault):
        parse_page(b"x")


def test_passwords_are_not_shown() -> None:
    """A request that is logged by mistake tells no secret."""
    assert "hush" not in repr(BindRequest("cn=a", Simple(b"hush")))
    assert "hush" not in repr(BindRequest("", Sasl("PLAIN", b"hush")))


def test_values_of_an_entry_are_found_in_any_case() -> None:
    """As text where they are text."""
    entry = SearchEntry("", (("MAIL", (b"a@x", b"b@x")), ("jpeg", (b"\xff\xd8",))))
    assert entry.text("mail") == "a@x"
    assert entry.text("jpeg") == ""
    assert entry.text("cn") == ""
