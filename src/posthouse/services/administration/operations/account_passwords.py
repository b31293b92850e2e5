"""Passwords of accounts: set one, make one at random.

A person changes his own with the one so far, whatever his role; an administrator sets those of others without. What
comes from a sign-in source of others has its password there.
Tests: ``tests/unit/services/administration/operations/test_account_passwords.py``.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import SecretStr

from posthouse.services.administration import access
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.messages import occasions
from posthouse.services.administration.operation import Effect, Rule, on_address, operation
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.account_models import (
    Account,
    MadePassword,
    RandomPassword,
    SetPassword,
    seen_by,
)
from posthouse.services.administration.secrets import encode_password, is_password
from posthouse.services.administration.writing import put_account
from posthouse.services.identity.password_policy import make_password
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import AccountKind


@operation(
    "account",
    "set-password",
    rule=Rule(Role.ACCOUNT, on_address()),
    http="POST /accounts/{address}/password",
    effect=Effect.CHANGE,
    arguments=("address",),
)
async def set_password(call: Call, given: SetPassword) -> Account:
    """Set the password of an account; for one's own the current one is needed."""
    old = await reading.account_row(call, given.address)
    refuse_foreign(old)
    if old.address == call.caller.account:  # whoever knows the current one may, however little his credential may
        await _check_current(old, given.current)
    else:
        access.require_over(call.caller, old)
        access.require_grant(call.caller, old.level)
    return seen_by(call.caller, await _write(call, old, given.password, must_change=given.must_change))


@operation(
    "account",
    "random-password",
    rule=Rule(Role.DOMAIN, on_address()),
    http="POST /accounts/{address}/random-password",
    effect=Effect.CHANGE,
    arguments=("address",),
)
async def random_password(call: Call, given: RandomPassword) -> MadePassword:
    """Give an account a password made at random, and tell it."""
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    refuse_foreign(old)
    refuse_own(call, old)
    access.require_grant(call.caller, old.level)
    made = make_password()
    await _write(call, old, SecretStr(made), must_change=given.must_change)
    return MadePassword(address=old.address, password=made)


async def _write(call: Call, old: AccountRow, secret: SecretStr, *, must_change: bool) -> AccountRow:
    names = (old.display_name, old.given_name, old.family_name)
    encoded = await encode_password(call.desk, secret, address=old.address, names=names)
    if old.password_hash:
        await occasions.tell_owner(call, "password-changed", old)
    return await put_account(call, old, replace(old, password_hash=encoded, must_change_password=must_change))


async def _check_current(old: AccountRow, current: SecretStr | None) -> None:
    if current is None:
        raise Refused("to change your own password takes the current one", "Give it as `current`.", field="current")
    if not await is_password(old.password_hash, current):
        raise Refused(
            "the current password is another", "Try again, or have an administrator set a new one.",
            kind=Kind.FORBIDDEN, field="current",
        )  # fmt: skip


def refuse_own(call: Call, row: AccountRow) -> None:
    """Raise Refused where an account is the caller's own: whoever found a token must not take over the account."""
    if row.address == call.caller.account:
        raise Refused(
            "to change your own password takes the current one",
            "Give it to account.set-password as `current`.",
            kind=Kind.NOT_NOW,
            field="password",
        )


def refuse_foreign(row: AccountRow) -> None:
    """Raise Refused where an account has no password of our own: a shared mailbox, or one of a sign-in source."""
    if row.kind is AccountKind.SHARED:
        raise Refused(
            f"{row.address} is a shared mailbox: nobody signs in as it",
            "Grant members rights: posthouse shared grant.",
            kind=Kind.NOT_NOW,
            field="password",
        )
    if row.source:
        raise Refused(
            f"{row.address} signs in by the source {row.source}",
            "Change the password there.",
            kind=Kind.NOT_NOW,
            field="password",
        )


OPERATIONS = (set_password, random_password)
