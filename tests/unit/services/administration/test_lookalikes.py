"""Domains that look like others."""

import pytest

from posthouse.services.administration.lookalikes import mixed_scripts, skeleton

ALIKE = [
    ("example.org", "exаmple.org"),
    ("example.org", "examp1e.org"),
    ("google.test", "goog1e.test"),
    ("modern.test", "modem.test"),
    ("vvorld.test", "world.test"),
    ("paypal.test", "ｐａｙｐａｌ.test"),
    ("bücher.test", "bucher.test"),
    ("0range.test", "orange.test"),
]
DIFFERENT = [
    ("example.org", "example.net"),
    ("ab.test", "ba.test"),
    ("mail1.test", "mail2.test"),
    ("日本.test", "中国.test"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_alike_have_one_skeleton(one, other):
    """Letters of other scripts, digits for letters, pairs for letters, marks."""
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_look_different_have_two(one, other):
    """Nothing else is taken for another."""
    assert skeleton(one) != skeleton(other)


SCRIPTS = {
    "раypal.test": "Cyrillic",
    "bücher.test": "",
    "пример.test": "",
    "日本かなカナabc.test": "",
    "한글abc.test": "",
    "αbc.test": "Greek",
    "пример.abc": "",
    "a-1.test": "",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_labels_of_mixed_scripts_are_named(name):
    """A label is of one script, or of a mixture that people write."""
    told = mixed_scripts(name)
    assert bool(told) == bool(SCRIPTS[name])
    assert SCRIPTS[name] in told
