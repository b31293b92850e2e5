"""Records as lines of a zone file, and how severities are ordered."""

from __future__ import annotations

import dns.rdata
import pytest

from posthouse.services.administration.diagnosis.findings import DnsRecord, Severity, quoted

ROWS = [
    pytest.param("v=spf1 mx -all", '"v=spf1 mx -all"', id="plain"),
    pytest.param("", '""', id="empty"),
    pytest.param('a"b\\c', '"a\\"b\\\\c"', id="quotes"),
    pytest.param("ä\x01", '"\\195\\164\\001"', id="octets that are no letters"),
    pytest.param("k" * 256, f'"{"k" * 255}" "k"', id="two strings"),
]


@pytest.mark.parametrize(("text", "line"), ROWS)
def test_a_text_is_quoted_as_zone_files_want_it(text, line) -> None:
    """Strings of at most 255 octets, and what a name server reads from the line is the text."""
    assert quoted(text) == line
    read = dns.rdata.from_text("IN", "TXT", line)
    assert b"".join(read.strings) == text.encode()


def test_a_record_is_a_line() -> None:
    """Name with its final dot, seconds, class, type, data."""
    record = DnsRecord(name="house.org", type="MX", value="10 mail.house.org.", check="dns.mx", purpose="")
    assert record.zone_line == "house.org. 3600 IN MX 10 mail.house.org."


def test_severities_are_ordered() -> None:
    """From good to bad."""
    assert [each.value for each in sorted(Severity, key=lambda each: each.rank)] == ["ok", "notice", "warning", "error"]
