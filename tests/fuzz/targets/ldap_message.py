"""any bytes are LDAP messages or a named fault; what was read is written and read again to the same.

The same bytes then go to a client with a bind and a search under way, which stays within its limit.
"""

from __future__ import annotations

from posthouse.core.errors import Fault
from posthouse.protocols.ldap.client import LdapClient
from posthouse.protocols.ldap.filters import format_filter, parse_filter
from posthouse.protocols.ldap.messages import format_message, parse_message
from posthouse.protocols.ldap.types import OtherRequest, Present, SearchRequest
from posthouse.protocols.ldap.wire import MessageSplitter

_LIMIT = 8_192


def target(data: bytes) -> None:
    """Read the data as messages, as a server and as a client."""
    _client(data)
    splitter = MessageSplitter(_LIMIT)
    try:
        for octets in splitter.feed(data):
            message = parse_message(octets)
            if not isinstance(message.operation, OtherRequest):
                assert parse_message(format_message(message)) == message
    except Fault:
        return
    assert splitter.held <= _LIMIT


def _client(data: bytes) -> None:
    client = LdapClient(_LIMIT)
    client.send(SearchRequest(base="", filter=Present("cn")))
    try:
        client.receive(data)
        assert format_filter(parse_filter("(cn=*)")) == "(cn=*)"
    except Fault:
        return
