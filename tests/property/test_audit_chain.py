"""Entries of the audit log are digested as JSON: the quick way gives what the plain one gives, so old chains hold."""

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from posthouse.store.sqlite.chain import canonical, digest

FIELDS = st.tuples(
    st.integers(min_value=0, max_value=2**62),
    st.floats(allow_nan=False, allow_infinity=False),
    *[st.text(max_size=20)] * 7,
    st.none() | st.text(max_size=20),
    st.none() | st.text(max_size=20),
    st.text(max_size=20),
)
VALUES = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=3))
)


@given(FIELDS)
def test_a_digest_is_that_of_its_json(fields):
    """Whatever stands in the fields."""
    told = json.dumps(list(fields), separators=(",", ":"), ensure_ascii=True)
    assert digest(fields) == sha256(told.encode()).hexdigest()


@given(VALUES)
def test_a_value_has_one_form(value):
    """Keys in order, ASCII; it reads back the same."""
    text = canonical(value)
    assert text.isascii()
    assert json.loads(text) == value
    assert text == json.dumps(value, sort_keys=True, separators=(",", ":"))
