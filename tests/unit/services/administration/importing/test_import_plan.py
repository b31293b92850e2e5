"""The plan: checks, order, what stands twice, circles."""

from __future__ import annotations

import pytest

from posthouse.services.administration.importing import cycles
from posthouse.services.administration.importing.cycles import AliasGraph
from posthouse.services.administration.importing.plan import Plan
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAddress,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    ImportedRoute,
    ImportedSetting,
    Unmapped,
    subject_of,
)
from posthouse.services.administration.importing.report import ImportReport
from posthouse.services.administration.importing.seen import Seen
from posthouse.services.administration.importing.spool import Aside
from posthouse.store.directory_values import AliasKind


def planned(*records, **options):
    report = ImportReport("s", "k")
    return list(Plan(report, **options).steps(records)), report


def account(address, **fields):
    return ImportedAccount(where="w", address=address, **fields)


def alias(address, *targets, **fields):
    return ImportedAlias(where="w", address=address, targets=targets, **fields)


CANONICAL = [
    pytest.param(account("Anna@EXAMPLE.org"), "anna@example.org", id="case"),
    pytest.param(account('"anna b"@example.org'), '"anna b"@example.org', id="quoted"),
    pytest.param(account('"anna"@example.org'), "anna@example.org", id="quoted for nothing"),
    pytest.param(account("anna@xn--bcher-kva.example"), "anna@bücher.example", id="A-labels"),
    pytest.param(account(" anna.b+c@example.org "), "anna.b+c@example.org", id="blanks"),
    pytest.param(ImportedDomain(where="w", name="EXAMPLE.org."), "example.org", id="domain"),
    pytest.param(ImportedOffice(where="w", name="Acme Ltd."), "acme-ltd", id="office"),
    pytest.param(ImportedRoute(where="w", domain=".Example.org", host="[192.0.2.1]"), ".example.org", id="route"),
]


@pytest.mark.parametrize(("record", "subject"), CANONICAL)
def test_what_is_written_is_folded(record, subject):
    """As if a person had typed it."""
    steps, report = planned(record)
    assert [subject_of(step.thing) for step in steps] == [subject], report.problems


def test_the_quick_way_gives_what_the_words_give():
    """An address in a domain that was seen takes the quick way, to the same end."""
    names = [
        "a@example.org",
        "a.b@example.org",
        "a..b@example.org",
        ".a@example.org",
        "a.@example.org",
        "A@example.org",
    ]
    slow = {}
    for name in names:
        steps, _ = planned(account(name))
        slow[name] = [subject_of(step.thing) for step in steps]
    for name in names:
        steps, _ = planned(account("first@example.org"), account(name))
        assert [subject_of(step.thing) for step in steps[1:]] == slow[name]


def implied(name):
    return ImportedDomain(where="w", name=name, implied=True)


IMPLIED = [
    pytest.param([implied("A.example"), account("x@a.example")], ["a.example", "x@a.example"], 0, id="an account"),
    pytest.param([implied("a.example"), alias("x@a.example", "y@b.example")], ["a.example", "x@a.example"], 0,
                 id="an alias"),
    pytest.param([implied("a.example"), account("x y@a.example")], [], 1, id="nothing but what is wrong"),
    pytest.param([implied("a b"), account("x@a b")], [], 1, id="wrong itself, told once"),
    pytest.param([implied("a.example"), account("x y@a.example"), account("z@a.example")],
                 ["a.example", "z@a.example"], 1, id="the first that is right"),
    pytest.param([implied("a.example"), implied("a.example"), account("x@a.example")],
                 ["a.example", "x@a.example"], 0, id="said twice"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "names", "problems"), IMPLIED)
def test_a_domain_behind_addresses_is_made_with_the_first(records, names, problems):
    """What is no address makes no domain."""
    steps, report = planned(*records)
    assert [subject_of(step.thing) for step in steps] == names
    assert len(report.problems) == problems


WRONG = [
    pytest.param(account("no-domain"), "is not an address", id="no domain"),
    pytest.param(account("a@exa mple.org"), "is not an address", id="blank in the domain"),
    pytest.param(account("x" * 65 + "@example.org"), "octets, more than 64", id="long local part"),
    pytest.param(account("a@example.org", password=b""), "the password is not one line", id="empty password"),
    pytest.param(
        account("a@example.org", password=b"a\nb"), "the password is not one line", id="password of two lines"
    ),
    pytest.param(account("a@example.org", password=b"x" * 2000), "the password is not one line", id="long password"),
    pytest.param(account("a@example.org", name="a\x07b"), "not shown", id="control character"),
    pytest.param(account("a@example.org", name="x" * 300), "300 characters", id="long name"),
    pytest.param(account("a\ufffd@example.org"), "octets that are no text", id="undecodable address"),
    pytest.param(account("a@example.org", name="J\ufffdrgen"), "octets that are no text", id="undecodable name"),
    pytest.param(account("a@example.org", quota_bytes=1 << 70), "larger than can be counted", id="quota"),
    pytest.param(account("a@[192.0.2.1]"), "cannot be an address of ours", id="literal"),
    pytest.param(alias("a@example.org"), "has no target", id="alias without targets"),
    pytest.param(alias("a@example.org", "x"), "is not an address", id="target"),
    pytest.param(alias("a@example.org", "b@c.d", "e@f.g", kind=AliasKind.RELOCATED), "moved to 2", id="relocated"),
    pytest.param(ImportedDomain(where="w", name="a b"), "is not a domain", id="domain"),
    pytest.param(ImportedDomain(where="w", name="a.b", alias_of="A.B"), "alias of itself", id="domain of itself"),
    pytest.param(ImportedOffice(where="w", name="***"), "is not a name", id="office"),
    pytest.param(ImportedRoute(where="w", domain="a.b", host="h.example", port=0), "is not a port", id="port"),
    pytest.param(ImportedRoute(where="w", domain="a.b", host="h.example", tls="x"), "TLS policy", id="tls"),
    pytest.param(ImportedRoute(where="w", domain="*", host="h.example", recipients_local=True), "relay", id="open"),
    pytest.param(ImportedSetting(where="w", name="no.such", value="1"), "there is no setting", id="setting"),
    pytest.param(ImportedSetting(where="w", name="smtp.message_size", value="?"), "size", id="value"),
    pytest.param(ImportedSetting(where="w", name="relay.networks", value="0.0.0.0/0"), "open relay", id="networks"),
    pytest.param(Flawed(where="w", why="it is broken"), "it is broken", id="flawed"),
]


@pytest.mark.parametrize(("record", "why"), WRONG)
def test_what_is_wrong_is_told_and_left(record, why):
    """With its place; nothing else suffers, and passwords are not shown."""
    steps, report = planned(record, account("good@example.org"))
    assert [subject_of(step.thing) for step in steps] == ["good@example.org"]
    assert len(report.problems) == 1
    assert report.problems[0].where == "w"
    assert why in report.problems[0].detail


def test_the_order_is_one_that_works():
    """Whatever comes first in the source, accounts are before what refers to them."""
    steps, _ = planned(
        ImportedSetting(where="w", name="smtp.message_size", value="64M"),
        ImportedGroup(where="w", address="g@example.org", members=("a@example.org",), is_more=True),
        alias("x@example.org", "a@example.org"),
        ImportedAddress(where="w", address="y@example.org", account="a@example.org"),
        ImportedDomain(where="w", name="example.net", alias_of="example.org"),
        ImportedDomain(where="w", name="example.org"),
        account("a@example.org"),
    )
    kinds = [type(step.thing).__name__.removeprefix("Imported") for step in steps]
    assert kinds == ["Domain", "Account", "Domain", "Address", "Group", "Alias", "Group", "Setting"]
    assert [step.thing.is_more for step in steps if isinstance(step.thing, ImportedGroup)] == [False, True]


def test_what_stands_twice_is_marked():
    """The first to claim an address has it, whatever the kind."""
    steps, report = planned(
        account("a@example.org"),
        account("A@example.org"),
        alias("a@example.org", "b@example.org"),
        ImportedDomain(where="w", name="example.org"),
        ImportedDomain(where="w", name="example.org"),
        ImportedDomain(where="w", name="example.org", implied=True),
    )
    assert [step.is_twice for step in steps] == [False, True, False, True]
    assert [problem.detail for problem in report.problems] == ["example.org stands twice in the source"]


def test_circles_of_aliases_are_broken():
    """The one that closes a circle is left out and told by which way."""
    steps, report = planned(
        alias("a@example.org", "b@example.org"),
        alias("b@example.org", "c@example.org", "x@elsewhere.example"),
        alias("c@example.org", "a@example.org"),
        alias("self@example.org", "self@example.org"),
    )
    assert [subject_of(step.thing) for step in steps] == ["a@example.org", "b@example.org"]
    assert [problem.detail for problem in report.problems] == [
        "c@example.org leads back to itself by way of a@example.org, b@example.org",
        "self@example.org leads to itself",
    ]


def test_a_tangle_of_aliases_is_refused_in_bounded_time(monkeypatch):
    """The walk has a bound."""
    monkeypatch.setattr(cycles, "STEPS", 10)
    graph = AliasGraph()
    for number in range(100):
        graph.flaw(f"{number}", [f"{number + 1}"])
    assert "more than 10 aliases" in graph.flaw("x", ["0"])


def test_implied_domains_are_left_where_they_are_not_wanted():
    """Domains that the source names are made all the same."""
    steps, _ = planned(
        ImportedDomain(where="w", name="a.example", implied=True),
        ImportedDomain(where="w", name="b.example"),
        makes_domains=False,
    )
    assert [subject_of(step.thing) for step in steps] == ["b.example"]


def test_what_is_beyond_the_caller_is_told():
    """The fence says why."""
    steps, report = planned(account("a@example.org"), fence=lambda thing: "not yours")
    assert steps == []
    assert report.problems[0].detail == "not yours"


def test_what_has_no_place_is_gathered_by_reason():
    """With the first few examples and the number of all."""
    _, report = planned(*(Unmapped(what=f"rule {n}", where=f"t:{n}", why="no rules") for n in range(50)))
    group = report.left_out["no rules"]
    assert (group.count, len(group.examples), report.left_out_count) == (50, 20, 50)


def test_problems_are_listed_up_to_a_bound():
    """All are counted."""
    _, report = planned(*(Flawed(where=f"{n}", why="x") for n in range(500)))
    assert (len(report.problems), report.problem_count) == (200, 500)


def test_a_set_of_hashes():
    """What was added is there; it grows."""
    seen = Seen()
    assert all(seen.add(f"{n}@example.org") for n in range(5_000))
    assert not any(seen.add(f"{n}@example.org") for n in range(5_000))
    assert len(seen) == 5_000
    assert "0@example.org" in seen
    assert "x" not in seen


def test_what_is_put_aside_comes_back_in_order(monkeypatch):
    """From memory and from the file."""
    monkeypatch.setattr("posthouse.services.administration.importing.spool.IN_MEMORY", 1000)
    aside = Aside()
    for number in range(200):
        aside.put(account(f"{number}@example.org"), is_twice=number % 2 == 0)
    assert len(aside) == 200
    back = list(aside.drain())
    assert [(thing.address, twice) for thing, twice in back][:2] == [("0@example.org", True), ("1@example.org", False)]
    assert len(back) == 200
