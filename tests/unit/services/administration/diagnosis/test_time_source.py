"""Asking a time server, played by the test."""

from __future__ import annotations

import asyncio
import struct

import pytest

from posthouse.services.administration.diagnosis.time_source import TimeFault, ask_time
from posthouse.testing.resolver import FakeResolver
from tests.support.stores import StillClock
from tests.unit.services.administration.diagnosis.conftest import seen

NOW = 1_770_000_000.25
EPOCH = 2_208_988_800


def stamp(at: float) -> bytes:
    """Return a timestamp."""
    return struct.pack("!II", (int(at) + EPOCH) & 0xFFFFFFFF, int((at - int(at)) * 2**32))


class TimeServer(asyncio.DatagramProtocol):
    """Answers with an offset, or with what ``spoil`` makes of the answer."""

    def __init__(self, offset: float, spoil=lambda answer: answer) -> None:
        self.offset, self.spoil = offset, spoil

    def connection_made(self, transport) -> None:
        """Keep what to answer through."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        """Answer."""
        at = stamp(NOW + self.offset)
        answer = bytes([0x24, 2, 0, 0]) + bytes(12) + stamp(NOW) + data[40:48] + at + at
        self.transport.sendto(self.spoil(answer), addr)


async def asked(server: TimeServer) -> float:
    """Return the offset."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    try:
        return await ask_time("127.0.0.1", StillClock(NOW), transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


@pytest.mark.parametrize("offset", [0.0, 3.5, -400.0, 2.0**30])
async def test_the_offset_is_told(offset) -> None:
    """Ours behind theirs is positive, over the turn of an era as well."""
    assert abs(await asked(TimeServer(offset)) - offset) < 0.001


SPOILT = [
    pytest.param(lambda answer: answer[:20], "too short", id="short"),
    pytest.param(lambda answer: bytes([0xE4]) + answer[1:], "does not know the time", id="not synchronised"),
    pytest.param(lambda answer: bytes([0x24, 0]) + answer[2:], "does not know the time", id="kiss of death"),
    pytest.param(lambda answer: bytes([0x23]) + answer[1:], "does not know the time", id="a client"),
    pytest.param(lambda answer: answer[:24] + bytes(8) + answer[32:], "another question", id="forged"),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILT)
async def test_an_answer_that_is_none(spoil, words) -> None:
    """It is not believed."""
    with pytest.raises(TimeFault, match=words):
        await asked(TimeServer(0.0, spoil))


async def test_silence_is_bounded(monkeypatch) -> None:
    """A server that says nothing, and one that cannot be."""
    monkeypatch.setattr("posthouse.services.administration.diagnosis.time_source.PATIENCE", 0.05)

    class Mute(asyncio.DatagramProtocol):
        pass

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Mute, local_addr=("127.0.0.1", 0))
    with pytest.raises(TimeFault, match="no answer within"):
        await ask_time("127.0.0.1", StillClock(), transport.get_extra_info("sockname")[1])
    transport.close()
    with pytest.raises(TimeFault, match="not reachable"):
        await ask_time("127.0.0.1", StillClock(), 1 << 20)


@pytest.mark.parametrize(("offset", "severity"), [(0.1, "ok"), (-10.0, "warning"), (900.0, "error")])
async def test_the_clock_is_judged_by_it(look, monkeypatch, offset, severity) -> None:
    """Seconds are a warning, minutes an error."""

    async def told(*_: object) -> float:
        return offset

    monkeypatch.setattr("posthouse.services.administration.diagnosis.topics.clock.ask_time", told)
    settings = {"check.time_source": "time.net"}
    names = FakeResolver({}, {"time.net": ["192.0.2.123"]})
    assert seen(await look("clock.source", settings=settings, resolver=names))[0][0] == severity
    assert seen(await look("clock.source", settings=settings)) == [("warning", "the time server has no address")]
