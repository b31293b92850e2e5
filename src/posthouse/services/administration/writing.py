"""Writing accounts: one change with its trace, and the row as it is then.

A row is changed by making the one it is to become; what differs is written. Tests: with the operations on accounts.
``tests/unit/services/administration/operations/test_account_operations.py``.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from posthouse.services.administration.call import Call
from posthouse.services.administration.operations.account_models import as_account
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import UNBOUNDED, Ceilings, PutAccount, RemoveAccount

_NOT_WRITTEN: Final = frozenset({"id", "address", "revision"})
_COLUMNS: Final = tuple(each.name for each in fields(AccountRow) if each.name not in _NOT_WRITTEN)


def subject_of(kind: str, name: str) -> str:
    """Return what an entry of the audit log is about."""
    return f"{kind}:{name}"


async def put_account(
    call: Call, old: AccountRow | None, new: AccountRow, ceilings: Ceilings = UNBOUNDED
) -> AccountRow:
    """Write an account as ``new`` has it; ``old`` is what is there or None. Return the row. Raises Refused."""
    store = call.desk.store
    changed: dict[str, Any] = {
        name: getattr(new, name) for name in _COLUMNS if old is None or getattr(new, name) != getattr(old, name)
    }
    await call.commit(
        PutAccount(
            address=new.address,
            must_be_new=old is None,
            if_revision=call.if_revision,
            ceilings=ceilings,
            **changed,
        ),
        subject=subject_of("account", new.address),
        before=told(old) if old is not None else None,
        after=told(new, password_changed="password_hash" in changed and bool(new.password_hash)),
        place=await _place(call, new.address),
    )
    return (await store.account(new.address) if not call.dry_run else None) or new


async def destroy_account(call: Call, old: AccountRow) -> None:
    """Destroy an account with all its mail. Raises Refused."""
    await call.commit(
        RemoveAccount(address=old.address, if_revision=call.if_revision),
        subject=subject_of("account", old.address),
        before=told(old),
        place=await _place(call, old.address),
    )


def told(row: AccountRow, *, password_changed: bool = False) -> dict[str, Any]:
    """Return what the audit log tells of an account: plain values without secrets."""
    values = as_account(row).model_dump(mode="json", exclude={"revision"})
    return values | ({"password": "changed"} if password_changed else {})


async def _place(call: Call, address: str) -> tuple[str, str]:
    name = address.rpartition("@")[2]
    row = await call.desk.store.domain(name)
    return (row.office if row is not None else "", name)
