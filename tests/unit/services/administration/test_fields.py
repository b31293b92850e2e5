"""Sizes and moments of operations."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from posthouse.services.administration.fields import Size, moment

SIZES = {0: 0, 1024: 1024, "500M": 500 << 20, "2 GiB": 2 << 30, "1.5k": 1536, "0": 0}


@pytest.mark.parametrize("given", SIZES)
def test_sizes_are_numbers_or_words(given):
    """Octets as a number, or with a unit."""
    assert TypeAdapter(Size).validate_python(given) == SIZES[given]


@pytest.mark.parametrize("given", [-1, "-1", "", "much", "1e9", 1 << 61, "9" * 30, None, [1]])
def test_what_is_no_size_is_refused(given):
    """Neither negative nor beyond what a store can add up."""
    with pytest.raises(ValidationError):
        TypeAdapter(Size).validate_python(given)


def test_moments():
    """Seconds since the epoch in UTC; 0.0 is never."""
    assert moment(0.0) is None
    assert moment(86_400.0) == datetime(1970, 1, 2, tzinfo=UTC)
