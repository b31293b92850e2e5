"""The HTTP door on loopback: requests, pipelining, limits of size and time, TLS, draining."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import pytest

from posthouse.config.settings import Settings
from posthouse.servers.door import DoorContext, ListenerInfo
from posthouse.servers.http.door import HttpDoor, HttpServing
from posthouse.servers.limits import ConnectionLimits
from posthouse.servers.sweep import Sweep
from posthouse.servers.tls import TlsContexts, make_self_signed
from posthouse.store.directory_rows import SettingRow
from posthouse.testing.clock import FakeClock
from posthouse.testing.telemetry import RecordingTelemetry

CERTIFICATE, KEY = make_self_signed("mail.example.test", 1_700_000_000.0)
GET = b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n"


class Answers:
    """An application: answers the path, the body's length, or waits."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.seen: list[str] = []
        self.scopes: list[dict] = []

    async def __call__(self, scope, receive, send) -> None:
        self.scopes.append(scope)
        path = scope["path"]
        if path == "/break":
            raise RuntimeError("secret")
        size = 0
        if path == "/body":
            size = await self._body(receive)
        if path == "/wait":
            await self.gate.wait()
        body = f"{path} {size}".encode()
        if path == "/flood":
            body = b"x" * 20_000_000
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self.seen.append(path)

    async def _body(self, receive) -> int:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.seen.append("gone")
                return size
            size += len(message["body"])
            more = message["more_body"]
        return size


class House:
    """HTTP doors on a loopback port."""

    def __init__(self, tmp_path, tls="off", **values) -> None:
        self.clock = FakeClock()
        settings = Settings(
            [SettingRow(name.replace("__", "."), "server", value, "", 0.0) for name, value in values.items()]
        )
        assert settings.problems == []
        (tmp_path / "cert.pem").write_bytes(CERTIFICATE)
        (tmp_path / "key.pem").write_bytes(KEY)
        self.context = DoorContext(
            loop=asyncio.get_running_loop(),
            clock=self.clock,
            settings=settings,
            telemetry=RecordingTelemetry(),
            limits=ConnectionLimits(settings),
            sweep=Sweep(self.clock),
            tls=TlsContexts(tmp_path / "cert.pem", tmp_path / "key.pem", settings),
        )
        self.application = Answers()
        self.listener = ListenerInfo(name="http", protocol="http", tls=tls)
        self.serving = HttpServing(self.application, settings, self.clock)

    async def __aenter__(self):
        self.server = await self.context.loop.create_server(
            lambda: HttpDoor(self.listener, self.context, self.serving), "127.0.0.1", 0
        )
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc) -> None:
        self.application.gate.set()
        self.server.close()
        for door in tuple(self.context.sweep.doors):
            door.abort()
        await turns(lambda: not self.context.sweep.doors)
        assert self.context.limits.total == 0
        if self.serving.state.tasks:
            await asyncio.wait(tuple(self.serving.state.tasks))

    async def connect(self, **options):
        return await asyncio.open_connection("127.0.0.1", self.port, **options)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.context.sweep.tick()


async def turns(condition) -> None:
    """Let others have their turn until something holds."""
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("waited in vain")


async def answer(reader) -> tuple[int, dict[bytes, bytes], bytes]:
    """Read one answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).splitlines()
    fields = dict(line.lower().split(b": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(fields[b"content-length"]))
    return int(head[0].split()[1]), fields, body


async def test_requests_one_after_the_other(tmp_path) -> None:
    """On one connection, each with a date; pipelined ones are answered in order."""
    async with House(tmp_path) as house:
        reader, writer = await house.connect()
        for path in (b"/one", b"/two"):
            writer.write(GET % path)
            status, fields, body = await answer(reader)
            assert (status, body) == (200, path + b" 0")
            assert fields[b"date"].endswith(b"gmt")
        writer.write(GET % b"/a" + GET % b"/b")
        assert [(await answer(reader))[2] for _ in range(2)] == [b"/a 0", b"/b 0"]
        assert house.application.scopes[0]["client"][0] == "127.0.0.1"
        assert house.application.scopes[0]["state"]["door"].listener is house.listener
        writer.close()


async def test_a_body_in_pieces(tmp_path) -> None:
    """With a length or in chunks; the client that waits for 100 is told to go on."""
    async with House(tmp_path) as house:
        reader, writer = await house.connect()
        writer.write(b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        for piece in (b"12345", b"67890"):
            writer.write(piece)
            await asyncio.sleep(0)
        assert (await answer(reader))[2] == b"/body 10"
        writer.write(b"POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert (await answer(reader))[2] == b"/body 3"
        writer.close()


@pytest.mark.parametrize(
    "request_octets",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nA b: c\r\n\r\n",
        b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 8_000,
    ],
    ids=["no request", "no host", "space in a name", "two lengths", "no length", "TLS", "a head without end"],
)
async def test_what_is_no_request(tmp_path, request_octets) -> None:
    """400, and the connection is closed; the application never sees it."""
    async with House(tmp_path, http__header_size="4096") as house:
        reader, writer = await house.connect()
        writer.write(request_octets)
        assert (await reader.read()).startswith(b"HTTP/1.1 4")
        assert house.application.scopes == []
        writer.close()


async def test_an_error_of_the_application(tmp_path) -> None:
    """500 without a word about it; the connection is closed."""
    async with House(tmp_path) as house:
        reader, writer = await house.connect()
        writer.write(GET % b"/break")
        told = await reader.read()
        assert told.startswith(b"HTTP/1.1 500")
        assert b"secret" not in told
        writer.close()


@pytest.mark.parametrize(
    ("sent", "seconds", "stays"),
    [
        (b"", 59, True),
        (b"", 62, False),
        (b"GET / HT", 14, True),
        (b"GET / HT", 17, False),
        (b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 29, True),
        (b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 32, False),
        (GET % b"/wait", 100_000, True),
    ],
    ids=["idle", "idle too long", "slow head", "head too slow", "slow body", "body too slow", "slow application"],
)
async def test_the_time_for_what_is_waited_for(tmp_path, sent, seconds, stays) -> None:
    """Each has its limit; the application's own time has none."""
    async with House(tmp_path) as house:
        _, writer = await house.connect()
        await turns(lambda: house.context.sweep.doors)
        (door,) = house.context.sweep.doors
        writer.write(sent)
        await turns(lambda: door.received == len(sent))
        house.pass_time(seconds)
        assert (not door.is_closing) == stays
        writer.close()


async def test_a_head_in_drops_does_not_keep_a_connection(tmp_path) -> None:
    """The time runs from the first octet (slowloris)."""
    async with House(tmp_path) as house:
        _, writer = await house.connect()
        await turns(lambda: house.context.sweep.doors)
        (door,) = house.context.sweep.doors
        for number, octet in enumerate(b"GET "):
            assert not door.is_closing, number
            writer.write(bytes([octet]))
            await turns(lambda number=number: door.received > number)
            house.pass_time(4)
        assert door.is_closing
        writer.close()


async def test_a_client_that_goes_away_is_noticed(tmp_path) -> None:
    """The application is told in the midst of a body."""
    async with House(tmp_path) as house:
        _, writer = await house.connect()
        writer.write(b"POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
        await turns(lambda: house.application.scopes)
        writer.transport.abort()
        await turns(lambda: "gone" in house.application.seen)


async def test_half_a_connection_gets_its_answer(tmp_path) -> None:
    """Who closes his half after the request reads the answer, then the end."""
    async with House(tmp_path) as house:
        reader, writer = await house.connect()
        writer.write(GET % b"/wait")
        writer.write_eof()
        await turns(lambda: house.application.scopes)
        house.application.gate.set()
        assert (await reader.read()).endswith(b"/wait 0")
        writer.close()


async def test_a_reader_that_does_not_read_is_cut(tmp_path) -> None:
    """The application waits meanwhile; then the connection goes."""
    async with House(tmp_path) as house:
        _, writer = await house.connect()
        writer.transport.pause_reading()
        writer.write(GET % b"/flood")
        await turns(lambda: house.application.scopes)
        (door,) = house.context.sweep.doors
        await turns(lambda: not door.is_writable)
        house.pass_time(400)
        assert door.is_closing
        writer.close()


async def test_connections_beyond_the_limit_are_told(tmp_path) -> None:
    """503 with a time, at once."""
    async with House(tmp_path, server__connections="10") as house:
        held = [await house.connect() for _ in range(10)]
        await turns(lambda: house.context.limits.total == 10)
        reader, writer = await house.connect()
        told = await reader.read()
        assert told.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 5" in told.lower()
        for _, each in [*held, (reader, writer)]:
            each.close()


async def test_draining_lets_a_request_end(tmp_path) -> None:
    """Idle connections close at once; the one under way after its answer; new ones are refused."""
    async with House(tmp_path) as house:
        idle_reader, idle = await house.connect()
        reader, writer = await house.connect()
        writer.write(GET % b"/wait")
        await turns(lambda: house.application.scopes)
        house.context.drain()
        assert await idle_reader.read() == b""
        late_reader, late = await house.connect()
        assert (await late_reader.read()).startswith(b"HTTP/1.1 503")
        house.application.gate.set()
        assert (await reader.read()).endswith(b"/wait 0")
        for each in (idle, writer, late):
            each.close()


async def test_tls_from_the_first_octet(tmp_path) -> None:
    """The application sees https; who speaks in the clear is cut off."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with House(tmp_path, tls="implicit") as house:
        reader, writer = await house.connect(ssl=context)
        writer.write(GET % b"/one")
        assert (await answer(reader))[0] == 200
        assert house.application.scopes[0]["scheme"] == "https"
        writer.close()
        reader, writer = await house.connect()
        writer.write(GET % b"/two")
        with contextlib.suppress(ConnectionResetError):
            assert b"HTTP" not in await reader.read()
        writer.close()
