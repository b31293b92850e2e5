"""Domains and post offices in one transaction: read once, their tallies changed in memory and written once.

Every account, alias and group is counted in its domain and its post office (the server's own domains are those of post
office 0). Tallies and ceilings go through here alone, so that a ceiling holds whoever else writes: what is read is read
under the write lock. Tests: ``tests/contract/store/test_store_offices.py``.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from posthouse.store.contract import LimitReached, NotAllowed, Vanished
from posthouse.store.directory_values import UNBOUNDED, Ceilings

ENTRY_BITS = 35  # entries that a domain ever has: 34 thousand million; domains: 268 million
_WHERE = "store.directory"
_DOMAIN = (
    "SELECT id, name, office_id, alias_of, accounts, aliases, groups, quota, next_entry, revision FROM domain"
    " WHERE name = ?"
)
_OFFICE = "SELECT id, domains, accounts, aliases, groups, quota FROM post_office WHERE id = ?"
_PUT_DOMAIN = "UPDATE domain SET accounts = ?, aliases = ?, groups = ?, quota = ?, next_entry = ? WHERE id = ?"
_PUT_OFFICE = "UPDATE post_office SET domains = ?, accounts = ?, aliases = ?, groups = ?, quota = ? WHERE id = ?"
COUNTED = ("accounts", "aliases", "groups", "quota")


class DomainPlace:
    """A domain with what it holds."""

    __slots__ = (
        "accounts", "alias_of", "aliases", "groups", "id", "is_changed", "name", "next_entry", "office", "quota",
        "revision",
    )  # fmt: skip

    def __init__(self, row: tuple[Any, ...]) -> None:
        (
            self.id, self.name, self.office, self.alias_of, self.accounts, self.aliases, self.groups, self.quota,
            self.next_entry, self.revision,
        ) = row  # fmt: skip
        self.is_changed = False


class OfficePlace:
    """A post office with what it holds."""

    __slots__ = ("accounts", "aliases", "domains", "groups", "id", "is_changed", "quota")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.id, self.domains, self.accounts, self.aliases, self.groups, self.quota = row
        self.is_changed = False


class Places:
    """The domains and post offices that a transaction has met."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._many = connection.executemany
        self._domains: dict[str, DomainPlace] = {}
        self._offices: dict[int, OfficePlace] = {}

    def domain(self, name: str) -> DomainPlace | None:
        """Return a domain by name."""
        place = self._domains.get(name)
        if place is None:
            row = self._execute(_DOMAIN, (name,)).fetchone()
            if row is None:
                return None
            place = self._domains[name] = DomainPlace(row)
        return place

    def home_of(self, address: str) -> DomainPlace:
        """Return the domain an address is in. Raises Vanished, NotAllowed: where it is none or an alias domain."""
        name = address.rpartition("@")[2]
        place = self.domain(name)
        if place is None:
            raise Vanished(f"the domain {name} is not there", where=_WHERE)
        if place.alias_of:
            raise NotAllowed(f"{name} is an alias of {place.alias_of}: use an address there", where=_WHERE)
        return place

    def office(self, number: int) -> OfficePlace:
        """Return a post office by id. Raises Vanished."""
        place = self._offices.get(number)
        if place is None:
            row = self._execute(_OFFICE, (number,)).fetchone()
            if row is None:
                raise Vanished(f"post office {number} is not there", where=_WHERE)
            place = self._offices[number] = OfficePlace(row)
        return place

    def next_entry(self, home: DomainPlace) -> int:
        """Give out the id of one more entry in a domain; it is never given again."""
        number = home.next_entry
        home.next_entry = number + 1
        home.is_changed = True
        return int(home.id << ENTRY_BITS | number)

    def check(self, home: DomainPlace, ceilings: Ceilings, **growth: int) -> None:
        """Raise LimitReached where what grows would pass its ceiling in the domain or its post office."""
        if ceilings is UNBOUNDED:
            return
        check_growth("domain", home, ceilings, growth)
        check_growth("office", self.office(home.office), ceilings, growth)

    def count(self, home: DomainPlace, **growth: int) -> None:
        """Count what was added or, with negative numbers, taken away."""
        for place in (home, self.office(home.office)):
            for what, by in growth.items():
                setattr(place, what, getattr(place, what) + by)
            place.is_changed = True

    def move(self, home: DomainPlace, office: int) -> None:
        """Count a domain and all it holds in another post office."""
        for number, sign in ((home.office, -1), (office, 1)):
            place = self.office(number)
            place.domains += sign
            for what in COUNTED:
                setattr(place, what, getattr(place, what) + sign * getattr(home, what))
            place.is_changed = True
        home.office = office

    def flush(self) -> None:
        """Write changed tallies."""
        domains = [place for place in self._domains.values() if place.is_changed]
        if domains:
            rows = [(d.accounts, d.aliases, d.groups, d.quota, d.next_entry, d.id) for d in domains]
            self._many(_PUT_DOMAIN, rows)
        offices = [place for place in self._offices.values() if place.is_changed]
        if offices:
            self._many(_PUT_OFFICE, [(o.domains, o.accounts, o.aliases, o.groups, o.quota, o.id) for o in offices])
        for domain in domains:
            domain.is_changed = False
        for office in offices:
            office.is_changed = False

    def forget(self) -> None:
        """Drop everything in memory; the database is the truth."""
        self._domains.clear()
        self._offices.clear()


def check_growth(level: str, place: DomainPlace | OfficePlace, ceilings: Ceilings, growth: dict[str, int]) -> None:
    """Raise LimitReached where what grows would pass its ceiling in one place."""
    for what, by in growth.items():
        limit = f"{level}_{what}"
        ceiling = getattr(ceilings, limit)
        if by > 0 and ceiling is not None and getattr(place, what) + by > ceiling:
            raise LimitReached(limit, ceiling)
