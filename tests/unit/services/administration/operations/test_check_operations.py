"""Diagnosis as operations: their forms, and who may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.config.settings import Settings
from posthouse.services.administration.diagnosis.assemble import make_parts
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import check
from posthouse.testing.resolver import FakeResolver
from tests.support.desks import caller_of, do, make_desk, people
from tests.support.stores import StillClock, make_store

NAMES = FakeResolver(
    {"far.net": [(10, "mx.far.net")], "none.net": [(0, "")]},
    {"mx.far.net": ["192.0.2.8"], "mx.example.test": ["192.0.2.1"]},
    {("_25._tcp.mx.far.net", "TLSA"): ["3 1 1 ab"]},
    ["far.net"],
)


@pytest.fixture
async def desk(tmp_path):
    """Return a desk with diagnosis, whose names come from a table."""
    async with make_store(tmp_path) as store:
        await people(store)
        listener = ListenerConfig(name="mx", protocol="smtp", bind=(Bind("127.0.0.1", 25),), listener_class="mx")
        configuration = Configuration(home=tmp_path, hostname="mx.example.test", listeners=(listener,))

        async def workers() -> list[dict[str, object]]:
            return []

        made = make_parts(configuration, Settings(), StillClock(), workers, store=store)
        parts = replace(made, resolver=NAMES, courier_resolver=NAMES)
        yield make_desk(store, StillClock(), tmp_path, parts={"diagnosis": lambda: parts})


async def test_a_run_is_a_report(desk) -> None:
    """Findings with their ids, counts, and what was left out; less bad ones are left out on request."""
    report = await do(desk, check.run, only=["directory.*", "relay.*"])
    assert {each.id.partition(".")[0] for each in report.findings} == {"directory", "relay"}
    assert report.domains == 4
    assert any("relay.self_test" in each.checks for each in report.left_out)
    severe = await do(desk, check.run, only=["directory.*"], severity="warning")
    assert {each.severity for each in severe.findings} <= {"warning", "error"}
    assert report.warnings == sum(each.severity == "warning" for each in report.findings)


async def test_an_administrator_of_a_domain_looks_at_his_domain(desk) -> None:
    """Not at the server, not at another's, not at the way out."""
    admin = await caller_of(desk.store, "admin@acme.test")
    report = await do(desk, check.run, admin, domain="acme.test")
    assert report.findings
    assert {each.id.partition(".")[0] for each in report.findings} == {"directory"}
    for fields in ({}, {"domain": "rival.test"}, {"domain": "acme.test", "outbound": "10.0.0.1"}):
        with pytest.raises(Refused) as refused:
            await do(desk, check.run, admin, **fields)
        assert refused.value.kind is Kind.FORBIDDEN


async def test_records_to_publish(desk) -> None:
    """Of one domain or all, as values and lines."""
    view = await do(desk, check.dns, domain="acme.test")
    lines = [each.line for each in view.records]
    assert "acme.test. 3600 IN MX 10 mx.example.test." in lines
    assert {each.state for each in view.records} == {"not asked"}
    everything = await do(desk, check.dns)
    assert {each.name for each in everything.records if each.type == "MX"} == {
        "acme.test",
        "own.test",
        "rival.test",
        "sister.test",
    }
    with pytest.raises(Refused, match=r"there is no domain none\.test"):
        await do(desk, check.dns, domain="none.test")


async def test_the_mx_query(desk) -> None:
    """Exchangers, and what the courier would do; nonsense is refused."""
    view = await do(desk, check.mx, domain="far.net")
    assert [(each.preference, each.host, each.addresses) for each in view.exchangers] == [
        (10, "mx.far.net", ["192.0.2.8"])
    ]
    assert (view.is_proven, view.is_ours, view.plan) == (True, False, ["mx.far.net[192.0.2.8]:25"])
    assert (await do(desk, check.mx, domain="none.net")).is_null
    ours = await do(desk, check.mx, domain="own.test")
    assert ours.words[0] == "It is a domain of ours: mail for it stays here."
    with pytest.raises(Refused):
        await do(desk, check.mx, domain="no domain")


async def test_the_relay_test_needs_a_server(desk) -> None:
    """Without one its settings are judged alone."""
    report = await do(desk, check.relay)
    assert {each.id for each in report.findings} == {"relay.networks", "relay.domains"}


async def test_a_sign_in_is_told_in_steps(desk) -> None:
    """An administrator tries the accounts of his domain, and the password is in no answer."""
    admin = await caller_of(desk.store, "admin@acme.test")
    view = await do(desk, check.sign_in, admin, address="anna@acme.test", password="some-secret")
    assert not view.is_signed_in
    assert view.steps[0].text == "acme.test is a domain of ours"
    assert "some-secret" not in view.model_dump_json()
    with pytest.raises(Refused):
        await do(desk, check.sign_in, admin, address="rita@rival.test", password="x")
