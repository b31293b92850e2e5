"""The API over an open store with people of every level."""

import pytest

from tests.support.desks import make_api, make_desk, people, token_of


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return a desk whose store has two post offices, their domains and people."""
    await people(store)
    return make_desk(store, store_clock, tmp_path)


@pytest.fixture
def api(desk):
    """Return a client of the API without a credential."""
    return make_api(desk)


@pytest.fixture
async def root(desk, api):
    """Return a client that may everything."""
    return api.as_caller(await token_of(desk, "root@own.test"))


@pytest.fixture
async def admin(desk, api):
    """Return a client of the administrator of acme.test."""
    return api.as_caller(await token_of(desk, "admin@acme.test"))
