"""The POP3 door over loopback, with the SQLite store and real sign-in behind it."""

from __future__ import annotations

import asyncio
import poplib
import ssl
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import argon2
import pytest

from posthouse.config.settings import Settings
from posthouse.core.errors import Unavailable
from posthouse.message.scan import scan
from posthouse.servers.door import DoorContext, ListenerInfo
from posthouse.servers.limits import ConnectionLimits
from posthouse.servers.pop3.door import Pop3Door
from posthouse.servers.pop3.maildrop import StoredMessage, _ranges, read_message
from posthouse.servers.sweep import Sweep
from posthouse.servers.tls import TlsContexts, make_self_signed
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.passwords import Passwords
from posthouse.services.identity.sources.contract import Granted, SourcePerson, Wrong
from posthouse.store.directory_values import PutAccount, PutDomain
from posthouse.store.open import open_store
from posthouse.store.rows import Field
from posthouse.store.values import Delivery, Filing, NewEmail
from posthouse.testing.clock import FakeClock
from posthouse.testing.dialogue import run_dialogue_socket
from posthouse.testing.telemetry import RecordingTelemetry

DIALOGUES = sorted((Path(__file__).parents[3] / "dialogues" / "pop3").glob("*.txt"))
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH = CHEAP.hash(b"tanstaaf")
CERTIFICATE, KEY = make_self_signed("localhost", 1_700_000_000.0)


def make_message(number: int, size: int) -> bytes:
    """Return a message of exactly that size, with lines of ten letters."""
    head = b"Subject: message %d\r\n\r\n" % number
    lines, rest = divmod(size - len(head), 12)
    if rest == 1 and lines:
        lines, rest = lines - 1, rest + 12
    return head + b"xxxxxxxxxx\r\n" * lines + (b"x" * (rest - 2) + b"\r\n" if rest else b"")


class Provider:
    """Sources that know one token, and leave passwords to our own store."""

    def order(self, domain):
        return ("own", "provider")

    async def ask_password(self, login, password, own):
        return await own()

    async def ask_token(self, token, mechanism, domain=""):
        if token != "tanstaaf":
            return Wrong("another token")
        return Granted(SourcePerson(address="mrose@example.test"), "provider")


class House:
    """A store with one account and a POP3 listener."""

    def __init__(
        self, home: Path, *, tls: str = "off", plaintext_auth: str = "loopback", offers_tokens: bool = False
    ) -> None:
        self.offers_tokens = offers_tokens
        self.home = home
        self.clock = FakeClock()
        self.telemetry = RecordingTelemetry()
        self.settings = Settings()
        (home / "cert.pem").write_bytes(CERTIFICATE)
        (home / "key.pem").write_bytes(KEY)
        self.listener = ListenerInfo(name="pop3", protocol="pop3", tls=tls, plaintext_auth=plaintext_auth)
        self.store = open_store("sqlite:///store.db", worker=0, home=home, clock=self.clock)

    async def __aenter__(self) -> Self:
        await self.store.open()
        await self.store.commit(PutDomain(name="example.test"))
        self.account = await self.store.commit(PutAccount(address="mrose@example.test", password_hash=HASH))
        self.inbox = await self.store.mailbox_named(self.account, "INBOX")
        passwords = Passwords(self.clock, b"k" * 32, CHEAP)
        directory = Directory(self.store, self.clock, self.settings)
        self.authenticator = Authenticator(
            directory, passwords, self.store, self.settings, self.clock, sources=Provider()
        )
        self.context = DoorContext(
            loop=asyncio.get_running_loop(),
            clock=self.clock,
            settings=self.settings,
            telemetry=self.telemetry,
            limits=ConnectionLimits(self.settings),
            sweep=Sweep(self.clock),
            tls=TlsContexts(self.home / "cert.pem", self.home / "key.pem", self.settings),
            hostname="mail.example.test",
            offers_tokens=lambda: self.offers_tokens,
        )
        self.server = await self.context.loop.create_server(
            lambda: Pop3Door(self.listener, self.context, self.authenticator, self.store), "127.0.0.1", 0
        )
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc) -> None:
        self.server.close()
        for door in tuple(self.context.sweep.doors):
            door.abort()
        await until(lambda: not self.context.sweep.doors)
        await self.store.close()

    async def deliver(self, *messages: bytes, prefix: bytes = b"") -> None:
        for content in messages:
            email = NewEmail(content=content, facts=scan(content).facts())
            await self.store.commit(Delivery(email=email, filings=(Filing(account=self.account, prefix=prefix),)))

    async def count(self) -> int:
        return (await self.store.mailbox(self.account, self.inbox.id)).messages

    async def sign_in(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"USER mrose\r\nPASS tanstaaf\r\n")
        for _ in range(3):
            line = await reader.readline()
            assert line.startswith(b"+OK"), line
        return reader, writer


async def until(condition) -> None:
    """Run the loop until the condition holds."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it did not come true")


def client_tls() -> ssl.SSLContext:
    """Return a client context that trusts our certificate."""
    return ssl.create_default_context(cadata=CERTIFICATE.decode())


@pytest.mark.parametrize("path", DIALOGUES, ids=lambda path: path.stem)
async def test_dialogue_over_a_socket(path, tmp_path) -> None:
    """A script holds against the real door."""
    houses = []

    async def start_server(config: Mapping[str, str]) -> asyncio.Server:
        is_tls = config.get("tls") == "yes"
        house = House(
            tmp_path,
            tls="starttls" if is_tls else "off",
            plaintext_auth="never" if is_tls else "loopback",
            offers_tokens="XOAUTH2" in config.get("auth", ""),
        )
        houses.append(house)
        await house.__aenter__()
        await house.deliver(*(make_message(n, int(size)) for n, size in enumerate(config["messages"].split(","), 1)))
        return house.server

    async def on_step(name, reader, writer) -> None:
        assert name == "starttls"
        await writer.start_tls(client_tls(), server_hostname="localhost")

    try:
        await run_dialogue_socket(path, start_server, on_step=on_step)
        assert "door.failed" not in houses[0].telemetry.names
        assert "pop3.failed" not in houses[0].telemetry.names
    finally:
        for house in houses:
            await house.__aexit__()


@pytest.mark.parametrize("tls", ["off", "starttls", "implicit"])
async def test_poplib_reads_and_deletes(tmp_path, tls) -> None:
    """The standard library's client lists, reads, deletes; what it reads is what was filed, prefix first."""
    content = b"Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nthree"
    prefix = b"Return-Path: <a@b.test>\r\n"

    def client(port: int) -> tuple[list, bytes, list]:
        if tls == "implicit":
            pop = poplib.POP3_SSL("localhost", port, context=client_tls(), timeout=10)
        else:
            pop = poplib.POP3("127.0.0.1", port, timeout=10)
        if tls == "starttls":
            pop.host = "localhost"
            assert "STLS" in pop.capa()
            pop.stls(client_tls())
        pop.user("mrose@example.test")
        pop.pass_("tanstaaf")
        listed = [pop.stat(), pop.list()[1], len(pop.uidl()[1])]
        message = b"\r\n".join(pop.retr(1)[1])
        top = pop.top(1, 2)[1]
        pop.dele(1)
        pop.quit()
        return listed, message, top

    async with House(tmp_path, tls=tls) as house:
        await house.deliver(content, prefix=prefix)
        size = len(prefix + content)
        listed, message, top = await asyncio.to_thread(client, house.port)
        assert listed == [(1, size), [b"1 %d" % size], 1]
        assert message == prefix + content
        assert top == [*prefix.split(b"\r\n")[:1], b"Subject: dots", b"", b".one", b"..two"]
        assert await house.count() == 0
        assert house.telemetry.named("pop3.updated")[0]["deleted"] == 1
        await until(lambda: house.telemetry.named("door.closed"))


async def test_a_lost_connection_deletes_nothing(tmp_path) -> None:
    """Only QUIT removes messages (RFC 1939 §6)."""
    async with House(tmp_path) as house:
        await house.deliver(make_message(1, 100))
        reader, writer = await house.sign_in()
        writer.write(b"DELE 1\r\n")
        assert await reader.readline() == b"+OK Marked\r\n"
        writer.close()
        await until(lambda: house.telemetry.named("door.closed"))
        assert await house.count() == 1


async def test_quit_with_a_half_closed_connection_deletes(tmp_path) -> None:
    """A client that closes its sending half right after QUIT still gets its answer, and its deletions."""
    async with House(tmp_path) as house:
        await house.deliver(make_message(1, 100))
        reader, writer = await house.sign_in()
        writer.write(b"DELE 1\r\nQUIT\r\n")
        writer.write_eof()
        assert await reader.read() == b"+OK Marked\r\n+OK Bye\r\n"
        assert await house.count() == 0
        writer.close()


async def test_large_messages_are_sent_in_chunks_and_leave_no_trace(tmp_path) -> None:
    """A message of megabytes arrives whole, pipelined behind others, and is not marked as seen."""
    content = b"Subject: large\r\n\r\n" + b"".join(b".%070d\r\n" % n for n in range(60_000))
    async with House(tmp_path) as house:
        await house.deliver(content, make_message(2, 100))
        reader, writer = await house.sign_in()
        writer.write(b"RETR 1\r\nTOP 1 3\r\nRETR 2\r\nQUIT\r\n")
        said = await reader.read()
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        assert said.startswith(b"+OK %d octets\r\n%s.\r\n+OK\r\nSubject: large\r\n\r\n" % (len(content), stuffed))
        rest = said[len(stuffed) + len(b"+OK %d octets\r\n.\r\n" % len(content)) :]
        top = b"+OK\r\nSubject: large\r\n\r\n" + b"".join(b"..%070d\r\n" % n for n in range(3)) + b".\r\n"
        assert rest == top + b"+OK 100 octets\r\n" + make_message(2, 100) + b".\r\n+OK Bye\r\n"
        rows = await house.store.messages(house.account, house.inbox.id, [(1, 9)], (Field.FLAGS,))
        assert rows == [(0,), (0,)]
        writer.close()


async def test_pipelined_requests_fill_no_memory(tmp_path) -> None:
    """Thousands of requests that nobody reads the answers of wait, in bounded memory; then all are answered."""
    async with House(tmp_path) as house:
        await house.deliver(*(make_message(n, 20_000) for n in range(1, 4)))
        reader, writer = await house.sign_in()
        writer.transport.pause_reading()
        writer.write(b"RETR 1\r\nRETR 2\r\nLIST\r\nUIDL\r\n" * 1_000 + b"QUIT\r\n")
        (door,) = house.context.sweep.doors
        await until(lambda: not door.is_writable)
        assert door._transport.get_write_buffer_size() < 600_000
        writer.transport.resume_reading()
        said = await reader.read()
        assert said.endswith(b"+OK Bye\r\n")
        assert said.count(b"+OK 20000 octets\r\n") == 2_000
        assert said.count(b"1 20000\r\n2 20000\r\n3 20000\r\n.\r\n") == 1_000
        writer.close()


async def test_commands_wait_while_the_client_reads_nothing(tmp_path) -> None:
    """Nothing is read from a client that leaves its replies unread; afterwards every command is answered."""
    async with House(tmp_path) as house:
        reader, writer = await house.sign_in()
        (door,) = house.context.sweep.doors
        door.pause_writing()
        writer.write(b"NOOP\r\nSTAT\r\nQUIT\r\n")
        await until(lambda: door._is_paused)
        assert door._session.data_to_send() == b""
        door.resume_writing()
        assert (await reader.read()).splitlines() == [b"+OK", b"+OK 0 0", b"+OK Bye"]
        writer.close()


async def test_passwords_in_the_clear_where_the_listener_forbids_them(tmp_path) -> None:
    """With ``plaintext_auth = "never"`` even this machine must use TLS."""
    async with House(tmp_path, plaintext_auth="never") as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(b"USER mrose\r\nAUTH PLAIN\r\nQUIT\r\n")
        said = (await reader.read()).splitlines()
        assert [line[:11] for line in said[1:3]] == [b"-ERR [AUTH]"] * 2
        writer.close()


async def test_silence_ends_a_session_whatever_it_drips(tmp_path) -> None:
    """Single bytes do not count as activity; the end is silent and deletes nothing (RFC 1939 §3)."""
    async with House(tmp_path) as house:
        await house.deliver(make_message(1, 100))
        reader, writer = await house.sign_in()
        writer.write(b"DELE 1\r\n")
        await reader.readline()
        for _ in range(6):
            house.clock.advance(100)
            house.context.sweep.tick()
            (door,) = house.context.sweep.doors
            before = door.received
            writer.write(b"N")
            await until(lambda: door.received > before)  # noqa: B023  (awaited in the same round)
        house.clock.advance(1)
        house.context.sweep.tick()
        assert await reader.read() == b""
        assert house.telemetry.named("door.closed")[0]["reason"] == "idle"
        assert await house.count() == 1
        writer.close()


async def test_draining_closes_between_commands(tmp_path) -> None:
    """A stopping server closes sessions that wait for the client."""
    async with House(tmp_path) as house:
        reader, writer = await house.sign_in()
        house.context.drain()
        assert await reader.read() == b""
        writer.close()


class BrokenStore:
    """A store whose reads fail from the moment ``broken`` is set."""

    def __init__(self, store, name: str, error: Exception) -> None:
        self._store, self._name, self._error = store, name, error
        self.broken = False

    def __getattr__(self, name: str):
        if self.broken and name == self._name:
            raise self._error
        return getattr(self._store, name)


@pytest.mark.parametrize(
    ("method", "error", "command", "reply"),
    [
        ("messages", Unavailable("disk"), b"RETR 1\r\n", b"-ERR [SYS/TEMP] "),
        ("messages", RuntimeError("secret"), b"RETR 1\r\n", b"-ERR [SYS/TEMP] "),
        ("read_body", OSError("secret"), b"RETR 2\r\n", b"-ERR [SYS/TEMP] "),
        ("commit", Unavailable("disk"), b"DELE 1\r\nQUIT\r\n", b"+OK Marked\r\n-ERR [SYS/TEMP] Some messages"),
    ],
)
async def test_errors_of_ours_are_temporary(tmp_path, method, error, command, reply) -> None:
    """Whatever fails in the store, the client is told to try again, and nothing of the error."""
    async with House(tmp_path) as house:
        await house.deliver(make_message(1, 100), make_message(2, 2_000_000))
        broken = BrokenStore(house.store, method, error)
        real, house.store = house.store, broken
        try:
            reader, writer = await house.sign_in()
            broken.broken = True
            writer.write(command + b"QUIT\r\n")
            said = await reader.read()
            assert said.startswith(reply)
            assert b"secret" not in said
            assert house.telemetry.named("pop3.failed")
            writer.close()
        finally:
            house.store = real
        assert await house.count() == 2


async def test_an_account_with_many_messages_shows_the_oldest(tmp_path) -> None:
    """``pop3.messages`` bounds a session; the oldest messages are shown."""
    from posthouse.store.directory_rows import SettingRow

    async with House(tmp_path) as house:
        await house.deliver(*(make_message(n, 100) for n in range(1, 121)))
        house.settings.load([SettingRow("pop3.messages", "server", "100", "", 0.0)])
        reader, writer = await house.sign_in()
        writer.write(b"STAT\r\nUIDL 100\r\nQUIT\r\n")
        said = (await reader.read()).splitlines()
        assert said[0] == b"+OK 100 10000"
        assert said[1].endswith(b".100")
        writer.close()


def test_uids_become_ranges() -> None:
    """Runs of UIDs are given as one range each."""
    assert _ranges((1, 2, 3, 7, 9, 10)) == [(1, 3), (7, 7), (9, 10)]
    assert _ranges(()) == []


class ChunkedStore:
    """Gives a body in small pieces, to see what TOP makes of headers that are cut."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.reads = 0

    async def read_body(self, body, offset: int, length: int) -> bytes:
        self.reads += 1
        return self._body[offset : offset + 7]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (0, b"A: b\r\nC: d\r\n\r\n"),
        (1, b"A: b\r\nC: d\r\n\r\none\r\n"),
        (2, b"A: b\r\nC: d\r\n\r\none\r\ntwo\r\n"),
        (9, b"A: b\r\nC: d\r\n\r\none\r\ntwo\r\nthree"),
    ],
)
async def test_top_with_a_body_in_pieces(lines, expected) -> None:
    """TOP gives the header section and so many lines, wherever the chunks are cut, and reads no further."""
    body = b"A: b\r\nC: d\r\n\r\none\r\ntwo\r\nthree"
    store = ChunkedStore(body)
    message = StoredMessage(b"P: x\r\n", 1, 14, len(body), None)
    got = b"".join([chunk async for chunk in read_message(store, message, lines)])
    assert got == b"P: x\r\n" + expected
    assert store.reads <= -(-len(expected) // 7) + 1


def test_a_maildrop_needs_a_size_for_each_uid() -> None:
    """A snapshot with a hole is a fault of ours, found at once."""
    from posthouse.protocols.pop3.types import Maildrop

    with pytest.raises(ValueError, match="each message"):
        Maildrop(1, array("I", [1]), array("Q"))
