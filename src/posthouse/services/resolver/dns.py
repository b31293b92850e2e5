"""The resolver that asks name servers over the network (RFC 1035, RFC 2308, RFC 5452).

Servers come from the setting ``dns.servers``, else from ``/etc/resolv.conf``; ``/etc/hosts`` answers for the names it
lists. With no server at all every question ends UNAVAILABLE with that reason. Servers are asked in order, the whole
list ``attempts`` times; NXDOMAIN and "no data" are answers, everything else sends us to the next server.

Every question asks for the AD bit (RFC 6840 §5.7), which says that the name server has validated the answer.

Not here: validating DNSSEC ourselves, and search lists: names are absolute.
Tests: ``tests/unit/services/resolver/test_dns.py``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from posthouse.core.address import domain_to_ascii
from posthouse.core.errors import SyntaxFault
from posthouse.services.resolver.cache import AnswerCache
from posthouse.services.resolver.contract import AddressAnswer, Finding, MxAnswer, MxHost, RecordsAnswer
from posthouse.services.resolver.exchange import UDP_PAYLOAD, ExchangeError, Exchanger, Server

MAX_TTL = 86_400.0
MIN_TTL = 5.0  # spares a server that hands out 0
NEGATIVE_TTL = 300.0  # without an SOA; at most 3 hours with one (RFC 2308 §5)
MAX_NEGATIVE_TTL = 10_800.0
FAILURE_TTL = 5.0  # a server that is down is not asked again for every message (RFC 2308 §7)
MAX_RECORDS = 100  # hosts or addresses taken from one answer
CNAME_DEPTH = 12


@dataclass(frozen=True, slots=True)
class _Records:
    """What the name servers said to one question."""

    finding: Finding
    rdatas: tuple[object, ...] = ()
    ttl: float = 0.0
    detail: str = ""
    validated: bool = False


def parse_server(text: str) -> Server:
    """Read ``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``. Raises SyntaxFault."""
    host, port = text.strip(), "53"
    if host.startswith("["):
        host, _, tail = host[1:].partition("]")
        port = tail[1:] if tail.startswith(":") else port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        raise SyntaxFault("not an address of a name server", where="dns.servers") from None
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise SyntaxFault("malformed port", where="dns.servers")
    return Server(host, int(port))


def read_resolv_conf(path: Path = Path("/etc/resolv.conf")) -> tuple[Server, ...]:
    """Return the name servers of a resolv.conf; none where it cannot be read."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    servers = []
    for line in lines:
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                servers.append(parse_server(words[1] if words[1].count(":") != 1 else ""))
            except SyntaxFault:
                continue
    return tuple(servers)


def read_hosts(path: Path = Path("/etc/hosts")) -> dict[str, tuple[str, ...]]:
    """Return names with their addresses as a hosts file lists them; nothing where it cannot be read."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return {}
    hosts: dict[str, tuple[str, ...]] = {}
    for line in lines[:10_000]:
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        try:
            address = str(ipaddress.ip_address(words[0]))
        except ValueError:
            continue
        for name in words[1:]:
            hosts[name.lower()] = (*hosts.get(name.lower(), ()), address)
    return hosts


class DnsResolver:
    """Implements ``Resolver``.

    Args:
        servers: the name servers, in order.
        timeout: seconds for one answer of one server.
        attempts: rounds through the list.
        cache_entries: answers kept.
        hosts: names with addresses that are not asked for (``read_hosts``).
        monotonic: seconds that never go back; tests hand in a fake.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        timeout: float = 3.0,
        attempts: int = 2,
        cache_entries: int = 20_000,
        hosts: Mapping[str, tuple[str, ...]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers = tuple(servers)
        self._timeout = timeout
        self._attempts = attempts
        self._hosts = dict(hosts or {})
        self._exchanger = Exchanger()
        self._cache: AnswerCache[_Records] = AnswerCache(cache_entries, monotonic)
        self._closed = False

    async def mx(self, domain: str) -> MxAnswer:
        """Return the MX records, by rising preference."""
        records = await self._records(domain, dns.rdatatype.MX)
        hosts = sorted(
            MxHost(rdata.preference, _text(rdata.exchange)) for rdata in records.rdatas if isinstance(rdata, MX)
        )
        return MxAnswer(finding=records.finding, hosts=tuple(hosts), ttl=records.ttl, detail=records.detail)

    async def addresses(self, host: str) -> AddressAnswer:
        """Return the addresses of a host; an address asked for is its own answer."""
        known = self._known(host)
        if known:
            return AddressAnswer(finding=Finding.FOUND, addresses=known, ttl=MAX_TTL)
        six, four = await asyncio.gather(self._records(host, dns.rdatatype.AAAA), self._records(host, dns.rdatatype.A))
        found = tuple(str(getattr(rdata, "address", "")) for rdata in six.rdatas + four.rdatas)
        if found:
            ttl = min(part.ttl for part in (six, four) if part.rdatas)
            return AddressAnswer(finding=Finding.FOUND, addresses=found, ttl=ttl)
        # A temporary failure of one family outweighs "none" of the other: the host may have addresses there.
        worst = next((part for part in (four, six) if part.finding is Finding.UNAVAILABLE), four)
        return AddressAnswer(finding=worst.finding, ttl=worst.ttl, detail=worst.detail)

    async def records(self, name: str, kind: str) -> RecordsAnswer:
        """Return the records of a type as texts; a type that nobody knows has no records."""
        try:
            number = dns.rdatatype.from_text(kind)
        except dns.exception.DNSException:
            return RecordsAnswer(finding=Finding.NO_DATA, detail="not a type of record")
        found = await self._records(name, number)
        return RecordsAnswer(
            finding=found.finding,
            texts=tuple(rdata_text(rdata) for rdata in found.rdatas),
            ttl=found.ttl,
            detail=found.detail,
            validated=found.validated,
        )

    def close(self) -> None:
        """Ask nothing more."""
        self._closed = True

    def _known(self, host: str) -> tuple[str, ...]:
        try:
            return (str(ipaddress.ip_address(host.strip("[]"))),)
        except ValueError:
            return self._hosts.get(host.lower().rstrip("."), ())

    async def _records(self, name: str, kind: dns.rdatatype.RdataType) -> _Records:
        if self._closed:
            return _Records(Finding.UNAVAILABLE, detail="the resolver is closed")
        if not self._servers:
            return _Records(Finding.UNAVAILABLE, detail="no name server: set dns.servers or fill /etc/resolv.conf")
        try:
            question = dns.name.from_text(domain_to_ascii(name).rstrip(".") + ".")
        except (SyntaxFault, dns.exception.DNSException, UnicodeError):
            return _Records(Finding.NO_NAME, ttl=MAX_TTL, detail="not a domain name")
        question = question.canonicalize()
        return await self._cache.get((question, kind), lambda: self._ask(question, kind), lambda found: found.ttl)

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> _Records:
        complaints: list[str] = []
        for _ in range(self._attempts):
            for server in self._servers:
                # A fresh id for each exchange: an old answer must not match (RFC 5452 §9.2).
                query = dns.message.make_query(name, kind, use_edns=0, payload=UDP_PAYLOAD)
                query.flags |= dns.flags.AD
                try:
                    answer = await self._exchanger.ask(server, query, self._timeout)
                except ExchangeError as failure:
                    complaints.append(f"{server}: {failure}")
                    continue
                records = read_records(answer, kind)
                if records.finding is not Finding.UNAVAILABLE:
                    return records
                complaints.append(f"{server}: {records.detail}")
        detail = "; ".join(dict.fromkeys(complaints))
        return _Records(Finding.UNAVAILABLE, ttl=FAILURE_TTL, detail=detail)


def read_records(answer: dns.message.Message, kind: dns.rdatatype.RdataType) -> _Records:
    """Return what an answer says: records at the end of its chain of CNAMEs, or which kind of nothing."""
    rcode = answer.rcode()
    if rcode not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        return _Records(Finding.UNAVAILABLE, detail=dns.rcode.to_text(rcode))
    name, ttl = answer.question[0].name, MAX_TTL
    validated = bool(answer.flags & dns.flags.AD)
    for _ in range(CNAME_DEPTH):
        found = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, kind)
        if found is not None:
            kept = max(MIN_TTL, min(ttl, float(found.ttl)))
            return _Records(Finding.FOUND, tuple(list(found)[:MAX_RECORDS]), kept, validated=validated)
        alias = answer.get_rrset(answer.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if alias is None:
            break
        name, ttl = alias[0].target, min(ttl, float(alias.ttl))
    if rcode == dns.rcode.NXDOMAIN:
        return _Records(Finding.NO_NAME, ttl=_negative_ttl(answer), detail="NXDOMAIN", validated=validated)
    if not answer.flags & dns.flags.RA and not answer.flags & dns.flags.AA:
        return _Records(Finding.UNAVAILABLE, detail="a referral: the server does not resolve for us")
    return _Records(Finding.NO_DATA, ttl=_negative_ttl(answer), detail="no such record", validated=validated)


def _negative_ttl(answer: dns.message.Message) -> float:
    for rrset in answer.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            return min(float(rrset.ttl), float(rrset[0].minimum), MAX_NEGATIVE_TTL)
    return NEGATIVE_TTL


def rdata_text(rdata: object) -> str:
    """Return a record's data as ``Resolver.records`` shows it; octets that are no UTF-8 are shown as U+FFFD."""
    if isinstance(rdata, TXT):
        return b"".join(rdata.strings).decode("utf-8", "replace")
    return str(rdata)


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""
