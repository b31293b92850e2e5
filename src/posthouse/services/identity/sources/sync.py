"""What must change here so that the directory follows a source: neutral values, in the order to apply them.

``people_changes`` and ``group_changes`` compare what a source lists with what the directory has from that source; an
operation of the administration turns the values into one commit. A person is known by his external id, else by his
address. Only accounts that came from this source are ever changed: a local account of the same address is reported,
not taken over. When more than ``gone_limit`` per cent are missing, nobody is disabled and ``TooManyGone`` says so.
Tests: ``tests/unit/services/identity/sources/test_source_sync.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from posthouse.config.definitions.auth import SOURCE_GONE, SOURCE_GONE_LIMIT
from posthouse.config.settings import Settings
from posthouse.services.identity.sources.contract import SourceGroup, SourcePerson


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """An account as the directory has it; ``source`` is "" for one that was made here."""

    address: str
    display_name: str = ""
    source: str = ""
    external_id: str = ""
    is_disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGroup:
    """A group as the directory has it."""

    address: str
    name: str = ""
    members: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class MakePerson:
    """An account is to be made."""

    person: SourcePerson


@dataclass(frozen=True, slots=True)
class UpdatePerson:
    """An account's name, external id or state is to follow the source; ``fields`` names what differs."""

    address: str
    person: SourcePerson
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DisablePerson:
    """An account whose person is gone or shut out at the source is to be disabled; ``reason`` says which."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class MakeGroup:
    """A group is to be made."""

    group: SourceGroup


@dataclass(frozen=True, slots=True)
class UpdateGroup:
    """A group's members or name are to follow the source."""

    group: SourceGroup
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveGroup:
    """A group of this source that is no longer there is to be removed."""

    address: str


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Something that cannot follow the source, and why; for the report."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class TooManyGone:
    """So many are missing that none was disabled."""

    missing: int
    of: int


Change: TypeAlias = (
    MakePerson | UpdatePerson | DisablePerson | MakeGroup | UpdateGroup | RemoveGroup | LeftAlone | TooManyGone
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRules:
    """How to follow: the source's name, the domains it may fill, and what to do with those that are gone."""

    source: str
    domains: frozenset[str]
    disable_gone: bool = False
    gone_limit: int = 20


def rules_of(settings: Settings, source: str, domains: Iterable[str]) -> SyncRules:
    """Return the rules for a source that fills some domains; the first domain's settings decide."""
    names = sorted(domains)
    first = names[0] if names else ""
    return SyncRules(
        source=source,
        domains=frozenset(names),
        disable_gone=settings.get(SOURCE_GONE, domain=first) == "disable",
        gone_limit=settings.get(SOURCE_GONE_LIMIT, domain=first),
    )


def people_changes(rules: SyncRules, theirs: Iterable[SourcePerson], ours: Iterable[KnownPerson]) -> Iterator[Change]:
    """Yield what must change so that our accounts follow the source's people."""
    known = list(ours)
    by_address = {person.address: person for person in known}
    by_id = {p.external_id: p for p in known if p.source == rules.source and p.external_id}
    seen: set[str] = set()
    given: set[str] = set()
    for person in theirs:
        if person.address in given:
            yield LeftAlone(person.address, "the source has it twice")
            continue
        given.add(person.address)
        mine = (by_id.get(person.external_id) if person.external_id else None) or by_address.get(person.address)
        if mine is not None and mine.source == rules.source:
            seen.add(mine.address)
        yield from _one_person(rules, person, mine)
    yield from _gone(rules, [person for person in known if person.source == rules.source], seen)


def _one_person(rules: SyncRules, person: SourcePerson, mine: KnownPerson | None) -> Iterator[Change]:
    domain = person.address.rpartition("@")[2]
    if domain not in rules.domains:
        yield LeftAlone(person.address, f"{domain or 'an address without a domain'} is none of the source's domains")
    elif mine is None:
        if not person.is_disabled:
            yield MakePerson(person)
    elif mine.source != rules.source:
        where = f"from the source {mine.source}" if mine.source else "made here"
        yield LeftAlone(person.address, f"there is an account of that address, {where}")
    else:
        yield from _follow(person, mine)


def _follow(person: SourcePerson, mine: KnownPerson) -> Iterator[Change]:
    if mine.address != person.address:
        yield LeftAlone(mine.address, f"the source calls it {person.address} now; rename the account")
        return
    if person.is_disabled:
        if not mine.is_disabled:
            yield DisablePerson(mine.address, "shut out at the source")
        return
    fields = []
    if person.display_name and person.display_name != mine.display_name:
        fields.append("display_name")
    if person.external_id and person.external_id != mine.external_id:
        fields.append("external_id")
    if fields:
        yield UpdatePerson(mine.address, person, tuple(fields))


def _gone(rules: SyncRules, ours: list[KnownPerson], seen: set[str]) -> Iterator[Change]:
    gone = [person for person in ours if person.address not in seen and not person.is_disabled]
    if not rules.disable_gone or not gone:
        return
    active = sum(not person.is_disabled for person in ours)
    if len(gone) * 100 > rules.gone_limit * active and len(gone) > 1:
        yield TooManyGone(len(gone), active)
        return
    for person in gone:
        yield DisablePerson(person.address, "no longer at the source")


def group_changes(rules: SyncRules, theirs: Iterable[SourceGroup], ours: Iterable[KnownGroup]) -> Iterator[Change]:
    """Yield what must change so that our groups follow the source's groups; those without an address are skipped."""
    known = {group.address: group for group in ours}
    seen: set[str] = set()
    for group in theirs:
        if not group.address or group.address in seen:
            continue
        seen.add(group.address)
        mine = known.get(group.address)
        if group.address.rpartition("@")[2] not in rules.domains:
            yield LeftAlone(group.address, "its domain is none of the source's domains")
        elif mine is None:
            yield MakeGroup(group)
        elif mine.source != rules.source:
            yield LeftAlone(group.address, "there is a group of that address that is not from this source")
        else:
            added = tuple(sorted(set(group.members) - set(mine.members)))
            removed = tuple(sorted(set(mine.members) - set(group.members)))
            if added or removed or (group.name and group.name != mine.name):
                yield UpdateGroup(group, added, removed)
    for address, mine in known.items():
        if mine.source == rules.source and address not in seen:
            yield RemoveGroup(address)
