"""What the find index holds of texts, and the marks of post offices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posthouse.store.sqlite.folding import entry_text, fold, office_mark

FOLDS = [
    pytest.param("Ann Müller", "ann muller", id="accent"),
    pytest.param("STRASSE", "strasse", id="capitals"),
    pytest.param("Straße", "strasse", id="sharp s"),
    pytest.param("ǅungla", "dzungla", id="title case and accent in one"),
    pytest.param("İstanbul", "istanbul", id="dotted I"),
    pytest.param("ﬁnd", "find", id="ligature"),
    pytest.param("Ａｎｎ", "ann", id="full width"),
    pytest.param("李娜", "李娜", id="without case"),
    pytest.param("a\tb\u200bc\nd", "a b c d", id="control characters"),
    pytest.param("a\ue000\U000f0001b", "ab", id="private characters"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("text", "folded"), FOLDS)
def test_folding(text, folded):
    """Case, accents and what nobody sees do not matter."""
    assert fold(text) == folded


@given(st.text())
def test_folded_text_has_no_marks(text):
    """Whatever is typed, no line feed and no mark comes out, and folding again changes nothing more that is looked for."""
    folded = fold(text)
    assert "\n" not in folded
    assert "\ue000" not in folded
    assert not any("\U000f0000" <= one <= "\U0010ffff" for one in folded)


@given(st.integers(0, (1 << 30) - 1), st.integers(0, (1 << 30) - 1))
def test_marks_differ(one, other):
    """Each post office has a mark of its own, of three characters."""
    assert len(office_mark(one)) == 3
    assert (office_mark(one) == office_mark(other)) == (one == other)


def test_an_entry_holds_each_part_once():
    """Between line feeds, so that a search never spans two parts, and the mark last."""
    text = entry_text("Ann@x.example", ("Änn", "ANN", "", "Berg"), 7)
    assert text == "\nann@x.example\nann\nberg\n" + office_mark(7)
