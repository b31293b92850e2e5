"""How ``posthouse check`` prints a report for people."""

from __future__ import annotations

from dataclasses import replace

from posthouse.cli import check_view
from posthouse.services.administration.diagnosis.findings import DnsRecord, Severity, notice, warning
from posthouse.services.administration.diagnosis.run import LeftOut, Report
from posthouse.services.administration.operations.check import report_view

RECORD = DnsRecord(name="h.org", type="MX", value="10 m.h.org.", check="dns.mx", purpose="")
MANY = tuple(replace(notice("hm", subject=f"d{number}.org"), id="dns.mx") for number in range(25))


def test_a_report_for_people(capsys) -> None:
    """Remedies and records below their finding; what was left out, and counts, at the end; nothing steers a terminal."""
    bad = replace(warning("wrong", "seen \x1b[31m", "mend it", subject="h.org", records=(RECORD,)), id="dns.mx")
    report = Report(
        findings=(*MANY, bad), left_out=(LeftOut(("a.b",), "no server runs"),), domains=25, domains_left_out=5
    )
    check_view.print_report(report_view(report, Severity.OK).model_dump(mode="json"))
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("notice ") for line in lines) == check_view.MOST_ALIKE
    assert lines[20:23] == [
        "WARNING  dns.mx: h.org: wrong (seen \ufffd[31m)",
        "         mend it",
        "         h.org. 3600 IN MX 10 m.h.org.",
    ]
    assert lines[-4:] == [
        "5 more of dns.mx are notice; --json, --only or --domain show them.",
        "Not looked at: a.b: no server runs.",
        "25 domains were looked at, 5 were not; --domain NAME or --all-domains looks at them.",
        "0 errors, 1 warning, 25 notices",
    ]


def test_a_finding_for_programs() -> None:
    """Every field, and records as values and lines."""
    report = Report(findings=(replace(MANY[0], records=(RECORD,)),))
    (fields,) = report_view(report, Severity.OK).model_dump(mode="json")["findings"]
    assert list(fields) == ["id", "severity", "subject", "what", "evidence", "remedy", "records"]
    assert fields["records"] == [
        {"name": "h.org", "type": "MX", "ttl": 3600, "value": "10 m.h.org.", "line": "h.org. 3600 IN MX 10 m.h.org."}
    ]
