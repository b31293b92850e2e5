"""How an LDAP source is written down, and what an Active Directory changes of the defaults.

Templates hold ``{login}`` (as typed), ``{address}``, ``{local}`` and ``{domain}``; what is put in is always escaped.
Tests: ``tests/unit/services/identity/sources/test_source_fields.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from posthouse.core.errors import SyntaxFault
from posthouse.protocols.ldap.filters import fill_filter, parse_filter
from posthouse.protocols.ldap.names import fill_name, parse_name
from posthouse.services.identity.sources.fields import (
    ldap_addresses,
    number,
    one_of,
    option,
    span,
    text,
    words,
    yes_or_no,
)

_EXAMPLE = {"login": "a@b.example", "address": "a@b.example", "local": "a", "domain": "b.example"}


def _filter(value: str) -> str:
    if not value:
        return value
    try:
        parse_filter(fill_filter(value, {**_EXAMPLE, "dn": "uid=a"}))
    except SyntaxFault as fault:
        raise ValueError(
            f"a search filter with {{login}}, {{address}}, {{local}}, {{domain}}: {fault.detail}"
        ) from None
    return value


def _name(value: str) -> str:
    try:
        parse_name(value)
    except SyntaxFault as fault:
        raise ValueError(f"a distinguished name: {fault.detail}") from None
    return value


def _bind_name(value: str) -> str:
    try:
        filled = fill_name(value, _EXAMPLE)
    except SyntaxFault as fault:
        raise ValueError(f"a name with {{login}}, {{address}}, {{local}}, {{domain}}: {fault.detail}") from None
    if value and filled == value:
        raise ValueError("a name that holds {login}, {address} or {local}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapConfig:
    """The fields of an LDAP source; fields left empty take what suits ``flavour``."""

    servers: tuple[str, ...] = option(
        ldap_addresses, "The servers, as URLs divided by commas, asked in this order: `ldaps://dc1.example.org`."
    )
    flavour: str = option(
        one_of("ldap", "active-directory"),
        "`active-directory` searches by `userPrincipalName`, `mail` and `sAMAccountName`, knows people by "
        "`objectGUID`, sees who is shut out, and follows nested groups. `ldap` suits OpenLDAP and its like.",
        "ldap",
    )
    tls: str = option(
        one_of("starttls", "off"),
        "For `ldap://` servers: `starttls`, or `off` for a server on this machine. Certificates are always verified.",
        "starttls",
    )
    ca_file: str = option(text, "A PEM file of the authorities that may sign the servers' certificates.", "")
    base: str = option(_name, "The name below which people are searched: `ou=people,dc=example,dc=org`.", "")
    bind_dn: str = option(text, "Whom to be when searching; empty searches without a name.", "")
    bind_password: str = option(text, "The password of `bind_dn`.", "", secret=True)
    bind_template: str = option(
        _bind_name,
        "Bind directly as this name, such as `uid={local},ou=people,dc=example,dc=org` or `{address}`, without a "
        "search before. The person's own entry is then read with his own rights.",
        "",
    )
    filter: str = option(_filter, "Which entry is a person's: `(&(objectClass=inetOrgPerson)(mail={address}))`.", "")
    people_filter: str = option(_filter, "Which entries are people, for synchronising.", "")
    required_group: str = option(_name, "Only members of the group of this name may sign in.", "")
    group_base: str = option(_name, "The name below which groups are searched; empty: `base`.", "")
    group_filter: str = option(
        _filter, "Which groups somebody is in; `{dn}` is his entry's name: `(member={dn})`. Empty: `memberOf`.", ""
    )
    groups_filter: str = option(_filter, "Which entries are groups, for synchronising.", "")
    nested_groups: bool = option(yes_or_no, "Whether members of a group within a group count as members.", "yes")
    address_attribute: str = option(text, "Holds the address.", "mail")
    address_template: str = option(
        text,
        "The address of an entry that has none: `{local}` at `{domain}` of the login. Empty: it has no account.",
        "{local}@{domain}",
    )
    name_attribute: str = option(text, "Holds the name to show.", "")
    id_attribute: str = option(text, "Holds what stays the same when somebody is renamed.", "")
    quota_attribute: str = option(text, "Holds the quota in octets.", "")
    attributes: tuple[str, ...] = option(words, "Further attributes to hand over, divided by commas.", "")
    connections: int = option(number(1, 64), "How many connections each worker has at most for each purpose.", "4")
    timeout: float = option(span(0.2, 60), "How long one step may take: connecting, a bind, a search.", "5s")
    page_size: int = option(number(10, 5000), "How many entries are asked for at once when synchronising.", "500")

    @property
    def is_active_directory(self) -> bool:
        """Whether the servers are Active Directory's."""
        return self.flavour == "active-directory"

    @property
    def person_filter(self) -> str:
        """The filter for one person, as a template."""
        if self.filter:
            return self.filter
        if self.is_active_directory:
            either = "(userPrincipalName={address})(mail={address})(sAMAccountName={local})"
            return f"(&(objectCategory=person)(objectClass=user)(|{either}))"
        return "(&(objectClass=person)(|(mail={address})(uid={local})))"

    @property
    def find_filter(self) -> str:
        """The filter for the holder of an address, as a template."""
        return f"(&{self.all_people_filter}({self.address_attribute}={{address}}))"

    @property
    def all_people_filter(self) -> str:
        """The filter for all people."""
        if self.people_filter:
            return self.people_filter
        if self.is_active_directory:
            return f"(&(objectCategory=person)(objectClass=user)({self.address_attribute}=*))"
        return f"(&(objectClass=person)({self.address_attribute}=*))"

    @property
    def all_groups_filter(self) -> str:
        """The filter for all groups."""
        if self.groups_filter:
            return self.groups_filter
        return (
            "(objectClass=group)"
            if self.is_active_directory
            else "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))"
        )

    @property
    def id_name(self) -> str:
        """The attribute that stays the same."""
        return self.id_attribute or ("objectGUID" if self.is_active_directory else "entryUUID")

    @property
    def shown_name(self) -> str:
        """The attribute of the name to show."""
        return self.name_attribute or ("displayName" if self.is_active_directory else "cn")

    @property
    def wanted(self) -> tuple[str, ...]:
        """The attributes that are asked for with a person."""
        names = [self.address_attribute, self.shown_name, "givenName", "sn", "memberOf", self.id_name]
        names += [self.quota_attribute] if self.quota_attribute else []
        names += ["userAccountControl", "userPrincipalName"] if self.is_active_directory else []
        return tuple(dict.fromkeys([*names, *self.attributes]))
