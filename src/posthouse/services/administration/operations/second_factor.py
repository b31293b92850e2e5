"""Second factors, as operations: an authenticator is started, confirmed by its first code, and stopped.

Its owner stops it with a code; an administrator above him without, so that there is a way back for those who lost
everything; the audit log tells who did. Tests:
``tests/unit/services/administration/operations/test_second_factor_operations.py``.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from pydantic import Field

from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.messages import occasions
from posthouse.services.administration.operation import Effect, Nothing, Operation, Output, Rule, operation
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.owning import (
    Owner,
    SecretCode,
    is_own,
    of_owner,
    owner_row,
    require_above,
)
from posthouse.services.administration.writing import subject_of
from posthouse.services.identity.second_factor import (
    SecondFactor,
    is_second_factor,
    new_recovery_codes,
    new_totp_secret,
    recovery_verifier,
    totp_address,
)
from posthouse.store.directory_rows import AccountRow, CredentialRow
from posthouse.store.directory_values import CredentialKind, PutCredential, RemoveCredential
from posthouse.store.values import Change

_KINDS: Final = (CredentialKind.TOTP, CredentialKind.PASSKEY, CredentialKind.RECOVERY)
_WRONG: Final = "the code is wrong, was used before, or too many wrong ones were tried within the hour"


class WithCode(Owner):
    """Whose, with a code."""

    code: SecretCode = Field("", description="A one-time code, or a recovery code; an owner needs it.")


class ConfirmCode(Owner):
    """The first code."""

    code: SecretCode = Field(description="The code that the authenticator shows now.")


class SecondFactorShown(Output):
    """The second factors of an account."""

    account: str = Field(description="The account.")
    on: bool = Field(description="Whether its password alone is not enough.")
    authenticator: bool = Field(description="Whether an authenticator is confirmed.")
    pending: bool = Field(description="Whether one was started and waits for its first code.")
    passkeys: int = Field(description="How many passkeys it has.")
    recovery_codes: int = Field(description="How many recovery codes are left.")


class Started(Output):
    """An authenticator that waits for its first code."""

    account: str = Field(description="The account.")
    secret: str = Field(description="The secret, to type into the authenticator.")
    address: str = Field(description="The same as an address that authenticators read, also as a picture of it.")


class RecoveryCodes(Output):
    """Recovery codes, shown this once."""

    account: str = Field(description="The account.")
    codes: list[str] = Field(description="Codes for when the authenticator is lost; each works once. Keep them safe.")


@operation("second-factor", "show", rule=Rule(Role.ACCOUNT, of_owner), http="GET /second-factor")
async def show(call: Call, given: Owner) -> SecondFactorShown:
    """Show which second factors an account has."""
    owner = await owner_row(call, given)
    rows = await _rows(call, owner)
    authenticators = [row for row in rows if row.kind is CredentialKind.TOTP]
    confirmed = [row for row in authenticators if is_second_factor(row)]
    return SecondFactorShown(
        account=owner.address,
        on=any(map(is_second_factor, rows)),
        authenticator=bool(confirmed),
        pending=len(authenticators) > len(confirmed),
        passkeys=sum(row.kind is CredentialKind.PASSKEY for row in rows),
        recovery_codes=sum(row.kind is CredentialKind.RECOVERY for row in rows),
    )


@operation(
    "second-factor", "start", rule=Rule(Role.ACCOUNT, of_owner), http="POST /second-factor/start", effect=Effect.CHANGE
)
async def start(call: Call, given: Owner) -> Started:
    """Start an authenticator (RFC 6238); it counts once `second-factor confirm` got its first code."""
    owner = await owner_row(call, given)
    if not is_own(call, owner):
        require_above(call, owner, "the second factor")
    old = [row for row in await _rows(call, owner) if row.kind is CredentialKind.TOTP]
    if any(map(is_second_factor, old)):
        raise Refused(
            f"{owner.address} has an authenticator already", "Stop it first: second-factor stop.", kind=Kind.NOT_NOW
        )
    secret, number = new_totp_secret(), secrets.token_hex(8)
    made = PutCredential(
        id=number,
        account=owner.address,
        kind=CredentialKind.TOTP,
        name="authenticator",
        verifier=call.desk.sealing.seal(secret, f"totp:{number}"),
        created=call.desk.clock.now(),
    )
    gone = [RemoveCredential(id=row.id, account=row.account, kind=row.kind) for row in old]
    await _commit(call, owner, *gone, made, after={"authenticator": "waits for its first code"})
    return Started(
        account=owner.address, secret=secret, address=totp_address(secret, owner.address, call.desk.hostname)
    )


@operation(
    "second-factor", "confirm", rule=Rule(Role.ACCOUNT, of_owner), http="POST /second-factor/confirm",
    effect=Effect.CHANGE, arguments=("code",),
)  # fmt: skip
async def confirm(call: Call, given: ConfirmCode) -> RecoveryCodes:
    """Confirm an authenticator with its first code; from now on the password alone is not enough.

    The answer holds recovery codes, this once.
    """
    owner = await owner_row(call, given)
    if not is_own(call, owner):
        require_above(call, owner, "the second factor")
    waiting = [row for row in await _rows(call, owner) if row.kind is CredentialKind.TOTP and not is_second_factor(row)]
    if not waiting:
        raise Refused(
            f"no authenticator of {owner.address} waits for its first code", "second-factor start.", kind=Kind.NOT_NOW
        )
    use = await _factor(call).use_of_totp(waiting[-1], given.code.strip())
    if use is None:
        raise _wrong()
    codes, changes = fresh_codes(call, owner)
    await occasions.tell_owner(call, "second-factor-changed", owner, change="on")
    await _commit(call, owner, use, *changes, after={"authenticator": "on", "recovery_codes": len(codes)})
    return RecoveryCodes(account=owner.address, codes=codes)


@operation(
    "second-factor", "stop", rule=Rule(Role.ACCOUNT, of_owner), http="POST /second-factor/stop", effect=Effect.DESTROY,
)  # fmt: skip
async def stop(call: Call, given: WithCode) -> Nothing:
    """Stop asking for a second factor: authenticator, passkeys and recovery codes go.

    Its owner gives a code; an administrator above him none.
    """
    owner = await owner_row(call, given)
    rows = await _rows(call, owner)
    if not rows:
        raise Refused(f"{owner.address} has no second factor", kind=Kind.NOT_NOW)
    use = await _require_code(call, owner, given.code, needed=any(map(is_second_factor, rows)))
    gone = [RemoveCredential(id="*", account=owner.address, kind=kind) for kind in _KINDS]
    counts = {kind.value: sum(row.kind is kind for row in rows) for kind in _KINDS}
    if any(map(is_second_factor, rows)):
        await occasions.tell_owner(call, "second-factor-changed", owner, change="off")
    await _commit(call, owner, *use, *gone, before=counts)
    return Nothing()


@operation(
    "second-factor", "recovery-codes", rule=Rule(Role.ACCOUNT, of_owner), http="POST /second-factor/recovery-codes",
    effect=Effect.CHANGE,
)  # fmt: skip
async def recovery_codes(call: Call, given: WithCode) -> RecoveryCodes:
    """Make new recovery codes; those so far stop working."""
    owner = await owner_row(call, given)
    if not any(map(is_second_factor, await _rows(call, owner))):
        raise Refused(f"{owner.address} has no second factor", "second-factor start.", kind=Kind.NOT_NOW)
    use = await _require_code(call, owner, given.code, needed=True)
    codes, changes = fresh_codes(call, owner)
    await occasions.tell_owner(call, "second-factor-changed", owner, change="changed")
    await _commit(call, owner, *use, *changes, after={"recovery_codes": len(codes)})
    return RecoveryCodes(account=owner.address, codes=codes)


def fresh_codes(call: Call, owner: AccountRow) -> tuple[list[str], list[Change]]:
    """Return new recovery codes, and the changes that put them in place of the old ones."""
    codes = new_recovery_codes()
    changes: list[Change] = [RemoveCredential(id="*", account=owner.address, kind=CredentialKind.RECOVERY)]
    changes += [
        PutCredential(
            id=secrets.token_hex(8),
            account=owner.address,
            kind=CredentialKind.RECOVERY,
            name="recovery code",
            verifier=recovery_verifier(owner.id, code),
            created=call.desk.clock.now(),
        )
        for code in codes
    ]
    return codes, changes


async def _require_code(call: Call, owner: AccountRow, code: str, *, needed: bool) -> list[Change]:
    """Return the change that uses the owner's code up. Raises Refused: where he gave none, or a wrong one."""
    if not is_own(call, owner):
        require_above(call, owner, "the second factor")
        return []
    if not needed:
        return []
    if not code:
        raise Refused(
            "code: to change your own second factor takes a code",
            "Give one of the authenticator or a recovery code; or ask an administrator above you.",
            field="code",
        )
    use = await _factor(call).use_of(owner, code)
    if use is None:
        raise _wrong()
    return [use]


def _factor(call: Call) -> SecondFactor:
    return SecondFactor(call.desk.store, call.desk.sealing, call.desk.clock)


def _wrong() -> Refused:
    return Refused(f"code: {_WRONG}", "Wait for the next one.", kind=Kind.FORBIDDEN, field="code")


async def _rows(call: Call, owner: AccountRow) -> list[CredentialRow]:
    found: list[CredentialRow] = []
    for kind in _KINDS:
        found += await call.desk.store.credentials(owner.address, kind)
    return found


async def _commit(
    call: Call, owner: AccountRow, *changes: Change, before: dict[str, Any] | None = None, after: Any = None
) -> None:
    await call.commit(
        *changes,
        subject=subject_of("second-factor", owner.address),
        before=before,
        after=after,
        place=await reading.place_of(call, owner.address),
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (show, start, confirm, stop, recovery_codes)
