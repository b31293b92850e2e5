"""The pace of an import: alone without a pause, beside mail with one as long as the work."""

from __future__ import annotations

import asyncio

import pytest

from posthouse.services.administration.importing.pace import ALONE, BESIDE_MAIL, Stride
from posthouse.testing.clock import FakeClock


@pytest.mark.parametrize(
    ("pace", "pauses"),
    [pytest.param(ALONE, [], id="alone"), pytest.param(BESIDE_MAIL, [0.25], id="beside mail")],
)
async def test_pieces_of_work_and_pauses(monkeypatch, pace, pauses):
    """A piece is done in a thread; beside mail the pause after it is as long as it took."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    clock = FakeClock()
    assert await Stride(pace, clock).in_thread(lambda: clock.advance(0.25) or "done") == "done"
    assert slept == pauses


def test_beside_mail_pieces_are_short():
    """A hundredth of a millisecond or so for each record: no mail waits for more than some milliseconds."""
    assert BESIDE_MAIL.batch <= 200
    assert BESIDE_MAIL.read <= 200
