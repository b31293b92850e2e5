"""Who asks: a role, how far it reaches, and the scopes of the credential that was shown.

Invariant: a ``Caller`` is made in three places only: by the command line on the machine (``on_this_machine``), by a
door that checked a credential (``of_account``), and for a job, from what was kept of the caller that started it.
Tests: ``tests/unit/services/administration/test_access.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import Level

EVERYTHING = frozenset({"*"})


class Role(enum.IntEnum):
    """How much a caller administers; each includes the ones before, within its reach."""

    ACCOUNT = 1  # himself
    DOMAIN = 2  # his domain
    OFFICE = 3  # his post office
    SERVER = 4  # everything

    @classmethod
    def of(cls, level: Level) -> Role:
        """Return the role of an account's level."""
        return _ROLES[level]


_ROLES = {Level.USER: Role.ACCOUNT, Level.DOMAIN: Role.DOMAIN, Level.OFFICE: Role.OFFICE, Level.SERVER: Role.SERVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One caller.

    Attributes:
        role: how much he administers.
        name: for people and the audit log: an address, or the user of the machine.
        office: the post office his domain is in, "" the server's own.
        domain: the domain of his account; "" on the machine itself.
        account: his address; "" on the machine itself.
        scopes: ``noun:read``, ``noun:write``, ``*:read``, ``*`` ...: what the credential allows.
        door: ``command line``, ``rest``, ...
        address: where he is, as text; "" on the machine.
        credential: the id of the token or session he showed; "" for none.
    """

    role: Role
    name: str
    office: str = ""
    domain: str = ""
    account: str = ""
    scopes: frozenset[str] = EVERYTHING
    door: str = "command line"
    address: str = ""
    credential: str = ""

    @classmethod
    def on_this_machine(cls, user: str) -> Caller:
        """Return the caller who may read and write the home: he administers everything."""
        return cls(role=Role.SERVER, name=user)

    @classmethod
    def of_account(cls, row: AccountRow, office: str, **known: Any) -> Caller:
        """Return the caller behind an account; ``known`` are the fields that the door knows.

        Where the domain is in no post office, an administrator of the post office administers his domain.
        """
        domain = row.address.rpartition("@")[2]
        level = Level.DOMAIN if row.level is Level.OFFICE and not office else row.level
        return cls(role=Role.of(level), name=row.address, office=office, domain=domain, account=row.address, **known)

    def as_json(self) -> dict[str, Any]:
        """Return plain values from which ``from_json`` makes the same caller."""
        return {
            "role": self.role.name,
            "name": self.name,
            "office": self.office,
            "domain": self.domain,
            "account": self.account,
            "scopes": sorted(self.scopes),
            "door": self.door,
            "address": self.address,
            "credential": self.credential,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Caller:
        """Return the caller that was kept with ``as_json``."""
        fields = dict(kept) | {"role": Role[kept["role"]], "scopes": frozenset(kept["scopes"])}
        return cls(**fields)

    def allows(self, noun: str, *, writes: bool) -> bool:
        """Whether the credential's scopes cover a noun; what allows writing allows reading."""
        wanted = {"*", f"{noun}:write", "*:write"} | (set() if writes else {f"{noun}:read", "*:read"})
        return not wanted.isdisjoint(self.scopes)
