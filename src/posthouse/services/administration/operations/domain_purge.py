"""``domain.purge``: a domain destroyed with everything it holds, in steps that can be repeated.

The domain is disabled first, so that nothing arrives meanwhile; then each thing goes in a commit of its own with its
trace. Where it is interrupted, the same call goes on. A dry run counts, and rehearses each step.
Tests: ``tests/unit/services/administration/operations/test_domain_operations.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from posthouse.services.administration import access
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import Effect, Rule, on_domain, operation
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.domain_models import Emptied, OneDomain
from posthouse.services.administration.writing import destroy_account, subject_of
from posthouse.store.directory_rows import AccountRow, DomainRow
from posthouse.store.directory_values import RemoveAlias, RemoveDomain, RemoveGroup

Row = TypeVar("Row")
_BATCH = 200


@operation(
    "domain", "purge", rule=Rule(Role.OFFICE, on_domain("name")), http="POST /domains/{name}/purge",
    effect=Effect.DESTROY, is_long=True, arguments=("name",),
)  # fmt: skip
async def purge(call: Call, given: OneDomain) -> Emptied:
    """Destroy a disabled domain with all its accounts, mail, aliases, groups and other names.

    Nothing is held: export first what is to be kept. The domain must be disabled, so that nothing arrives meanwhile.
    """
    row = await reading.domain_row(call, given.name)
    if row.name == call.caller.domain:
        raise Refused(
            "you would destroy the domain of your own account", "Have another administrator do it.", kind=Kind.NOT_NOW
        )
    if row.alias_of:
        raise Refused(
            f"{row.name} is another name of {row.alias_of} and holds nothing",
            f"Remove it: posthouse domain remove {row.name}",
            kind=Kind.NOT_NOW,
        )
    if not row.disabled:
        raise Refused(
            f"{row.name} is in use", f"Disable it first: posthouse domain set {row.name} --disabled", kind=Kind.NOT_NOW
        )
    return await _Emptying(call, row).run()


class _Emptying:
    """One domain on its way out."""

    def __init__(self, call: Call, row: DomainRow) -> None:
        self._call = call
        self._row = row
        self._done = 0
        self._total = row.accounts + row.aliases + row.groups + 1
        self._place = (row.office, row.name)
        call.if_revision = 0  # it named the domain's revision; each thing in it has its own

    async def run(self) -> Emptied:
        """Destroy everything. Raises Refused: where it was told to stop, or a level is above the caller's."""
        store, name = self._call.desk.store, self._row.name
        async for row in _all(lambda after: store.accounts(domain=name, after=after, limit=_BATCH), _address_of):
            access.require_over(self._call.caller, row)
        groups = await self._each(
            lambda after: store.groups(domain=name, after=after, limit=_BATCH),
            lambda row: self._gone(RemoveGroup(address=row.address), "group", row.address),
        )
        aliases = await self._each(
            lambda after: store.aliases(domain=name, after=after, limit=_BATCH),
            lambda row: self._gone(RemoveAlias(address=row.address), "alias", row.address),
        )
        accounts = await self._each(lambda after: store.accounts(domain=name, after=after, limit=_BATCH), self._destroy)
        others = await store.domains(alias_of=name)
        for other in others:
            await self._gone(RemoveDomain(name=other.name), "domain", other.name)
        if not self._call.dry_run:  # nothing went, so the domain cannot go in a rehearsal
            await self._gone(RemoveDomain(name=name), "domain", name)
        return Emptied(accounts=accounts, aliases=aliases, groups=groups, names=len(others))

    async def _each(
        self, page: Callable[[str], Awaitable[Sequence[Any]]], remove: Callable[[Any], Awaitable[None]]
    ) -> int:
        count = 0
        async for row in _all(page, _address_of):
            await remove(row)
            count += 1
            self._done += 1
            self._call.progress(self._done, self._total, row.address)
            if self._call.cancelled():
                raise Refused(
                    f"stopped after {self._done} of {self._total}", "Call it again to go on.", kind=Kind.NOT_NOW
                )
        return count

    async def _destroy(self, row: AccountRow) -> None:
        await destroy_account(self._call, row)

    async def _gone(self, change: RemoveAlias | RemoveGroup | RemoveDomain, kind: str, name: str) -> None:
        await self._call.commit(change, subject=subject_of(kind, name), before={"name": name}, place=self._place)


def _address_of(row: Any) -> str:
    return str(row.address)


async def _all(page: Callable[[str], Awaitable[Sequence[Row]]], key: Callable[[Row], str]) -> AsyncIterator[Row]:
    """Yield every row, page by page; rows may vanish between two pages."""
    after = ""
    while rows := await page(after):
        for row in rows:
            yield row
        after = key(rows[-1])
