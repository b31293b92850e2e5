"""Reading our own SPF record as a receiver would: is each of our addresses allowed, and is the record within bounds.

RFC 7208. Lookups are counted over the whole tree, since a message that matches nothing makes a receiver walk all of it
(§4.6.4: ten lookups, two of them without an answer). Macros are expanded for the domain and the address alone; a term
with another macro is taken as no match and named. This judges records; mail is judged elsewhere.
Tests: ``tests/unit/services/administration/diagnosis/test_spf_review.py``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from posthouse.services.resolver.contract import Finding, Resolver

VERSION: Final = "v=spf1"
MOST_LOOKUPS: Final = 10
MOST_VOID: Final = 2
_DEPTH: Final = 12
_MOST_WALKED: Final = 40  # lookups after which a record is not walked further
_RESULTS: Final = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_MECHANISM: Final = re.compile(
    r"(?P<q>[+\-~?]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)(?::(?P<value>[^/\s]+|[0-9A-Fa-f:.]+))?"
    r"(?P<cidr>(?:/\d{1,3})?(?://\d{1,3})?)",
    re.IGNORECASE,
)
_MODIFIER: Final = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_MACRO: Final = re.compile(r"%\{([a-z])\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One directive or ``redirect``: ``value`` is what stands behind the colon, ``cidr`` the lengths for IPv4, IPv6."""

    name: str
    result: str
    value: str = ""
    cidr: tuple[int, int] = (32, 128)


@dataclass(frozen=True, slots=True)
class SpfReview:
    """What is to be said of a record.

    Attributes:
        results: address -> pass | fail | softfail | neutral | permerror | temperror.
        lookups: how many a receiver makes at most; ``void`` how many of them find nothing.
        problems: what is wrong, a line each.
    """

    results: dict[str, str]
    lookups: int
    void: int
    problems: tuple[str, ...]


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record (RFC 7208 §4.5)."""
    return text.lower() == VERSION or text.lower().startswith(VERSION + " ")


def parse_spf(text: str) -> tuple[tuple[Term, ...], tuple[str, ...]]:
    """Return the terms of a record and what cannot be read in it (RFC 7208 §4.6.1)."""
    terms: list[Term] = []
    problems: list[str] = []
    redirect: Term | None = None
    for word in text.split()[1:]:
        match = _MECHANISM.fullmatch(word)
        modifier = _MODIFIER.fullmatch(word)
        if match is not None and _is_whole(match):
            terms.append(_term(match))
        elif modifier is not None:
            if modifier[1].lower() == "redirect":
                problems += ["redirect stands twice"] if redirect else []
                redirect = Term("redirect", "pass", modifier[2])
        else:
            problems.append(f"{word!r} is no term of SPF")
    if redirect is not None and not any(term.name == "all" for term in terms):
        terms.append(redirect)
    return tuple(terms), tuple(problems)


def _is_whole(match: re.Match[str]) -> bool:
    """Whether a mechanism has the value that it needs, and none that it may not have."""
    name, value = match["name"].lower(), match["value"]
    if name == "all":
        return value is None and not match["cidr"]
    if name in {"include", "exists"}:
        return value is not None and not match["cidr"]
    return not (name in {"ip4", "ip6"} and _network(name, value or "", match["cidr"]) is None)


def _network(name: str, value: str, cidr: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        network = ipaddress.ip_network(value + cidr, strict=False)
    except ValueError:
        return None
    return network if network.version == (4 if name == "ip4" else 6) else None


def _term(match: re.Match[str]) -> Term:
    name, cidr = match["name"].lower(), match["cidr"] or ""
    four, _, six = cidr.partition("//")
    lengths = (int(four[1:] or 32), int(six or 128))
    value = (match["value"] or "") + (cidr if name in {"ip4", "ip6"} else "")
    return Term(name, _RESULTS[match["q"] or "+"], value, lengths)


async def review_spf(resolver: Resolver, domain: str, text: str, addresses: Sequence[str]) -> SpfReview:
    """Walk a domain's record for each address. Bounded: a tree is followed to a depth and a number of lookups."""
    whole = _Walk(resolver)
    await whole.count(domain, text, 0)
    problems = list(dict.fromkeys(whole.problems))
    if whole.lookups > MOST_LOOKUPS:
        problems.append(f"{whole.lookups} lookups, {MOST_LOOKUPS} are allowed (RFC 7208 §4.6.4)")
    if whole.void > MOST_VOID:
        problems.append(f"{whole.void} lookups find nothing, {MOST_VOID} are allowed (RFC 7208 §4.6.4)")
    results = {address: await _Walk(resolver).result(domain, text, address, 0) for address in addresses}
    return SpfReview(results, whole.lookups, whole.void, tuple(problems))


@dataclass(slots=True)
class _Walk:
    """One walk over a tree of records."""

    resolver: Resolver
    lookups: int = 0
    void: int = 0
    problems: list[str] = field(default_factory=list)

    # ---- counting ---------------------------------------------------------------------------------------------

    async def count(self, domain: str, text: str, depth: int) -> None:
        """Count what a receiver looks up where nothing matches."""
        terms, problems = parse_spf(text)
        self.problems += [f"{domain}: {problem}" for problem in problems]
        for term in terms:
            if term.name in {"all", "ip4", "ip6"} or self.lookups > _MOST_WALKED:
                continue
            self.lookups += 1
            target = term.value or domain
            if "%" in target:
                continue
            if term.name in {"include", "redirect"}:
                await self._count_below(domain, target, depth)
            elif await self._is_void(term, target):
                self.void += 1

    async def _count_below(self, domain: str, target: str, depth: int) -> None:
        if depth >= _DEPTH:
            self.problems.append(f"{domain}: records lead to each other without end")
            return
        texts = await self.records(target)
        if len(texts) == 1:
            await self.count(target, texts[0], depth + 1)
        else:
            self.void += not texts
            self.problems.append(f"{domain}: {target} has {len(texts) or 'no'} SPF record{'s' if texts else ''}")

    async def _is_void(self, term: Term, target: str) -> bool:
        if term.name == "mx":
            return (await self.resolver.mx(target)).finding in {Finding.NO_NAME, Finding.NO_DATA}
        if term.name in {"a", "exists"}:
            return (await self.resolver.addresses(target)).finding in {Finding.NO_NAME, Finding.NO_DATA}
        return False

    async def records(self, domain: str) -> list[str]:
        """Return the SPF records of a domain."""
        answer = await self.resolver.records(domain, "TXT")
        return [text for text in answer.texts if is_spf(text)]

    # ---- evaluating -------------------------------------------------------------------------------------------

    async def result(self, domain: str, text: str, address: str, depth: int) -> str:
        """Return the result for an address (RFC 7208 §2.6)."""
        terms, problems = parse_spf(text)
        if problems or depth >= _DEPTH:
            return "permerror"
        for term in terms:
            if term.name == "redirect":
                return await self._below(term.value, address, depth)
            matched = await self._matches(term, domain, address, depth)
            if isinstance(matched, str):
                return matched
            if matched:
                return term.result
        return "neutral"

    async def _below(self, target: str, address: str, depth: int) -> str:
        texts = await self.records(_expanded(target, target, address))
        return await self.result(target, texts[0], address, depth + 1) if len(texts) == 1 else "permerror"

    async def _matches(self, term: Term, domain: str, address: str, depth: int) -> bool | str:
        """Whether a term matches; a text is a result that ends the evaluation."""
        if term.name == "all":
            return True
        if term.name in {"ip4", "ip6"}:
            return ipaddress.ip_address(address) in ipaddress.ip_network(term.value, strict=False)
        target = _expanded(term.value or domain, domain, address)
        self.lookups += 1
        if "%" in target or term.name == "ptr" or self.lookups > _MOST_WALKED:
            return False
        if term.name == "include":
            below = await self._below(target, address, depth)
            return below == "pass" if below not in {"permerror", "temperror"} else below
        if term.name == "exists":
            return (await self.resolver.addresses(target)).finding is Finding.FOUND
        hosts = [target] if term.name == "a" else [host.exchange for host in (await self.resolver.mx(target)).hosts]
        return await self._is_among(hosts[:MOST_LOOKUPS], address, term.cidr)

    async def _is_among(self, hosts: Sequence[str], address: str, cidr: tuple[int, int]) -> bool:
        wanted = ipaddress.ip_address(address)
        length = cidr[0] if wanted.version == 4 else cidr[1]
        for host in hosts:
            for found in (await self.resolver.addresses(host)).addresses:
                own = ipaddress.ip_address(found)
                if own.version == wanted.version and wanted in ipaddress.ip_network((own, length), strict=False):
                    return True
        return False


def _expanded(text: str, domain: str, address: str) -> str:
    """Return a domain-spec with ``%{d}`` and ``%{i}`` filled in; other macros stay (RFC 7208 §7)."""
    values = {"d": domain, "i": address}
    return _MACRO.sub(lambda match: values.get(match[1].lower(), match[0]), text)
