"""Following a source: what is made, changed, disabled and left alone."""

from __future__ import annotations

import pytest

from posthouse.config.settings import Settings
from posthouse.services.identity.sources.contract import SourceGroup, SourcePerson
from posthouse.services.identity.sources.sync import (
    DisablePerson,
    KnownGroup,
    KnownPerson,
    LeftAlone,
    MakeGroup,
    MakePerson,
    RemoveGroup,
    SyncRules,
    TooManyGone,
    UpdateGroup,
    UpdatePerson,
    group_changes,
    people_changes,
    rules_of,
)

RULES = SyncRules(source="corp", domains=frozenset({"house.test"}), disable_gone=True, gone_limit=50)


def person(name="anna", **more):
    """Return somebody of the source."""
    return SourcePerson(address=f"{name}@house.test", **more)


def known(name="anna", source="corp", **more):
    """Return an account of ours."""
    return KnownPerson(address=f"{name}@house.test", source=source, **more)


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        pytest.param([person()], [], [MakePerson], id="somebody new"),
        pytest.param([person(is_disabled=True)], [], [], id="somebody new who is shut out"),
        pytest.param([person()], [known()], [], id="nothing new"),
        pytest.param([person(display_name="A")], [known(display_name="B")], [UpdatePerson], id="another name"),
        pytest.param([person()], [known(display_name="B")], [], id="a source without names erases none"),
        pytest.param([person(external_id="1")], [known()], [UpdatePerson], id="an id that was not known"),
        pytest.param([person(is_disabled=True)], [known()], [DisablePerson], id="shut out"),
        pytest.param([person(is_disabled=True)], [known(is_disabled=True)], [], id="shut out before"),
        pytest.param([], [known()], [DisablePerson], id="the only one is gone"),
        pytest.param([], [known(source="")], [], id="made here, and not there"),
        pytest.param([person()], [known(source="")], [LeftAlone], id="made here, and there too"),
        pytest.param([person()], [known(source="other")], [LeftAlone], id="of another source"),
        pytest.param([person(), person()], [known()], [LeftAlone], id="twice"),
        pytest.param([SourcePerson(address="x@far.test")], [], [LeftAlone], id="another domain"),
        pytest.param([SourcePerson(address="x")], [], [LeftAlone], id="no domain"),
        pytest.param([person("anne", external_id="1")], [known(external_id="1")], [LeftAlone], id="renamed there"),
    ],
)
def test_people_follow(theirs, ours, expected) -> None:
    """Each difference becomes one value."""
    assert [type(change) for change in people_changes(RULES, theirs, ours)] == expected


def test_many_missing_people_disable_nobody() -> None:
    """A source that lost its people does not empty the house."""
    ours = [known(f"p{n}") for n in range(10)]
    assert list(people_changes(RULES, [], ours)) == [TooManyGone(10, 10)]
    some = [person(f"p{n}") for n in range(6)]
    gone = list(people_changes(RULES, some, ours))
    assert [change.address for change in gone] == [f"p{n}@house.test" for n in range(6, 10)]
    keep = SyncRules(source="corp", domains=RULES.domains)
    assert list(people_changes(keep, [], ours)) == []


def test_groups_follow() -> None:
    """Members come and go; a group without an address gets no mail and is not made; others' groups are left alone."""
    theirs = [
        SourceGroup(name="new", address="new@house.test", members=("a@house.test",)),
        SourceGroup(name="same", address="same@house.test", members=("a@house.test", "b@house.test")),
        SourceGroup(name="more", address="more@house.test", members=("a@house.test", "c@house.test")),
        SourceGroup(name="mine", address="mine@house.test"),
        SourceGroup(name="far", address="far@far.test"),
        SourceGroup(name="rights only"),
    ]
    ours = [
        KnownGroup(address="same@house.test", name="same", members=("b@house.test", "a@house.test"), source="corp"),
        KnownGroup(address="more@house.test", name="more", members=("a@house.test", "b@house.test"), source="corp"),
        KnownGroup(address="old@house.test", source="corp"),
        KnownGroup(address="mine@house.test"),
    ]
    changes = list(group_changes(RULES, theirs, ours))
    assert changes == [
        MakeGroup(theirs[0]),
        UpdateGroup(theirs[2], ("c@house.test",), ("b@house.test",)),
        LeftAlone("mine@house.test", "there is a group of that address that is not from this source"),
        LeftAlone("far@far.test", "its domain is none of the source's domains"),
        RemoveGroup("old@house.test"),
    ]


def test_the_rules_are_settings() -> None:
    """Nobody is disabled unless a setting says so."""
    rules = rules_of(Settings(), "corp", ["house.test"])
    assert (rules.disable_gone, rules.gone_limit) == (False, 20)
    assert rules_of(Settings(), "corp", []).domains == frozenset()
