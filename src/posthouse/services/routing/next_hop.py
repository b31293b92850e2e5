"""The next hop of a remote address, as a queue destination key.

Order: the domain's route, its nearest ``.parent`` route, the smart host ``*`` (all found by the directory), else the
domain's own MX. A route with ``mx_lookup`` names a domain whose MX is asked. Address literals are their own host
(RFC 5321 §4.1.3, §5.1). Tests: ``tests/unit/services/routing/test_router.py``.
"""

from __future__ import annotations

from posthouse.core.address import domain_to_ascii
from posthouse.services.queue.destination import domain_destination, host_destination
from posthouse.store.directory_rows import RouteRow


def next_hop(domain: str, route: RouteRow | None) -> str:
    """Return the key under which recipients of a domain are queued together. Raises SyntaxFault: no IDNA form."""
    if route is not None:
        return host_destination(domain_to_ascii(route.host), route.port, by_mx=route.mx_lookup)
    return domain_destination(domain_to_ascii(domain))
