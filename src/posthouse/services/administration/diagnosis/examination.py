"""One run of checks: its parts, what was asked for, and facts that several checks share and that are found once.

Invariant: what was found is kept for the run only. Tests: with the topics.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from posthouse.config.definitions import check as definitions
from posthouse.config.definitions import dns as dns_settings
from posthouse.core.address import domain_to_ascii
from posthouse.services.administration.diagnosis.certificates import CertificateFacts, read_chain
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.diagnosis.records import DnsFacts, services_of
from posthouse.services.administration.diagnosis.relay_safety import is_private_address
from posthouse.services.resolver.contract import Finding as Found
from posthouse.store.contract import Store
from posthouse.store.directory_rows import DomainRow, RouteRow

T = TypeVar("T")
_RESERVED: Final = frozenset({"test", "example", "invalid", "localhost", "local", "internal", "alt"})
_RESERVED_SECOND: Final = frozenset({"example.com", "example.net", "example.org"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a run looks at.

    Attributes:
        only: patterns of check ids such as ``dns.*``; () for all.
        domain: one domain, folded; "" for all.
        outbound: a host or domain to connect to on port 25; "" for what the setting says.
        time_source: a time server to compare the clock with; "" for what the setting says.
        forced: an open relay is meant, and is a warning only.
        every_domain: look at all domains, whatever ``check.domains`` says.
    """

    only: tuple[str, ...] = ()
    domain: str = ""
    outbound: str = ""
    time_source: str = ""
    forced: bool = False
    every_domain: bool = False


def is_reserved(name: str) -> bool:
    """Whether the public DNS never knows a name, or not as anybody's (RFC 2606 §2, §3, RFC 6761 §6, RFC 9476 §2)."""
    labels = name.lower().rstrip(".").split(".")
    return labels[-1] in _RESERVED or ".".join(labels[-2:]) in _RESERVED_SECOND


class Examination:
    """What checks are handed.

    Attributes:
        parts: see ``parts.DiagnosisParts``.
        selection: what was asked for.
    """

    def __init__(self, parts: DiagnosisParts, selection: Selection) -> None:
        self.parts = parts
        self.selection = selection
        self._kept: dict[Hashable, asyncio.Task[Any]] = {}

    @property
    def store(self) -> Store:
        """The store; only for checks that need it."""
        assert self.parts.store is not None
        return self.parts.store

    @property
    def hostname(self) -> str:
        """Our host name, in A-labels."""
        return domain_to_ascii(self.parts.configuration.hostname)

    @property
    def outbound(self) -> str:
        """The host to connect to on port 25, "" for none."""
        return self.selection.outbound or self.parts.settings.get(definitions.OUTBOUND_HOST)

    @property
    def time_source(self) -> str:
        """The time server to ask, "" for none."""
        return self.selection.time_source or self.parts.settings.get(definitions.TIME_SOURCE)

    def is_asked(self, name: str) -> bool:
        """Whether the DNS is asked about a name: reserved ones only where name servers of our own were set."""
        return bool(self.parts.settings.get(dns_settings.SERVERS)) or not is_reserved(name)

    async def once(self, key: Hashable, find: Callable[[], Awaitable[T]]) -> T:
        """Return what ``find`` finds, asked for once in this run however many want it."""
        task = self._kept.get(key)
        if task is None:
            task = self._kept[key] = asyncio.ensure_future(_awaited(find))
        found: T = await asyncio.shield(task)
        return found

    def close(self) -> None:
        """End what is still under way."""
        for task in self._kept.values():
            task.cancel()

    # ---- facts ----------------------------------------------------------------------------------------------------

    async def workers(self) -> list[dict[str, Any]]:
        """Return the status of each worker that answers."""
        return [dict(each) for each in await self.once("workers", self.parts.workers)]

    async def domains(self) -> list[DomainRow]:
        """Return our domains, in order of name."""
        return await self.once("domains", self.store.domains)

    async def routes(self) -> list[RouteRow]:
        """Return all routes."""
        return await self.once("routes", self.store.routes)

    async def host_addresses(self) -> tuple[str, ...]:
        """Return the addresses that the DNS has for our host name; none where it has none or is not asked."""
        if not self.is_asked(self.hostname):
            return ()
        answer = await self.parts.resolver.addresses(self.hostname)
        return answer.addresses if answer.finding is Found.FOUND else ()

    async def sending_addresses(self) -> tuple[str, ...]:
        """Return the addresses from which others see us send; private ones are left out."""
        named = self.parts.settings.get(definitions.ADDRESSES)
        found = tuple(str(ipaddress.ip_address(text)) for text in named) or await self.host_addresses()
        return tuple(address for address in found if not is_private_address(address))

    async def certificate(self) -> CertificateFacts:
        """Return what is to be known of the certificate and its key."""
        configuration = self.parts.configuration
        paths = configuration.in_home(configuration.certificate), configuration.in_home(configuration.key)
        return await self.once("certificate", lambda: asyncio.to_thread(read_chain, *paths))

    async def dns_facts(self) -> DnsFacts:
        """Return what the records of our domains are made from."""
        return await self.once("dns", self._dns_facts)

    async def _dns_facts(self) -> DnsFacts:
        configuration = self.parts.configuration
        addresses = await self.host_addresses()
        certificate = await self.certificate() if configuration.needs_tls else None
        smart = next((row.host for row in await self.routes() if row.domain == "*"), "") if self.parts.store else ""
        return DnsFacts(
            hostname=self.hostname,
            addresses=addresses,
            sending=await self.sending_addresses(),
            smart_host=smart,
            services=services_of(configuration),
            tlsa=certificate.tlsa[:1] if certificate else (),
            tlsa_accepted=certificate.tlsa if certificate else (),
            issuer=certificate.issuer if certificate else "",
        )


async def _awaited(find: Callable[[], Awaitable[T]]) -> T:
    return await find()
