"""The directory as the sink of an import: looks things up, writes batches in one commit each, defaults and limits kept.

What has the addresses of a batch is one read, and the batch one commit; where the store refuses it, it is halved until
what is refused stands alone, so that nothing else waits for it.
Tests: ``tests/unit/services/administration/importing/test_import_directory.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from posthouse.core.clock import Clock
from posthouse.core.ids import DomainId
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing import directory_changes as changes
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
from posthouse.services.administration.importing.sink import Ending, Look, RecordOutcome, Standing
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow, DomainRow, RouteRow, SettingRow
from posthouse.store.directory_values import UNBOUNDED, Ceilings
from posthouse.store.values import Change

NEW = Look(Standing.NEW)
SAME = Look(Standing.SAME)
OTHER = Look(Standing.OTHER)

Commit = Callable[[Sequence[Change], Sequence[Thing]], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the sink needs to know of the server.

    Attributes:
        commit: writes changes and their trace, all or none; raises Refused where the store does not take them.
        ceilings: how much a domain and its post office may hold.
        quota: the quota of a new account of a domain, where the source says none.
        language: of a new account of a domain.
        check_quota: raises Refused where an account of a domain may not have so much.
        check_over: raises Refused where an account is not the caller's to change.
        seal: makes the sealed form of a secret for a purpose; None where there is no key.
    """

    commit: Commit
    ceilings: Callable[[DomainRow], Ceilings] = lambda _: UNBOUNDED
    quota: Callable[[str], int] = lambda _: 0
    language: Callable[[str], str] = lambda _: ""
    check_quota: Callable[[DomainRow, int], None] = lambda _, __: None
    check_over: Callable[[AccountRow], None] = lambda _: None
    seal: Callable[[str, str], str] | None = None


@dataclass(slots=True)
class _Kept:
    """What was read once for a batch.

    Attributes:
        kinds: what has the addresses of the batch (``kinds_of``).
        homes: what new accounts get, by domain.
    """

    routes: dict[str, RouteRow] | None = None
    settings: dict[tuple[str, str], SettingRow] | None = None
    domains: dict[str, DomainRow | None] = field(default_factory=dict)
    ceilings: dict[str, Ceilings] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    homes: dict[str, changes.NewcomersHome] = field(default_factory=dict)


class DirectorySink:
    """Implements ``sink.Sink`` on a store."""

    def __init__(self, store: Store, clock: Clock, surroundings: Surroundings) -> None:
        self._store = store
        self._clock = clock
        self._around = surroundings
        self._kept = _Kept()

    async def look(self, things: Sequence[Thing]) -> list[Look]:
        """See ``Sink``."""
        addressed = ImportedAccount | ImportedAddress | ImportedAlias | ImportedGroup
        addresses = [thing.address for thing in things if isinstance(thing, addressed)]
        self._kept = _Kept(kinds=await self._store.kinds_of(addresses) if addresses else {})
        kinds = self._kept.kinds
        return [
            NEW if isinstance(thing, ImportedAccount) and thing.address not in kinds else await self._look(thing)
            for thing in things
        ]

    async def put(self, things: Sequence[tuple[Thing, Standing]]) -> list[RecordOutcome]:
        """See ``Sink``."""
        self._kept = _Kept()
        at = self._clock.now()
        outcomes: list[RecordOutcome | None] = [None] * len(things)
        ready: list[tuple[int, Thing, Change]] = []
        for index, (thing, standing) in enumerate(things):
            try:
                if isinstance(thing, ImportedAccount) and standing is Standing.NEW:
                    change: Change = changes.new_account(thing, await self._newcomers_home(thing), at=at)
                else:
                    change = await self._change(thing, is_new=standing is Standing.NEW)
                ready.append((index, thing, change))
            except Refused as fault:
                outcomes[index] = RecordOutcome(Ending.REFUSED, fault.detail, fault.remedy)
            if isinstance(thing, ImportedDomain):
                self._expect(thing)
        for index, refusal in await self._write(ready):
            outcomes[index] = RecordOutcome(Ending.REFUSED, refusal.detail, refusal.remedy)
        endings = {Standing.NEW: RecordOutcome(Ending.MADE), Standing.OTHER: RecordOutcome(Ending.CHANGED)}
        return [outcome or endings[standing] for outcome, (_, standing) in zip(outcomes, things, strict=True)]

    def _expect(self, thing: ImportedDomain) -> None:
        """Let accounts of the same batch find their domain, so that its limits hold for them."""
        if self._kept.domains.get(thing.name) is None:
            self._kept.domains[thing.name] = DomainRow(
                DomainId(0), thing.name, thing.alias_of, thing.disabled, thing.catch_all, office=thing.office
            )

    async def _write(self, ready: Sequence[tuple[int, Thing, Change]]) -> list[tuple[int, Refused]]:
        if not ready:
            return []
        try:
            await self._around.commit([change for _, _, change in ready], [thing for _, thing, _ in ready])
        except Refused as fault:
            if len(ready) == 1:
                return [(ready[0][0], fault)]
            half = len(ready) // 2
            return [*await self._write(ready[:half]), *await self._write(ready[half:])]
        return []

    # -- looking ------------------------------------------------------------------------------------------------

    async def _look(self, thing: Thing) -> Look:
        match thing:
            case ImportedAccount():
                return await self._look_account(thing)
            case ImportedAddress():
                return await self._look_address(thing)
            case ImportedAlias():
                return await self._look_alias(thing)
            case ImportedGroup():
                return await self._look_group(thing)
            case ImportedDomain():
                row = await self._domain(thing.name)
                if row is None:
                    return NEW
                return SAME if thing.implied or changes.domain_is(thing, row) else OTHER
            case ImportedOffice():
                office = await self._store.office(thing.name)
                if office is None:
                    return NEW
                return SAME if office.disabled == thing.disabled else OTHER
            case ImportedRoute():
                return await self._look_route(thing)
            case ImportedSetting():
                if self._kept.settings is None:
                    self._kept.settings = {(row.name, row.scope): row for row in await self._store.settings()}
                there = self._kept.settings.get((thing.name, thing.scope))
                return NEW if there is None else SAME if there.value == thing.value else OTHER

    async def _domain(self, name: str) -> DomainRow | None:
        if name not in self._kept.domains:
            self._kept.domains[name] = await self._store.domain(name)
        return self._kept.domains[name]

    async def _taken(self, address: str) -> Look:
        """NEW, unless anything has the address."""
        kind = self._kept.kinds.get(address)
        if kind is None:
            return NEW
        whose = {"account": "an account", "alias": "an alias", "group": "a group"}.get(kind, "a further address")
        if kind == "address" and (row := await self._store.account(address)) is not None:
            is_near = row.address.rpartition("@")[2] == address.rpartition("@")[2]
            whose += f" of {row.address}" if is_near else ""  # whose domain is another, nobody need know
        return Look(Standing.TAKEN, f"{address} is there already, as {whose}")

    async def _look_account(self, thing: ImportedAccount) -> Look:
        is_account = self._kept.kinds.get(thing.address) == "account"
        row = await self._store.account(thing.address) if is_account else None
        if row is None:
            return await self._taken(thing.address)
        return SAME if changes.account_is(thing, row) else OTHER

    async def _look_address(self, thing: ImportedAddress) -> Look:
        row = await self._store.account(thing.address)
        return SAME if row is not None and row.address == thing.account else await self._taken(thing.address)

    async def _look_alias(self, thing: ImportedAlias) -> Look:
        row = await self._store.alias(thing.address)
        if row is None:
            return await self._taken(thing.address)
        same = (row.targets, row.kind, row.disabled) == (thing.targets, thing.kind, thing.disabled)
        return SAME if same else OTHER

    async def _look_group(self, thing: ImportedGroup) -> Look:
        if thing.is_more:
            for member in thing.members:
                if thing.address not in await self._store.groups_of(member):
                    return NEW
            return SAME
        row = await self._store.group(thing.address)
        if row is None:
            return await self._taken(thing.address)
        return SAME if changes.group_is(thing, row) else OTHER

    async def _look_route(self, thing: ImportedRoute) -> Look:
        if self._kept.routes is None:
            self._kept.routes = {row.domain: row for row in await self._store.routes()}
        there = self._kept.routes.get(thing.domain)
        return NEW if there is None else SAME if changes.route_is(thing, there) else OTHER

    # -- writing ------------------------------------------------------------------------------------------------

    async def _change(self, thing: Thing, *, is_new: bool) -> Change:
        match thing:
            case ImportedAccount():
                return await self._changed_account(thing)
            case ImportedDomain():
                return changes.put_domain(thing, is_new=is_new)
            case ImportedAlias():
                return changes.put_alias(thing, await self._ceilings(thing.address), is_new=is_new)
            case ImportedGroup():
                return changes.put_group(thing, await self._ceilings(thing.address), is_new=is_new)
            case ImportedRoute():
                return changes.put_route(thing, self._around.seal, is_new=is_new)
            case ImportedSetting():
                return changes.put_setting(thing, self._clock.now())
            case ImportedOffice():
                return changes.put_office(thing, is_new=is_new)
            case ImportedAddress():
                row = await self._store.account(thing.account)
                if row is not None:
                    self._around.check_over(row)
                return changes.put_address(thing)

    async def _ceilings(self, address: str) -> Ceilings:
        domain = address.rpartition("@")[2]
        known = self._kept.ceilings.get(domain)
        if known is None:
            home = await self._domain(domain)
            known = self._around.ceilings(home) if home is not None else UNBOUNDED
            self._kept.ceilings[domain] = known
        return known

    async def _newcomers_home(self, thing: ImportedAccount) -> changes.NewcomersHome:
        """Return what a new account gets from its domain. Raises Refused: where it may not have its quota there."""
        domain = thing.address.rpartition("@")[2]
        known = self._kept.homes.get(domain)
        if known is None:
            known = self._kept.homes[domain] = changes.NewcomersHome(
                quota=self._around.quota(domain),
                language=self._around.language(domain),
                ceilings=await self._ceilings(thing.address),
            )
        quota = known.quota if thing.quota_bytes is None else thing.quota_bytes
        if quota not in known.quotas:
            home = await self._domain(domain)
            if home is not None:
                self._around.check_quota(home, quota)
            known.quotas.add(quota)
        return known

    async def _changed_account(self, thing: ImportedAccount) -> Change:
        quota = thing.quota_bytes
        home = await self._domain(thing.address.rpartition("@")[2])
        if quota is not None and home is not None:
            self._around.check_quota(home, quota)
        ceilings = await self._ceilings(thing.address)
        row = await self._store.account(thing.address)
        if row is None:
            raise Refused(f"the account {thing.address} is gone", "Import again.")
        self._around.check_over(row)
        return changes.changed_account(thing, quota, ceilings, has_password=bool(row.password_hash))
