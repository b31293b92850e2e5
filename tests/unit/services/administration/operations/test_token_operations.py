"""Tokens as operations: nobody makes one that may more than he."""

import pytest

from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import token
from posthouse.services.administration.tokens import TokenDesk
from posthouse.services.identity.sign_in_notes import SignInNotes
from tests.support.desks import ON_MACHINE, caller_of, do, make_desk, people


@pytest.fixture
async def house(store, store_clock, tmp_path):
    """Return a desk over people of every level."""
    await people(store)
    return make_desk(store, store_clock, tmp_path)


async def calls_with(desk, text):
    """Return the caller behind a token."""
    return await TokenDesk(desk.store, desk.clock, SignInNotes(desk.store, desk.clock)).caller(
        text, door="rest", address=""
    )


async def test_a_token_is_made_listed_and_revoked(house) -> None:
    """The secret is shown once; lists and the audit log know it by its id."""
    anna = await caller_of(house.store, "anna@acme.test")
    made = await do(house, token.add, anna, name="phone", scopes=["account:read"], days=30)
    assert (made.account, made.expires) == ("anna@acme.test", house.clock.now() + 30 * 86_400)
    (shown,) = (await do(house, token.list_tokens, anna)).items
    assert (shown.id, shown.name, shown.scopes) == (made.id, "phone", ["account:read"])
    entries = await house.store.audit(subject=f"token:anna@acme.test:{made.id}")
    assert made.token not in str(entries)
    await do(house, token.revoke, anna, id=made.id)
    assert (await do(house, token.list_tokens, anna)).items == []
    with pytest.raises(Refused) as refusal:
        await do(house, token.revoke, anna, id=made.id)
    assert refusal.value.kind is Kind.MISSING


async def test_pages_of_tokens(house) -> None:
    """Each once."""
    for number in range(5):
        await do(house, token.add, account="anna@acme.test", name=f"t{number}")
    cursor, names = "", set()
    while True:
        page = await do(house, token.list_tokens, account="anna@acme.test", limit=2, cursor=cursor)
        names |= {each.name for each in page.items}
        cursor = page.next
        if not cursor:
            break
    assert names == {f"t{number}" for number in range(5)}


@pytest.mark.parametrize(
    ("scopes", "own", "allowed"),
    [
        (["*"], ["*"], True),
        (["*:read"], ["*"], True),
        (["*"], ["*:write"], False),
        (["account:read"], ["account:write"], True),
        (["account:write"], ["account:read"], False),
        (["*:read"], ["account:read"], False),
        (["domain:read"], ["*:read"], True),
        (["domain:write"], ["*:read"], False),
    ],
)
async def test_scopes_are_among_ones_own(house, scopes, own, allowed) -> None:
    """What one's own credential may not, no token made with it may."""
    own = frozenset([*own, "token:write"])
    anna = await caller_of(house.store, "anna@acme.test", scopes=own)
    try:
        made = await do(house, token.add, anna, name="t", scopes=scopes)
    except Refused as refusal:
        assert (allowed, refusal.kind, refusal.field) == (False, Kind.FORBIDDEN, "scopes")
    else:
        assert allowed
        assert made.scopes == scopes


@pytest.mark.parametrize("scope", ["", "account", "account:delete", "Account:read", "a:b:read", "*:*", "x" * 100])
async def test_a_scope_that_is_none(house, scope) -> None:
    """It would allow nothing, or something else than was meant."""
    with pytest.raises(Refused) as refusal:
        await do(house, token.add, account="anna@acme.test", name="t", scopes=[scope])
    assert refusal.value.field == "scopes"


@pytest.mark.parametrize("address", ["boss@acme.test", "root@own.test", "rita@rival.test"])
async def test_nobody_makes_tokens_of_who_is_above_or_elsewhere(house, address) -> None:
    """Neither of his own administrators, nor of another tenant."""
    admin = await caller_of(house.store, "admin@acme.test")
    with pytest.raises(Refused) as refusal:
        await do(house, token.add, admin, account=address, name="t")
    assert refusal.value.kind is Kind.FORBIDDEN


async def test_a_token_of_a_lesser_role_makes_none_of_a_greater_one(house) -> None:
    """Its role goes along to what is made with it."""
    boss = await caller_of(house.store, "boss@acme.test")
    less = await do(house, token.add, boss, name="less", role="account")
    caller = await calls_with(house, less.token)
    assert caller.role is Role.ACCOUNT
    made = await do(house, token.add, caller, name="more")
    assert (await calls_with(house, made.token)).role is Role.ACCOUNT
    with pytest.raises(Refused):
        await do(house, token.add, caller, name="more", role="office")


async def test_a_token_follows_its_account(house) -> None:
    """Whoever is no administrator any more has no administrator's tokens."""
    from posthouse.store.directory_values import Level, PutAccount

    made = await do(house, token.add, account="boss@acme.test", name="t")
    assert (await calls_with(house, made.token)).role is Role.OFFICE
    await house.store.commit(PutAccount(address="boss@acme.test", level=Level.USER, must_be_new=False))
    assert (await calls_with(house, made.token)).role is Role.ACCOUNT


@pytest.mark.parametrize(
    ("fields", "role", "office", "domain"),
    [
        ({}, Role.SERVER, "", ""),
        ({"role": "office", "office": "acme"}, Role.OFFICE, "acme", ""),
        ({"role": "domain", "domain": "acme.test"}, Role.DOMAIN, "acme", "acme.test"),
    ],
)
async def test_the_machine_makes_tokens_of_the_server(house, fields, role, office, domain) -> None:
    """Without an account, with a role and a reach of their own."""
    made = await do(house, token.add, ON_MACHINE, name="panel", **fields)
    caller = await calls_with(house, made.token)
    assert (caller.role, caller.office, caller.domain, caller.name) == (role, office, domain, "token panel")


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "account"},
        {"role": "office", "office": "nothing"},
        {"role": "domain", "domain": "nothing.test"},
        {"account": "anna@acme.test", "office": "acme"},
        {"account": "nobody@acme.test"},
        {"days": 3_000},
    ],
)
async def test_what_makes_no_sense_is_refused(house, fields) -> None:
    """With the field to blame."""
    with pytest.raises(Refused) as refusal:
        await do(house, token.add, ON_MACHINE, **{"name": "t", **fields})
    assert refusal.value.field in fields


async def test_a_token_of_the_server_has_no_account_of_its_own(house) -> None:
    """It must name one."""
    caller = Caller(role=Role.SERVER, name="token panel", credential="abc")
    with pytest.raises(Refused) as refusal:
        await do(house, token.add, caller, name="t")
    assert refusal.value.field == "account"
