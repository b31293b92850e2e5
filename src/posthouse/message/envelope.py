"""The IMAP ENVELOPE of a message, ready to send (RFC 3501 §7.4.2). Room: message.

Values are the header's own octets, unfolded and not decoded; Sender and Reply-To default to From. Addresses are read by
``message.addresses``, once for each different field body of short mail: the results are kept in a bounded cache, since
the same people write to each other. Tests: ``tests/unit/message/test_message_structure.py``,
``tests/interop/test_message_oracles.py``.
"""

from __future__ import annotations

from functools import lru_cache

from posthouse.core import limits
from posthouse.message.addresses import HeaderAddress, format_first, parse_addresses
from posthouse.message.headers import HeaderIndex
from posthouse.message.wire import nstring, one_spaced

_LONGEST = 128 * limits.KIB  # octets of one field that are told; some 3 000 addresses
_CACHED_LENGTH = 512  # octets; longer lists are rare and would let a peer fill the cache


def format_address(address: HeaderAddress) -> bytes:
    """Return ``address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"``."""
    name, route, mailbox, host = address
    name = None if name is None else one_spaced(name)
    return b"(%b %b %b %b)" % (nstring(name), nstring(route), nstring(mailbox), nstring(host))


def _read(value: bytes) -> tuple[bytes, str]:
    addresses = parse_addresses(value)
    if not addresses:
        return b"NIL", ""
    return b"(" + b"".join(map(format_address, addresses)) + b")", format_first(addresses)


_cached = lru_cache(maxsize=2048)(_read)


def address_list(value: bytes | None) -> tuple[bytes, str]:
    """Return an address field's body as ENVELOPE lists it, and its first address as readable text."""
    if not value:
        return b"NIL", ""
    return _cached(value) if len(value) <= _CACHED_LENGTH else _read(value)


def addresses_of(headers: HeaderIndex, name: bytes) -> bytes | None:
    """Return the bodies of all fields of a name as one list, or None (RFC 5322 §3.6 allows one; mail has more)."""
    if name not in headers:
        return None
    values = headers.get_all(name)
    return (values[0] if len(values) == 1 else b", ".join(values))[:_LONGEST]


def envelope_and_people(headers: HeaderIndex) -> tuple[bytes, str, str, str]:
    """Return the ENVELOPE with its parentheses, and the first address of From, To and Cc as text."""

    def first(name: bytes) -> bytes | None:
        value = headers.get(name)
        return value if value is None or len(value) <= _LONGEST else value[:_LONGEST]

    subject = first(b"subject")
    sent_by, from_text = address_list(addresses_of(headers, b"from"))
    sender = address_list(addresses_of(headers, b"sender"))[0]
    reply_to = address_list(addresses_of(headers, b"reply-to"))[0]
    to, to_text = address_list(addresses_of(headers, b"to"))
    cc, cc_text = address_list(addresses_of(headers, b"cc"))
    envelope = b"(%b %b %b %b %b %b %b %b %b %b)" % (
        nstring(first(b"date")),
        nstring(None if subject is None else one_spaced(subject)),
        sent_by,
        sent_by if sender == b"NIL" else sender,
        sent_by if reply_to == b"NIL" else reply_to,
        to,
        cc,
        address_list(addresses_of(headers, b"bcc"))[0],
        nstring(first(b"in-reply-to")),
        nstring(first(b"message-id")),
    )
    return envelope, from_text, to_text, cc_text


def format_envelope(headers: HeaderIndex) -> bytes:
    """Return the ENVELOPE with its parentheses."""
    return envelope_and_people(headers)[0]
