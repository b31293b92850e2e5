"""Limits from settings."""

import pytest

from posthouse.config.settings import Settings
from posthouse.core.ids import DomainId
from posthouse.services.administration import limits
from posthouse.services.administration.faults import Kind, Refused
from posthouse.store.directory_rows import DomainRow, SettingRow
from posthouse.store.directory_values import UNBOUNDED, Ceilings

HOME = DomainRow(DomainId(1), "acme.test", "", disabled=False, catch_all="", office="acme")
OWN = DomainRow(DomainId(2), "own.test", "", disabled=False, catch_all="")
GIB = 1 << 30


def made(**values):
    """Return settings from ``scope__name`` pairs."""
    rows = [SettingRow(name, scope, value, "", 0.0) for (scope, name), value in values.pop("rows").items()]
    return Settings(rows, offices={"acme.test": "acme"})


CASES = {
    "nothing set": ({}, HOME, UNBOUNDED),
    "for the domain": ({("domain:acme.test", "limit.accounts"): "5"}, HOME, Ceilings(domain_accounts=5)),
    "for the server, for each domain": ({("server", "limit.accounts"): "5"}, HOME, Ceilings(domain_accounts=5)),
    "for the post office, in all": ({("office:acme", "limit.accounts"): "5"}, HOME, Ceilings(office_accounts=5)),
    "none at all": ({("domain:acme.test", "limit.groups"): "0"}, HOME, Ceilings(domain_groups=0)),
    "no limit in place of the server's": (
        {("server", "limit.aliases"): "5", ("domain:acme.test", "limit.aliases"): "-1"},
        HOME,
        UNBOUNDED,
    ),
    "octets": (
        {("office:acme", "limit.total_quota"): "10 GiB", ("domain:acme.test", "limit.total_quota"): "4 GiB"},
        HOME,
        Ceilings(domain_quota=4 * GIB, office_quota=10 * GIB),
    ),
    "domains of a post office": ({("server", "limit.domains"): "3"}, HOME, Ceilings(office_domains=3)),
    "the server's own domains": ({("server", "limit.domains"): "3"}, OWN, UNBOUNDED),
}


@pytest.mark.parametrize("name", CASES)
def test_ceilings(name):
    """Settings become ceilings of the domain and its post office."""
    rows, home, expected = CASES[name]
    assert limits.ceilings(made(rows=rows), home) == expected


QUOTAS = {
    "nothing set": ({}, 0, True),
    "small enough": ({("domain:acme.test", "limit.account_quota"): "1 GiB"}, GIB, True),
    "too large": ({("domain:acme.test", "limit.account_quota"): "1 GiB"}, GIB + 1, False),
    "none where each is limited": ({("office:acme", "limit.account_quota"): "1 GiB"}, 0, False),
    "none where all are limited": ({("office:acme", "limit.total_quota"): "1 GiB"}, 0, False),
    "one where all are limited": ({("office:acme", "limit.total_quota"): "1 GiB"}, GIB, True),
}


@pytest.mark.parametrize("name", QUOTAS)
def test_quotas(name):
    """A quota is no larger than allowed, and is there where it must be."""
    rows, quota, is_allowed = QUOTAS[name]
    if is_allowed:
        limits.check_quota(made(rows=rows), HOME, quota)
        return
    with pytest.raises(Refused) as caught:
        limits.check_quota(made(rows=rows), HOME, quota)
    assert (caught.value.kind, caught.value.field) == (Kind.LIMIT, "quota")
