"""The one place that turns settings into limits: ceilings that the store keeps, and rules for one account's quota.

A limit set for a post office counts all its domains together; one set for a domain, or for the server and inherited
from there, counts one domain. So a domain never gets more than its own limit, and all of them never more than the
post office's. The server's own domains are in no post office and have no common limit.
Tests: ``tests/unit/services/administration/test_directory_limits.py``.
"""

from __future__ import annotations

from typing import Any, Final

from posthouse.config.definitions.address import EXTENSION_DELIMITER
from posthouse.config.definitions.limit import (
    ACCOUNT_QUOTA,
    ACCOUNTS,
    ALIASES,
    DOMAINS,
    GROUPS,
    NO_LIMIT,
    TOTAL_QUOTA,
)
from posthouse.config.setting import Setting, format_size
from posthouse.config.settings import Settings
from posthouse.core.ids import AccountId
from posthouse.services.administration.faults import Kind, Refused
from posthouse.store.directory_rows import DomainRow
from posthouse.store.directory_values import UNBOUNDED, Ceilings

NEW_ACCOUNT: Final = AccountId(0)  # of an account that the store has not numbered yet


def ceilings(settings: Settings, home: DomainRow) -> Ceilings:
    """Return how much a domain and its post office may hold."""
    domain, office = home.name, home.office
    held = Ceilings(
        domain_accounts=_of_domain(settings, ACCOUNTS, domain),
        domain_aliases=_of_domain(settings, ALIASES, domain),
        domain_groups=_of_domain(settings, GROUPS, domain),
        domain_quota=_of_domain(settings, TOTAL_QUOTA, domain, 0),
        office_domains=office_domains(settings, office),
        office_accounts=_of_office(settings, ACCOUNTS, office, NO_LIMIT),
        office_aliases=_of_office(settings, ALIASES, office, NO_LIMIT),
        office_groups=_of_office(settings, GROUPS, office, NO_LIMIT),
        office_quota=_of_office(settings, TOTAL_QUOTA, office, 0),
    )
    return UNBOUNDED if held == UNBOUNDED else held  # the store looks no further at that one


def office_domains(settings: Settings, office: str) -> int | None:
    """Return how many domains a post office may have; None for any number."""
    count = settings.get(DOMAINS, office=office) if office else NO_LIMIT
    return None if count == NO_LIMIT else count


def without_detail(settings: Settings, address: str) -> str:
    """Return an address without the detail of plus-addressing; "" where it has none."""
    local_part, _, domain = address.rpartition("@")
    delimiter = settings.get(EXTENSION_DELIMITER, domain=domain)
    cut = local_part.find(delimiter, 1) if delimiter else -1
    return f"{local_part[:cut]}@{domain}" if cut > 0 else ""


def check_quota(settings: Settings, home: DomainRow, quota: int) -> None:
    """Raise Refused: LIMIT, where an account may not have this quota. What is left in all is the store's to say."""
    most = settings.get(ACCOUNT_QUOTA, domain=home.name, office=home.office)
    if most and quota > most:
        raise Refused(
            f"quota: {format_size(quota)} is more than one account of {home.name} may have, {format_size(most)}",
            "Give less, or have limit.account_quota raised.",
            kind=Kind.LIMIT,
            field="quota",
        )
    if quota == 0 and (why := _why_needed(settings, home, most)):
        raise Refused(
            f"quota: an account of {home.name} needs one, because {why} is set",
            "Give a quota, or have account.quota set for the domain.",
            kind=Kind.LIMIT,
            field="quota",
        )


def _why_needed(settings: Settings, home: DomainRow, most: int) -> str:
    """Return the setting because of which an account cannot be without a quota; "" where it can."""
    if most:
        return ACCOUNT_QUOTA.name
    held = ceilings(settings, home)
    return TOTAL_QUOTA.name if held.domain_quota is not None or held.office_quota is not None else ""


def _of_domain(settings: Settings, setting: Setting[int], domain: str, unset: int = NO_LIMIT) -> int | None:
    """Return the limit of a domain; what was set for its post office is a limit of that, not of each domain."""
    if settings.explain(setting, domain=domain).source.startswith("office:"):
        return None
    count = settings.get(setting, domain=domain)
    return None if count == unset else count


def _of_office(settings: Settings, setting: Setting[Any], office: str, unset: int) -> int | None:
    """Return what was set for a post office itself; a value for the server is one for each domain."""
    if not office or settings.explain(setting, office=office).source != f"office:{office}":
        return None
    value = settings.get(setting, office=office)
    return None if value == unset else int(value)
