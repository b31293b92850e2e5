"""Who may call what: scopes, roles, reach, and the two guards."""

from __future__ import annotations

from typing import Any

import pytest

from posthouse.core.ids import AccountId, DomainId
from posthouse.services.administration import access
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.reach import Reach, Target
from posthouse.store.directory_rows import AccountRow, DomainRow
from posthouse.store.directory_values import Level

SERVER = Caller.on_this_machine("root")
OFFICE = Caller(role=Role.OFFICE, name="o@acme.test", office="acme", domain="acme.test", account="o@acme.test")
DOMAIN = Caller(role=Role.DOMAIN, name="d@acme.test", office="acme", domain="acme.test", account="d@acme.test")
ANNA = Caller(role=Role.ACCOUNT, name="a@acme.test", office="acme", domain="acme.test", account="a@acme.test")
LONELY = Caller(role=Role.OFFICE, name="x@free.test", office="", domain="free.test", account="x@free.test")

ROWS = {
    "acme.test": DomainRow(DomainId(1), "acme.test", "", disabled=False, catch_all="", office="acme"),
    "acme.example": DomainRow(DomainId(2), "acme.example", "acme.test", disabled=False, catch_all="", office="acme"),
    "second.test": DomainRow(DomainId(3), "second.test", "", disabled=False, catch_all="", office="acme"),
    "rival.test": DomainRow(DomainId(4), "rival.test", "", disabled=False, catch_all="", office="rival"),
    "free.test": DomainRow(DomainId(5), "free.test", "", disabled=False, catch_all=""),
}


class DomainsOnly:
    """A store that knows domains."""

    async def domain(self, name: str) -> DomainRow | None:
        return ROWS.get(name)


def office(name: str) -> Target:
    return Target(Reach.OFFICE, name)


def domain(name: str) -> Target:
    return Target(Reach.DOMAIN, name)


def address(name: str) -> Target:
    return Target(Reach.ACCOUNT, name)


REACHES = {
    "the server reaches the server": (SERVER, Target(Reach.SERVER), True),
    "an office does not reach the server": (OFFICE, Target(Reach.SERVER), False),
    "everybody reaches what is narrowed for him": (ANNA, Target(Reach.OWN), True),
    "an office reaches itself": (OFFICE, office("acme"), True),
    "an office does not reach another": (OFFICE, office("rival"), False),
    "a domain does not reach its office": (DOMAIN, office("acme"), False),
    "an office reaches its domains": (OFFICE, domain("second.test"), True),
    "an office reaches alias domains": (OFFICE, domain("acme.example"), True),
    "an office does not reach a rival's domain": (OFFICE, domain("rival.test"), False),
    "an office does not reach what is not there": (OFFICE, domain("none.test"), False),
    "a domain reaches itself": (DOMAIN, domain("acme.test"), True),
    "a domain reaches itself in capitals": (DOMAIN, domain("ACME.test"), True),
    "a domain reaches its alias domains": (DOMAIN, domain("acme.example"), True),
    "a domain does not reach its sister": (DOMAIN, domain("second.test"), False),
    "a domain reaches its addresses": (DOMAIN, address("b@acme.test"), True),
    "a domain does not reach a sister's addresses": (DOMAIN, address("b@second.test"), False),
    "an account reaches itself": (ANNA, address("A@acme.test"), True),
    "an account does not reach its neighbour": (ANNA, address("b@acme.test"), False),
    "an account does not reach its domain": (ANNA, domain("acme.test"), False),
    "what is no address is not reached": (DOMAIN, address("no address"), False),
    "what is no domain is not reached": (DOMAIN, domain("a..b"), False),
    "nothing is not reached": (OFFICE, domain(""), False),
    "the server's own domains are no office": (LONELY, domain("acme.test"), False),
}


@pytest.mark.parametrize("name", REACHES)
async def test_reach(name: str):
    """Each caller reaches what is his and nothing else; what is not there is outside like what is another's."""
    caller, target, expected = REACHES[name]
    store: Any = DomainsOnly()
    assert await access.reaches(store, caller, target) is expected


def test_an_office_level_without_an_office_administers_a_domain():
    """The level office in a domain of the server's own reaches no further than that domain."""
    row = AccountRow(AccountId(1), "x@free.test", level=Level.OFFICE)
    assert Caller.of_account(row, "").role is Role.DOMAIN
    assert Caller.of_account(row, "acme").role is Role.OFFICE


def test_callers_survive_being_kept():
    """What a job keeps of its caller makes the same caller."""
    assert Caller.from_json(ANNA.as_json()) == ANNA


SCOPES = {
    "everything": ({"*"}, True, True),
    "reading everything": ({"*:read"}, True, False),
    "writing everything": ({"*:write"}, True, True),
    "reading accounts": ({"account:read"}, True, False),
    "writing accounts": ({"account:write"}, True, True),
    "another noun": ({"domain:write"}, False, False),
    "nothing": (set(), False, False),
}


@pytest.mark.parametrize("name", SCOPES)
def test_scopes(name: str):
    """A token allows what its scopes say; writing includes reading."""
    words, reads, writes = SCOPES[name]
    caller = Caller(role=Role.SERVER, name="t", scopes=frozenset(words))
    assert caller.allows("account", writes=False) is reads
    assert caller.allows("account", writes=True) is writes


@pytest.mark.parametrize(
    ("caller", "level", "allowed"),
    [
        (SERVER, Level.SERVER, True),
        (OFFICE, Level.SERVER, False),
        (OFFICE, Level.OFFICE, True),
        (DOMAIN, Level.OFFICE, False),
        (DOMAIN, Level.USER, True),
        (ANNA, Level.DOMAIN, False),
    ],
)
def test_nobody_touches_or_grants_more_than_he_has(caller: Caller, level: Level, allowed: bool):
    """An account above the caller's level is not his to change, and he cannot grant such a level."""
    row = AccountRow(AccountId(1), "z@acme.test", level=level)
    for guard in (lambda: access.require_over(caller, row), lambda: access.require_grant(caller, level)):
        if allowed:
            guard()
        else:
            with pytest.raises(Refused) as refused:
                guard()
            assert refused.value.kind is Kind.FORBIDDEN
