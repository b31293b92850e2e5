"""Where each recipient goes: aliases and catch-alls followed to accounts or to remote next hops.

Each address is visited once for a recipient, so a loop of aliases ends; the number of addresses and the depth are
bounded. What an alias reaches twice is delivered once. A target that is unknown or disabled is a refusal of its own
and does not spoil the others.

RFC 5321 §3.9 (aliases), §5.1 (next hop). Invariant: no I/O but the directory's reads. Not here: who may send
(``reception``). Tests: ``tests/unit/services/routing/test_router.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from posthouse.core import status
from posthouse.core.address import Address, parse_address
from posthouse.core.envelope import Recipient
from posthouse.core.errors import SyntaxFault
from posthouse.core.outcome import defer, reject
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.resolution import (
    AliasTargets,
    CatchAll,
    Disabled,
    LocalAccount,
    Resolution,
    UnknownUser,
)
from posthouse.services.routing.decisions import LocalDelivery, Refusal, RemoteDelivery, Routed
from posthouse.services.routing.next_hop import next_hop

EXPANSION_DEPTH: Final = 10  # aliases behind aliases
EXPANSION_COUNT: Final = 5_000  # addresses one recipient may become

NO_SUCH_USER = reject("No such user here", detail_code=status.BAD_MAILBOX, rule="recipient.unknown")
DISABLED = reject("Mailbox disabled", detail_code=status.MAILBOX_DISABLED, rule="recipient.disabled")
ALIAS_LOOP = reject("Alias leads back to itself", detail_code=status.ROUTING_LOOP, rule="routing.loop")
TOO_MANY = defer("Too many addresses behind this one", detail_code=status.EXPANSION_PROBLEM, rule="routing.expansion")
BAD_TARGET = reject("Address cannot be routed", detail_code=status.UNABLE_TO_ROUTE, rule="routing.address")


@dataclass(slots=True)
class _Expansion:
    """What has been found on the way through one recipient's aliases."""

    seen: set[str] = field(default_factory=set)
    local: dict[int, LocalDelivery] = field(default_factory=dict)
    remote: dict[str, RemoteDelivery] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)


class Router:
    """Routes recipients with the directory of this worker."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def route(self, recipient: Recipient, resolution: Resolution | None = None) -> Routed:
        """Return where one recipient goes; ``resolution`` is what its address means, where the caller knows already.

        Raises Unavailable where the directory cannot be read.
        """
        address = recipient.address
        if resolution is None:
            resolution = await self._directory.resolve(address)
        if isinstance(resolution, LocalAccount):  # nearly always
            return Routed(recipient, (LocalDelivery(resolution.account, resolution.address),))
        found = _Expansion()
        await self._follow(address, resolution, found)
        if not (found.local or found.remote or found.refusals):
            found.refusals.append(Refusal(str(address), ALIAS_LOOP))
        return Routed(recipient, tuple(found.local.values()), tuple(found.remote.values()), tuple(found.refusals))

    async def destination(self, domain: str) -> str:
        """Return the queue destination of a remote domain. Raises SyntaxFault: where it has no form for the DNS."""
        return next_hop(domain, await self._directory.route_for(domain))

    async def _follow(self, address: Address, resolution: Resolution, found: _Expansion) -> None:
        """Go through what an address leads to, level by level; an address met before is passed over."""
        level = [(address, resolution)]
        found.seen.add(address.folded)
        for _ in range(EXPANSION_DEPTH + 1):
            following: list[tuple[Address, Resolution]] = []
            for each, meaning in level:
                targets = await self._settle(each, meaning, found)
                following += await self._resolve_new(targets, found)
            if not following:
                return
            if len(found.seen) > EXPANSION_COUNT:
                break
            level = following
        found.refusals.append(Refusal(str(address), TOO_MANY))

    async def _settle(self, address: Address, meaning: Resolution, found: _Expansion) -> tuple[str, ...]:
        """Note where an address ends, or return the targets it leads on to."""
        if isinstance(meaning, AliasTargets):
            return meaning.targets
        if isinstance(meaning, CatchAll):
            return (meaning.target,)
        if isinstance(meaning, LocalAccount):
            found.local.setdefault(meaning.account.id, LocalDelivery(meaning.account, meaning.address))
        elif isinstance(meaning, UnknownUser):
            found.refusals.append(Refusal(str(address), NO_SUCH_USER))
        elif isinstance(meaning, Disabled):
            found.refusals.append(Refusal(str(address), DISABLED))
        else:
            await self._send_away(address, found)
        return ()

    async def _send_away(self, address: Address, found: _Expansion) -> None:
        try:
            key = await self.destination(address.domain)
        except SyntaxFault:
            found.refusals.append(Refusal(str(address), BAD_TARGET))
        else:
            found.remote.setdefault(address.folded, RemoteDelivery(address, key))

    async def _resolve_new(self, targets: tuple[str, ...], found: _Expansion) -> list[tuple[Address, Resolution]]:
        fresh: list[tuple[Address, Resolution]] = []
        for text in targets:
            try:
                address = parse_address(text)
            except SyntaxFault:
                found.refusals.append(Refusal(text, BAD_TARGET))
                continue
            if address.folded not in found.seen and len(found.seen) <= EXPANSION_COUNT:
                found.seen.add(address.folded)
                fresh.append((address, await self._directory.resolve(address)))
        return fresh
