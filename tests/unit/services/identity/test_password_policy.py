"""Rules for new passwords, the search in a file of stolen ones, and passwords made at random."""

from __future__ import annotations

import hashlib
import math
import re

import pytest

from posthouse.config.settings import Settings
from posthouse.core.errors import Unavailable
from posthouse.services.identity.password_policy import SYLLABLES, PasswordPolicy, is_breached, make_password
from posthouse.store.directory_rows import SettingRow


def policy(**values: str) -> PasswordPolicy:
    """Return the rules with some settings."""
    rows = [SettingRow(f"auth.password_{name}", "server", value, "", 0.0) for name, value in values.items()]
    settings = Settings(rows)
    assert not settings.problems
    return PasswordPolicy(settings)


@pytest.mark.parametrize(
    ("values", "password", "words"),
    [
        ({}, "correct horse", []),
        ({}, "short", ["characters"]),
        ({"length": "3"}, "kÿt", []),
        ({"length": "12"}, "eleven long", ["12"]),
        ({}, "passWord", ["commonest"]),
        ({}, "Qwerty2024!!", ["commonest"]),
        ({"common": "yes"}, "password", []),
        ({}, "Anna-is-great", ["'anna'"]),
        ({}, "i-love-HOUSE", ["'house'"]),
        ({}, "xx-älvström-xx", ["'älvström'"]),
        ({"own_name": "yes"}, "Anna-is-great", []),
        ({"classes": "3"}, "only small letters", ["fewer than 3"]),
        ({"classes": "3"}, "Three kinds", []),
        ({"classes": "4"}, "four Kinds 4", []),
        ({}, "with\x07bell in it", ["control"]),
        ({}, "x" * 1_025, ["longer"]),
        ({"length": "20", "classes": "4"}, "password", ["20", "fewer than 4", "commonest"]),
    ],
)
def test_every_rule_that_is_broken_is_named(values, password, words) -> None:
    """All at once, in plain words, and nothing for a good password."""
    found = policy(**values).failures(password, address="anna.lee@house.test", names=["Anna Älvström"])
    assert len(found) == len(words), found
    assert all(word in line for word, line in zip(words, found, strict=True)), found
    assert not any(password in line for line in found if password != "password")


def test_a_dictionary_is_a_file_of_words(tmp_path) -> None:
    """Words in any case, and with digits after them, are refused; a file that is not there is said."""
    (tmp_path / "words").write_text("Donaudampfschiff\nÄpfelchen\n")
    rules = policy(dictionary=str(tmp_path / "words"))
    assert rules.failures("donaudampfSCHIFF12!")
    assert rules.failures("äpfelchen")
    assert not rules.failures("donaudampfschifffahrt")
    with pytest.raises(Unavailable):
        policy(dictionary=str(tmp_path / "nothing")).failures("whatever it is")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 257])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_stolen_password_is_found_wherever_it_stands(tmp_path, count, end) -> None:
    """First, last and between; with and without a last line end; others are not found."""
    stolen = [f"stolen {n}" for n in range(count)]
    lines = sorted(f"{hashlib.sha1(each.encode()).hexdigest().upper()}:{n * n}" for n, each in enumerate(stolen))
    for last in (end, ""):
        path = tmp_path / "hashes"
        path.write_text(end.join(lines) + (last if lines else ""), newline="")
        assert all(is_breached(str(path), each) for each in stolen)
        assert not any(is_breached(str(path), f"kept {n}") for n in range(50))
    if count:
        assert policy(breached_file=str(path)).failures(stolen[0])


def test_a_file_that_is_no_list_of_hashes_ends_the_search(tmp_path) -> None:
    """Nonsense, lines without end and a missing file neither hang nor grant."""
    path = tmp_path / "hashes"
    for content in (b"\x00" * 10_000, b"x\n" * 10_000, b"\n" * 1_000, b"z" * 100_000):
        path.write_bytes(content)
        assert not is_breached(str(path), "anything")
    with pytest.raises(Unavailable):
        is_breached(str(tmp_path / "nothing"), "anything")


def test_a_random_password_can_be_read_and_is_strong() -> None:
    """At least 80 bits, no two alike, and within its own rules."""
    assert len(SYLLABLES) == len(set(SYLLABLES)) == 64
    assert 13 * math.log2(len(SYLLABLES)) + math.log2(100) > 80
    made = {make_password() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch(r"[a-z]{6}-[a-z]{6}-[a-z]{6}-[a-z]{8}-[0-9]{2}", each) for each in made)
    assert not any(policy().failures(each, address="anna@house.test") for each in made)
