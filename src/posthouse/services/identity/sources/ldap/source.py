"""Whether an LDAP server knows a name and grants its password.

Search and bind: the searcher finds the one entry that the filter means, then a bind as that entry tells. With
``bind_template`` the bind comes first and the entry is read afterwards with the person's own rights. An empty password
never reaches a server (RFC 4513 §5.1.2). More than one entry for a login is a refusal: nobody can say which.
Tests: ``tests/unit/services/identity/sources/test_ldap_source.py``, ``tests/interop/test_sources_ldap.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from posthouse.core.clock import Clock
from posthouse.core.errors import SyntaxFault
from posthouse.protocols.ldap.filters import escape_value, fill_filter, parse_filter
from posthouse.protocols.ldap.names import fill_name
from posthouse.protocols.ldap.types import IN_CHAIN, Result, ResultCode, Scope, SearchEntry, SearchRequest
from posthouse.services.identity.sources.contract import (
    Down,
    Granted,
    Login,
    QuietSource,
    SourceAnswer,
    SourceDown,
    SourceFinding,
    SourceGroup,
    SourcePerson,
    Unknown,
    Wrong,
)
from posthouse.services.identity.sources.ldap.config import LdapConfig
from posthouse.services.identity.sources.ldap.connection import LdapConnection, LdapGone
from posthouse.services.identity.sources.ldap.people import (
    folded_name,
    group_name,
    group_of,
    is_disabled,
    member_names,
    person_of,
)
from posthouse.services.identity.sources.ldap.pool import LdapPool
from posthouse.services.identity.sources.verified_tls import tls_context

GROUPS_OF_ONE: Final = 500
NESTING: Final = 8
WRONG_CODES: Final = frozenset(
    {
        ResultCode.INVALID_CREDENTIALS,
        ResultCode.INAPPROPRIATE_AUTHENTICATION,
        ResultCode.INSUFFICIENT_ACCESS_RIGHTS,
        ResultCode.UNWILLING_TO_PERFORM,
        ResultCode.NO_SUCH_OBJECT,
        ResultCode.INVALID_DN_SYNTAX,
    }
)
FOUND_CODES: Final = frozenset({ResultCode.SUCCESS, ResultCode.SIZE_LIMIT_EXCEEDED, ResultCode.REFERRAL})


class LdapSource(QuietSource):
    """One LDAP directory. Raises SourceFault: where its certificate authorities cannot be read."""

    def __init__(self, name: str, config: LdapConfig, clock: Clock) -> None:
        super().__init__(name)
        self._config = config
        self._pool = LdapPool(config, tls_context(config.ca_file), clock)

    async def check_password(self, login: Login, password: bytes) -> SourceAnswer:
        """Search and bind, or bind directly."""
        if not password:
            return Wrong("an empty password")
        try:
            if self._config.bind_template:
                return await self._bind_directly(login, password)
            return await self._search_and_bind(login, password)
        except LdapGone as gone:
            return Down(str(gone))

    async def find(self, address: str) -> SourcePerson | None:
        """Return who has an address."""
        local_part, _, domain = address.rpartition("@")
        login = Login(name=address, local_part=local_part, domain=domain)
        try:
            entries = await self._entries(fill_filter(self._config.find_filter, _values(login)))
            if len(entries) != 1:
                return None
            return await self._person(entries[0], None)
        except LdapGone as gone:
            raise SourceDown(str(gone)) from gone

    async def people(self) -> AsyncIterator[SourcePerson]:
        """Yield everybody whom the filter for people finds and who has an address."""
        try:
            async with self._pool.fresh_searcher() as connection:
                request = self._request(self._config.all_people_filter, self._config.wanted)
                async for entry in connection.pages(request, self._config.page_size):
                    person = person_of(entry, self._config, (), None)
                    if person.address:
                        yield person
        except LdapGone as gone:
            raise SourceDown(str(gone)) from gone

    async def groups(self) -> AsyncIterator[SourceGroup]:
        """Yield every group, its members as addresses; those of groups within it where that is wanted."""
        addresses: dict[str, str] = {}
        entries: dict[str, SearchEntry] = {}
        wanted = ("cn", "displayName", "member", "uniqueMember", self._config.address_attribute, self._config.id_name)
        try:
            async with self._pool.fresh_searcher() as connection:
                request = self._request(self._config.all_people_filter, (self._config.address_attribute,))
                async for entry in connection.pages(request, self._config.page_size):
                    addresses[folded_name(entry.dn)] = entry.text(self._config.address_attribute).lower()
                base = self._config.group_base or self._config.base
                request = self._request(self._config.all_groups_filter, wanted, base)
                async for entry in connection.pages(request, self._config.page_size):
                    entries[folded_name(entry.dn)] = entry
        except LdapGone as gone:
            raise SourceDown(str(gone)) from gone
        for entry in entries.values():
            yield group_of(entry, self._config, self._members(entry, entries, addresses))

    def _members(
        self, entry: SearchEntry, groups: dict[str, SearchEntry], addresses: dict[str, str]
    ) -> tuple[str, ...]:
        found: dict[str, None] = {}
        seen, waiting = {folded_name(entry.dn)}, [entry]
        while waiting:
            for name in map(folded_name, member_names(waiting.pop())):
                if address := addresses.get(name):
                    found[address] = None
                elif self._config.nested_groups and name in groups and name not in seen:
                    seen.add(name)
                    waiting.append(groups[name])
        return tuple(found)

    async def test(self) -> SourceFinding:
        """Connect, bind as the searcher, and look for one person."""
        try:
            if self._config.bind_template:
                async with self._pool.fresh_searcher():
                    return SourceFinding(True, "the server answers; people bind directly, so no search was tried")
            entries = await self._entries(self._config.all_people_filter, most=1)
        except LdapGone as gone:
            return SourceFinding(
                False, str(gone), "See that the server runs, its certificate is valid, and `bind_dn` may bind."
            )
        if not entries:
            return SourceFinding(
                False,
                "the server answers, but the filter for people finds nobody",
                "Look at `base` and `people_filter`.",
            )
        return SourceFinding(True, f"the server answers and has people, such as {entries[0].dn}")

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    # ---- the two ways ----

    async def _search_and_bind(self, login: Login, password: bytes) -> SourceAnswer:
        entries = await self._entries(fill_filter(self._config.person_filter, _values(login)))
        if not entries:
            return Unknown()
        if len(entries) > 1:
            return Wrong("more than one entry has this login")
        entry = entries[0]
        result = await self._pool.as_anybody(lambda connection: connection.bind(entry.dn, password))
        refusal = _refusal(result)
        if refusal is not None:
            return refusal
        return await self._granted(entry, login)

    async def _bind_directly(self, login: Login, password: bytes) -> SourceAnswer:
        name = fill_name(self._config.bind_template, _values(login))

        async def bind_and_read(connection: LdapConnection) -> tuple[Result, list[SearchEntry]]:
            result = await connection.bind(name, password)
            if result.code != ResultCode.SUCCESS:
                return result, []
            if "=" in name:
                request = self._request("(objectClass=*)", self._config.wanted, name, Scope.BASE)
            else:
                request = self._request(fill_filter(self._config.person_filter, _values(login)), self._config.wanted)
            return result, await _found(connection, request, 2)

        result, entries = await self._pool.as_anybody(bind_and_read)
        refusal = _refusal(result)
        if refusal is not None:
            return Unknown() if result.code in {ResultCode.NO_SUCH_OBJECT, ResultCode.INVALID_DN_SYNTAX} else refusal
        if len(entries) != 1:
            return Wrong("the bind was granted, but no single entry can be read after it")
        return await self._granted(entries[0], login)

    async def _granted(self, entry: SearchEntry, login: Login) -> SourceAnswer:
        if is_disabled(entry):
            return Wrong("shut out in the directory")
        if self._config.required_group and not await self._is_member(entry):
            return Wrong("not in the required group")
        person = await self._person(entry, login)
        return Granted(person) if person.address else Wrong("the entry has no address")

    async def _person(self, entry: SearchEntry, login: Login | None) -> SourcePerson:
        groups = await self._groups_of(entry.dn)
        return person_of(entry, self._config, tuple(group_name(dn) for dn in groups), login)

    # ---- groups ----

    async def _is_member(self, entry: SearchEntry) -> bool:
        wanted = folded_name(self._config.required_group)
        direct = {folded_name(value.decode("utf-8", "replace")) for value in entry.values("memberOf")}
        return wanted in direct or wanted in {folded_name(dn) for dn in await self._groups_of(entry.dn)}

    async def _groups_of(self, dn: str) -> list[str]:
        """Return the names of the groups somebody is in; [] where ``memberOf`` of his entry has to do."""
        config = self._config
        if config.is_active_directory and config.nested_groups and not config.group_filter:
            return await self._group_search(f"(member:{IN_CHAIN}:={escape_value(dn.encode())})")
        if not config.group_filter:
            return []
        found: dict[str, str] = {}
        level = [dn]
        for _ in range(NESTING if config.nested_groups else 1):
            names = [
                name
                for each in level
                for name in await self._group_search(fill_filter(config.group_filter, {"dn": each}))
            ]
            level = [name for name in names if folded_name(name) not in found]
            found.update({folded_name(name): name for name in level})
            if not level or len(found) > GROUPS_OF_ONE:
                break
        return list(found.values())

    async def _group_search(self, text: str) -> list[str]:
        base = self._config.group_base or self._config.base
        request = self._request(text, ("cn",), base)
        entries = await self._pool.as_searcher(lambda connection: _found(connection, request, GROUPS_OF_ONE))
        return [entry.dn for entry in entries]

    # ---- searching ----

    async def _entries(self, text: str, most: int = 2) -> list[SearchEntry]:
        request = self._request(text, self._config.wanted)
        return await self._pool.as_searcher(lambda connection: _found(connection, request, most))

    def _request(
        self, text: str, wanted: tuple[str, ...], base: str | None = None, scope: Scope = Scope.SUBTREE
    ) -> SearchRequest:
        try:
            parsed = parse_filter(text)
        except SyntaxFault as fault:
            raise LdapGone(f"the filter cannot be read: {fault.detail}") from fault
        return SearchRequest(
            base=self._config.base if base is None else base,
            filter=parsed,
            scope=scope,
            time_limit=max(1, int(self._config.timeout)),
            attributes=wanted,
        )


async def _found(connection: LdapConnection, request: SearchRequest, most: int) -> list[SearchEntry]:
    """Return up to ``most`` entries; that there are more is no failure. Raises LdapGone."""
    limited = SearchRequest(
        base=request.base,
        filter=request.filter,
        scope=request.scope,
        size_limit=most,
        time_limit=request.time_limit,
        attributes=request.attributes,
    )
    entries, result = await connection.search(limited, most)
    if result.code == ResultCode.NO_SUCH_OBJECT:
        return []
    if result.code not in FOUND_CODES:
        raise LdapGone(f"search ended with {result.code} {result.message}")
    return entries


def _values(login: Login) -> dict[str, str]:
    return {"login": login.name, "address": login.address, "local": login.local_part, "domain": login.domain}


def _refusal(result: Result) -> SourceAnswer | None:
    """Return what a bind that did not succeed means; None where it did."""
    if result.code == ResultCode.SUCCESS:
        return None
    said = f"bind ended with {result.code} {result.message}"[:300]
    return Wrong(said) if result.code in WRONG_CODES else Down(said, is_spared=False)
