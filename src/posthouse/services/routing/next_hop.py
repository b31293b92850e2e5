"""The next hop of a remote address, as a queue destination key.

Order: the domain's route, its nearest ``.parent`` route, the smart host ``*``, else the domain's own MX. A route
with ``mx_lookup`` names a domain whose MX is asked. Address literals are their own host (RFC 5321 §4.1.3, §5.1).
Tests: ``tests/unit/services/routing/test_next_hop.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.address import domain_to_ascii
from posthouse.store.rows import RouteRow

SMTP_PORT: Final = 25


def destination(domain: str, route: RouteRow | None) -> str:
    """Return the key under which recipients of a domain are queued together. Raises SyntaxFault: no IDNA form."""
    if route is not None:
        if route.mx_lookup:
            return f"mx:{domain_to_ascii(route.host)}"
        return f"host:{route.host}:{route.port}"
    if domain.startswith("["):
        return f"host:{_literal_host(domain)}:{SMTP_PORT}"
    return f"mx:{domain_to_ascii(domain)}"


def _literal_host(literal: str) -> str:
    """``[192.0.2.1]`` gives ``192.0.2.1``; ``[IPv6:2001:db8::1]`` gives ``[2001:db8::1]``, so that the port stays clear."""
    inner = literal[1:-1]
    if inner.lower().startswith("ipv6:"):
        return f"[{inner[5:]}]"
    return inner
