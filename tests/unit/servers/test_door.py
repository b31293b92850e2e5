"""The door over loopback sockets, on asyncio's loop and on uvloop."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from pathlib import Path
from typing import Self

import pytest

from posthouse.config.settings import Settings
from posthouse.servers.door import Door, DoorContext, ListenerInfo
from posthouse.servers.limits import ConnectionLimits
from posthouse.servers.sweep import Sweep
from posthouse.servers.tls import TlsContexts, make_self_signed
from posthouse.store.directory_rows import SettingRow
from posthouse.testing.clock import FakeClock
from posthouse.testing.telemetry import RecordingTelemetry

pytestmark = pytest.mark.filterwarnings("error")
CERTIFICATE, KEY = make_self_signed("mail.example.test", 1_700_000_000.0)


class EchoDoor(Door):
    """Echoes lines; STARTTLS upgrades; SLEEP answers later; HALT pauses; BOOM breaks; FLOOD n sends n octets."""

    made: list[EchoDoor]
    idle_limit = 60.0

    def on_open(self) -> None:
        self.made.append(self)
        self.buffer = b""
        self.gate: asyncio.Future[None] = self.loop.create_future()
        self.log: list[str] = ["open"]
        self.send(b"hello tls\r\n" if self.is_secure else b"hello\r\n")

    def on_bytes(self, data: bytes) -> None:
        self.buffer += data
        while b"\n" in self.buffer and not self.is_closing:
            line, self.buffer = self.buffer.split(b"\n", 1)
            self.do_line(line.strip())

    def do_line(self, line: bytes) -> None:
        if line == b"STARTTLS":
            self.send(b"go ahead\r\n")
            early, self.buffer = len(self.buffer), b""
            self.start_tls(early=early)
        elif line == b"SLEEP":
            self.run(self.answer_later(), self.answered)
        elif line == b"NOW":
            self.run(self.answer_now(), self.answered)
        elif line == b"BOOM":
            raise RuntimeError("secret text")
        elif line.startswith(b"FLOOD"):
            self.run(self.flood(int(line[5:])), self.answered)
        elif line == b"QUIT":
            self.send(b"bye\r\n")
            self.close("quit")
        else:
            self.send(b"echo " + line + b"\r\n")

    async def answer_later(self) -> bytes:
        await self.gate
        return b"slept"

    async def answer_now(self) -> bytes:
        await self.drained()
        return b"at once"

    async def flood(self, size: int) -> bytes:
        for _ in range(0, size, 65536):
            self.send(b"x" * 65536)
            await self.drained()
        return b"flooded"

    def answered(self, result, error) -> None:
        self.log.append("answered" if error is None else type(error).__name__)
        if error is None:
            self.send(result + b"\r\n")

    def on_secured(self) -> None:
        self.log.append("secured")

    def on_idle(self) -> None:
        self.send(b"idle\r\n")
        self.close("idle")

    def on_drain(self) -> None:
        self.send(b"drain\r\n")
        self.close("drain")

    def on_closed(self) -> None:
        self.log.append("closed")

    def refusal(self, reason: str) -> bytes:
        return b"no: " + reason.encode() + b"\r\n"


class House:
    """A server of echo doors on a loopback port."""

    def __init__(self, tmp_path: Path, tls: str = "starttls", rows: list[SettingRow] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.clock = FakeClock()
        self.telemetry = RecordingTelemetry()
        (tmp_path / "cert.pem").write_bytes(CERTIFICATE)
        (tmp_path / "key.pem").write_bytes(KEY)
        settings = Settings(rows or [])
        assert settings.problems == []
        self.context = DoorContext(
            loop=loop,
            clock=self.clock,
            settings=settings,
            telemetry=self.telemetry,
            limits=ConnectionLimits(settings),
            sweep=Sweep(self.clock),
            tls=TlsContexts(tmp_path / "cert.pem", tmp_path / "key.pem", settings),
        )
        self.listener = ListenerInfo(name="test", protocol="echo", tls=tls)
        self.doors: list[EchoDoor] = []
        self.door_type = type("TestDoor", (EchoDoor,), {"made": self.doors})

    async def __aenter__(self) -> Self:
        self.server = await self.context.loop.create_server(
            lambda: self.door_type(self.listener, self.context), "127.0.0.1", 0
        )
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc) -> None:
        self.server.close()
        for door in tuple(self.context.sweep.doors):
            door.abort()
        await until(lambda: not self.context.sweep.doors)
        assert self.context.limits.total == 0

    async def connect(self, tls: ssl.SSLContext | None = None):
        kwargs = {"server_hostname": "mail.example.test"} if tls else {}
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=tls, **kwargs)


def client_tls(tmp_path: Path) -> ssl.SSLContext:
    """Return a client context that trusts our certificate."""
    return ssl.create_default_context(cadata=CERTIFICATE.decode())


async def until(condition, rounds: int = 2000) -> None:
    """Run the loop until the condition holds."""
    for _ in range(rounds):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come true")


LOOPS = {"asyncio": asyncio.new_event_loop}
try:
    import uvloop
except ImportError:
    pass
else:
    LOOPS["uvloop"] = uvloop.new_event_loop


@pytest.fixture(params=LOOPS)
def play(request):
    """Run a coroutine on each kind of loop."""

    def run(coroutine):
        loop = LOOPS[request.param]()
        try:
            loop.run_until_complete(asyncio.wait_for(coroutine, 20))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
            gc.collect()

    return run


def test_greets_echoes_and_reports_the_end(tmp_path, play) -> None:
    """A session in the clear is greeted, answered and closed, and its counters are reported."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            reader, writer = await house.connect()
            assert await reader.readline() == b"hello\r\n"
            writer.write(b"one\r\ntwo\r\nQUIT\r\n")
            assert await reader.read() == b"echo one\r\necho two\r\nbye\r\n"
            writer.close()
            await until(lambda: house.telemetry.named("door.closed"))
            closed = house.telemetry.named("door.closed")[0]
            assert (closed["received"], closed["sent"], closed["reason"]) == (16, 32, "quit")
            assert closed["session"] == house.doors[0].session_id
            assert house.doors[0].is_loopback
            assert house.doors[0].peer_host == "127.0.0.1"

    play(scene())


def test_starttls_discards_what_came_before_the_handshake(tmp_path, play) -> None:
    """Bytes behind STARTTLS are reported and never answered inside TLS (CVE-2011-0411)."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            reader, writer = await house.connect()
            await reader.readline()
            writer.write(b"STARTTLS\r\ninjected\r\n")
            assert await reader.readline() == b"go ahead\r\n"
            await writer.start_tls(client_tls(tmp_path), server_hostname="mail.example.test")
            writer.write(b"QUIT\r\n")
            assert await reader.read() == b"bye\r\n"
            assert house.telemetry.named("door.bytes_before_tls")[0]["octets"] == 10
            assert house.telemetry.named("door.tls_started")[0]["version"] == "TLSv1.3"
            assert house.doors[0].is_secure
            writer.close()

    play(scene())


def test_implicit_tls_greets_after_the_handshake(tmp_path, play) -> None:
    """With implicit TLS the first thing sent is inside TLS."""

    async def scene() -> None:
        async with House(tmp_path, tls="implicit") as house:
            reader, writer = await house.connect(client_tls(tmp_path))
            assert await reader.readline() == b"hello tls\r\n"
            writer.write(b"SLEEP\r\nx\r\n")
            await until(lambda: house.doors and house.doors[0].received == 10)
            house.doors[0].gate.set_result(None)
            assert await reader.readline() == b"echo x\r\n"
            assert await reader.readline() == b"slept\r\n"
            writer.close()
            await writer.wait_closed()

    play(scene())


def test_bytes_with_the_last_handshake_flight_are_answered_inside_tls(tmp_path, play) -> None:
    """A client that sends its command together with the end of the handshake is answered, encrypted."""

    async def scene() -> None:
        async with House(tmp_path, tls="implicit") as house:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = client_tls(tmp_path).wrap_bio(incoming, outgoing, server_hostname="mail.example.test")
            reader, writer = await house.connect()
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await reader.read(65536))
            tls.write(b"early\r\n")
            writer.write(outgoing.read())
            got = b""
            while b"early" not in got:
                try:
                    got += tls.read(65536)
                except ssl.SSLWantReadError:
                    incoming.write(await reader.read(65536))
            assert got == b"hello tls\r\necho early\r\n"
            writer.close()

    play(scene())


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.0\r\n\r\n", b"", b"\x16\x03\x01\x02\x00garbage"])
def test_a_failed_handshake_ends_quietly(tmp_path, play, garbage) -> None:
    """Whatever a peer sends in place of a handshake, the connection ends with one event and nothing leaks."""

    async def scene() -> None:
        async with House(tmp_path, tls="implicit") as house:
            reader, writer = await house.connect()
            writer.write(garbage)
            if writer.can_write_eof():
                writer.write_eof()
            await reader.read()
            writer.close()
            await until(lambda: house.telemetry.named("door.closed"))
            assert house.doors == []
            assert house.context.limits.total == 0

    play(scene())


def test_half_closed_peers_get_their_answers(tmp_path, play) -> None:
    """A peer that shuts its sending half down still receives what it asked for, also what takes time."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            reader, writer = await house.connect()
            await reader.readline()
            writer.write(b"one\r\nSLEEP\r\n")
            writer.write_eof()
            assert await reader.readline() == b"echo one\r\n"
            house.doors[0].gate.set_result(None)
            assert await reader.read() == b"slept\r\n"
            writer.close()

    play(scene())


def test_a_lost_peer_cancels_what_is_pending(tmp_path, play) -> None:
    """When the connection is lost, pending coroutines end and the hooks run in order, once."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            reader, writer = await house.connect()
            await reader.readline()
            writer.write(b"SLEEP\r\nx\r\n")
            await reader.readline()
            writer.transport.abort()
            await until(lambda: "CancelledError" in house.doors[0].log or house.doors[0]._peer_done)
            house.doors[0].abort()
            await until(lambda: "CancelledError" in house.doors[0].log)
            assert house.doors[0].log == ["open", "closed", "CancelledError"]

    play(scene())


def test_coroutines_that_never_wait_are_answered_in_place(tmp_path, play) -> None:
    """Order is kept between answers of coroutines that do not wait and plain ones."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            reader, writer = await house.connect()
            await reader.readline()
            writer.write(b"NOW\r\nx\r\nQUIT\r\n")
            assert await reader.read() == b"at once\r\necho x\r\nbye\r\n"
            writer.close()

    play(scene())


def test_slow_readers_wait_and_are_cut(tmp_path, play) -> None:
    """A peer that does not read holds a bounded amount of memory, and is cut after the limit."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            raw = socket.create_connection(("127.0.0.1", house.port))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.sendall(b"FLOOD 50000000\r\n")
            await until(lambda: house.doors and not house.doors[0].is_writable)
            door = house.doors[0]
            assert door._transport.get_write_buffer_size() < 1_000_000
            house.clock.advance(299)
            house.context.sweep.tick()
            assert not door.is_closing
            house.clock.advance(2)
            house.context.sweep.tick()
            await until(lambda: "closed" in door.log)
            assert house.telemetry.named("door.slow_reader")
            await until(lambda: "ConnectionResetError" in door.log or "CancelledError" in door.log)
            raw.close()

    play(scene())


def test_a_whole_flood_arrives_when_it_is_read(tmp_path, play) -> None:
    """Backpressure loses nothing, in the clear and inside TLS."""

    async def scene() -> None:
        for tls in ("off", "implicit"):
            async with House(tmp_path, tls=tls) as house:
                reader, writer = await house.connect(client_tls(tmp_path) if tls == "implicit" else None)
                await reader.readline()
                writer.write(b"FLOOD 4000000\r\n")
                line = await reader.readuntil(b"flooded\r\n") if False else b""
                size = 0
                while not line.endswith(b"flooded\r\n"):
                    line = await reader.read(262144)
                    size += len(line)
                assert size == -(-4000000 // 65536) * 65536 + 9
                writer.close()

    play(scene())


def test_idle_peers_are_told(tmp_path, play) -> None:
    """The sweep calls on_idle after the limit, counted from the last bytes."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            reader, writer = await house.connect()
            await reader.readline()
            house.clock.advance(50)
            house.context.sweep.tick()
            writer.write(b"x\r\n")
            await reader.readline()
            house.clock.advance(50)
            house.context.sweep.tick()
            assert not house.doors[0].is_closing
            house.clock.advance(11)
            house.context.sweep.tick()
            assert await reader.read() == b"idle\r\n"
            writer.close()

    play(scene())


def test_draining_tells_open_sessions_and_refuses_new_ones(tmp_path, play) -> None:
    """When the server stops, open doors say goodbye and new ones are refused."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            reader, writer = await house.connect()
            await reader.readline()
            house.context.drain()
            assert await reader.read() == b"drain\r\n"
            other, other_writer = await house.connect()
            assert await other.read() == b"no: drain\r\n"
            for each in (writer, other_writer):
                each.close()

    play(scene())


def test_too_many_connections_are_refused(tmp_path, play) -> None:
    """Above the total the peer gets the protocol's refusal and is not counted."""

    async def scene() -> None:
        rows = [SettingRow("server.connections", "server", "10", "", 0.0)]
        async with House(tmp_path, rows=rows) as house:
            pairs = [await house.connect() for _ in range(10)]
            for reader, _ in pairs:
                assert await reader.readline() == b"hello\r\n"
            reader, writer = await house.connect()
            assert await reader.read() == b"no: server.connections\r\n"
            assert house.context.limits.total == 10
            for _, each in [*pairs, (reader, writer)]:
                each.close()

    play(scene())


def test_an_error_in_a_hook_ends_the_connection_only(tmp_path, play) -> None:
    """Our own error is logged with its trace, the peer sees no text of it, and other sessions go on."""

    async def scene() -> None:
        async with House(tmp_path) as house:
            reader, writer = await house.connect()
            other, other_writer = await house.connect()
            await reader.readline()
            await other.readline()
            writer.write(b"BOOM\r\n")
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                pass
            failed = house.telemetry.named("door.failed")[0]
            assert failed["error"] == "RuntimeError"
            assert "do_line" in failed["trace"]
            other_writer.write(b"x\r\n")
            assert await other.readline() == b"echo x\r\n"
            writer.close()
            other_writer.close()

    play(scene())


class NullTransport(asyncio.Transport):
    """A transport that does nothing, to see what a door costs by itself."""

    def set_write_buffer_limits(self, high=None, low=None) -> None: ...

    def get_extra_info(self, name, default=None):
        return ("192.0.2.1", 4711)

    def write(self, data) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


@pytest.mark.parametrize(
    ("peername", "host", "loopback"),
    [
        (("192.0.2.1", 5), "192.0.2.1", False),
        (("::ffff:192.0.2.1", 5, 0, 0), "192.0.2.1", False),
        (("::1", 5, 0, 0), "::1", True),
        (("127.3.2.1", 5), "127.3.2.1", True),
        ("", "", True),
        (None, "", True),
    ],
)
async def test_peers_are_named_by_their_address(tmp_path, peername, host, loopback) -> None:
    """IPv4, IPv4 in IPv6, IPv6 and UNIX peers each read as what they are."""
    house = House(tmp_path)
    door = house.door_type(house.listener, house.context)
    transport = NullTransport()
    transport.get_extra_info = lambda name, default=None: peername
    door.connection_made(transport)
    assert (door.peer_host, door.is_loopback) == (host, loopback)
    door.connection_lost(None)
    assert house.context.limits.total == 0
