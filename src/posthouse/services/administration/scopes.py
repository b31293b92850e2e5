"""Scopes of settings as people write them: ``server``, ``office:acme``, ``domain:example.org``, ``account:a@b.c``.

Tests: ``tests/unit/services/administration/test_scopes.py``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.setting import Scope, Setting
from posthouse.services.administration import words
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.reach import Reach, Target
from posthouse.store.contract import Store

# The role of who administers a scope itself.
OWN_ROLES: Final[Mapping[Scope, Role]] = {
    Scope.SERVER: Role.SERVER,
    Scope.OFFICE: Role.OFFICE,
    Scope.DOMAIN: Role.DOMAIN,
    Scope.ACCOUNT: Role.ACCOUNT,
}
_REACHES: Final = {Scope.OFFICE: Reach.OFFICE, Scope.DOMAIN: Reach.DOMAIN, Scope.ACCOUNT: Reach.ACCOUNT}


@dataclass(frozen=True, slots=True)
class Place:
    """A scope: its kind, and the folded name of what it is for."""

    kind: Scope
    name: str = ""

    @property
    def text(self) -> str:
        """The scope as the store keeps it."""
        return self.kind.value if self.kind is Scope.SERVER else f"{self.kind.value}:{self.name}"

    @property
    def target(self) -> Target:
        """What a call about this scope is about."""
        return Target(_REACHES.get(self.kind, Reach.SERVER), self.name)

    @property
    def office(self) -> str:
        """The post office, for the scope of one."""
        return self.name if self.kind is Scope.OFFICE else ""

    @property
    def domain(self) -> str:
        """The domain it is in."""
        if self.kind is Scope.DOMAIN:
            return self.name
        return self.name.rpartition("@")[2] if self.kind is Scope.ACCOUNT else ""

    @property
    def account(self) -> str:
        """The account, for the scope of one."""
        return self.name if self.kind is Scope.ACCOUNT else ""


def place_of(text: str) -> Place:
    """Return the scope that somebody wrote. Raises Refused."""
    kind, _, name = text.strip().partition(":")
    if kind == Scope.SERVER.value and not name:
        return Place(Scope.SERVER)
    if name and kind == Scope.OFFICE.value:
        return Place(Scope.OFFICE, words.short_name(name))
    if name and kind == Scope.DOMAIN.value:
        return Place(Scope.DOMAIN, words.domain_name(name))
    if name and kind == Scope.ACCOUNT.value:
        return Place(Scope.ACCOUNT, words.own_address(name))
    raise Refused(
        f"{words.shown(text)} is not a scope",
        "Write server, office:acme, domain:example.org or account:anna@example.org.",
        field="scope",
    )


def require_scope(definition: Setting[Any], place: Place) -> None:
    """Raise Refused where a setting cannot be set for that kind of scope."""
    if place.kind not in definition.scopes:
        allowed = ", ".join(scope.value for scope in definition.scopes)
        raise Refused(
            f"{definition.name} cannot be set for one {place.kind.value}",
            f"It can be set for: {allowed}.",
            field="scope",
        )


async def existing(store: Store, place: Place) -> Place:
    """Return the scope where what it is for is there; an account by its first address. Raises Refused: MISSING."""
    found: object | None = place
    if place.kind is Scope.OFFICE:
        found = await store.office(place.name)
    elif place.kind is Scope.DOMAIN:
        found = await store.domain(place.name)
    elif place.kind is Scope.ACCOUNT:
        account = await store.account(place.name)
        if account is not None:
            return Place(Scope.ACCOUNT, account.address)
        found = None
    if found is None:
        raise Refused(f"there is no {place.kind.value} {place.name}", kind=Kind.MISSING, field="scope")
    return place


def definition_of(name: str) -> Setting[Any]:
    """Return a setting's definition. Raises Refused: MISSING, with the names that are near."""
    definition = DEFINITIONS.get(name)
    if definition is not None:
        return definition
    near = difflib.get_close_matches(name, DEFINITIONS, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`posthouse setting list` shows those there are."
    raise Refused(f"there is no setting {words.shown(name)}", hint, kind=Kind.MISSING, field="name")
