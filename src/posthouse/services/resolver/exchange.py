"""One question to one name server: over UDP from a port of chance, over TCP where the answer is truncated.

Every UDP question uses a socket of its own, connected to the server, so the kernel picks a random port and drops what
comes from anywhere else; with the random message id and the comparison of the question an answer is hard to forge
(RFC 5452 §9). An answer with a wrong id or another question is ignored, and the wait goes on. The sockets under way are
bounded by a semaphore. Tests: ``tests/unit/services/resolver/test_dns.py``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message

MAX_EXCHANGES = 200
UDP_PAYLOAD = 1232  # the size that is not fragmented on today's paths (DNS flag day 2020)


@dataclass(frozen=True, slots=True)
class Server:
    """A name server's address."""

    host: str
    port: int = 53

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ExchangeError(Exception):
    """The server gave no answer that can be used; the text says why, for the log."""


class _UdpQuestion(asyncio.DatagramProtocol):
    def __init__(self, query: dns.message.QueryMessage, answered: asyncio.Future[dns.message.Message]) -> None:
        self._query = query
        self._answered = answered

    def datagram_received(self, data: bytes, addr: object) -> None:
        if self._answered.done():
            return
        answer = read_answer(self._query, data)
        if answer is not None:
            self._answered.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(ExchangeError(f"not reachable: {exc}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_exception(ExchangeError("socket closed"))


def read_answer(query: dns.message.QueryMessage, data: bytes) -> dns.message.Message | None:
    """Return the message if it is an answer to ``query``, else None (wrong id, other question, malformed)."""
    if len(data) < 12 or data[:2] != query.id.to_bytes(2, "big"):
        return None
    try:
        answer = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
    except (dns.exception.DNSException, ValueError, UnicodeError):
        return None
    return answer if query.is_response(answer) else None


class Exchanger:
    """Asks name servers. One lives in each resolver."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(MAX_EXCHANGES)

    async def ask(self, server: Server, query: dns.message.QueryMessage, timeout: float) -> dns.message.Message:  # noqa: ASYNC109  (covers both transports)
        """Return the server's answer. Raises ExchangeError: silence, refusal of the socket, nonsense."""
        async with self._room:
            try:
                async with asyncio.timeout(timeout):
                    answer = await self._ask_udp(server, query)
                    if answer.flags & dns.flags.TC:
                        answer = await self._ask_tcp(server, query)
                    return answer
            except TimeoutError:
                raise ExchangeError(f"no answer within {timeout:g} s") from None
            except OSError as error:
                raise ExchangeError(f"not reachable: {error}") from None

    async def _ask_udp(self, server: Server, query: dns.message.QueryMessage) -> dns.message.Message:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[dns.message.Message] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _UdpQuestion(query, answered), remote_addr=(server.host, server.port)
        )
        try:
            transport.sendto(query.to_wire())
            return await answered
        finally:
            if not answered.done():
                answered.cancel()
            transport.close()

    async def _ask_tcp(self, server: Server, query: dns.message.QueryMessage) -> dns.message.Message:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        try:
            wire = query.to_wire()
            writer.write(len(wire).to_bytes(2, "big") + wire)  # RFC 1035 §4.2.2
            length = int.from_bytes(await reader.readexactly(2), "big")
            answer = read_answer(query, await reader.readexactly(length))
        except asyncio.IncompleteReadError:
            raise ExchangeError("connection closed early") from None
        finally:
            writer.close()
        if answer is None:
            raise ExchangeError("an answer that is none")
        return answer
