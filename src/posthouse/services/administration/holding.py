"""The end of a held account: destroyed when its time is over, by whoever keeps house, each with its trace.

An account that was restored in the meantime has another revision and stays. Few at a time, so that a round of
housekeeping is short; the next round goes on. Tests: ``tests/unit/services/administration/test_holding.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.clock import Clock
from posthouse.store.contract import Store, StoreRefusal
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import Audit, RemoveAccount
from posthouse.telemetry.log import Telemetry

AT_ONCE: Final = 20
ACTOR: Final = "posthouse"


async def purge_expired(store: Store, clock: Clock, telemetry: Telemetry) -> int:
    """Destroy accounts whose hold is over; return how many went. Raises Unavailable."""
    now = clock.now()
    count = 0
    for row in await store.held_accounts(now, AT_ONCE):
        domain = await store.domain(row.address.rpartition("@")[2])
        trace = _trace(row, now, domain.office if domain is not None else "")
        try:
            await store.commit(RemoveAccount(address=row.address, if_revision=row.revision), trace)
        except StoreRefusal:  # restored, changed or destroyed since it was read: not ours to destroy any more
            continue
        telemetry.event("account.purged", account=row.address)
        count += 1
    return count


def _trace(row: AccountRow, now: float, office: str) -> Audit:
    # Imported when somebody goes: the models of operations load slowly, and every worker would pay when it starts.
    from posthouse.services.administration.operations.account_models import as_account

    return Audit(
        at=now,
        actor=ACTOR,
        door="housekeeping",
        address="",
        operation="account.purge",
        subject=f"account:{row.address}",
        office=office,
        domain=row.address.rpartition("@")[2],
        before=as_account(row).model_dump(mode="json", exclude={"revision"}),
    )
