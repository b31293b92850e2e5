"""Mail that goes round in circles: too many Received lines, or a recipient it was delivered to before.

RFC 5321 §6.3. A Delivered-To line of an address in the message itself means that a forward leads back to it; the
lines that we add stand in each filing's prefix, not in the message. Tests: ``tests/unit/services/reception``.
"""

from __future__ import annotations

from dataclasses import replace

from posthouse.core import status
from posthouse.core.outcome import reject
from posthouse.message.headers import HeaderIndex
from posthouse.services.routing.decisions import Refusal, Routed

TOO_MANY_HOPS = reject(
    "Too many hops, this message is going in circles",
    code=554,
    detail_code=status.ROUTING_LOOP,
    rule="loop.received",
    setting="smtp.received_hops",
)
DELIVERED_BEFORE = reject(
    "This message was delivered to that address before",
    code=554,
    detail_code=status.ROUTING_LOOP,
    rule="loop.delivered_to",
)


def delivered_before(headers: HeaderIndex) -> frozenset[str]:
    """Return the addresses of the Delivered-To lines, folded; nearly always none."""
    if b"delivered-to" not in headers:
        return frozenset()
    return frozenset(
        value.decode("utf-8", "replace").strip(" <>").lower() for value in headers.get_all(b"delivered-to")
    )


def without_loops(routed: Routed, before: frozenset[str]) -> Routed:
    """Return the recipient without deliveries that would repeat one; each becomes a refusal."""
    looping = [each for each in routed.local if each.address.lower() in before]
    if not looping:
        return routed
    return replace(
        routed,
        local=tuple(each for each in routed.local if each not in looping),
        refusals=(*routed.refusals, *(Refusal(each.address, DELIVERED_BEFORE) for each in looping)),
    )
