"""Live events: without a server there are none (what is shown to whom: ``tests/unit/web/rest/test_streams.py``)."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import event
from tests.support.desks import do, make_desk


async def test_without_a_server_there_are_no_events(store, store_clock, tmp_path) -> None:
    """The refusal says what to do."""
    with pytest.raises(Refused) as refusal:
        await do(make_desk(store, store_clock, tmp_path), event.follow)
    assert refusal.value.kind is Kind.UNAVAILABLE
