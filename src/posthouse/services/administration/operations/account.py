"""Operations on accounts: add, change, show, list, find. The others are in files of their own, listed here.

Rules: the domain's administrator, for his domain; a person may read and change what is his own about himself. Nobody
touches an account above his own level or grants more than he has; nobody takes his own level away.
Tests: ``tests/unit/services/administration/operations/test_account_operations.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from posthouse.services.administration import access, limits, words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import moment
from posthouse.services.administration.messages import occasions
from posthouse.services.administration.operation import (
    Effect,
    Page,
    Rule,
    key_of,
    on_address,
    on_own,
    operation,
)
from posthouse.services.administration.operations import account_addresses, account_passwords, account_stages, reading
from posthouse.services.administration.operations.account_models import (
    Account,
    AccountDetail,
    AddAccount,
    FindText,
    FoundItem,
    ListAccounts,
    OneAccount,
    SetAccount,
    SignInSeen,
    as_account,
    seen_by,
)
from posthouse.services.administration.secrets import encode_password
from posthouse.services.administration.writing import put_account
from posthouse.services.identity.defaults import quota_of
from posthouse.store.directory_rows import AccountRow, Found
from posthouse.store.directory_values import AccountState, Level
from posthouse.store.rows import Usage

_OWN_FIELDS = frozenset({"name", "given_name", "family_name", "language"})  # what a person may change about himself


@operation(
    "account",
    "add",
    rule=Rule(Role.DOMAIN, on_address()),
    http="POST /accounts",
    effect=Effect.CHANGE,
    arguments=("address",),
)
async def add(call: Call, given: AddAccount) -> Account:
    """Add an account with its mailboxes."""
    address = words.own_address(given.address, "address")
    home = await reading.home_of(call, address)
    level = _level(given.level, admin=given.admin or None) or Level.USER
    access.require_grant(call.caller, level)
    await reading.refuse_taken(call, address)
    settings = call.desk.settings
    quota = given.quota if given.quota is not None else quota_of(settings, home.name)
    limits.check_quota(settings, home, quota)
    names = (given.name, given.given_name, given.family_name)
    secret = given.password
    encoded = await encode_password(call.desk, secret, address=address, names=names) if secret is not None else ""
    row = AccountRow(
        id=limits.NEW_ACCOUNT,
        address=address,
        password_hash=encoded,
        display_name=words.line(given.name, field="name"),
        given_name=words.line(given.given_name, field="given_name"),
        family_name=words.line(given.family_name, field="family_name"),
        note=words.line(given.note, field="note"),
        language=words.language(given.language),
        quota_bytes=quota,
        quota_messages=given.quota_messages or 0,
        level=level,
        must_change_password=given.must_change_password,
        created=call.desk.clock.now(),
    )
    made = await put_account(call, None, row, limits.ceilings(settings, home))
    await occasions.welcome(call, made)
    return as_account(made)


@operation(
    "account",
    "set",
    rule=Rule(Role.ACCOUNT, on_address()),
    http="PATCH /accounts/{address}",
    effect=Effect.CHANGE,
    arguments=("address",),
)
async def set_(call: Call, given: SetAccount) -> Account:
    """Change an account.

    A person may change his own names and language; everything else takes an administrator.
    """
    asked = given.model_fields_set - {"address"}
    if not asked <= _OWN_FIELDS:
        call.require(Role.DOMAIN, "account.set of " + ", ".join(sorted(asked - _OWN_FIELDS)))
    old = await reading.account_row(call, given.address)
    access.require_over(call.caller, old)
    row = replace(old, **(await _changes(call, old, given)))
    if row.password_hash != old.password_hash and old.password_hash:
        await occasions.tell_owner(call, "password-changed", old)
    home = await reading.home_of(call, old.address)
    if given.quota is not None and given.quota != old.quota_bytes:
        limits.check_quota(call.desk.settings, home, given.quota)
    return seen_by(call.caller, await put_account(call, old, row, limits.ceilings(call.desk.settings, home)))


async def _changes(call: Call, old: AccountRow, given: SetAccount) -> dict[str, Any]:
    """Return the fields of the row that change."""
    changes: dict[str, Any] = {
        column: words.line(text, field=field)
        for column, field in (
            ("display_name", "name"),
            ("given_name", "given_name"),
            ("family_name", "family_name"),
            ("note", "note"),
        )
        if (text := getattr(given, field)) is not None
    }
    if given.language is not None:
        changes["language"] = words.language(given.language)
    if given.quota is not None:
        changes["quota_bytes"] = given.quota
    if given.quota_messages is not None:
        changes["quota_messages"] = given.quota_messages
    if given.must_change_password is not None:
        changes["must_change_password"] = given.must_change_password
    level = _level(given.level, admin=given.admin)
    if level is not None:
        _check_level(call, old, level)
        changes["level"] = level
    if given.disabled is not None:
        account_stages.check_state(call, old, disabling=given.disabled)
        changes["state"] = AccountState.DISABLED if given.disabled else AccountState.ACTIVE
    if given.password is not None:
        account_passwords.refuse_foreign(old)
        account_passwords.refuse_own(call, old)
        access.require_grant(call.caller, old.level)
        names = (old.display_name, old.given_name, old.family_name)
        changes["password_hash"] = await encode_password(call.desk, given.password, address=old.address, names=names)
    return changes


def _level(level: Level | None, *, admin: bool | None) -> Level | None:
    """Return the level that two ways to say it come to."""
    if admin is None:
        return level
    named = Level.SERVER if admin else Level.USER
    if level not in {None, Level.USER, named}:
        raise Refused(f"admin and the level {level.value if level else ''} contradict each other", "Give one of them.",
                      field="admin")  # fmt: skip
    return named


def _check_level(call: Call, old: AccountRow, level: Level) -> None:
    access.require_grant(call.caller, level)
    if old.address == call.caller.account and Role.of(level) < Role.of(old.level):
        raise Refused(
            "you would take your own administration away",
            "Have another administrator do it.",
            kind=Kind.NOT_NOW,
            field="level",
        )


@operation(
    "account",
    "show",
    rule=Rule(Role.ACCOUNT, on_address()),
    http="GET /accounts/{address}",
    arguments=("address",),
)
async def show(call: Call, given: OneAccount) -> AccountDetail:
    """Show an account with what it uses, its further addresses and groups, and the last sign-in."""
    row = await reading.account_row(call, given.address)
    store = call.desk.store
    usage = await store.usage(row.id) or Usage(0, 0, row.quota_bytes)
    seen = await store.last_sign_in(row.id)
    return AccountDetail(
        **dict(seen_by(call.caller, row)),
        addresses=await store.addresses(row.id),
        groups=await reading.known_to(call, await store.groups_of(row.address, nested=True)),
        used=usage.octets,
        messages=usage.messages,
        last_sign_in=SignInSeen(at=moment(seen.at), address=seen.address, protocol=seen.protocol) if seen else None,
    )


@operation(
    "account",
    "list",
    rule=Rule(Role.DOMAIN, on_own()),
    http="GET /accounts",
    columns=("address", "name", "quota", "level", "state", "has_password"),
)
async def list_(call: Call, given: ListAccounts) -> Page[Account]:
    """List accounts in order of address."""
    domain, office = await reading.narrowed(call, given.domain, given.office)
    rows = await call.desk.store.accounts(
        domain=domain,
        office=office,
        state=given.state,
        level=given.level,
        kind=given.kind,
        after=key_of(given.cursor),
        limit=given.limit + 1,
    )
    return reading.as_page(rows, given.limit, lambda row: row.address, as_account)


@operation(
    "account",
    "find",
    rule=Rule(Role.DOMAIN, on_own()),
    http="GET /find",
    arguments=("text",),
    columns=("kind", "address", "name", "account"),
)
async def find(call: Call, given: FindText) -> Page[FoundItem]:
    """Find accounts, aliases, groups and domains by any part of their address or name."""
    domain, office = await reading.narrowed(call, given.domain)
    text = words.line(given.text.strip(), field="text")
    if not text:
        raise Refused("there is nothing to look for", "Give a part of an address or a name.", field="text")
    rows = await call.desk.store.find(
        text, office=office, domain=domain, after=key_of(given.cursor), limit=given.limit + 1
    )
    known = set(await reading.known_to(call, [row.account for row in rows if row.account]))
    return reading.as_page(rows, given.limit, lambda row: row.cursor, lambda row: _as_found(row, known))


def _as_found(row: Found, known: Collection[str]) -> FoundItem:
    account = row.account if row.account in known else ""
    return FoundItem(kind=row.kind, address=row.address, name=row.name, account=account)


OPERATIONS = (
    add,
    set_,
    show,
    list_,
    find,
    *account_stages.OPERATIONS,
    *account_addresses.OPERATIONS,
    *account_passwords.OPERATIONS,
)
