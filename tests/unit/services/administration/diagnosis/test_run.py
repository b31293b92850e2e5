"""Running checks: within a time, some at once, never a traceback, thousands of domains sampled."""

from __future__ import annotations

import asyncio
import re

import pytest

from posthouse.core.errors import Unavailable
from posthouse.services.administration.diagnosis import run as running
from posthouse.services.administration.diagnosis.check import Check, Need
from posthouse.services.administration.diagnosis.examination import Selection, is_reserved
from posthouse.services.administration.diagnosis.findings import ok, warning
from posthouse.services.administration.diagnosis.run import run_checks
from posthouse.services.administration.faults import Refused
from posthouse.services.resolver.contract import Finding
from posthouse.store.directory_values import PutDomain
from posthouse.testing.resolver import FakeResolver
from tests.unit.services.administration.diagnosis.conftest import HOST


def made(name: str, look, **more) -> Check:
    """Return a check."""
    return Check(id=name, title="t", explanation="e", remedy="r", look=look, **more)


@pytest.fixture
def checks(monkeypatch):
    """Return what replaces the checks there are."""

    def replace(*found: Check) -> None:
        monkeypatch.setattr(running, "matching", lambda _: found)
        monkeypatch.setattr(running, "_ORDER", {check.id: place for place, check in enumerate(found)})

    return replace


async def well(*_: object):
    """Find that all is well."""
    return [ok("well")]


async def test_a_check_that_breaks_is_a_finding(checks, make_parts) -> None:
    """Faults by their words, everything else by its kind; the others go on."""

    async def away(*_: object):
        raise Unavailable("the disk is gone")

    async def broken(*_: object):
        raise ZeroDivisionError("secret text")

    checks(made("a.away", away), made("a.broken", broken), made("a.well", well))
    report = await run_checks(make_parts(), Selection())
    assert [(each.id, each.severity.value, each.evidence) for each in report.findings] == [
        ("a.away", "warning", "the disk is gone"),
        ("a.broken", "warning", "ZeroDivisionError"),
        ("a.well", "ok", ""),
    ]


async def test_what_has_not_ended_in_time_is_said(checks, make_parts) -> None:
    """And what has ended is told."""

    async def never(*_: object):
        await asyncio.Event().wait()

    checks(made("a.never", never), made("a.well", well))
    parts = make_parts(settings={"check.time_budget": "1s"})
    report = await run_checks(parts, Selection())
    assert [(each.id, each.what) for each in report.findings] == [
        ("a.never", "not looked at within 1 seconds"),
        ("a.well", "well"),
    ]


async def test_few_checks_run_at_once(checks, make_parts, store) -> None:
    """However many domains there are."""
    now, most = 0, 0

    async def counted(*_: object):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return [ok("well")]

    for number in range(30):
        await store.commit(PutDomain(name=f"d{number:02}.org"))
    checks(made("a.each", counted, per_domain=True))
    report = await run_checks(make_parts(store=store, settings={"check.concurrency": "4"}), Selection())
    assert (len(report.findings), most) == (30, 4)


SAMPLES = [
    pytest.param({}, Selection(), 10, 20, id="spread"),
    pytest.param({}, Selection(every_domain=True), 30, 0, id="all of them"),
    pytest.param({}, Selection(domain="d07.org"), 1, 0, id="one"),
    pytest.param({"check.domains": "0"}, Selection(), 30, 0, id="no limit"),
]


@pytest.mark.parametrize(("settings", "selection", "looked", "left"), SAMPLES)
async def test_thousands_of_domains_are_sampled(  # noqa: PLR0917  (a table's row, and fixtures)
    checks, make_parts, store, settings, selection, looked, left
) -> None:
    """Evenly and always the same ones; the report says how many were left out."""
    for number in range(30):
        await store.commit(PutDomain(name=f"d{number:02}.org"))
    checks(made("a.each", well, per_domain=True))
    parts = make_parts(store=store, settings={"check.domains": "10"} | settings)
    report = await run_checks(parts, selection)
    assert (report.domains, report.domains_left_out) == (looked, left)
    if looked == 10:
        assert [each.subject for each in report.findings] == [f"d{number:02}.org" for number in range(0, 30, 3)]


NEEDS = [
    pytest.param(Need.STORE, "the store could not be opened", id="store"),
    pytest.param(Need.SERVER, "no server runs", id="server"),
    pytest.param(Need.NAMES, "no name server answers", id="names"),
    pytest.param(Need.OUTBOUND, "it takes --outbound", id="outbound"),
    pytest.param(Need.TIME_SOURCE, "it takes --time-source", id="time"),
]


@pytest.mark.parametrize(("need", "reason"), NEEDS)
async def test_what_a_check_needs_and_is_not_there(checks, make_parts, need, reason) -> None:
    """It is left out, and the report says why."""
    checks(made("a.needy", well, needs=frozenset({need})))
    resolver = FakeResolver({}, {HOST: Finding.UNAVAILABLE})
    report = await run_checks(make_parts(resolver=resolver), Selection())
    assert not report.findings
    ((left,),) = [report.left_out]
    assert left.checks == ("a.needy",)
    assert reason in left.reason


async def test_reserved_names_are_not_asked_for(checks, make_parts, store) -> None:
    """But where name servers of one's own were set."""
    await store.commit(PutDomain(name="house.test"))
    await store.commit(PutDomain(name="house.org"))
    checks(made("a.names", well, needs=frozenset({Need.NAMES}), per_domain=True))
    report = await run_checks(make_parts(store=store), Selection())
    assert [each.subject for each in report.findings] == ["house.org"]
    assert re.match("1 domains have names", report.left_out[0].reason)
    parts = make_parts(store=store, settings={"dns.servers": "192.0.2.53"})
    assert len((await run_checks(parts, Selection())).findings) == 2


async def test_severities_are_filtered_and_counted(checks, make_parts) -> None:
    """A report knows whether anything is an error."""

    async def both(*_: object):
        return [ok("well"), warning("hm", "", "mend it")]

    checks(made("a.both", both))
    report = await run_checks(make_parts(), Selection())
    assert not report.has_errors
    assert [each.what for each in report.at_least(warning("", "", "").severity)] == ["hm"]


async def test_a_domain_that_is_not_there(make_parts, store) -> None:
    """The selection is refused, and names the field."""
    with pytest.raises(Refused, match=r"there is no domain none\.org"):
        await run_checks(make_parts(store=store), Selection(domain="none.org"))


@pytest.mark.parametrize(
    ("name", "reserved"), [("a.TEST", True), ("localhost", True), ("mail.example.com", True), ("a.org", False)]
)
def test_reserved_names_are_known(name, reserved) -> None:
    """The top-level domains that are set aside, and the three of the documentation, in any case."""
    assert is_reserved(name) is reserved
