"""What a resolver promises: answers as values, with the difference between "there is none" and "try later".

A resolver never raises for what the DNS said or did not say; every answer is one of the four ``Finding`` kinds
(RFC 2308 §2.1 NXDOMAIN, §2.2 no data; RFC 5321 §5.1 tells why a mail system must keep them apart). Names are given as
people write them (U-labels or A-labels); hosts in answers are lower-case A-labels without the final dot.
Implementations: ``services.resolver.dns`` and ``testing.resolver``. Tests: ``tests/unit/services/resolver``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol


class Finding(enum.Enum):
    """How a question ended."""

    FOUND = "found"
    NO_DATA = "no data"  # the name exists and has no such record (RFC 2308 §2.2)
    NO_NAME = "no such name"  # NXDOMAIN (RFC 2308 §2.1, RFC 8020)
    UNAVAILABLE = "unavailable"  # SERVFAIL, REFUSED, silence, no server configured: ask again later


@dataclass(frozen=True, slots=True, order=True)
class MxHost:
    """One MX record: preference and exchange; exchange "" is the null MX (RFC 7505 §3)."""

    preference: int
    exchange: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MxAnswer:
    """Answer to ``Resolver.mx``: hosts in order of preference (FOUND only), seconds it may be kept, and why."""

    finding: Finding
    hosts: tuple[MxHost, ...] = ()
    ttl: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressAnswer:
    """Answer to ``Resolver.addresses``: addresses as text, IPv6 first (FOUND only), seconds it may be kept, and why."""

    finding: Finding
    addresses: tuple[str, ...] = ()
    ttl: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsAnswer:
    """Answer to ``Resolver.records``.

    Attributes:
        finding: how the question ended.
        texts: the records (FOUND only), each as its data is written in a zone file with absolute names; of TXT the
            text itself, its strings joined (RFC 7208 §3.3). In the order of the answer, which means nothing.
        ttl: seconds it may be kept.
        detail: why there is nothing.
        validated: whether the name server says that DNSSEC proves the answer (AD, RFC 4035 §3.2.3). That is worth as
            much as the way to the name server.
    """

    finding: Finding
    texts: tuple[str, ...] = ()
    ttl: float = 0.0
    detail: str = ""
    validated: bool = False


class Resolver(Protocol):
    """Asks the DNS. Many callers may ask at once; equal questions share one exchange."""

    async def mx(self, domain: str) -> MxAnswer:
        """Return the MX records of a domain. CNAMEs are followed by the name server."""
        ...

    async def addresses(self, host: str) -> AddressAnswer:
        """Return the addresses of a host, IPv6 first; FOUND where either family has one."""
        ...

    async def records(self, name: str, kind: str) -> RecordsAnswer:
        """Return the records of any other type (``TXT``, ``PTR``, ``SRV``, ``TLSA``, ``CAA`` and so on) as texts."""
        ...

    def close(self) -> None:
        """Give sockets back; questions under way end UNAVAILABLE."""
        ...
