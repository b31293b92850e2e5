"""Entries of a directory as persons and groups.

Active Directory's ``objectGUID`` is sixteen octets, the first three numbers of it little-endian; bit 2 of
``userAccountControl`` says that somebody is shut out.
Tests: ``tests/unit/services/identity/sources/test_ldap_source.py``.
"""

from __future__ import annotations

import uuid

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.ldap.names import parse_name
from posthouse.protocols.ldap.types import SearchEntry
from posthouse.services.identity.sources.contract import Login, SourceGroup, SourcePerson
from posthouse.services.identity.sources.ldap.config import LdapConfig

ACCOUNT_DISABLED = 0x2


def person_of(entry: SearchEntry, config: LdapConfig, groups: tuple[str, ...], login: Login | None) -> SourcePerson:
    """Return the person of an entry; his address is "" where neither the entry nor a template has one."""
    extra = {name: value for name in config.attributes if (value := entry.text(name))}
    if config.quota_attribute and (quota := entry.text(config.quota_attribute)):
        extra["quota"] = quota
    return SourcePerson(
        address=_address(entry, config, login),
        display_name=entry.text(config.shown_name),
        given_name=entry.text("givenName"),
        family_name=entry.text("sn"),
        groups=groups or tuple(group_name(_text(value)) for value in entry.values("memberOf")),
        external_id=_external_id(entry, config.id_name),
        attributes=extra,
        is_disabled=is_disabled(entry),
    )


def group_of(entry: SearchEntry, config: LdapConfig, members: tuple[str, ...]) -> SourceGroup:
    """Return the group of an entry."""
    name = entry.text("displayName") or entry.text("cn") or group_name(entry.dn)
    return SourceGroup(
        name=name,
        address=entry.text(config.address_attribute).lower(),
        members=members,
        external_id=_external_id(entry, config.id_name),
    )


def member_names(entry: SearchEntry) -> tuple[str, ...]:
    """Return the distinguished names of a group's members."""
    values = entry.values("member") or entry.values("uniqueMember")
    return tuple(text for value in values if (text := _text(value)))


def folded_name(dn: str) -> str:
    """Return a distinguished name in one form, to compare it; what cannot be read is compared as it stands."""
    try:
        return repr(parse_name(dn)).casefold()
    except SyntaxFault:
        return dn.casefold()


def group_name(dn: str) -> str:
    """Return the short name of a group: the first value of its distinguished name."""
    try:
        name = parse_name(dn)
    except SyntaxFault:
        return dn
    return name[0][0][1] if name else dn


def is_disabled(entry: SearchEntry) -> bool:
    """Whether Active Directory has somebody shut out."""
    control = entry.text("userAccountControl")
    return control.isascii() and control.isdigit() and bool(int(control[:10]) & ACCOUNT_DISABLED)


def _address(entry: SearchEntry, config: LdapConfig, login: Login | None) -> str:
    for value in entry.values(config.address_attribute):
        text = _text(value)
        # Active Directory's proxyAddresses mark the first of them in capitals
        kind, colon, rest = text.partition(":")
        if colon and kind.lower() == "smtp":
            text = rest
        if "@" in text and (not colon or kind == "SMTP" or len(entry.values(config.address_attribute)) == 1):
            return text.lower()
    if login is None or not config.address_template or not login.domain:
        return ""
    return config.address_template.replace("{local}", login.local_part).replace("{domain}", login.domain).lower()


def _external_id(entry: SearchEntry, name: str) -> str:
    values = entry.values(name)
    if not values:
        return ""
    if len(values[0]) == 16 and name.lower() == "objectguid":
        return str(uuid.UUID(bytes_le=values[0]))
    return _text(values[0]) or values[0].hex()


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return ""
