"""The client's session: requests and answers joined, and what a server may not do."""

from __future__ import annotations

import pytest

from posthouse.core.errors import LimitFault, SequenceFault, SyntaxFault
from posthouse.protocols.ldap.client import Answer, LdapClient, Notice
from posthouse.protocols.ldap.filters import parse_filter
from posthouse.protocols.ldap.messages import format_message, parse_message
from posthouse.protocols.ldap.types import (
    NOTICE_OF_DISCONNECTION,
    START_TLS,
    AbandonRequest,
    BindRequest,
    BindResponse,
    ExtendedRequest,
    ExtendedResponse,
    Message,
    OtherRequest,
    OtherResponse,
    Result,
    SearchDone,
    SearchEntry,
    SearchRequest,
    Simple,
    UnbindRequest,
)

SEARCH = SearchRequest(base="", filter=parse_filter("(cn=*)"))
BIND = BindRequest("cn=a", Simple(b"x"))


def octets(number, operation):
    """Return what a server sends."""
    return format_message(Message(number, operation))


def test_answers_are_joined_to_their_requests() -> None:
    """Several searches at once, octet by octet; the last answer of each says so."""
    client = LdapClient()
    first, second = client.send(SEARCH), client.send(SEARCH)
    assert len(client.output()) > 0
    assert client.output() == b""
    data = b"".join(
        [
            octets(second, SearchEntry("b", ())),
            octets(first, SearchEntry("a", ())),
            octets(second, SearchDone(Result(0))),
            octets(first, SearchDone(Result(0))),
        ]
    )
    found = [event for octet in data for event in client.receive(bytes([octet]))]
    assert [(each.id, each.is_last) for each in found] == [
        (second, False), (first, False), (second, True), (first, True),
    ]  # fmt: skip
    assert client.is_idle


def test_a_bind_is_alone() -> None:
    """Neither a bind nor StartTLS begins while something is under way."""
    client = LdapClient()
    client.send(SEARCH)
    for request in (BIND, ExtendedRequest(START_TLS)):
        with pytest.raises(SequenceFault):
            client.send(request)


def test_too_many_requests_are_refused() -> None:
    """A caller that forgets its requests is told."""
    client = LdapClient()
    for _ in range(100):
        client.send(SEARCH)
    with pytest.raises(SequenceFault):
        client.send(SEARCH)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(octets(7, SearchDone(Result(0))), id="to no request"),
        pytest.param(octets(1, BindResponse(Result(0))), id="of another kind"),
        pytest.param(octets(1, BIND), id="a request"),
        pytest.param(octets(0, SearchDone(Result(0))), id="to nothing"),
        pytest.param(b"\x30\x03\x02\x01\x01", id="no operation"),
    ],
)
def test_an_answer_that_does_not_fit_is_a_fault(data) -> None:
    """The session cannot go on."""
    client = LdapClient()
    client.send(SEARCH)
    with pytest.raises(SyntaxFault):
        client.receive(data)


def test_an_answer_that_is_too_large_is_a_fault() -> None:
    """What is held stays within the limit."""
    client = LdapClient(message_size=1_000)
    client.send(SEARCH)
    with pytest.raises(LimitFault):
        client.receive(octets(1, SearchEntry("x" * 2_000, ())))


def test_what_was_abandoned_is_passed_over() -> None:
    """The server is told, and answers that were under way are no fault."""
    client = LdapClient()
    number = client.send(SEARCH)
    client.output()
    client.abandon(number)
    client.abandon(number)
    assert parse_message(client.output()).operation == AbandonRequest(number)
    assert client.receive(octets(number, SearchEntry("a", ()))) == []
    assert client.is_idle


def test_a_notice_of_disconnection_is_told() -> None:
    """Another notice is passed over."""
    client = LdapClient()
    assert client.receive(octets(0, ExtendedResponse(Result(0), "1.2.3"))) == []
    found = client.receive(octets(0, ExtendedResponse(Result(52, message="going"), NOTICE_OF_DISCONNECTION)))
    assert found == [Notice(Result(52, message="going"))]


def test_nothing_in_clear_is_held_when_tls_begins() -> None:
    """Octets that an attacker put behind the answer are a fault (RFC 4511 §4.14)."""
    client = LdapClient()
    number = client.send(ExtendedRequest(START_TLS))
    answer = octets(number, ExtendedResponse(Result(0), START_TLS))
    assert isinstance(client.receive(answer)[0], Answer)
    client.tls_begins()
    client.receive(b"\x30")
    with pytest.raises(SyntaxFault):
        client.tls_begins()


def test_other_operations_and_good_bye() -> None:
    """An operation is answered with its own tag; an unbind has no answer."""
    client = LdapClient()
    number = client.send(OtherRequest(0x66, 0x67))
    assert client.receive(octets(number, OtherResponse(0x67, Result(53))))[0].is_last
    number = client.send(OtherRequest(0x66, 0x67))
    with pytest.raises(SyntaxFault):
        client.receive(octets(number, OtherResponse(0x69, Result(53))))
    client = LdapClient()
    client.unbind()
    assert parse_message(client.output()).operation == UnbindRequest()
