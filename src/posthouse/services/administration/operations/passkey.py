"""Passkeys, as operations: made by their owner in a browser, listed and removed; signing in with them is the web's.

Tests: ``tests/unit/services/administration/operations/test_passkey_operations.py``.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import moment
from posthouse.services.administration.messages import occasions
from posthouse.services.administration.operation import (
    Effect,
    Nothing,
    Operation,
    Output,
    Page,
    PageInput,
    Rule,
    key_of,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.operations.owning import (
    IdText,
    Owner,
    PurposeText,
    SecretCode,
    credential_row,
    is_own,
    of_owner,
    owner_row,
    require_above,
)
from posthouse.services.administration.operations.second_factor import fresh_codes
from posthouse.services.administration.writing import subject_of
from posthouse.services.identity.passkey_limits import RESPONSE_LENGTH, STATE_LENGTH
from posthouse.services.identity.second_factor import SecondFactor, is_second_factor
from posthouse.store.directory_rows import AccountRow, CredentialRow
from posthouse.store.directory_values import CredentialKind, PutCredential, RemoveCredential
from posthouse.store.values import Change

MOST: Final = 20  # of one account

if TYPE_CHECKING:
    from posthouse.services.identity.passkeys import Passkeys


class BeginPasskey(Owner):
    """A passkey that is to be made."""


class FinishPasskey(Owner):
    """What the browser made."""

    name: PurposeText = Field(description="What it is on, in your own words: `laptop`, `blue key`.")
    state: str = Field(min_length=1, max_length=STATE_LENGTH, description="`state` of `passkey begin`.")
    response: str = Field(
        min_length=2, max_length=RESPONSE_LENGTH,
        description="The credential that `navigator.credentials.create` returned, as JSON text.",
    )  # fmt: skip


class ListPasskeys(PageInput, Owner):
    """Whose passkeys."""


class PasskeyId(Owner):
    """A passkey."""

    id: IdText = Field(description="Its id, as `passkey list` shows it.")
    code: SecretCode = Field("", description="A one-time or recovery code; its owner needs one for the last factor.")


class BegunPasskey(Output):
    """What the browser needs to make a passkey."""

    account: str = Field(description="The account.")
    options: dict[str, Any] = Field(description="For `PublicKeyCredential.parseCreationOptionsFromJSON`.")
    state: str = Field(description="To be sent back with the browser's answer, within five minutes.")


class Passkey(Output):
    """A passkey."""

    id: str = Field(description="Its id.")
    account: str = Field(description="The account it is of.")
    name: str = Field(description="What it is on.")
    domain: str = Field(description="The name it was made for.")
    created: datetime | None = Field(description="When it was made.")
    last_used: datetime | None = Field(description="When it was last used; null for never.")


class NewPasskey(Passkey):
    """A new passkey."""

    recovery_codes: list[str] = Field(
        description="With the first second factor: codes for when it is lost, shown this once. Each works once."
    )


@operation(
    "passkey", "begin", rule=Rule(Role.ACCOUNT, of_owner), http="POST /passkeys/begin", effect=Effect.CHANGE
)  # fmt: skip
async def begin(call: Call, given: BeginPasskey) -> BegunPasskey:
    """Begin to make a passkey of your own: what the browser needs to know."""
    owner = await _own_row(call, given)
    rows = await call.desk.store.credentials(owner.address, CredentialKind.PASSKEY)
    if len(rows) >= MOST:
        raise Refused(f"{owner.address} has {MOST} passkeys already", "Remove one.", kind=Kind.LIMIT)
    options, state = _passkeys(call).begin_registration(owner, rows)
    return BegunPasskey(account=owner.address, options=options, state=state)


@operation(
    "passkey", "finish", rule=Rule(Role.ACCOUNT, of_owner), http="POST /passkeys", effect=Effect.CHANGE,
    arguments=("name",),
)  # fmt: skip
async def finish(call: Call, given: FinishPasskey) -> NewPasskey:
    """Keep the passkey that the browser made; from now on your password alone is not enough."""
    owner = await _own_row(call, given)
    made = _passkeys(call).finish_registration(owner, given.state, given.response)
    if made is None:
        raise Refused(
            "response: it does not belong to this state, or came too late",
            "Begin again: passkey begin. The page must be on auth.passkey_domain.",
            field="response",
        )
    is_first = not any(map(is_second_factor, await call.desk.store.credentials(owner.address)))
    change = PutCredential(
        id=secrets.token_hex(8),
        account=owner.address,
        kind=CredentialKind.PASSKEY,
        name=given.name,
        verifier=made.key,
        created=call.desk.clock.now(),
        details=made.details,
    )
    codes, changes = fresh_codes(call, owner) if is_first else ([], [])
    row = CredentialRow(
        change.id, change.account, change.kind, change.name, "", "", change.created, 0.0, 0.0, "", made.details
    )
    shown = _shown(row)
    await occasions.tell_owner(call, "second-factor-changed", owner, change="on" if is_first else "changed")
    await _commit(call, owner, change.id, change, *changes, after={"name": given.name, "domain": shown.domain})
    return NewPasskey(**dict(shown), recovery_codes=codes)


@operation(
    "passkey", "list", rule=Rule(Role.ACCOUNT, of_owner), http="GET /passkeys",
    columns=("id", "name", "domain", "created", "last_used"),
)  # fmt: skip
async def list_(call: Call, given: ListPasskeys) -> Page[Passkey]:
    """List passkeys."""
    owner = await owner_row(call, given)
    after = key_of(given.cursor)
    rows = sorted(await call.desk.store.credentials(owner.address, CredentialKind.PASSKEY), key=lambda row: row.id)
    page = [row for row in rows if row.id > after][: given.limit + 1]
    return reading.as_page(page, given.limit, lambda row: row.id, _shown)


@operation(
    "passkey", "remove", rule=Rule(Role.ACCOUNT, of_owner), http="DELETE /passkeys/{id}", effect=Effect.DESTROY,
    arguments=("id",),
)  # fmt: skip
async def remove(call: Call, given: PasskeyId) -> Nothing:
    """Remove a passkey; whoever removes his last second factor gives a code."""
    owner = await owner_row(call, given)
    row = await credential_row(call, owner, CredentialKind.PASSKEY, given.id)
    changes: list[Change] = []
    is_last = await _is_last(call, owner)
    if not is_own(call, owner):
        require_above(call, owner, "the second factor")
    elif is_last:
        changes.append(await _use_of_code(call, owner, given.code))
    gone = RemoveCredential(id=row.id, account=row.account, kind=row.kind)
    await occasions.tell_owner(call, "second-factor-changed", owner, change="off" if is_last else "changed")
    await _commit(call, owner, row.id, *changes, gone, before={"name": row.name})
    return Nothing()


async def _is_last(call: Call, owner: AccountRow) -> bool:
    return sum(map(is_second_factor, await call.desk.store.credentials(owner.address))) == 1


async def _use_of_code(call: Call, owner: AccountRow, code: str) -> Change:
    factor = SecondFactor(call.desk.store, call.desk.sealing, call.desk.clock)
    use = await factor.use_of(owner, code)
    if use is None:
        raise Refused(
            "code: to remove your last second factor takes a recovery code",
            "Give one, or ask an administrator above you.",
            kind=Kind.FORBIDDEN,
            field="code",
        )
    return use


async def _own_row(call: Call, given: Owner) -> AccountRow:
    owner = await owner_row(call, given)
    if not is_own(call, owner):
        raise Refused(
            f"account: a passkey of {owner.address} is made by its owner alone",
            "Sign in as the account.",
            kind=Kind.NOT_NOW,
            field="account",
        )
    return owner


def _passkeys(call: Call) -> Passkeys:
    # Imported when a passkey is made: what checks attestations takes a while to load, and few calls need it.
    from posthouse.services.identity.passkeys import Passkeys

    desk = call.desk
    return Passkeys(desk.store, desk.sealing, desk.clock, desk.settings, desk.hostname)


async def _commit(
    call: Call, owner: AccountRow, number: str, *changes: Change, before: Any = None, after: Any = None
) -> None:
    await call.commit(
        *changes,
        subject=subject_of("passkey", f"{owner.address}:{number}"),
        before=before,
        after=after,
        place=await reading.place_of(call, owner.address),
    )


def _shown(row: CredentialRow) -> Passkey:
    return Passkey(
        id=row.id,
        account=row.account,
        name=row.name,
        domain=str(row.details.get("domain", "")),
        created=moment(row.created),
        last_used=moment(row.last_used),
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (begin, finish, list_, remove)
