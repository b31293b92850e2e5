"""Records as the directory would take them: checked with the words that people's input is checked with, and folded.

Tests: ``tests/unit/services/administration/importing/test_import_plan.py``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.definitions.relay import NETWORKS
from posthouse.config.faults import SettingFault
from posthouse.services.administration import words
from posthouse.services.administration.diagnosis.relay_safety import review_networks
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing.records import (
    ImportedAccount,
    ImportedAddress,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    ImportedRoute,
    ImportedSetting,
    Thing,
)
from posthouse.store.directory_values import AliasKind

PASSWORD_LONGEST: Final = 1_024
NAME_LONGEST: Final = 255
DOMAINS_KEPT: Final = 100_000
# Local parts that are as they must be already: what own_address would return unchanged, told at once.
_PLAIN: Final = re.compile(r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*")
_TLS: Final = ("none", "may", "must")
_NO_TEXT: Final = "\ufffd"


class Checks:
    """Checks records; remembers domains that were found to be right."""

    def __init__(self) -> None:
        self._good: set[str] = set()

    def checked(self, thing: Thing) -> Thing:
        """Return a record as it may be written. Raises Refused: naming what is wrong."""
        match thing:
            case ImportedAccount():
                return self.account(thing)
            case ImportedAddress():
                return replace(thing, address=self.own(thing.address), account=self.own(thing.account))
            case ImportedAlias():
                return self._alias(thing)
            case ImportedGroup():
                return self._group(thing)
            case ImportedDomain():
                return self._domain(thing)
            case ImportedOffice():
                return replace(
                    thing, name=office_name(thing.name), title=_line(thing.title or thing.name, "title") or ""
                )
            case ImportedRoute():
                return _route(thing)
            case ImportedSetting():
                return _setting(thing)

    def own(self, text: str) -> str:
        """Return a folded address of ours. Raises Refused."""
        local, _, domain = text.rpartition("@")
        if domain in self._good and len(local) <= 64 and _PLAIN.fullmatch(local):
            return text
        address = words.own_address(_readable(text, "the address"))
        folded = address.rpartition("@")[2]
        if folded == domain and len(self._good) < DOMAINS_KEPT:
            self._good.add(domain)
        return address

    def account(self, account: ImportedAccount) -> ImportedAccount:
        """Return an account as it may be written. Raises Refused."""
        address = self.own(account.address)
        secret = account.password
        if secret is not None and (
            not 0 < len(secret) <= PASSWORD_LONGEST or b"\0" in secret or b"\n" in secret or b"\r" in secret
        ):
            raise Refused(f"the password is not one line of 1 to {PASSWORD_LONGEST} octets")
        if max(account.quota_bytes or 0, account.quota_messages or 0) > words.LARGEST:
            raise Refused("the quota is larger than can be counted")
        name = _line(account.name, "name")
        given = _line(account.given_name, "given_name")
        family = _line(account.family_name, "family_name")
        _line(account.external_id, "external_id")
        if address is account.address and (name, given, family) == (
            account.name,
            account.given_name,
            account.family_name,
        ):
            return account
        return replace(account, address=address, name=name, given_name=given, family_name=family)

    def _alias(self, alias: ImportedAlias) -> ImportedAlias:
        address = self.own(alias.address)
        targets = tuple(dict.fromkeys(self._target(target) for target in alias.targets))
        if not targets:
            raise Refused(f"the alias {address} has no target")
        if alias.kind is AliasKind.RELOCATED and len(targets) != 1:
            raise Refused(f"{address} moved to {len(targets)} addresses", "It is one.")
        return replace(alias, address=address, targets=targets)

    def _target(self, text: str) -> str:
        local, _, domain = text.rpartition("@")
        if domain in self._good and _PLAIN.fullmatch(local):
            return text
        return str(words.mail_address(_readable(text, "the target")))

    def _group(self, group: ImportedGroup) -> ImportedGroup:
        members = tuple(dict.fromkeys(self._target(member).lower() for member in group.members))
        listed = tuple(self._target(each).lower() if "@" in each else words.domain_name(each) for each in group.listed)
        return replace(
            group, address=self.own(group.address), name=_line(group.name, "name"), members=members, listed=listed
        )

    def _domain(self, domain: ImportedDomain) -> ImportedDomain:
        name = words.domain_name(_readable(domain.name, "the domain"))
        alias_of = words.domain_name(domain.alias_of) if domain.alias_of else ""
        if alias_of == name:
            raise Refused(f"{name} would be an alias of itself")
        return replace(
            domain,
            name=name,
            alias_of=alias_of,
            office=office_name(domain.office) if domain.office else "",
            catch_all=self._target(domain.catch_all) if domain.catch_all else "",
            postmaster=self._target(domain.postmaster) if domain.postmaster else "",
            abuse=self._target(domain.abuse) if domain.abuse else "",
        )


def office_name(text: str) -> str:
    """Return the short name of a post office: other systems allow blanks and capitals in it. Raises Refused."""
    return words.short_name(re.sub(r"[^a-z0-9._-]+", "-", text.strip().lower()).strip("-._")[:64])


def _line(text: str | None, what: str) -> str | None:
    return words.line(_readable(text.strip(), what), NAME_LONGEST, what) if text else text


def _readable(text: str, what: str) -> str:
    if _NO_TEXT in text:
        raise Refused(f"{what} {words.shown(text)} has octets that are no text", "Say which encoding the source has.")
    return text


def _route(route: ImportedRoute) -> ImportedRoute:
    bare = route.domain.strip()
    domain = bare if bare == "*" else ("." if bare.startswith(".") else "") + words.domain_name(bare.lstrip("."))
    if not 1 <= route.port <= 65535:
        raise Refused(f"the route for {domain}: {route.port} is not a port")
    if route.tls not in _TLS:
        raise Refused(f"the route for {domain}: {route.tls!r} is not a TLS policy")
    if route.recipients_local and domain == "*":
        raise Refused("a route for * with local recipients would make an open relay")
    return replace(route, domain=domain, host=words.host_name(route.host), login=_line(route.login, "login") or "")


def _setting(setting: ImportedSetting) -> ImportedSetting:
    definition = DEFINITIONS.get(setting.name)
    if definition is None:
        raise Refused(f"there is no setting {setting.name}")
    try:
        value = definition.format(definition.parse(setting.value))
    except SettingFault as fault:
        raise Refused(fault.detail, fault.remedy) from None
    if definition is NETWORKS and (wide := review_networks(NETWORKS.parse(value)).open):
        raise Refused(f"{setting.name}: {', '.join(wide)} would make this an open relay")
    return replace(setting, value=value)
