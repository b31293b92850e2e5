"""The checks as a whole: ids that stay, words for people, a row in the manual for each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from posthouse.services.administration.diagnosis import manual
from posthouse.services.administration.diagnosis.catalogue import CHECKS, matching

PAGE = Path(__file__).parents[5] / manual.PAGE


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_says_what_it_is(check) -> None:
    """An id of two words, a title, whole sentences, a remedy, and a row in the manual."""
    assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", check.id)
    assert check.title
    assert check.explanation.endswith(".")
    assert len(check.explanation) > 40
    assert check.remedy
    assert f"| `{check.id}` | {check.title} | {check.explanation}" in PAGE.read_text()


def test_ids_are_unique() -> None:
    """Scripts know checks by them."""
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_the_table_of_the_manual_is_that_of_the_checks() -> None:
    """Renew it with python -m posthouse.services.administration.diagnosis.manual."""
    text = PAGE.read_text()
    assert manual.renewed(text) == text


def test_patterns_choose_checks() -> None:
    """All, one, a topic, nothing."""
    assert matching(()) == CHECKS
    assert [check.id for check in matching(("dns.spf",))] == ["dns.spf"]
    assert {check.id.partition(".")[0] for check in matching(("dns.*", "queue.*"))} == {"dns", "queue"}
    assert not matching(("nothing.*",))
