"""Where each recipient goes: aliases, groups and catch-alls followed to accounts or to remote next hops.

Each address is visited once for a recipient, so a loop of aliases ends; the number of addresses and the depth are
bounded. What is reached twice is delivered once. A target that is unknown, disabled or has moved is a refusal of its
own and does not spoil the others. Each group on the way is asked whether the sender may send to it (``senders``).

RFC 5321 §3.4 (relocated), §3.9 (aliases), §5.1 (next hop). Invariant: no I/O but the directory's reads. Not here: who
may send through us (``reception``). Tests: ``tests/unit/services/routing/test_router.py``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from posthouse.config.definitions.group import RECIPIENTS
from posthouse.config.settings import Settings
from posthouse.core import status
from posthouse.core.address import Address, parse_address
from posthouse.core.envelope import Recipient
from posthouse.core.errors import SyntaxFault
from posthouse.core.outcome import Outcome, defer, reject
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.resolution import (
    AliasTargets,
    CatchAll,
    Disabled,
    GroupMembers,
    LocalAccount,
    Relocated,
    Resolution,
    UnknownUser,
)
from posthouse.services.routing.decisions import LocalDelivery, Refusal, RemoteDelivery, Routed
from posthouse.services.routing.next_hop import next_hop
from posthouse.services.routing.senders import Sender, refusal_of

EXPANSION_DEPTH: Final = 20  # aliases and groups behind each other; groups alone nest up to 16 deep
AT_ONCE: Final = 50  # addresses looked up before others get their turn: two milliseconds where none is remembered

NO_SUCH_USER = reject("No such user here", detail_code=status.BAD_MAILBOX, rule="recipient.unknown")
DISABLED = reject("Mailbox disabled", detail_code=status.MAILBOX_DISABLED, rule="recipient.disabled")
ALIAS_LOOP = reject("Alias leads back to itself", detail_code=status.ROUTING_LOOP, rule="routing.loop")
TOO_MANY = defer(
    "Too many addresses behind this one",
    detail_code=status.EXPANSION_PROBLEM,
    rule="routing.expansion",
    setting="group.recipients",
)
EMPTY_GROUP = reject("Nobody is in this group", detail_code=status.MAILBOX_DISABLED, rule="routing.empty_group")
BAD_TARGET = reject("Address cannot be routed", detail_code=status.UNABLE_TO_ROUTE, rule="routing.address")


def moved(new_address: str) -> Outcome:
    """Return what is answered for somebody who has moved: the new address, where it can be written (RFC 5321 §3.4)."""
    told = f"User has moved to <{new_address}>" if new_address.isascii() else "User has moved"
    return reject(
        told,
        code=551,
        detail_code=status.MAILBOX_MOVED,
        rule="recipient.relocated",
        setting="alias",
        detail=new_address,
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """An address to settle; ``within`` is the domain of the group whose member it is, "" where it is no member."""

    address: Address
    meaning: Resolution
    within: str = ""


@dataclass(slots=True)
class _Expansion:
    """What has been found on the way through what one recipient leads to."""

    sender: Sender | None
    most: int
    seen: set[str] = field(default_factory=set)
    local: dict[int, LocalDelivery] = field(default_factory=dict)
    remote: dict[str, RemoteDelivery] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)


class Router:
    """Routes recipients with the directory of this worker."""

    def __init__(self, directory: Directory, settings: Settings | None = None) -> None:
        self._directory = directory
        self._settings = settings if settings is not None else Settings()

    async def route(
        self, recipient: Recipient, resolution: Resolution | None = None, sender: Sender | None = None
    ) -> Routed:
        """Return where one recipient goes.

        Args:
            recipient: the recipient.
            resolution: what its address means, where the caller knows already.
            sender: who sends, for groups to judge; None for the server itself, which may send to all.

        Raises Unavailable where the directory cannot be read.
        """
        address = recipient.address
        if resolution is None:
            resolution = await self._directory.resolve(address)
        if isinstance(resolution, LocalAccount):  # nearly always
            return Routed(recipient, (LocalDelivery(resolution.account, resolution.address),))
        found = _Expansion(sender, self._settings.get(RECIPIENTS))
        await self._follow(_Step(address, resolution), found)
        if not (found.local or found.remote or found.refusals):
            found.refusals.append(Refusal(str(address), ALIAS_LOOP))
        return Routed(recipient, tuple(found.local.values()), tuple(found.remote.values()), tuple(found.refusals))

    async def destination(self, domain: str) -> str:
        """Return the queue destination of a remote domain. Raises SyntaxFault: where it has no form for the DNS."""
        return next_hop(domain, await self._directory.route_for(domain))

    async def _follow(self, first: _Step, found: _Expansion) -> None:
        """Go through what an address leads to, level by level; an address met before is passed over."""
        level = [first]
        found.seen.add(first.address.folded)
        for _ in range(EXPANSION_DEPTH + 1):
            following: list[_Step] = []
            for step in level:
                targets, within = await self._settle(step, found)
                following += await self._resolve_new(targets, within, found)
            if len(found.seen) > found.most:
                break
            if not following:
                return
            level = following
        found.local.clear()
        found.remote.clear()
        found.refusals = [Refusal(str(first.address), TOO_MANY)]

    async def _settle(self, step: _Step, found: _Expansion) -> tuple[tuple[str, ...], str]:
        """Note where an address ends, or return the targets it leads on to, and the domain whose group they are of."""
        meaning, told = step.meaning, str(step.address)
        if isinstance(meaning, AliasTargets):
            return meaning.targets, ""
        if isinstance(meaning, CatchAll):
            return (meaning.target,), ""
        if isinstance(meaning, GroupMembers):
            return await self._members(step, meaning, found)
        if isinstance(meaning, LocalAccount):
            found.local.setdefault(meaning.account.id, LocalDelivery(meaning.account, meaning.address))
        elif isinstance(meaning, UnknownUser):
            found.refusals.append(Refusal(told, NO_SUCH_USER))
        elif isinstance(meaning, Disabled):
            found.refusals.append(Refusal(told, DISABLED.because(meaning.what)))
        elif isinstance(meaning, Relocated):
            found.refusals.append(Refusal(told, moved(meaning.new_address)))
        else:
            await self._send_away(step.address, found)
        return (), ""

    async def _members(self, step: _Step, meaning: GroupMembers, found: _Expansion) -> tuple[tuple[str, ...], str]:
        group = meaning.group
        home = group.address.rpartition("@")[2]
        if found.sender is not None and step.within != home:
            refusal = await refusal_of(self._directory, group, found.sender)
            if refusal is not None:
                found.refusals.append(Refusal(str(step.address), refusal))
                return (), ""
        members = await self._directory.members(group.address, found.most + 1)
        if not members:
            found.refusals.append(Refusal(str(step.address), EMPTY_GROUP))
        return members, home

    async def _send_away(self, address: Address, found: _Expansion) -> None:
        try:
            key = await self.destination(address.domain)
        except SyntaxFault:
            found.refusals.append(Refusal(str(address), BAD_TARGET))
        else:
            found.remote.setdefault(address.folded, RemoteDelivery(address, key))

    async def _resolve_new(self, targets: tuple[str, ...], within: str, found: _Expansion) -> list[_Step]:
        fresh: list[_Step] = []
        for number, text in enumerate(targets, 1):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                address = parse_address(text)
            except SyntaxFault:
                found.refusals.append(Refusal(text, BAD_TARGET))
                continue
            if address.folded not in found.seen and len(found.seen) <= found.most:
                found.seen.add(address.folded)
                fresh.append(_Step(address, await self._directory.resolve(address), within))
        return fresh
