"""SPF records read as receivers read them: matching, bounds, mistakes."""

from __future__ import annotations

import pytest

from posthouse.services.administration.diagnosis.spf import is_spf, parse_spf, review_spf
from posthouse.services.resolver.contract import Finding
from posthouse.testing.resolver import FakeResolver

OURS = "192.0.2.1"
NAMES = FakeResolver(
    {"house.org": [(10, "mail.house.org")]},
    {"mail.house.org": [OURS, "2001:db8::1"], "house.org": ["192.0.2.9"]},
    {
        ("spf.far.net", "TXT"): [f"v=spf1 ip4:{OURS} -all"],
        ("deny.far.net", "TXT"): ["v=spf1 -all"],
        ("loop.far.net", "TXT"): ["v=spf1 include:loop.far.net -all"],
        ("two.far.net", "TXT"): ["v=spf1 -all", "v=spf1 mx -all"],
        ("text.far.net", "TXT"): ["hello"],
        **{(f"n{number}.far.net", "TXT"): [f"v=spf1 include:n{number + 1}.far.net ~all"] for number in range(11)},
        ("n11.far.net", "TXT"): ["v=spf1 -all"],
    },
)
ROWS = [
    pytest.param("v=spf1 mx -all", "pass", id="exchanger"),
    pytest.param("v=spf1 a -all", "fail", id="another address"),
    pytest.param("v=spf1 a/24 -all", "pass", id="a network around it"),
    pytest.param("v=spf1 a:mail.house.org ~all", "pass", id="a host"),
    pytest.param("v=spf1 ip4:192.0.2.0/30 -all", "pass", id="a network"),
    pytest.param("v=spf1 ip4:198.51.100.1 ~all", "softfail", id="soft"),
    pytest.param("v=spf1 ip4:198.51.100.1 ?all", "neutral", id="neutral"),
    pytest.param("v=spf1", "neutral", id="no term"),
    pytest.param("v=spf1 include:spf.far.net -all", "pass", id="included"),
    pytest.param("v=spf1 include:deny.far.net mx -all", "pass", id="included and not matching"),
    pytest.param("v=spf1 redirect=spf.far.net", "pass", id="redirected"),
    pytest.param("v=spf1 -all redirect=spf.far.net", "fail", id="redirect beside all is nothing"),
    pytest.param("v=spf1 -mx +all", "fail", id="a minus before us"),
    pytest.param("v=spf1 exists:mail.house.org -all", "pass", id="exists"),
    pytest.param("v=spf1 exp=explain.house.org mx -all", "pass", id="another modifier"),
    pytest.param("v=spf1 exists:%{s}.house.org -all", "fail", id="a macro that is not known"),
    pytest.param("v=spf1 include:none.far.net -all", "permerror", id="included and not there"),
    pytest.param("v=spf1 ip4:192.0.2.300 -all", "permerror", id="no address"),
]


@pytest.mark.parametrize(("text", "result"), ROWS)
async def test_a_record_says_pass_or_not(text, result) -> None:
    """Terms from left to right, the first that matches decides."""
    review = await review_spf(NAMES, "house.org", text, [OURS])
    assert review.results == {OURS: result}


PROBLEMS = [
    pytest.param("v=spf1 mx -all", "", id="none"),
    pytest.param("v=spf1 mix -all", "'mix' is no term", id="misspelt"),
    pytest.param("v=spf1 all:x", "'all:x' is no term", id="all with a value"),
    pytest.param("v=spf1 include -all", "'include' is no term", id="include of nothing"),
    pytest.param("v=spf1 ip6:192.0.2.1 -all", "is no term", id="wrong family"),
    pytest.param("v=spf1 redirect=a.net redirect=b.net", "stands twice", id="two redirects"),
    pytest.param("v=spf1 include:n0.far.net -all", "12 lookups, 10 are allowed", id="too many lookups"),
    pytest.param("v=spf1 a:x1.net a:x2.net a:x3.net -all", "3 lookups find nothing", id="too many in vain"),
    pytest.param("v=spf1 include:two.far.net -all", "two.far.net has 2 SPF records", id="two below"),
    pytest.param("v=spf1 include:text.far.net -all", "text.far.net has no SPF record", id="none below"),
    pytest.param("v=spf1 include:loop.far.net -all", "without end", id="a circle"),
]


@pytest.mark.parametrize(("text", "problem"), PROBLEMS)
async def test_what_is_wrong_with_a_record_is_said(text, problem) -> None:
    """And a record in order has no problem."""
    review = await review_spf(NAMES, "house.org", text, [])
    assert problem in "; ".join(review.problems) if problem else not review.problems


async def test_ipv6_matches_as_well() -> None:
    """An exchanger's IPv6 address, and a network of them."""
    review = await review_spf(NAMES, "house.org", "v=spf1 mx//64 -all", ["2001:db8::2"])
    assert review.results == {"2001:db8::2": "pass"}
    review = await review_spf(NAMES, "house.org", "v=spf1 ip6:2001:db8::/32 -all", ["2001:db8:1::2", OURS])
    assert list(review.results.values()) == ["pass", "fail"]


async def test_a_name_server_that_is_down_is_no_void_lookup() -> None:
    """Silence is not "nothing there"."""
    names = FakeResolver({}, {f"x{number}.net": Finding.UNAVAILABLE for number in range(4)})
    review = await review_spf(names, "house.org", "v=spf1 a:x0.net a:x1.net a:x2.net a:x3.net -all", [])
    assert review.void == 0


@pytest.mark.parametrize(("text", "found"), [("v=spf1", True), ("V=SPF1 mx", True), ("v=spf10 mx", False), ("", False)])
def test_an_spf_record_is_told_from_other_texts(text, found) -> None:
    """By its version, followed by a space or nothing (RFC 7208 §4.5)."""
    assert is_spf(text) is found


def test_any_text_is_parsed() -> None:
    """Nonsense gives problems, not errors."""
    terms, problems = parse_spf("v=spf1 \x00 :::: a/99//999 ip4: =x " + "y" * 10_000)
    assert len(problems) >= 4
    assert {term.name for term in terms} <= {"a"}
