"""What is published in the DNS, beside what should be: each record right, wrong or missing, with the reason.

One judge for each kind of record, all over ``Resolver``. A judge is no pedant: what does the
same is right, whatever its letters.
Not here: how bad it is (``topics.dns_domains``), what should be there (``records``).
Tests: ``tests/unit/services/administration/diagnosis/test_check_dns.py``.
"""

from __future__ import annotations

import asyncio
import enum
import ipaddress
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from posthouse.services.administration.diagnosis.findings import DnsRecord
from posthouse.services.administration.diagnosis.records import DnsFacts
from posthouse.services.administration.diagnosis.spf import is_spf, review_spf
from posthouse.services.resolver.contract import Finding, RecordsAnswer, Resolver

_TAG: Final = re.compile(r"\s*([A-Za-z]+)\s*=\s*(.*?)\s*")
_MOST_EXCHANGERS: Final = 10
_MOST_PARENTS: Final = 8  # of a domain, asked for a DMARC record


class State(enum.Enum):
    """How a record stands; the value is the word for people."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    UNKNOWN = "not known"  # the name server did not say
    NOT_ASKED = "not asked"  # a reserved name


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A record that should be there, and what is.

    Attributes:
        has: what is published instead, or as well.
        reason: why it is what ``state`` says, one line without the name.
        is_broken: whether what is there does harm beyond being of no use.
    """

    record: DnsRecord
    state: State
    has: tuple[str, ...] = ()
    reason: str = ""
    is_broken: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A record that should be there, whom to ask, what we are, and the domain it serves (A-labels)."""

    resolver: Resolver
    facts: DnsFacts
    record: DnsRecord
    domain: str


Judge = Callable[[Question], Awaitable[Published]]


async def published(resolver: Resolver, facts: DnsFacts, record: DnsRecord, domain: str) -> Published:
    """Look a record up and judge it; ``domain`` is the one it serves, in A-labels."""
    return await JUDGES.get(record.check, _same)(Question(resolver, facts, record, domain))


def _unknown(record: DnsRecord, detail: str) -> Published:
    return Published(record=record, state=State.UNKNOWN, reason=f"no answer: {detail}" if detail else "no answer")


def _missing(record: DnsRecord, answer: RecordsAnswer, reason: str = "") -> Published:
    if answer.finding is Finding.UNAVAILABLE:
        return _unknown(record, answer.detail)
    return Published(record=record, state=State.MISSING, has=answer.texts, reason=reason or "there is none")


async def _same(asked: Question) -> Published:
    """The asked.record itself is there, beside others or alone."""
    answer = await asked.resolver.records(asked.record.name, asked.record.type)
    if answer.finding is not Finding.FOUND:
        return _missing(asked.record, answer)
    wanted = _plain(asked.record.value)
    is_right = any(_plain(text) == wanted for text in answer.texts)
    return Published(
        record=asked.record,
        state=State.RIGHT if is_right else State.WRONG,
        has=answer.texts,
        reason="" if is_right else "it is another",
    )


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".")


# ---- the host -----------------------------------------------------------------------------------------------------


async def _reverse(asked: Question) -> Published:
    """PTR leads to a name that leads back to the address (RFC 8601 §2.7.3)."""
    address = next(
        each for each in asked.facts.sending if ipaddress.ip_address(each).reverse_pointer == asked.record.name
    )
    answer = await asked.resolver.records(asked.record.name, "PTR")
    if answer.finding is not Finding.FOUND:
        return _missing(asked.record, answer, f"{address} has no name: many refuse its mail")
    names = [text.rstrip(".").lower() for text in answer.texts]
    for name in names:
        if address in (await asked.resolver.addresses(name)).addresses:
            reason = "" if name == asked.facts.hostname else f"the name is {name}, which leads back to {address}"
            return Published(record=asked.record, state=State.RIGHT, has=tuple(names), reason=reason)
    return Published(
        record=asked.record,
        state=State.WRONG,
        has=tuple(names),
        reason=f"{address} is called {names[0]}, and {names[0]} does not lead back to it",
    )


# ---- where mail goes ----------------------------------------------------------------------------------------------


async def _exchangers(asked: Question) -> Published:
    answer = await asked.resolver.mx(asked.record.name)
    if answer.finding is Finding.UNAVAILABLE:
        return _unknown(asked.record, answer.detail)
    hosts = [host.exchange for host in answer.hosts]
    has = tuple(f"{host.preference} {host.exchange}." for host in answer.hosts)
    if not hosts:
        found = await asked.resolver.addresses(asked.record.name)
        if set(asked.facts.addresses) & set(found.addresses):
            return Published(
                record=asked.record, state=State.RIGHT, reason="it leads here by its own address, without MX"
            )
        return Published(record=asked.record, state=State.MISSING, reason="nobody can find the way to it")
    if hosts == [""]:
        reason = "it says that it takes no mail at all (null MX, RFC 7505 §3)"
        return Published(record=asked.record, state=State.WRONG, has=("0 .",), reason=reason)
    if asked.facts.hostname in hosts or await _leads_here(asked.resolver, hosts, asked.facts.addresses):
        return Published(record=asked.record, state=State.RIGHT, has=has)
    return Published(record=asked.record, state=State.WRONG, has=has, reason="mail for it goes to other hosts")


async def _leads_here(resolver: Resolver, hosts: Sequence[str], own: Sequence[str]) -> bool:
    answers = await asyncio.gather(*(resolver.addresses(host) for host in hosts[:_MOST_EXCHANGERS]))
    return any(set(own) & set(answer.addresses) for answer in answers)


# ---- what proves --------------------------------------------------------------------------------------------------


async def _spf(asked: Question) -> Published:
    answer = await asked.resolver.records(asked.record.name, "TXT")
    texts = tuple(text for text in answer.texts if is_spf(text))
    if not texts:
        return _missing(asked.record, RecordsAnswer(finding=answer.finding, detail=answer.detail))
    if len(texts) > 1:
        reason = f"there are {len(texts)} SPF records, which counts as none (RFC 7208 §4.5)"
        return Published(record=asked.record, state=State.WRONG, has=texts, reason=reason, is_broken=True)
    review = await review_spf(asked.resolver, asked.record.name, texts[0], asked.facts.sending)
    if review.problems:
        reason = "; ".join(review.problems[:3])
        return Published(record=asked.record, state=State.WRONG, has=texts, reason=reason, is_broken=True)
    shut_out = [address for address, result in review.results.items() if result != "pass"]
    if shut_out:
        reason = f"it does not allow {', '.join(shut_out)} ({review.results[shut_out[0]]}), from which we send"
        return Published(record=asked.record, state=State.WRONG, has=texts, reason=reason)
    known = f"{review.lookups} of 10 lookups" if asked.facts.sending else "our sending addresses are not known"
    return Published(record=asked.record, state=State.RIGHT, has=texts, reason=known)


def tags(text: str) -> dict[str, str]:
    """Return the tags of a record of the form ``v=...; name=value`` (RFC 6376 §3.2), the first of each name."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        match = _TAG.fullmatch(part)
        if match:
            found.setdefault(match[1].lower(), match[2])
    return found


def _versioned(answer: RecordsAnswer, version: str) -> list[str]:
    return [text for text in answer.texts if text.replace(" ", "").lower().startswith(version.lower())]


async def _dmarc(asked: Question) -> Published:
    answer = await asked.resolver.records(asked.record.name, "TXT")
    texts = _versioned(answer, "v=dmarc1")
    if not texts and answer.finding is not Finding.UNAVAILABLE:
        return await _dmarc_of_parents(asked.resolver, asked.record, asked.domain, answer)
    if not texts:
        return _missing(asked.record, answer)
    if len(texts) > 1:
        reason = f"there are {len(texts)} DMARC records, which counts as none (RFC 7489 §6.6.3)"
        return Published(record=asked.record, state=State.WRONG, has=tuple(texts), reason=reason)
    policy = tags(texts[0]).get("p", "").lower()
    if policy not in {"none", "quarantine", "reject"}:
        reason = f"its policy p={policy} is none of none, quarantine, reject" if policy else "it names no policy (p=)"
        return Published(record=asked.record, state=State.WRONG, has=tuple(texts), reason=reason)
    return Published(record=asked.record, state=State.RIGHT, has=tuple(texts), reason=f"policy {policy}")


async def _dmarc_of_parents(resolver: Resolver, record: DnsRecord, domain: str, own: RecordsAnswer) -> Published:
    labels = domain.split(".")
    for start in range(1, min(len(labels) - 1, _MOST_PARENTS)):
        parent = ".".join(labels[start:])
        texts = _versioned(await resolver.records(f"_dmarc.{parent}", "TXT"), "v=dmarc1")
        if texts:
            return Published(record=record, state=State.RIGHT, has=tuple(texts), reason=f"the one of {parent} holds")
    return _missing(record, RecordsAnswer(finding=own.finding, texts=own.texts, detail=own.detail))


async def _tls_reports(asked: Question) -> Published:
    answer = await asked.resolver.records(asked.record.name, "TXT")
    texts = tuple(_versioned(answer, "v=tlsrptv1"))
    if not texts:
        return _missing(asked.record, answer)
    addressees = tags(texts[0]).get("rua", "")
    if len(texts) == 1 and addressees.startswith(("mailto:", "https:")):
        return Published(record=asked.record, state=State.RIGHT, has=texts)
    reason = "there are several" if len(texts) > 1 else "it names nobody to report to (rua=)"
    return Published(record=asked.record, state=State.WRONG, has=texts, reason=reason)


async def _dane(asked: Question) -> Published:
    answer = await asked.resolver.records(asked.record.name, "TLSA")
    if answer.finding is not Finding.FOUND:
        return _missing(asked.record, answer)
    found = {_tlsa_plain(text) for text in answer.texts}
    if found & set(asked.facts.tlsa_accepted):
        word = "" if answer.validated else "but DNSSEC does not prove it, so it is of no use"
        return Published(record=asked.record, state=State.RIGHT, has=answer.texts, reason=word)
    return Published(
        record=asked.record,
        state=State.WRONG,
        has=answer.texts,
        reason="no record is of our certificate" + (": senders that use DANE stop" if answer.validated else ""),
        is_broken=answer.validated,
    )


def _tlsa_plain(text: str) -> str:
    """Return TLSA data in one form: zone files may break the digest with spaces."""
    words = text.lower().split()
    return " ".join([*words[:3], "".join(words[3:])])


# ---- what mail programs look for ----------------------------------------------------------------------------------


async def _service(asked: Question) -> Published:
    answer = await asked.resolver.records(asked.record.name, "SRV")
    if answer.finding is not Finding.FOUND:
        return _missing(asked.record, answer)
    port = asked.record.value.split()[2]
    for text in answer.texts:
        words = text.split()
        if len(words) == 4 and words[2] == port and await _is_us(asked.resolver, asked.facts, words[3]):
            return Published(record=asked.record, state=State.RIGHT, has=answer.texts)
    return Published(
        record=asked.record, state=State.WRONG, has=answer.texts, reason=f"it does not lead to our port {port}"
    )


async def _web_name(asked: Question) -> Published:
    answer = await asked.resolver.addresses(asked.record.name)
    if answer.finding is not Finding.FOUND:
        return _missing(asked.record, RecordsAnswer(finding=answer.finding, detail=answer.detail))
    is_right = bool(set(answer.addresses) & set(asked.facts.addresses))
    reason = "" if is_right else "it leads to another host"
    state = State.RIGHT if is_right else State.WRONG
    return Published(record=asked.record, state=state, has=answer.addresses, reason=reason)


async def _is_us(resolver: Resolver, facts: DnsFacts, host: str) -> bool:
    name = host.rstrip(".").lower()
    return bool(name) and (name == facts.hostname or await _leads_here(resolver, [name], facts.addresses))


async def _authorities(asked: Question) -> Published:
    """CAA of the name or of the nearest parent that has any (RFC 8659 §3)."""
    labels = asked.record.name.split(".")
    answer = RecordsAnswer(finding=Finding.NO_DATA)
    for start in range(len(labels)):
        answer = await asked.resolver.records(".".join(labels[start:]), "CAA")
        if answer.finding in {Finding.FOUND, Finding.UNAVAILABLE}:
            break
    if answer.finding is not Finding.FOUND:
        return _missing(asked.record, answer, "every authority may issue certificates for it")
    issuers = [text for text in answer.texts if " issue " in f" {text} "]
    wanted = asked.record.value.rpartition(" ")[2].strip('"').lower()
    if not issuers or any(wanted in text.lower() for text in issuers):
        return Published(record=asked.record, state=State.RIGHT, has=answer.texts)
    reason = f"the authority of our certificate, {wanted}, is not among them: it cannot be renewed"
    return Published(record=asked.record, state=State.WRONG, has=answer.texts, reason=reason)


JUDGES: Final[dict[str, Judge]] = {
    "dns.ptr": _reverse,
    "dns.mx": _exchangers,
    "dns.spf": _spf,
    "dns.dmarc": _dmarc,
    "dns.tls_rpt": _tls_reports,
    "dns.dane": _dane,
    "dns.services": _service,
    "dns.autoconfig": _web_name,
    "dns.caa": _authorities,
}
