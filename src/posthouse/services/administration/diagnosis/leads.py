"""Where an address of the directory leads in the end: aliases, groups, further addresses and catch-alls followed.

Bounded in depth; what was found about an address is kept. Addresses of domains that are not ours end the way: they are
somebody else's. Tests: ``tests/unit/services/administration/diagnosis/test_check_directory.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.store.contract import Store

_DEPTH: Final = 50
_MOST_KEPT: Final = 100_000
_MOST_MEMBERS: Final = 1_000  # of one group that are followed
NOWHERE: Final = "leads nowhere"
CYCLE: Final = "leads back to itself"


class Leads:
    """Follows addresses; one for each run of a check."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[str, str] = {}

    async def exists(self, address: str) -> bool:
        """Whether anything is at an address itself: account, alias, group."""
        store = self._store
        return bool(await store.account(address) or await store.alias(address) or await store.group(address))

    async def fault_of(self, address: str, *, within_catch_all_of: str = "") -> str:
        """Return why mail to an address reaches nobody, "" where it does, or where somebody else decides.

        ``within_catch_all_of`` is the domain whose catch-all is being looked at: reaching it again is a circle.
        """
        path = (f"*@{within_catch_all_of}",) if within_catch_all_of else ()
        return await self._follow(address.lower(), path)

    async def _follow(self, address: str, path: tuple[str, ...]) -> str:
        if address in path:
            return CYCLE
        if len(path) >= _DEPTH:
            return f"leads on over more than {_DEPTH} addresses"
        kept = self._kept.get(address)
        if kept is None:
            kept = await self._look(address, path)
            if not path and len(self._kept) < _MOST_KEPT:
                self._kept[address] = kept
        return kept

    async def _look(self, address: str, path: tuple[str, ...]) -> str:
        local_part, _, name = address.rpartition("@")
        domain = await self._store.domain(name)
        if domain is None:
            return ""
        if domain.disabled:
            return f"leads to {name}, which is disabled"
        if domain.alias_of:
            return await self._follow(f"{local_part}@{domain.alias_of}", (*path, address))
        account = await self._store.account(address)
        if account is not None:
            return f"leads to {address}, which is disabled" if account.disabled else ""
        targets = await self._targets(address)
        if targets is not None:
            return await self._all(targets, (*path, address))
        return await self._otherwise(local_part, domain.name, domain.catch_all, path)

    async def _targets(self, address: str) -> tuple[str, ...] | None:
        """Where an alias or group leads; None where there is neither."""
        alias = await self._store.alias(address)
        if alias is not None:
            return () if alias.disabled else alias.targets
        if await self._store.group(address) is not None:
            return tuple(await self._store.members(address, limit=_MOST_MEMBERS))
        return None

    async def _all(self, targets: tuple[str, ...], path: tuple[str, ...]) -> str:
        """Reaching somebody is enough, but a circle never is well."""
        faults = [await self._follow(target.lower(), path) for target in targets]
        circles = [fault for fault in faults if fault == CYCLE]
        if circles or not faults:
            return CYCLE if circles else NOWHERE
        return faults[0] if all(faults) else ""

    async def _otherwise(self, local_part: str, name: str, catch_all: str, path: tuple[str, ...]) -> str:
        """Nothing is at the address itself: plus-addressing, postmaster, then the catch-all."""
        base, plus, _ = local_part.partition("+")
        if plus and base and await self.exists(f"{base}@{name}"):
            return await self._follow(f"{base}@{name}", path)
        if local_part == "postmaster":
            return ""
        if not catch_all:
            return f"leads to {local_part}@{name}, which is not there"
        if f"*@{name}" in path:
            return CYCLE
        return await self._follow(catch_all.lower(), (*path, f"*@{name}"))
