"""What operations on somebody's credentials share: whose they are, and who may.

One's own need no name; those of others take an administrator who is not below them. Tests:
``tests/unit/services/administration/operations/test_app_passwords_as_operations.py``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from posthouse.services.administration import access
from posthouse.services.administration.call import Call
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import OptionalAddressText
from posthouse.services.administration.operation import Input
from posthouse.services.administration.operations import reading
from posthouse.services.administration.reach import Reach, Target
from posthouse.store.directory_rows import AccountRow, CredentialRow
from posthouse.store.directory_values import AccountKind, CredentialKind

# What something is for, in its owner's words.
PurposeText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
IdText = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
SecretCode = Annotated[str, StringConstraints(max_length=40)]


class Owner(Input):
    """Whose credentials."""

    account: OptionalAddressText = Field("", description="The account; empty for your own.")


def of_owner(given: Owner) -> Target:
    """Return the target of a rule."""
    return Target(Reach.ACCOUNT, given.account) if given.account else Target(Reach.OWN)


async def owner_row(call: Call, given: Owner) -> AccountRow:
    """Return the account that credentials are of. Raises Refused."""
    named = given.account or call.caller.account
    if not named:
        raise Refused("account: nobody is signed in here", "Name the account.", field="account")
    row = await reading.account_row(call, named, "account")
    access.require_over(call.caller, row)
    if row.kind is AccountKind.SHARED:
        raise Refused(
            f"account: {row.address} is a shared mailbox, nobody signs in as it",
            "Name the account of a person.",
            kind=Kind.NOT_NOW,
            field="account",
        )
    return row


def is_own(call: Call, row: AccountRow) -> bool:
    """Whether the caller is the account's owner."""
    return call.caller.account == row.address


def require_above(call: Call, row: AccountRow, what: str) -> None:
    """Raise Refused: FORBIDDEN, unless the caller administers more than the account does, or the whole server."""
    access.require_above(call.caller, row, what)


async def credential_row(call: Call, owner: AccountRow, kind: CredentialKind, id: str) -> CredentialRow:  # noqa: A002  (the field's name)
    """Return a credential of an account. Raises Refused: where it has none of that id."""
    for row in await call.desk.store.credentials(owner.address, kind):
        if row.id == id:
            return row
    raise reading.missing(f"{kind.value.replace('-', ' ')} {id} of {owner.address}", "List them.", "id")
