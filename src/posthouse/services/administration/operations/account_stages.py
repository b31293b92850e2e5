"""The stages in which an account goes: disabled, held, destroyed; and the ways back.

    active <--> sign-in disabled | disabled        account.disable, account.enable
    any     --> held                               account.remove: no mail, no sign-in, until ``held_until``
    held    --> active                              account.restore, with everything it had
    held    --> gone                               housekeeping when the time has passed (``holding``), account.purge

Nobody removes or disables himself. Tests: ``tests/unit/services/administration/operations/test_account_stages.py``.
"""

from __future__ import annotations

from dataclasses import replace

from posthouse.services.administration import access
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.messages import occasions
from posthouse.services.administration.messages.post import moment_text
from posthouse.services.administration.operation import Effect, Nothing, Rule, on_address, operation
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.account_models import (
    Account,
    DisableInput,
    OneAccount,
    RemoveInput,
    as_account,
)
from posthouse.services.administration.writing import destroy_account, put_account
from posthouse.services.identity.defaults import hold_seconds
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import AccountState


@operation(
    "account",
    "remove",
    rule=Rule(Role.DOMAIN, on_address()),
    http="DELETE /accounts/{address}",
    effect=Effect.DESTROY,
    arguments=("address",),
)
async def remove(call: Call, given: RemoveInput) -> Nothing:
    """Remove an account; within the hold time it can be restored with all its mail.

    The time is `account.hold_days`. Meanwhile mail for the account is refused and nobody signs in. With `now`, or where
    the time is 0, the account is destroyed at once.
    """
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    refuse_self(call, old, "remove")
    await remove_row(call, old, now=given.now)
    return Nothing()


async def remove_row(call: Call, old: AccountRow, *, now: bool) -> None:
    """Hold an account or destroy it at once, as ``account.remove`` says. Raises Refused."""
    span = hold_seconds(call.desk.settings, old.address)
    if now or not span:
        await destroy_account(call, old)
        return
    if old.state is AccountState.HELD:
        raise Refused(
            f"{old.address} is removed already, and held",
            f"Destroy it with `posthouse account purge {old.address}`, or have it back with `account restore`.",
            kind=Kind.NOT_NOW,
        )
    held = replace(old, state=AccountState.HELD, held_until=call.desk.clock.now() + span)
    domain = old.address.rpartition("@")[2]
    await occasions.tell_postmaster(
        call, "account-held", domain, account=old.address, until=moment_text(held.held_until)
    )
    await put_account(call, old, held)


@operation(
    "account",
    "restore",
    rule=Rule(Role.DOMAIN, on_address()),
    http="POST /accounts/{address}/restore",
    effect=Effect.CHANGE,
    arguments=("address",),
)
async def restore(call: Call, given: OneAccount) -> Account:
    """Take back the removal of an account that is held, with everything it had."""
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    if old.state is not AccountState.HELD:
        raise Refused(f"{old.address} is not removed", "There is nothing to restore.", kind=Kind.NOT_NOW)
    return as_account(await put_account(call, old, replace(old, state=AccountState.ACTIVE, held_until=0.0)))


@operation(
    "account",
    "purge",
    rule=Rule(Role.DOMAIN, on_address()),
    http="POST /accounts/{address}/purge",
    effect=Effect.DESTROY,
    arguments=("address",),
)
async def purge(call: Call, given: OneAccount) -> Nothing:
    """Destroy an account that is held, with all its mail, before its time."""
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    if old.state is not AccountState.HELD:
        raise Refused(
            f"{old.address} is not held", f"Remove it first: posthouse account remove {old.address}", kind=Kind.NOT_NOW
        )
    await destroy_account(call, old)
    return Nothing()


@operation(
    "account",
    "disable",
    rule=Rule(Role.DOMAIN, on_address()),
    http="POST /accounts/{address}/disable",
    effect=Effect.CHANGE,
    arguments=("address",),
)
async def disable(call: Call, given: DisableInput) -> Account:
    """Disable an account: mail for it is refused and nobody signs in. Its mail stays."""
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    check_state(call, old, disabling=True)
    state = AccountState.SIGN_IN_DISABLED if given.sign_in_only else AccountState.DISABLED
    return as_account(await put_account(call, old, replace(old, state=state)))


@operation(
    "account",
    "enable",
    rule=Rule(Role.DOMAIN, on_address()),
    http="POST /accounts/{address}/enable",
    effect=Effect.CHANGE,
    arguments=("address",),
)
async def enable(call: Call, given: OneAccount) -> Account:
    """Enable a disabled account."""
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    check_state(call, old, disabling=False)
    return as_account(await put_account(call, old, replace(old, state=AccountState.ACTIVE)))


def check_state(call: Call, old: AccountRow, *, disabling: bool) -> None:
    """Raise Refused where an account cannot be disabled or enabled: it is held, or the caller's own."""
    if old.state is AccountState.HELD:
        raise Refused(
            f"{old.address} is removed, and held",
            f"Have it back first: posthouse account restore {old.address}",
            kind=Kind.NOT_NOW,
        )
    if disabling:
        refuse_self(call, old, "disable")


def refuse_self(call: Call, old: AccountRow, verb: str) -> None:
    """Raise Refused where an account is the caller's own."""
    if old.address == call.caller.account:
        raise Refused(f"you would {verb} your own account", "Have another administrator do it.", kind=Kind.NOT_NOW)


OPERATIONS = (remove, restore, purge, disable, enable)
