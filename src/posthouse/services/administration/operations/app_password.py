"""App passwords, as operations: one for each mail program, made here, shown once, with scopes and an end.

Nobody grants more than he has: one with the scope ``api`` takes a caller who may everything that the account may.
Tests: ``tests/unit/services/administration/operations/test_app_passwords_as_operations.py``.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from posthouse.config.definitions.auth import APP_PASSWORD_COUNT, APP_PASSWORD_LIFETIME
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import moment
from posthouse.services.administration.messages import occasions
from posthouse.services.administration.messages.post import moment_text
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
    credential_row,
    is_own,
    of_owner,
    owner_row,
    require_above,
)
from posthouse.services.administration.tokens import credential_of
from posthouse.services.administration.writing import subject_of
from posthouse.services.identity.app_passwords import app_password_verifier, new_app_password
from posthouse.store.directory_rows import AccountRow, CredentialRow
from posthouse.store.directory_values import CredentialKind, PutCredential, RemoveCredential

Scope = Literal["mail", "imap", "pop3", "smtp", "api"]


def _mail() -> list[Scope]:
    return ["mail"]


class AddAppPassword(Owner):
    """A new app password."""

    name: PurposeText = Field(description="What it is for, in your own words: `phone`, `scanner in the hall`.")
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=5)] = Field(
        default_factory=_mail,
        description="What it may: `mail` reads and sends (IMAP, POP3, SMTP); `imap`, `pop3`, `smtp` only that; `api`.",
    )
    days: int = Field(0, ge=0, le=3650, description="For how many days it is valid; 0 for as long as allowed.")


class ListAppPasswords(PageInput, Owner):
    """Whose app passwords."""


class AppPasswordId(Owner):
    """One app password."""

    id: IdText = Field(description="Its id, as `app-password list` shows it; not the app password itself.")


class AppPassword(Output):
    """An app password, without its secret."""

    id: str = Field(description="Its id.")
    account: str = Field(description="The account it is of.")
    name: str = Field(description="What it is for.")
    scopes: list[str] = Field(description="What it may.")
    created: datetime | None = Field(description="When it was made.")
    expires: datetime | None = Field(description="When it ends; null for never.")
    last_used: datetime | None = Field(description="When it was last used; null for never.")
    last_address: str = Field(description="Where from it was last used.")


class NewAppPassword(AppPassword):
    """An app password with its secret, which is shown this once."""

    password: str = Field(description="The app password, for one mail program. It is not shown again.")


@operation(
    "app-password", "add", rule=Rule(Role.ACCOUNT, of_owner), http="POST /app-passwords", effect=Effect.CHANGE,
    arguments=("name",),
)  # fmt: skip
async def add(call: Call, given: AddAppPassword) -> NewAppPassword:
    """Make an app password for one mail program.

    The answer holds it, this once. It works beside the account's own password, also where a second factor is needed.
    """
    owner = await owner_row(call, given)
    if not is_own(call, owner):
        require_above(call, owner, "an app password")
    _require_all(call, owner, given.scopes)
    await _require_room(call, owner)
    made, now = new_app_password(), call.desk.clock.now()
    change = PutCredential(
        id=secrets.token_hex(8),
        account=owner.address,
        kind=CredentialKind.APP_PASSWORD,
        name=given.name,
        verifier=app_password_verifier(owner.id, made.encode()),
        scopes=" ".join(sorted(set(given.scopes))),
        created=now,
        expires=await _end(call, owner, given.days, now),
    )
    row = CredentialRow(
        change.id, change.account, change.kind, change.name, "", change.scopes, now, change.expires, 0.0, "", {}
    )
    shown = _shown(row)
    expires = moment_text(change.expires) if change.expires else ""
    await occasions.tell_owner(call, "app-password-added", owner, label=given.name, expires=expires)
    await call.commit(
        change,
        subject=subject_of("app-password", f"{owner.address}:{change.id}"),
        after=shown.model_dump(mode="json", include={"name", "scopes", "expires"}),
        place=await reading.place_of(call, owner.address),
    )
    return NewAppPassword(**dict(shown), password=made)


@operation(
    "app-password", "list", rule=Rule(Role.ACCOUNT, of_owner), http="GET /app-passwords",
    columns=("id", "name", "scopes", "expires", "last_used", "last_address"),
)  # fmt: skip
async def list_(call: Call, given: ListAppPasswords) -> Page[AppPassword]:
    """List app passwords, without their secrets."""
    owner = await owner_row(call, given)
    after = key_of(given.cursor)
    rows = sorted(await call.desk.store.credentials(owner.address, CredentialKind.APP_PASSWORD), key=lambda row: row.id)
    page = [row for row in rows if row.id > after][: given.limit + 1]
    return reading.as_page(page, given.limit, lambda row: row.id, _shown)


@operation(
    "app-password", "revoke", rule=Rule(Role.ACCOUNT, of_owner), http="DELETE /app-passwords/{id}",
    effect=Effect.DESTROY, arguments=("id",),
)  # fmt: skip
async def revoke(call: Call, given: AppPasswordId) -> Nothing:
    """Revoke an app password; who uses it is refused at the next sign-in."""
    owner = await owner_row(call, given)
    row = await credential_row(call, owner, CredentialKind.APP_PASSWORD, given.id)
    await call.commit(
        RemoveCredential(id=row.id, account=row.account, kind=row.kind),
        subject=subject_of("app-password", f"{owner.address}:{row.id}"),
        before=_shown(row).model_dump(mode="json", include={"name", "scopes", "expires"}),
        place=await reading.place_of(call, owner.address),
    )
    return Nothing()


def _require_all(call: Call, owner: AccountRow, scopes: list[Scope]) -> None:
    """Raise Refused where the app password would call the API with more than the caller has."""
    if "api" not in scopes:
        return
    # One in the name of another would go on when that account is given more than its maker has; a token notes its role.
    is_others = not is_own(call, owner) and call.caller.role is not Role.SERVER
    if is_others or "*" not in call.caller.scopes or call.caller.role < Role.of(owner.level):
        raise Refused(
            "scopes: api is more than your own credential may",
            "Make a token instead: posthouse token add.",
            kind=Kind.FORBIDDEN,
            field="scopes",
        )


async def _require_room(call: Call, owner: AccountRow) -> None:
    most = call.desk.settings.get(APP_PASSWORD_COUNT, domain=owner.address.rpartition("@")[2])
    if len(await call.desk.store.credentials(owner.address, CredentialKind.APP_PASSWORD)) >= most:
        raise Refused(
            f"{owner.address} has {most} app passwords already",
            "Revoke one that is not used, or have auth.app_password_count raised.",
            kind=Kind.LIMIT,
        )


async def _end(call: Call, owner: AccountRow, days: int, now: float) -> float:
    """Return when an app password ends, 0.0 for never. Raises Refused: where that is later than allowed."""
    longest = call.desk.settings.get(APP_PASSWORD_LIFETIME, domain=owner.address.rpartition("@")[2])
    if longest and days * 86_400 > longest:
        raise Refused(
            f"days: an app password is valid for {int(longest // 86_400)} days at most",
            "Ask for fewer days, or have auth.app_password_lifetime raised.",
            kind=Kind.LIMIT,
            field="days",
        )
    seconds = days * 86_400 or longest
    end = now + seconds if seconds else 0.0
    token = await credential_of(call.desk.store, call.caller)
    latest = token.expires if token is not None else 0.0
    return min(end or latest, latest) if latest else end  # never after the token it is made with


def _shown(row: CredentialRow) -> AppPassword:
    return AppPassword(
        id=row.id,
        account=row.account,
        name=row.name,
        scopes=row.scopes.split(),
        created=moment(row.created),
        expires=moment(row.expires),
        last_used=moment(row.last_used),
        last_address=row.last_address,
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (add, list_, revoke)
