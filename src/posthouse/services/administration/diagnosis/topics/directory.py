"""``directory.*``: domains, accounts, aliases and groups that do not fit together.

Bounded: of accounts, aliases and groups a run reads the first ``MOST_ROWS`` and says where there are more;
`posthouse check --domain NAME` reads those of one domain.
Tests: ``tests/unit/services/administration/diagnosis/test_check_directory.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, TypeVar

from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Examination
from posthouse.services.administration.diagnosis.findings import Finding, error, notice, ok, warning
from posthouse.services.administration.diagnosis.leads import Leads
from posthouse.services.administration.diagnosis.relay_safety import is_this_machine
from posthouse.services.identity.schemes import is_weak, scheme_of
from posthouse.store.directory_rows import AccountRow, AliasRow, DomainRow, GroupRow
from posthouse.store.directory_values import AccountKind, AccountState, AliasKind, Level

MOST_ROWS: Final = 50_000
MOST_TOLD: Final = 20  # findings of one kind; more are counted
_PAGE: Final = 1000
_STORE: Final = frozenset({Need.STORE})
R = TypeVar("R", AccountRow, AliasRow, GroupRow)


async def _rows(read: Callable[..., Awaitable[list[R]]], domain: str) -> AsyncIterator[R]:
    """Yield the rows of a domain, or of all, up to ``MOST_ROWS``."""
    after, count = "", 0
    while count < MOST_ROWS:
        rows = await read(domain=domain or None, after=after, limit=_PAGE)
        for row in rows:
            yield row
        if len(rows) < _PAGE:
            return
        after, count = rows[-1].address, count + len(rows)


def _some(found: list[Finding], well: str) -> list[Finding]:
    """Return the first findings with a count of the rest, or that all is well."""
    if not found:
        return [ok(well)]
    rest = len(found) - MOST_TOLD
    return [*found[:MOST_TOLD], *([notice(f"{rest} more like these")] if rest > 0 else [])]


async def _domains(examination: Examination, _: str) -> Sequence[Finding]:
    rows = await examination.domains()
    if not rows:
        return [error("no domain: no mail is accepted", "", "posthouse domain add example.org")]
    own = [row for row in rows if not row.alias_of]
    return [ok(f"{len(own)} domain{'' if len(own) == 1 else 's'}", f"{len(rows) - len(own)} alias domains")]


async def _administrators(examination: Examination, _: str) -> Sequence[Finding]:
    able = [row for row in await examination.store.accounts(level=Level.SERVER, limit=_PAGE) if not row.disabled]
    if not able:
        return [
            error(
                "no administrator: mail for postmaster is refused",
                "RFC 5321 §4.5.1 wants every domain to take it",
                "posthouse account set ADDRESS --admin",
            )
        ]
    if not any(row.password_hash or row.source for row in able):
        addresses = ", ".join(row.address for row in able[:5])
        return [warning("no administrator has a password", addresses, "posthouse account set ADDRESS --password")]
    return [ok(f"postmaster goes to {able[0].address} where no other is named")]


async def _disabled_domains(examination: Examination, _: str) -> Sequence[Finding]:
    found = [
        notice(
            f"is disabled and has {row.accounts} account{'' if row.accounts == 1 else 's'}",
            "mail for it is refused",
            f"posthouse domain set {row.name} --enabled, unless that is meant",
            subject=row.name,
        )
        for row in await _chosen(examination)
        if row.disabled and row.accounts
    ]
    return _some(found, "no domain with accounts is disabled")


async def _chosen(examination: Examination) -> list[DomainRow]:
    only = examination.selection.domain
    return [row for row in await examination.domains() if not only or row.name == only]


async def _aliases(examination: Examination, _: str) -> Sequence[Finding]:
    leads, found = Leads(examination.store), []
    async for row in _rows(examination.store.aliases, examination.selection.domain):
        if row.disabled or row.kind is not AliasKind.FORWARD:
            continue
        fault = await leads.fault_of(row.address)
        if fault:
            remedy = f"posthouse alias set {row.address} ADDRESS, or posthouse alias remove {row.address}"
            found.append(warning(fault, f"leads to {', '.join(row.targets[:5])}", remedy, subject=row.address))
    return _some(found, "every alias leads somewhere")


async def _groups(examination: Examination, _: str) -> Sequence[Finding]:
    leads, found = Leads(examination.store), []
    async for row in _rows(examination.store.groups, examination.selection.domain):
        if row.disabled:
            continue
        remedy = f"posthouse group add-member {row.address} ADDRESS, or posthouse group remove {row.address}"
        fault = "has no member: mail for it is lost sight of" if not row.members else await leads.fault_of(row.address)
        if fault:
            found.append(warning(fault, f"{row.members} members", remedy, subject=row.address))
    return _some(found, "every group has members")


async def _catch_alls(examination: Examination, _: str) -> Sequence[Finding]:
    leads, found = Leads(examination.store), []
    for row in await _chosen(examination):
        if not row.catch_all or row.disabled:
            continue
        fault = await leads.fault_of(row.catch_all, within_catch_all_of=row.name)
        if fault:
            remedy = f"posthouse domain set {row.name} --catch-all ADDRESS of an account"
            found.append(error(f"its catch-all {fault}", f"to {row.catch_all}", remedy, subject=row.name))
    return _some(found, "every catch-all leads somewhere")


async def _passwords(examination: Examination, _: str) -> Sequence[Finding]:
    found = []
    async for row in _rows(examination.store.accounts, examination.selection.domain):
        is_meant = row.kind is not AccountKind.PERSON or row.state is not AccountState.ACTIVE or row.source
        if not row.password_hash and not is_meant:
            remedy = f"posthouse account set {row.address} --password, unless nobody is to sign in"
            found.append(notice("has no password", "nobody can sign in as it", remedy, subject=row.address))
    return _some(found, "every account that signs in here has a password")


async def _schemes(examination: Examination, _: str) -> Sequence[Finding]:
    weak: dict[str, list[str]] = {}
    async for row in _rows(examination.store.accounts, examination.selection.domain):
        if row.password_hash and is_weak(row.password_hash):
            weak.setdefault(scheme_of(row.password_hash) or "a scheme nobody knows", []).append(row.address)
    remedy = "It is replaced when its owner signs in next; posthouse account set ADDRESS --password does so now."
    found = [
        warning(
            f"{len(addresses)} account{'' if len(addresses) == 1 else 's'} with a password kept as {name}",
            ", ".join(addresses[:5]),
            remedy,
        )
        for name, addresses in weak.items()
    ]
    return _some(found, "every password is kept by a scheme that withstands guessing")


async def _postmaster(examination: Examination, domain: str) -> Sequence[Finding]:
    row = await examination.store.domain(domain)
    if row is None or row.alias_of:
        return [ok("stands for another domain")]
    leads, found = Leads(examination.store), []
    able = await examination.once("administrators", lambda: examination.store.accounts(level=Level.SERVER, limit=1))
    named = {"postmaster": row.postmaster, "abuse": row.abuse}
    for name, target in named.items():
        address = f"{name}@{domain}"
        exists = bool(target) or await leads.exists(address) or bool(row.catch_all)
        fault = await leads.fault_of(target) if target else ""
        if fault:
            remedy = f"posthouse domain set {domain} --{name} ADDRESS"
            found.append(warning(f"{name} {fault}", f"to {target}", remedy, subject=domain))
        elif not exists and not (name == "postmaster" and able):
            rule = "RFC 5321 §4.5.1" if name == "postmaster" else "RFC 2142 §4"
            remedy = f"posthouse domain set {domain} --{name} ADDRESS"
            make = error if name == "postmaster" else notice
            found.append(make(f"has no {name} address", f"{rule} wants one", remedy, subject=domain))
    return found or [ok("has postmaster and abuse addresses")]


async def _routes(examination: Examination, _: str) -> Sequence[Finding]:
    configuration = examination.parts.configuration
    ours = {bind.port for listener in configuration.listeners if listener.protocol == "smtp" for bind in listener.bind}
    found: list[Finding] = []
    for row in await examination.routes():
        evidence = f"{row.domain} -> {row.host}:{row.port}"
        if row.port in ours and is_this_machine(row.host, configuration):
            remedy = f"posthouse route set '{row.domain}' --host HOST, or posthouse route remove '{row.domain}'"
            found.append(error("the route leads back to this server", evidence, remedy, subject=row.domain))
        domain = await examination.store.domain(row.domain)
        if domain is not None and not domain.disabled:
            remedy = f"posthouse route remove '{row.domain}', or the domain if mail is to go on"
            what = "the route is not used: it is a domain of ours"
            found.append(notice(what, evidence, remedy, subject=row.domain))
    return _some(found, "no route leads back here")


CHECKS = (
    Check(
        id="directory.domains",
        title="domains",
        explanation="Without a domain of ours no mail is accepted at all.",
        remedy="posthouse domain add NAME",
        look=_domains,
        needs=_STORE,
    ),
    Check(
        id="directory.administrators",
        title="administrators",
        explanation="Mail for postmaster goes to an administrator where a domain names nobody, and somebody has to be "
        "able to sign in to administer the server.",
        remedy="posthouse account set ADDRESS --admin",
        look=_administrators,
        needs=_STORE,
    ),
    Check(
        id="directory.disabled_domains",
        title="disabled domains with accounts",
        explanation="Mail for a disabled domain is refused, and nobody of it signs in.",
        remedy="posthouse domain set NAME --enabled, unless it is meant.",
        look=_disabled_domains,
        needs=_STORE,
        narrows=True,
    ),
    Check(
        id="directory.aliases",
        title="aliases that lead nowhere",
        explanation="An alias whose target does not exist, is disabled, or leads back to the alias itself takes mail "
        "that nobody gets, or refuses it.",
        remedy="posthouse alias set ADDRESS TARGET",
        look=_aliases,
        needs=_STORE,
        narrows=True,
    ),
    Check(
        id="directory.groups",
        title="empty groups",
        explanation="A group without members, or whose members do not exist, takes mail that nobody gets.",
        remedy="posthouse group add-member GROUP ADDRESS",
        look=_groups,
        needs=_STORE,
        narrows=True,
    ),
    Check(
        id="directory.catch_all",
        title="catch-alls",
        explanation="A catch-all whose target does not exist leads to itself; all mail for unknown addresses loops.",
        remedy="posthouse domain set NAME --catch-all ADDRESS",
        look=_catch_alls,
        needs=_STORE,
        narrows=True,
    ),
    Check(
        id="directory.passwords",
        title="accounts without a password",
        explanation="Nobody can sign in as an account without a password that no sign-in source vouches for.",
        remedy="posthouse account set ADDRESS --password",
        look=_passwords,
        needs=_STORE,
        narrows=True,
    ),
    Check(
        id="directory.schemes",
        title="weak password schemes",
        explanation="Passwords that came from another server may be kept by a scheme that a stolen database gives "
        "away. Each is replaced at the next sign-in.",
        remedy="Let those people sign in, or set new passwords.",
        look=_schemes,
        needs=_STORE,
        narrows=True,
    ),
    Check(
        id="directory.postmaster",
        title="postmaster and abuse",
        explanation="Every domain has to take mail for postmaster, and should take mail for abuse (RFC 2142 §4): that "
        "is where others write when something is wrong.",
        remedy="posthouse domain set NAME --postmaster ADDRESS --abuse ADDRESS",
        look=_postmaster,
        needs=_STORE,
        per_domain=True,
    ),
    Check(
        id="directory.routes",
        title="routes",
        explanation="A route whose next hop is this server makes mail go in circles.",
        remedy="posthouse route set DOMAIN --host HOST",
        look=_routes,
        needs=_STORE,
    ),
)
