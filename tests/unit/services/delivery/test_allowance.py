"""Recipients within an hour: whose limits count, and that the store keeps them whatever happens at once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from posthouse.config.settings import Settings
from posthouse.services.delivery.allowance import Allowances
from posthouse.store.contract import AllowanceSpent
from posthouse.store.directory_rows import SettingRow
from posthouse.store.directory_values import SpendAllowance

NAME = "limit.recipients_per_hour"
ANNA, ACME, HUB = "account:anna@acme.test", "domain:acme.test", "office:acme"


def accepted(recipients: int = 3, address: str = "anna@acme.test") -> Any:
    account = SimpleNamespace(address=address) if address else None
    return SimpleNamespace(client=SimpleNamespace(account=account), recipients=range(recipients), at=1_000.0)


def allowances(**set_for: str) -> Allowances:
    rows = [SettingRow(NAME, scope.replace("__", ":", 1), value, "", 0.0) for scope, value in set_for.items()]
    return Allowances(Settings(rows, offices={"acme.test": "acme"}))


CASES = {
    "nothing set": ({}, ()),
    "for every account": ({"server": "5"}, ((ANNA, 5),)),
    "for this account": ({"server": "5", "account__anna@acme.test": "9"}, ((ANNA, 9),)),
    "for the domain together": ({"domain__acme.test": "50"}, ((ACME, 50),)),
    "for all three": (
        {"server": "5", "domain__acme.test": "50", "office__acme": "500"},
        ((ANNA, 5), (ACME, 50), (HUB, 500)),
    ),
    "taken back for this account": ({"server": "5", "account__anna@acme.test": "-1"}, ()),
    "of another domain": ({"domain__rival.test": "1"}, ()),
}


@pytest.mark.parametrize("name", CASES)
def test_whose_limits_count(name: str):
    """Every limit that concerns the sender counts, the narrowest for himself."""
    set_for, limits = CASES[name]
    changes = allowances(**set_for).spent(accepted())
    assert [change.limits for change in changes] == ([limits] if limits else [])


def test_strangers_are_not_counted():
    """Mail that comes in from elsewhere spends nobody's allowance."""
    assert allowances(server="1").spent(accepted(address="")) == []


async def test_it_is_never_passed(store):
    """Of many calls at once exactly as many succeed as there is room for."""
    spend = SpendAllowance(recipients=3, at=1_000.0, limits=((ANNA, 10), (ACME, 100)))
    results = await asyncio.gather(*(store.commit(spend) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(each, AllowanceSpent) for each in results) == 17
    assert AllowanceSpent("x").outcome.code == 452


async def test_the_hour_passes_gradually(store):
    """What was spent in the hour before counts less and less, and then not at all."""
    limits = ((ANNA, 10),)
    await store.commit(SpendAllowance(recipients=10, at=3_600.0, limits=limits))
    for at, allowed in ((7_199.0, 0), (9_000.0, 5), (10_800.0, 5)):
        with pytest.raises(AllowanceSpent):
            await store.commit(SpendAllowance(recipients=allowed + 1, at=at, limits=limits), rehearse=True)
        if allowed:
            await store.commit(SpendAllowance(recipients=allowed, at=at, limits=limits))
