"""``dns.*`` of each domain: every record that ``records_for`` wants, beside what is published.

How bad it is stands in one table. Tests: ``tests/unit/services/administration/diagnosis/test_check_dns.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from posthouse.core.address import domain_to_ascii
from posthouse.services.administration.diagnosis.check import Check, Look, Need
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, notice, ok, warning
from posthouse.services.administration.diagnosis.policy import Policy, PolicyFault, parse_policy
from posthouse.services.administration.diagnosis.published import Published, State, published
from posthouse.services.administration.diagnosis.records import records_for

_NEEDS: Final = frozenset({Need.STORE, Need.NAMES})
_PUBLISH: Final = "Publish the record below."
Make = Callable[..., Finding]
# check -> how bad it is where the record is missing, and where it is wrong; broken records are errors.
_SEVERITY: Final[dict[str, tuple[Make, Make]]] = {
    "dns.mx": (warning, warning),
    "dns.spf": (warning, warning),
    "dns.dkim": (warning, warning),
    "dns.dmarc": (warning, warning),
    "dns.tls_rpt": (notice, warning),
    "dns.dane": (notice, warning),
    "dns.services": (notice, warning),
    "dns.autoconfig": (notice, warning),
    "dns.caa": (notice, warning),
}
_REMEDIES: Final = {
    "dns.mx": "If no gateway of yours is meant, publish the record below.",
    "dns.dane": "Publish the record below, if the zone has DNSSEC; do so before the certificate is replaced.",
    "dns.autoconfig": "Publish the records below, unless another host answers for them.",
}


def _look(name: str) -> Look:
    async def look(examination: Examination, domain: str) -> Sequence[Finding]:
        ascii_name, facts = domain_to_ascii(domain), await examination.dns_facts()
        records = [record for record in records_for(domain, facts) if record.check == name]
        resolver = examination.parts.resolver
        found = [await published(resolver, facts, record, ascii_name) for record in records]
        return [_finding(each) for each in found] or [ok("this server offers nothing of the kind")]

    return look


def _finding(found: Published) -> Finding:
    record = found.record
    evidence = "; ".join(found.has) or f"no {record.type} record at {record.name}"
    if found.state is State.UNKNOWN:
        return notice(f"{record.type} of {record.name} could not be looked up", found.reason, "Try again later.")
    if found.state is State.RIGHT:
        reason = f" ({found.reason})" if found.reason else ""
        return ok(f"{record.type} of {record.name} is right{reason}", evidence)
    for_missing, for_wrong = _SEVERITY[record.check]
    make = error if found.is_broken else for_missing if found.state is State.MISSING else for_wrong
    what = f"{record.type} of {record.name}: {found.reason}"
    return make(what, evidence, _REMEDIES.get(record.check, _PUBLISH), records=(record,))


async def _dkim(examination: Examination, domain: str) -> Sequence[Finding]:
    facts = await examination.dns_facts()
    if not facts.dkim:
        return [notice("mail is not signed yet", "there are no DKIM keys", "Nothing can be published before.")]
    return await _look("dns.dkim")(examination, domain)


async def _caa(examination: Examination, domain: str) -> Sequence[Finding]:
    facts = await examination.dns_facts()
    if any(record.check == "dns.caa" for record in records_for(domain, facts)):
        return await _look("dns.caa")(examination, domain)
    name = domain_to_ascii(domain)
    answer = await examination.parts.resolver.records(name, "CAA")
    if answer.texts:
        return [ok(f"CAA of {name} names who may issue certificates", "; ".join(answer.texts))]
    remedy = "With a certificate of an authority that is known here, the record to publish is shown."
    return [notice("every authority may issue certificates for it", f"no CAA record at {name}", remedy)]


async def _mta_sts(examination: Examination, domain: str) -> Sequence[Finding]:
    """MTA-STS is an announcement and a policy; the two have to agree with each other and with us."""
    name, facts = domain_to_ascii(domain), await examination.dns_facts()
    answer = await examination.parts.resolver.records(f"_mta-sts.{name}", "TXT")
    texts = [text for text in answer.texts if text.lower().startswith("v=stsv1")]
    wanted = tuple(record for record in records_for(domain, facts) if record.check == "dns.mta_sts")
    if not texts:
        evidence = f"no TXT record at _mta-sts.{name}"
        return [notice("no MTA-STS: others cannot know that they must use TLS", evidence, "", records=wanted)]
    if len(texts) > 1:
        what = f"there are {len(texts)} MTA-STS records, which counts as none (RFC 8461 §3.1)"
        return [warning(what, "; ".join(texts), "Leave one of them.", records=wanted)]
    try:
        policy = parse_policy(await examination.parts.policy(name))
    except PolicyFault as fault:
        remedy = f"Serve the policy at https://mta-sts.{name}/.well-known/mta-sts.txt, or take the record out."
        return [warning("MTA-STS is announced, and its policy cannot be used", str(fault), remedy)]
    return [_policy_finding(policy, facts.hostname)]


def _policy_finding(policy: Policy, hostname: str) -> Finding:
    evidence = f"mode {policy.mode}, mx {', '.join(policy.mx)}, max_age {policy.max_age}"
    if policy.mode == "none" or policy.allows(hostname):
        return ok("the MTA-STS policy allows us", evidence)
    remedy = f"Add the line `mx: {hostname}` to the policy, and change the id of the record."
    make = error if policy.mode == "enforce" else warning
    return make(f"the MTA-STS policy does not allow {hostname}: mail for it stops", evidence, remedy)


def _domain_check(name: str, title: str, explanation: str, remedy: str, look: Look | None = None) -> Check:
    return Check(
        id=name,
        title=title,
        explanation=explanation,
        remedy=remedy,
        look=look or _look(name),
        needs=_NEEDS,
        per_domain=True,
    )


CHECKS = (
    _domain_check(
        "dns.mx",
        "MX",
        "Mail for the domain goes where its MX records say: to our host name, or to a gateway in front of it.",
        "Publish the MX record.",
    ),
    _domain_check(
        "dns.spf",
        "SPF",
        "The SPF record says which hosts may send with the domain. There has to be exactly one, it has to allow our "
        "addresses, and a receiver must not need more than ten lookups for it (RFC 7208 §4.6.4).",
        "Publish the TXT record, or add our addresses to the one there is.",
    ),
    _domain_check(
        "dns.dkim",
        "DKIM",
        "The key with which mail of the domain is signed stands in the DNS, under the selector of the signature.",
        "Publish the TXT record of the selector.",
        _dkim,
    ),
    _domain_check(
        "dns.dmarc",
        "DMARC",
        "Says what others do with mail of the domain that neither SPF nor DKIM proves, and where they report. Large "
        "receivers ask for it. The record of a parent domain holds as well.",
        "Publish the TXT record; begin with p=none.",
    ),
    _domain_check(
        "dns.mta_sts",
        "MTA-STS",
        "A policy over HTTPS that tells others to use TLS to our exchangers. Where it is announced it has to be there "
        "and to name our host, or mail stops.",
        "Serve the policy and announce it, or take the announcement out.",
        _mta_sts,
    ),
    _domain_check(
        "dns.tls_rpt",
        "TLS reports",
        "Names where others report that TLS to us fails (RFC 8460 §3).",
        "Publish the TXT record.",
    ),
    _domain_check(
        "dns.dane",
        "DANE",
        "TLSA records name our key to senders that use DANE. They need DNSSEC, and have to be renewed before the "
        "key: a record that does not match stops mail.",
        "Publish the TLSA record in a zone with DNSSEC, or remove it.",
    ),
    _domain_check(
        "dns.services",
        "SRV of mail services",
        "Mail programs find submission, IMAP and POP3 by SRV records (RFC 6186 §3, RFC 8314 §5.1).",
        "Publish the SRV records.",
    ),
    _domain_check(
        "dns.autoconfig",
        "autoconfig and autodiscover",
        "Mail programs ask the hosts autoconfig and autodiscover of the domain how to set themselves up.",
        "Publish the CNAME records, where this server answers for them.",
    ),
    _domain_check(
        "dns.caa",
        "CAA",
        "Names the authorities that may issue certificates for the domain. Where there are such records, the one "
        "that issued ours has to be among them.",
        "Publish the CAA record.",
        _caa,
    ),
)
