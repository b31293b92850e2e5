"""What the DNS says about us, from a table of answers."""

from __future__ import annotations

import pytest

from posthouse.services.administration.diagnosis.check_names import MOST_DOMAINS, check_names, is_reserved
from posthouse.services.resolver.contract import Finding
from posthouse.testing.resolver import FakeResolver

HOST = "mail.house.org"
HERE = {HOST: ["192.0.2.1"]}
ROWS = [
    pytest.param({"house.org": [(10, HOST)]}, HERE, ("ok", "house.org leads here"), id="MX names us"),
    pytest.param(
        {"house.org": [(10, "mx.house.org")]},
        HERE | {"mx.house.org": ["192.0.2.1"]},
        ("ok", "house.org leads here"),
        id="MX has our address",
    ),
    pytest.param(
        {"house.org": [(10, "gateway.net")]},
        HERE | {"gateway.net": ["198.51.100.1"]},
        ("warning", "mail for house.org goes to other hosts"),
        id="MX is elsewhere",
    ),
    pytest.param(
        {"house.org": [(0, "")]},
        HERE,
        ("warning", "house.org says that it takes no mail at all (null MX, RFC 7505 §3)"),
        id="null MX",
    ),
    pytest.param(
        {},
        HERE | {"house.org": ["192.0.2.1"]},
        ("ok", "house.org leads here by its own address"),
        id="implicit MX",
    ),
    pytest.param({}, HERE, ("warning", "nobody can find the way to house.org"), id="nothing"),
    pytest.param(
        {"house.org": Finding.UNAVAILABLE},
        HERE,
        ("warning", "house.org: the MX records could not be looked up"),
        id="no answer",
    ),
]


@pytest.mark.parametrize(("mx", "addresses", "finding"), ROWS)
async def test_a_domain_is_judged(mx, addresses, finding) -> None:
    """Each way in which the DNS may lead to us, or not, has its words; only warnings come of it."""
    findings = await check_names(FakeResolver(mx, addresses), HOST, ["house.org"])
    assert [(each.severity.value, each.what) for each in findings[1:]] == [finding]


async def test_a_host_without_address_is_a_warning() -> None:
    """Others cannot reach a host that has no address."""
    findings = await check_names(FakeResolver(), HOST, [])
    assert [each.severity.value for each in findings] == ["warning"]


async def test_without_a_name_server_one_warning_says_so() -> None:
    """One warning, and not one for every domain."""
    findings = await check_names(FakeResolver({}, {HOST: Finding.UNAVAILABLE}), HOST, ["a.org", "b.org"])
    assert [each.severity.value for each in findings] == ["warning"]


async def test_names_for_tests_are_not_looked_up() -> None:
    """Nothing is asked about names that the DNS never knows."""
    resolver = FakeResolver()
    findings = await check_names(resolver, "mail.example.test", ["example.test"])
    assert resolver.questions == []
    assert [each.severity.value for each in findings] == ["ok"]


async def test_thousands_of_domains_are_bounded() -> None:
    """A hoster's check asks about some of the domains and says how many were left out."""
    resolver = FakeResolver({}, HERE)
    findings = await check_names(resolver, HOST, [f"d{number}.org" for number in range(MOST_DOMAINS + 50)])
    assert findings[-1].what == "50 more domains were not looked up"
    assert sum(kind == "mx" for kind, _ in resolver.questions) == MOST_DOMAINS


@pytest.mark.parametrize(("name", "reserved"), [("a.TEST", True), ("localhost", True), ("a.org", False)])
def test_reserved_names_are_known(name, reserved) -> None:
    """The top-level domains that are set aside, in any case."""
    assert is_reserved(name) is reserved
