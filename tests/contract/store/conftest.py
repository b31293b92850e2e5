"""The contract suite runs once for every engine; ``opener`` opens further stores (workers) on the same data."""

import contextlib

import pytest

from tests.support.stores import StillClock, furnish, make_store

ENGINES = [pytest.param("sqlite:///store.db", id="sqlite")]


@pytest.fixture(params=ENGINES)
def engine_url(request):
    """Return the URL of an empty database of the engine under test."""
    return request.param


@pytest.fixture
def clock():
    """Return the clock of all stores of the test."""
    return StillClock()


@pytest.fixture
async def opener(tmp_path, engine_url, clock):
    """Return a function that opens one more worker's store; all are closed in the end."""
    async with contextlib.AsyncExitStack() as stack:
        numbers = iter(range(1000))

        async def open_one():
            return await stack.enter_async_context(
                make_store(tmp_path / "home", url=engine_url, worker=next(numbers), clock=clock)
            )

        yield open_one


@pytest.fixture
async def store(opener):
    """Return an open, empty store."""
    return await opener()


@pytest.fixture
async def account(store):
    """Return an account of the store."""
    (made,) = await furnish(store, "ann@example.org")
    return made


@pytest.fixture
async def inbox(store, account):
    """Return the id of the account's inbox."""
    return (await store.mailbox_named(account, "INBOX")).id
