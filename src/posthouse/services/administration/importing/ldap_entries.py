"""People and groups of an LDAP directory or Active Directory, as entries from an LDIF file or a client (DI-11).

``proxyAddresses`` has the first address as ``SMTP:`` and further ones as ``smtp:``; members of groups are names of
entries, so the entries are gone through three times: groups, people (those who are members are remembered), groups.

Tests: ``tests/unit/services/administration/importing/test_import_ldap.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from posthouse.services.administration import words
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing import schemes
from posthouse.services.administration.importing.ldif import Entry
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAddress,
    ImportedDomain,
    ImportedGroup,
    Record,
    Unmapped,
)
from posthouse.services.administration.importing.source import Unreadable
from posthouse.store.directory_values import AccountState

MEMBERS_MAX: Final = 5_000_000
_ACCOUNT_DISABLE: Final = 2  # ADS_UF_ACCOUNTDISABLE of userAccountControl
_GROUPS: Final = frozenset({"group", "groupofnames", "groupofuniquenames", "posixgroup", "groupofmembers"})
_NOT_PEOPLE: Final = frozenset({"computer", "organizationalunit", "domain", "container", "dnszone", "printqueue"})
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapMapping:
    """Which attribute holds what; names in any case.

    Attributes:
        domain: put behind uid or sAMAccountName where an entry has no address; "" leaves such entries out.
        quota_unit: what a quota without unit counts: "" octets, ``k``, ``m``, ``g``.
        source: the name of the sign-in source that these people belong to; "" where passwords are ours from now on.
    """

    mail: tuple[str, ...] = ("mail",)
    proxies: tuple[str, ...] = ("proxyAddresses",)
    further: tuple[str, ...] = ("mailAlternateAddress", "mailAlias", "gosaMailAlternateAddress")
    name: tuple[str, ...] = ("displayName", "cn")
    given_name: tuple[str, ...] = ("givenName",)
    family_name: tuple[str, ...] = ("sn",)
    quota: tuple[str, ...] = ("mailQuota", "quota")
    password: tuple[str, ...] = ("userPassword",)
    id: tuple[str, ...] = ("entryUUID", "objectGUID", "uid", "sAMAccountName")
    member: tuple[str, ...] = ("member", "uniqueMember")
    domain: str = ""
    quota_unit: str = ""
    source: str = ""


Entries = Callable[[], Iterable[Entry]]


def read_ldap(entries: Entries, mapping: LdapMapping | None = None) -> Iterator[Record]:
    """Yield the records of a directory; ``entries`` begins anew each time it is called. Raises Unreadable."""
    reader = _Reader(mapping or LdapMapping())
    for entry in entries():
        reader.note_group(entry)
    for entry in entries():
        try:
            yield from reader.person(entry)
        except Refused as fault:
            yield Flawed(where=entry.where, why=f"{entry.dn}: {fault.detail}")
    if reader.has_groups:
        for entry in entries():
            yield from reader.group(entry)


class _Reader:
    def __init__(self, mapping: LdapMapping) -> None:
        self._mapping = mapping
        self._wanted: dict[str, str] = {}  # dn, folded -> address, of entries that are members of groups
        self._domains: set[str] = set()
        self.has_groups = False

    def note_group(self, entry: Entry) -> None:
        """Remember whom a group names."""
        if not _is_group(entry):
            return
        self.has_groups = True
        for name in self._mapping.member:
            for member in entry.texts(name):
                self._wanted.setdefault(_folded_dn(member), "")
        if len(self._wanted) > MEMBERS_MAX:
            raise Unreadable(entry.where, f"the groups have more than {MEMBERS_MAX} members")

    def person(self, entry: Entry) -> Iterator[Record]:
        """Yield the account of an entry, if it is one's."""
        first, further = self._addresses(entry)
        folded = _folded_dn(entry.dn)
        if first and folded in self._wanted:
            self._wanted[folded] = first
        if _is_group(entry) or not first or _classes(entry) & _NOT_PEOPLE:
            return
        yield from self._domain(first, entry.where)
        yield from self._account(entry, first)
        for address in further:
            yield from self._domain(address, entry.where)
            yield ImportedAddress(where=entry.where, address=address, account=first)

    def group(self, entry: Entry) -> Iterator[Record]:
        """Yield a group that has an address, with its members."""
        if not _is_group(entry):
            return
        first, further = self._addresses(entry)
        if not first:
            yield Unmapped(what=f"the group {entry.dn}", where=entry.where, why="it has no mail address")
            return
        yield from self._domain(first, entry.where)
        members = []
        for name in self._mapping.member:
            for member in entry.texts(name):
                address = self._wanted.get(_folded_dn(member), "")
                if address:
                    members.append(address)
                else:
                    why = "no entry of that name has an address here"
                    yield Unmapped(what=f"{member} as a member of {first}", where=entry.where, why=why)
        members += [address for address in entry.texts("rfc822MailMember") if _ADDRESS.fullmatch(address)]
        name_text = entry.text(*self._mapping.name) or None
        yield ImportedGroup(where=entry.where, address=first, name=name_text, members=tuple(members))
        for address in further:
            why = "a group has one address: make it an alias"
            yield Unmapped(what=f"{address} as a further address of {first}", where=entry.where, why=why)

    def _domain(self, address: str, where: str) -> Iterator[Record]:
        domain = address.rpartition("@")[2].lower()
        if domain not in self._domains:
            self._domains.add(domain)
            yield ImportedDomain(where=where, name=domain, implied=True)

    def _addresses(self, entry: Entry) -> tuple[str, list[str]]:
        mapping = self._mapping
        mails = [text for name in mapping.mail for text in entry.texts(name) if _ADDRESS.fullmatch(text)]
        first = mails[0] if mails else ""
        further = mails[1:]
        for name in mapping.proxies:
            for text in entry.texts(name):
                kind, _, address = text.partition(":")
                if kind == "SMTP" and address:
                    further += [first] if first and first.lower() != address.lower() else []
                    first = address
                elif kind.lower() == "smtp" and address:
                    further.append(address)
        further += [text for name in mapping.further for text in entry.texts(name) if _ADDRESS.fullmatch(text)]
        if not first and mapping.domain:
            login = entry.text("uid", "sAMAccountName")
            first = f"{login}@{mapping.domain}" if login else ""
        others = {each.lower(): each for each in further if each.lower() != first.lower()}
        return first, list(others.values())

    def _account(self, entry: Entry, address: str) -> Iterator[Record]:
        mapping = self._mapping
        quota = entry.text(*mapping.quota)
        if quota and re.fullmatch(r"\d+S", quota):
            quota = quota[:-1]  # qmail-ldap: octets
        hashed, clear = "", None
        secret = entry.text(*mapping.password)
        if secret and not mapping.source:
            try:
                clear, hashed = (secret.encode(), "") if secret[0] != "{" else schemes.clear_or_hash(secret)
            except Refused as fault:
                yield Unmapped(what=f"the password of {address}", where=entry.where, why=fault.detail)
        yield ImportedAccount(
            where=entry.where,
            address=address,
            password=clear,
            password_hash=hashed,
            name=entry.text(*mapping.name) or None,
            given_name=entry.text(*mapping.given_name) or None,
            family_name=entry.text(*mapping.family_name) or None,
            quota_bytes=words.size(f"{quota}{mapping.quota_unit}" if quota.isdecimal() else quota) if quota else None,
            state=_state(entry),
            source=mapping.source,
            external_id=entry.text(*mapping.id),
        )


def _classes(entry: Entry) -> set[str]:
    return {text.lower() for text in entry.texts("objectClass")}


def _is_group(entry: Entry) -> bool:
    return bool(_classes(entry) & _GROUPS)


def _folded_dn(dn: str) -> str:
    """Names of entries are compared without case and without blanks around commas and equals signs."""
    return re.sub(r"\s*([,=+])\s*", r"\1", dn.strip()).lower()


def _state(entry: Entry) -> AccountState | None:
    control = entry.text("userAccountControl")
    if control:
        is_off = control.lstrip("-").isdecimal() and int(control[:12]) & _ACCOUNT_DISABLE
        return AccountState.DISABLED if is_off else AccountState.ACTIVE
    if entry.text("nsAccountLock", "loginDisabled").lower() == "true":
        return AccountState.SIGN_IN_DISABLED
    if entry.text("accountStatus", "mailUserStatus", "inetUserStatus").lower() in {"disabled", "inactive", "deleted"}:
        return AccountState.DISABLED
    return None
