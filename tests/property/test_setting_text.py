"""The text of a setting and its value are inverse."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from posthouse.config.faults import SettingFault
from posthouse.config.setting import (
    bool_setting,
    duration_setting,
    int_setting,
    list_setting,
    size_setting,
    text_setting,
)

WORD = st.text(st.characters(blacklist_characters=",\r\n\0", blacklist_categories=["Cs"]), min_size=1).map(str.strip)
LINE = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"])).map(str.strip)
KINDS = [
    (bool_setting("t.a", False, "A."), st.booleans()),
    (int_setting("t.b", 0, "B."), st.integers(-(10**17), 10**17)),
    (size_setting("t.c", 0, "C."), st.integers(0, 10**14)),
    (duration_setting("t.d", 0, "D."), st.integers(0, 10**11).map(lambda ms: ms / 1000)),
    (text_setting("t.e", "", "E."), LINE),
    (list_setting("t.f", (), "F."), st.lists(WORD.filter(bool)).map(tuple)),
]
PAIRS = st.one_of([st.tuples(st.just(setting), values) for setting, values in KINDS])


@given(PAIRS)
def test_parse_undoes_format(pair) -> None:
    """Every value survives its text."""
    setting, value = pair
    assert setting.parse(setting.format(value)) == value


@given(st.sampled_from([setting for setting, _ in KINDS]), st.text(max_size=40))
def test_any_text_is_a_value_or_a_fault(setting, text) -> None:
    """Any text gives a value that can be written again, or a SettingFault."""
    try:
        value = setting.parse(text)
    except SettingFault:
        return
    assert setting.parse(setting.format(value)) == value
