"""Texts that others publish: whatever they are, reading them gives values or a named fault, and what we print is read back."""

from __future__ import annotations

import contextlib

import dns.rdata
from hypothesis import given
from hypothesis import strategies as st

from posthouse.services.administration.diagnosis.findings import DnsRecord
from posthouse.services.administration.diagnosis.policy import PolicyFault, parse_policy
from posthouse.services.administration.diagnosis.published import tags
from posthouse.services.administration.diagnosis.spf import parse_spf, review_spf
from posthouse.testing.resolver import FakeResolver

WORDS = st.sampled_from(
    [
        "all",
        "-all",
        "a",
        "mx",
        "a:b.net",
        "mx/24//64",
        "include:c.net",
        "redirect=c.net",
        "ip4:192.0.2.0/24",
        "ip6:::1",
        "exists:%{i}.d",
        "ptr",
        "ip4:",
        "a/99",
        "//",
        ":",
        "=",
        "%",
        "exp=e.net",
        "a:..b",
        "include:İ",
    ]
)


@given(st.text(max_size=200))
def test_any_text_is_read(text) -> None:
    """Tags, policies, records."""
    tags(text)
    parse_spf(f"v=spf1 {text}")
    with contextlib.suppress(PolicyFault):
        parse_policy(text)


@given(st.lists(WORDS, max_size=8), st.lists(WORDS, max_size=4))
async def test_any_record_is_reviewed_in_bounds(words, others) -> None:
    """Circles and nonsense included; a result is one of those that RFC 7208 §2.6 names."""
    text, other = " ".join(["v=spf1", *words]), " ".join(["v=spf1", *others])
    resolver = FakeResolver({}, {"b.net": ["192.0.2.1"]}, {("c.net", "TXT"): [other], ("h.org", "TXT"): [text]})
    review = await review_spf(resolver, "h.org", text, ["192.0.2.1", "2001:db8::1"])
    assert set(review.results.values()) <= {"pass", "fail", "softfail", "neutral", "permerror"}
    assert len(resolver.questions) < 500


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=600))
def test_a_zone_line_says_what_the_value_is(text) -> None:
    """A name server reads the same octets from the line."""
    line = DnsRecord(name="h.org", type="TXT", value=text, check="dns.spf", purpose="").zone_line
    read = dns.rdata.from_text("IN", "TXT", line.removeprefix("h.org. 3600 IN TXT "))
    assert b"".join(read.strings) == text.encode()
