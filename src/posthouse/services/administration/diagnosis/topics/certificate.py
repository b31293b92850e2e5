"""``certificate.*``: whether the certificate can be used, is current and for our names, and is believed.

Tests: ``tests/unit/services/administration/diagnosis/test_certificates.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from posthouse.services.administration.diagnosis.certificates import CertificateFacts, covers
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, ok, warning

_DAY: Final = 86_400.0
EXPIRES_SOON: Final = 21 * _DAY  # a certificate that renews itself is renewed 30 days before its end
_SMALLEST: Final = {"RSA": 2048, "EC": 256}  # bits (RFC 9325 §4.5)
_NEEDS: Final = frozenset({Need.TLS})
_NAME_A_FILE: Final = "Name files of a certificate authority under [tls] in posthouse.toml."
_REPLACE: Final = "Put a new one in its place and send SIGHUP."


async def _usable(examination: Examination, _: str) -> Sequence[Finding]:
    facts = await examination.certificate()
    if facts.fault:
        return [error(facts.fault, facts.path, facts.remedy)]
    return [ok("the certificate and its key belong together", facts.path)]


async def _read(examination: Examination) -> CertificateFacts | None:
    """Return the certificate; None where ``certificate.usable`` has said that it cannot be used."""
    facts = await examination.certificate()
    return None if facts.fault else facts


_UNUSABLE: Final = ok("not looked at: the certificate cannot be used")


async def _expiry(examination: Examination, _: str) -> Sequence[Finding]:
    facts, now = await _read(examination), examination.parts.clock.now()
    if facts is None:
        return [_UNUSABLE]
    days = int((facts.expires - now) // _DAY)
    if facts.expires <= now:
        return [error(f"expired {-days} days ago", facts.path, _REPLACE)]
    if facts.begins > now:
        return [error("not valid yet", facts.path, f"{_REPLACE} Or the clock is wrong.")]
    if facts.expires - now < EXPIRES_SOON:
        return [warning(f"expires in {days} days", facts.path, _REPLACE)]
    return [ok(f"good for {days} days", facts.path)]


async def _names(examination: Examination, _: str) -> Sequence[Finding]:
    facts = await _read(examination)
    if facts is None:
        return [_UNUSABLE]
    evidence = "names: " + (", ".join((*facts.names, *facts.addresses)) or "none")
    missing = [host for host in await _hosts(examination) if not any(covers(name, host) for name in facts.names)]
    remedy = "Get one for that name too, or change `hostname` in posthouse.toml or the DNS."
    found = [
        warning(f"is not for {host}{'' if why == 'host' else f', {why}'}", evidence, remedy, subject=host)
        for host in missing
        for why in [(await _hosts(examination))[host]]
    ]
    return found or [ok("is for every name under which we are reached", evidence)]


async def _hosts(examination: Examination) -> dict[str, str]:
    """Return the names by which others reach us, with how they know them: host, exchangers and SRV targets of ours."""
    return await examination.once("names", lambda: _found_hosts(examination))


async def _found_hosts(examination: Examination) -> dict[str, str]:
    hosts = {examination.hostname: "host"}
    own = set(await examination.host_addresses())
    if not own or examination.parts.store is None:
        return hosts
    resolver = examination.parts.resolver
    domains = [row.name for row in await examination.domains() if not row.disabled and examination.is_asked(row.name)]
    for domain in domains[:50]:  # the names are much the same for all of them
        for host in (await resolver.mx(domain)).hosts[:10]:
            if host.exchange and host.exchange not in hosts:
                if own & set((await resolver.addresses(host.exchange)).addresses):
                    hosts[host.exchange] = f"the exchanger of {domain}"
    return hosts


async def _chain(examination: Examination, _: str) -> Sequence[Finding]:
    facts = await _read(examination)
    if facts is None:
        return [_UNUSABLE]
    if facts.self_signed:
        return [warning("self-signed: mail programs will ask whether to trust it", facts.path, _NAME_A_FILE)]
    if facts.chain_fault:
        remedy = "Append the certificates of the authority, in order, to the file (fullchain.pem), and send SIGHUP."
        return [warning("the chain is not complete", facts.chain_fault, remedy)]
    return [ok("the chain leads to an authority of this system", facts.issuer)]


async def _key(examination: Examination, _: str) -> Sequence[Finding]:
    facts = await _read(examination)
    if facts is None:
        return [_UNUSABLE]
    found: list[Finding] = []
    if facts.key_is_public:
        remedy = "chmod 600 the key, and replace it."
        found.append(error("the private key is readable for everyone", facts.path, remedy))
    if facts.key_size < _SMALLEST.get(facts.key_kind, 0):
        remedy = "Make a key with EC P-256, or RSA of 2048 bits or more, and get a certificate for it."
        found.append(warning("the key is too short", f"{facts.key_kind} {facts.key_size} bits", remedy))
    return found or [ok("the key is private and long enough", f"{facts.key_kind} {facts.key_size} bits")]


CHECKS = (
    Check(
        id="certificate.usable",
        title="certificate and key",
        explanation="Both files can be read and belong to each other; else no listener with TLS starts.",
        remedy="Put PEM files that belong together where [tls] in posthouse.toml names them.",
        look=_usable,
        needs=_NEEDS,
    ),
    Check(
        id="certificate.expiry",
        title="expiry",
        explanation="Mail programs refuse an expired certificate, and so do servers with DANE or MTA-STS.",
        remedy=_REPLACE,
        look=_expiry,
        needs=_NEEDS,
    ),
    Check(
        id="certificate.names",
        title="names",
        explanation="The certificate has to be for the host name, and for every exchanger's name that leads here.",
        remedy="Get a certificate for all of those names.",
        look=_names,
        needs=_NEEDS,
    ),
    Check(
        id="certificate.chain",
        title="chain",
        explanation="The file has to hold the certificates between ours and an authority that others know.",
        remedy="Append the certificates of the authority, in order, to the file.",
        look=_chain,
        needs=_NEEDS,
    ),
    Check(
        id="certificate.key",
        title="key",
        explanation="The private key is for the server's user alone, and long enough not to be reckoned out.",
        remedy="chmod 600 the key; make a new one where it is short.",
        look=_key,
        needs=_NEEDS,
    ),
)
