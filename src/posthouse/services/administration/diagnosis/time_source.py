"""Asking a time server once (SNTP, RFC 5905 §14).

Tests: ``tests/unit/services/administration/diagnosis/test_time_source.py``.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from posthouse.core.clock import Clock

PORT: Final = 123
PATIENCE: Final = 3.0
_EPOCH: Final = 2_208_988_800  # seconds from 1900 to 1970
_CLIENT: Final = 0x23  # no leap warning, version 4, mode client
_SERVER: Final = 4
_PACKET: Final = struct.Struct("!BBbb11I")


class TimeFault(Exception):  # noqa: N818  (a condition of the other side)
    """No time was had; the text says why in words of ours."""


class _Question(asyncio.DatagramProtocol):
    def __init__(self, answered: asyncio.Future[bytes]) -> None:
        self._answered = answered

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(TimeFault("not reachable"))


async def ask_time(address: str, clock: Clock, port: int = PORT) -> float:
    """Return by how many seconds our clock is behind that of a server. Raises TimeFault."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bytes] = loop.create_future()
    try:
        async with asyncio.timeout(PATIENCE):
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Question(answered),
                remote_addr=(address, port),
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            try:
                sent = clock.now()
                transport.sendto(_PACKET.pack(_CLIENT, 0, 0, 0, *([0] * 9), *_stamp(sent)))
                data = await answered
                received = clock.now()
            finally:
                answered.cancel()
                transport.close()
    except TimeoutError:
        raise TimeFault(f"no answer within {PATIENCE:g} seconds") from None
    except (OSError, ValueError, OverflowError):
        raise TimeFault("not reachable") from None
    return _offset(data, sent, received)


def _stamp(at: float) -> tuple[int, int]:
    whole = int(at)
    return (whole + _EPOCH) & 0xFFFFFFFF, int((at - whole) * (1 << 32))


def _offset(data: bytes, sent: float, received: float) -> float:
    """Return the offset that an answer tells (RFC 5905 §8). Raises TimeFault: where it is none to our question."""
    if len(data) < _PACKET.size:
        raise TimeFault("an answer that is too short")
    first, stratum, _, _, *words = _PACKET.unpack_from(data)
    if first & 7 != _SERVER or not 1 <= stratum <= 15 or first >> 6 == 3:
        raise TimeFault("it says itself that it does not know the time")
    if tuple(words[5:7]) != _stamp(sent):
        raise TimeFault("an answer to another question")
    their_receive, their_send = _seconds(words[7], words[8], sent), _seconds(words[9], words[10], sent)
    return ((their_receive - sent) + (their_send - received)) / 2


def _seconds(whole: int, part: int, near: float) -> float:
    """Return a timestamp as seconds since 1970, in the era of 2**32 seconds that is nearest to ``near``."""
    seconds = whole - _EPOCH + part / (1 << 32)
    return seconds + round((near - seconds) / (1 << 32)) * (1 << 32)
