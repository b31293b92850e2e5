"""A desk on an open store with two post offices, their domains and people (``tests.support.desks.people``)."""

import pytest

from tests.support.desks import make_desk, people


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return the desk."""
    await people(store)
    return make_desk(store, store_clock, tmp_path)
