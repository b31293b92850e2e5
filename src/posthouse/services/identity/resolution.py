"""What an address means in our directory: one value of a closed set, so that callers match on all of them.

Made by ``directory.Directory.resolve``. No behaviour here, no policy: whether a stranger may send to a ``RelayDomain``
is decided in ``reception.relay_control``. Tests: ``tests/unit/services/identity/test_directory.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from posthouse.store.directory_rows import AccountRow, GroupRow, RouteRow


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """An account of ours. ``address`` is the account's own, with the detail of plus-addressing where one was given."""

    account: AccountRow
    address: str


@dataclass(frozen=True, slots=True)
class AliasTargets:
    """An alias of ours and where it leads: addresses, local or remote, not yet resolved."""

    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """A group of ours; ``directory.Directory.members`` says who is in it, ``routing.senders`` who may send to it."""

    group: GroupRow


@dataclass(frozen=True, slots=True)
class Relocated:
    """Somebody who had an address of ours and has another now (RFC 5321 §3.4)."""

    new_address: str


@dataclass(frozen=True, slots=True)
class CatchAll:
    """A local part nobody has, in a domain whose catch-all takes it."""

    target: str


@dataclass(frozen=True, slots=True)
class Disabled:
    """Ours, and switched off: ``what`` is ``account``, ``alias``, ``group`` or ``domain`` (or its post office)."""

    what: str


@dataclass(frozen=True, slots=True)
class UnknownUser:
    """Our domain, and nobody there."""


@dataclass(frozen=True, slots=True)
class RelayDomain:
    """Not ours, with a route that lets anyone send to it (gateway, backup MX)."""

    route: RouteRow


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Somebody else's."""


Resolution: TypeAlias = (
    LocalAccount | AliasTargets | GroupMembers | Relocated | CatchAll | Disabled | UnknownUser | RelayDomain | NotOurs
)

UNKNOWN_USER = UnknownUser()
NOT_OURS = NotOurs()
