"""Tokens of the API, as operations.

Nobody makes a token that may more than he: its account is himself or somebody below him within his reach, its scopes
are among his own. Tests: ``tests/unit/services/administration/operations/test_token_operations.py``.
"""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from posthouse.config.definitions.rest import TOKEN_LIFETIME
from posthouse.services.administration import words
from posthouse.services.administration.access import require_above, require_over
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import (
    Effect,
    Input,
    Nothing,
    Operation,
    Output,
    Page,
    PageInput,
    Rule,
    cursor_of,
    key_of,
    operation,
)
from posthouse.services.administration.operations import reading
from posthouse.services.administration.reach import Reach, Target
from posthouse.services.administration.tokens import credential_of, may_sign_in, new_token, verifier_of
from posthouse.store.directory_rows import CredentialRow
from posthouse.store.directory_values import CredentialKind, PutCredential, RemoveCredential

_SCOPE: Final = re.compile(r"\*|(\*|[a-z][a-z-]{0,40}):(read|write)")
_OWN: Final = "The account it is of; empty for your own, and on the machine itself for the server's."


def _owner(given: TokenOwner) -> Target:
    return Target(Reach.ACCOUNT, given.account) if given.account else Target(Reach.OWN)


class TokenOwner(Input):
    """Whose tokens."""

    account: str = Field("", max_length=320, description=_OWN)


class ListTokens(PageInput, TokenOwner):
    """Whose tokens to list."""


class TokenId(TokenOwner):
    """One token."""

    id: str = Field(min_length=1, max_length=64, description="The token's id, as lists show it; not the token itself.")


class AddToken(TokenOwner):
    """A new token."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] = Field(
        description="What it is for, in your own words."
    )
    scopes: list[str] = Field(
        ["*"],
        min_length=1,
        max_length=100,
        description="What it may: `*` everything you may, `*:read` read everything, `account:write` change accounts, "
        "`domain:read` read domains, and so on.",
    )
    days: int = Field(0, ge=0, le=3650, description="For how many days it is valid; 0 for as long as allowed.")
    role: Literal["", "account", "domain", "office", "server"] = Field(
        "", description="The role it acts in, where that is to be less than its account's. For the server's own: which."
    )
    office: str = Field("", max_length=63, description="For the server's own with the role office: which post office.")
    domain: str = Field("", max_length=255, description="For the server's own with the role domain: which domain.")


class Token(Output):
    """A token of the API, without its secret."""

    id: str = Field(description="Its id.")
    account: str = Field(description="The account it is of; empty for the server's own.")
    name: str = Field(description="What it is for.")
    scopes: list[str] = Field(description="What it may.")
    role: str = Field(description="The role it acts in; empty for its account's.")
    created: float = Field(description="When it was made, in seconds since the epoch.")
    expires: float = Field(description="When it ends.")
    last_used: float = Field(description="When it was last used; 0 for never.")
    last_address: str = Field(description="Where from it was last used.")


class NewToken(Token):
    """A token with its secret, which is shown this once."""

    token: str = Field(description="The token: send it as `Authorization: Bearer TOKEN`. It is not shown again.")


@operation(
    "token",
    "add",
    rule=Rule(Role.ACCOUNT, _owner),
    http="POST /tokens",
    effect=Effect.CHANGE,
    arguments=("name",),
)
async def add(call: Call, given: AddToken) -> NewToken:
    """Make a token of the API.

    It may never more than you. The answer holds the token itself, this once.
    """
    owner = await _account(call, given.account, makes=True)
    scopes = _scopes(call.caller, given.scopes)
    details = await _details(call, given, owner)
    now = call.desk.clock.now()
    longest = call.desk.settings.get(TOKEN_LIFETIME, account=owner)
    if given.days * 86_400 > longest:
        raise Refused(
            f"days: a token is valid for {int(longest // 86_400)} days at most",
            "Ask for fewer days, or have rest.token_lifetime raised.",
            kind=Kind.LIMIT,
            field="days",
        )
    end = await _end(call, given.days * 86_400, longest)
    token = new_token()
    change = PutCredential(
        id=secrets.token_hex(8),
        account=owner,
        kind=CredentialKind.TOKEN,
        name=given.name,
        verifier=verifier_of(token),
        scopes=" ".join(scopes),
        created=now,
        expires=end,
        details=details,
    )
    shown = {"name": given.name, "scopes": scopes, "expires": change.expires, **details}
    await call.commit(
        change, subject=f"token:{owner or 'server'}:{change.id}", after=shown, place=await _place(call, owner)
    )
    return NewToken(
        id=change.id,
        account=owner,
        name=given.name,
        scopes=scopes,
        role=details.get("role", "").lower(),
        created=now,
        expires=change.expires,
        last_used=0.0,
        last_address="",
        token=token,
    )


@operation(
    "token",
    "list",
    rule=Rule(Role.ACCOUNT, _owner),
    http="GET /tokens",
    columns=("id", "name", "scopes", "expires", "last_used"),
)
async def list_tokens(call: Call, given: ListTokens) -> Page[Token]:
    """List tokens of the API, without their secrets."""
    owner = await _account(call, given.account)
    after = key_of(given.cursor)
    rows = sorted(await call.desk.store.credentials(owner, CredentialKind.TOKEN), key=lambda row: row.id)
    page = [row for row in rows if row.id > after][: given.limit + 1]
    more = len(page) > given.limit
    page = page[: given.limit]
    return Page[Token](items=[_shown(row) for row in page], next=cursor_of(page[-1].id) if more else "")


@operation("token", "show", rule=Rule(Role.ACCOUNT, _owner), http="GET /tokens/{id}", arguments=("id",))
async def show(call: Call, given: TokenId) -> Token:
    """Show a token of the API, without its secret."""
    return _shown(await _row(call, given))


@operation(
    "token",
    "revoke",
    rule=Rule(Role.ACCOUNT, _owner),
    http="DELETE /tokens/{id}",
    effect=Effect.DESTROY,
    arguments=("id",),
)
async def revoke(call: Call, given: TokenId) -> Nothing:
    """Revoke a token of the API; whoever uses it is refused from now on."""
    row = await _row(call, given)
    before = {"name": row.name, "scopes": row.scopes.split(), "expires": row.expires}
    await call.commit(
        RemoveCredential(id=row.id, account=row.account, kind=CredentialKind.TOKEN),
        subject=f"token:{row.account or 'server'}:{row.id}",
        before=before,
        place=await _place(call, row.account),
    )
    return Nothing()


async def _end(call: Call, asked: float, longest: float) -> float:
    """Return when a new token ends: not after the one it is made with. Raises Refused."""
    own, now = await credential_of(call.desk.store, call.caller), call.desk.clock.now()
    latest = own.expires if own is not None and own.expires else now + longest
    if now + asked > latest:
        raise Refused(
            "days: that is longer than the token you use is valid", "Ask for fewer days.", kind=Kind.LIMIT, field="days"
        )
    return now + asked if asked else min(now + longest, latest)


async def _account(call: Call, named: str, *, makes: bool = False) -> str:
    """Return the owner's address; "" for the server. Raises Refused."""
    if not named:
        if not call.caller.account and call.caller.credential:
            raise Refused("account: this token has no account", "Name the account.", field="account")
        return call.caller.account
    row = await reading.account_row(call, named, "account")
    require_over(call.caller, row)
    if makes and row.address != call.caller.account:
        require_above(call.caller, row, "a token")
    return row.address


async def _row(call: Call, given: TokenId) -> CredentialRow:
    owner = await _account(call, given.account)
    for row in await call.desk.store.credentials(owner, CredentialKind.TOKEN):
        if row.id == given.id:
            return row
    raise Refused(f"there is no token {given.id}", "`posthouse token list` shows them.", kind=Kind.MISSING, field="id")


def _scopes(caller: Caller, wanted: list[str]) -> list[str]:
    """Return scopes in order, each once. Raises Refused: where one is none, or more than the caller's own."""
    for scope in wanted:
        if not _SCOPE.fullmatch(scope):
            raise Refused(
                f"scopes: {scope!r} is not a scope", "Write *, *:read, account:read, account:write.", field="scopes"
            )
        noun, _, kind = scope.partition(":")
        if not caller.allows(noun, writes=kind != "read") or (scope == "*" and "*" not in caller.scopes):
            raise Refused(f"scopes: {scope} is more than your own token may", kind=Kind.FORBIDDEN, field="scopes")
    return sorted(set(wanted))


async def _details(call: Call, given: AddToken, owner: str) -> dict[str, str]:
    """Return the role noted in the token, and for the server's own its reach. Raises Refused."""
    role = Role[given.role.upper()] if given.role else None
    if role is not None and role > call.caller.role:
        raise Refused(f"role: {given.role} is more than you have", kind=Kind.FORBIDDEN, field="role")
    if owner:
        for name in ("office", "domain"):
            if getattr(given, name):
                raise Refused(f"{name}: is for the server's own tokens", "Leave it out.", field=name)
        return {"role": role.name} if role is not None else await _noted_role(call, owner)
    return await _server_details(call, given, role or Role.SERVER)


async def _noted_role(call: Call, owner: str) -> dict[str, str]:
    """Note the caller's role where the account's is or may become more: nobody makes a stronger token than himself.

    Only who acts with all of his own account makes tokens that grow with it.
    """
    found = await may_sign_in(call.desk.store, owner)
    if owner == call.caller.account and found is not None and Caller.of_account(*found).role <= call.caller.role:
        return {}
    return {} if call.caller.role is Role.SERVER else {"role": call.caller.role.name}


async def _server_details(call: Call, given: AddToken, role: Role) -> dict[str, str]:
    if role is Role.ACCOUNT:
        raise Refused("role: a token of the server has no account", "Name an account.", field="role")
    details = {"role": role.name}
    if role is Role.OFFICE:
        if await call.desk.store.office(given.office) is None:
            raise Refused(f"office: there is no post office {given.office!r}", kind=Kind.MISSING, field="office")
        details["office"] = given.office
    if role is Role.DOMAIN:
        row = await call.desk.store.domain(words.domain_name(given.domain))
        if row is None:
            raise Refused(f"domain: there is no domain {given.domain!r}", kind=Kind.MISSING, field="domain")
        details |= {"domain": row.name, "office": row.office}
    return details


async def _place(call: Call, owner: str) -> tuple[str, str]:
    """Return whose administrators may read of a token."""
    name = owner.rpartition("@")[2]
    row = await call.desk.store.domain(name) if name else None
    return (row.office, row.name) if row is not None else ("", "")


def _shown(row: CredentialRow) -> Token:
    return Token(
        id=row.id,
        account=row.account,
        name=row.name,
        scopes=row.scopes.split(),
        role=str(row.details.get("role", "")).lower(),
        created=row.created,
        expires=row.expires,
        last_used=row.last_used,
        last_address=row.last_address,
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (add, list_tokens, show, revoke)
