"""The text key that groups queued recipients by next hop, and the value it stands for.

``mx:example.org``        the mail exchangers of a domain (RFC 5321 §5.1)
``mx:example.org:2525``   the same on another port
``host:relay.test:25``    that host, without MX lookup; IPv6 addresses in brackets: ``host:[2001:db8::1]:25``

Keys are lower case, so equal next hops have equal keys. Whether TLS is needed is no part of the key: the routes say it
at the time of the attempt. Tests: ``tests/unit/services/queue/test_destination.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from posthouse.core.errors import SyntaxFault

SMTP_PORT = 25


@dataclass(frozen=True, slots=True)
class Destination:
    """A next hop. ``host`` is a domain whose MX are asked (``by_mx``), else a host name or address without brackets."""

    host: str
    port: int = SMTP_PORT
    by_mx: bool = True

    def __str__(self) -> str:
        return format_destination(self)


def format_destination(destination: Destination) -> str:
    """Return the key of a destination."""
    if destination.by_mx:
        port = "" if destination.port == SMTP_PORT else f":{destination.port}"
        return f"mx:{destination.host.lower()}{port}"
    host = f"[{destination.host}]" if ":" in destination.host else destination.host
    return f"host:{host.lower()}:{destination.port}"


@lru_cache(maxsize=4096)
def parse_destination(key: str) -> Destination:
    """Read a key. Raises SyntaxFault: where it is none."""
    kind, found, rest = key.partition(":")
    if not found or kind not in {"mx", "host"} or not rest:
        raise SyntaxFault("not a destination key", where="queue.destination")
    if rest.startswith("["):
        host, closed, tail = rest[1:].partition("]")
        if not closed:
            raise SyntaxFault("bracket not closed", where="queue.destination", offset=len(key))
    else:
        host, colon, port_text = rest.partition(":")
        tail = colon + port_text
    if not host:
        raise SyntaxFault("no host", where="queue.destination", offset=len(kind) + 1)
    return Destination(host, _port(tail, default=SMTP_PORT), by_mx=kind == "mx")


def _port(tail: str, *, default: int) -> int:
    if not tail:
        return default
    digits = tail[1:]
    if not (tail.startswith(":") and digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) < 65536):
        raise SyntaxFault("malformed port", where="queue.destination")
    return int(digits)


@lru_cache(maxsize=4096)
def domain_destination(domain: str) -> str:
    """Return the key for mail to a domain that no route names; an address literal is its own host (RFC 5321 §4.1.3)."""
    if domain.startswith("["):
        literal = domain[1:-1]
        host = literal[5:] if literal.lower().startswith("ipv6:") else literal
        return format_destination(Destination(host, by_mx=False))
    return format_destination(Destination(domain))


def host_destination(host: str, port: int, *, by_mx: bool = False) -> str:
    """Return the key for a route's host and port; ``by_mx`` asks the MX of ``host`` instead of its addresses."""
    return format_destination(Destination(host.strip("[]"), port, by_mx))
