"""The SMTP door where dialogues do not reach: time, draining, errors of ours, TLS, refusals at the door, memory."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from posthouse.config.settings import Settings
from posthouse.core import limits
from posthouse.core.errors import Unavailable
from posthouse.protocols.smtp.types import ServiceClass
from posthouse.servers.door import ListenerInfo
from posthouse.servers.smtp.configs import SessionConfigs, service_class
from posthouse.servers.tls import TlsContexts, make_self_signed
from posthouse.store.directory_rows import SettingRow
from posthouse.testing.smtp_house import Connection, House

CERTIFICATE, KEY = make_self_signed("mail.house.test", 1_700_000_000.0)
ENVELOPE = ("EHLO c.test", "MAIL FROM:<eve@far.test>", "RCPT TO:<ann@house.test>")


def begin(connection: Connection, *more: str) -> list[str]:
    connection.feed(b"")
    return connection.talk(*ENVELOPE, *more)


class Gate:
    """Stands between a house and its store: commits wait until the gate is opened."""

    def __init__(self, house: House) -> None:
        self.opened = asyncio.Event()
        self._commit = house.store.commit
        house.store.commit = self.commit

    async def commit(self, *changes: Any) -> Any:
        await self.opened.wait()
        return await self._commit(*changes)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


# ---- waiting for a commit -------------------------------------------------------------------------------------


async def test_the_reply_waits_for_the_commit(tmp_path: Path) -> None:
    """250 is not said before the commit returns, and what is pipelined behind it is answered after it."""
    house = House(tmp_path, loop=asyncio.get_running_loop())
    gate = Gate(house)
    connection = house.connect()
    begin(connection, "DATA")
    assert connection.feed(b"Subject: x\r\n\r\n.\r\nMAIL FROM:<eve@far.test>\r\nQUIT\r\n") == b""
    await settle()
    assert connection.feed(b"") == b""
    gate.opened.set()
    await settle()
    codes = [line[:3] for line in connection.feed(b"").split(b"\r\n") if line]
    assert codes == [b"250", b"250", b"221"]
    assert connection.closed


async def test_reading_stops_while_a_commit_is_pending(tmp_path: Path) -> None:
    """A client that floods us while it waits is not read, and is read again afterwards."""
    house = House(tmp_path, loop=asyncio.get_running_loop())
    gate = Gate(house)
    connection = house.connect()
    begin(connection, "DATA")
    connection.feed(b"Subject: x\r\n\r\n.\r\n")
    for _ in range(300):
        if connection.transport.paused:
            break
        connection.feed(b"NOOP\r\n" * 200)
    assert connection.transport.paused == 1
    gate.opened.set()
    await settle()
    assert connection.feed(b"").startswith(b"250 ")
    assert connection.transport.paused == 0 or connection.closed


async def test_commands_wait_while_the_client_reads_nothing(tmp_path: Path) -> None:
    """Nothing is read from a client that leaves its replies unread; afterwards every command is answered."""
    house = House(tmp_path, loop=asyncio.get_running_loop())
    connection = house.connect()
    begin(connection)
    connection.door.pause_writing()
    assert connection.feed(b"RSET\r\nNOOP\r\nQUIT\r\n") == b""
    assert connection.transport.paused
    connection.door.resume_writing()
    assert [line[:3] for line in connection.feed(b"").splitlines()] == [b"250", b"250", b"221"]
    assert connection.closed


async def test_a_client_that_goes_during_the_commit_still_has_its_mail(tmp_path: Path) -> None:
    """A connection that is lost while the commit is under way does not stop it."""
    house = House(tmp_path, loop=asyncio.get_running_loop())
    gate = Gate(house)
    connection = house.connect()
    begin(connection, "DATA")
    connection.feed(b"Subject: x\r\n\r\n.\r\n")
    await settle()
    connection.lose()
    gate.opened.set()
    await settle()
    assert len(house.deliveries()) == 1


async def test_a_client_that_half_closes_gets_its_reply(tmp_path: Path) -> None:
    """The end of the peer's half does not cut off the answer that is due."""
    house = House(tmp_path, loop=asyncio.get_running_loop())
    gate = Gate(house)
    connection = house.connect()
    begin(connection, "DATA")
    connection.feed(b"Subject: x\r\n\r\n.\r\n")
    connection.door.eof_received()
    gate.opened.set()
    await settle()
    assert connection.feed(b"").startswith(b"250 ")
    assert connection.closed


# ---- time -----------------------------------------------------------------------------------------------------


def test_a_silent_client_is_told_421(tmp_path: Path) -> None:
    """After the idle time the session ends with 421 4.4.2."""
    house = House(tmp_path)
    connection = house.connect()
    connection.feed(b"EHLO c.test\r\n")
    house.clock.advance(299)
    house.sweep.tick()
    assert connection.feed(b"") == b""
    house.clock.advance(2)
    house.sweep.tick()
    assert connection.feed(b"").startswith(b"421 4.4.2 ")
    assert connection.closed


def test_one_byte_a_minute_is_silence(tmp_path: Path) -> None:
    """Bytes that complete nothing do not count as activity."""
    house = House(tmp_path)
    connection = house.connect()
    connection.feed(b"EHLO c.test\r\n")
    for byte in b"NOOP NOOP":
        connection.feed(bytes([byte]))
        house.clock.advance(60)
        house.sweep.tick()
    assert connection.closed


def test_a_message_has_a_deadline_as_a_whole(tmp_path: Path) -> None:
    """Mail data that drips for ever is ended, however steadily it drips."""
    house = House(tmp_path, settings={"smtp.data_timeout": "600"})
    connection = house.connect()
    assert begin(connection, "DATA")[-1].startswith("354")
    for _ in range(11):
        connection.feed(b"x" * 100 + b"\r\n")
        house.clock.advance(60)
        house.sweep.tick()
    assert connection.closed
    assert connection.feed(b"").startswith(b"421 4.4.2 ")
    assert house.store.commits == []


async def test_a_client_that_waits_for_us_is_not_silent(tmp_path: Path) -> None:
    """A commit that takes long does not time the client out."""
    house = House(tmp_path, loop=asyncio.get_running_loop())
    gate = Gate(house)
    connection = house.connect()
    begin(connection, "DATA")
    connection.feed(b"Subject: x\r\n\r\n.\r\n")
    house.clock.advance(10_000)
    house.sweep.tick()
    house.clock.advance(200)
    house.sweep.tick()
    assert not connection.closed
    gate.opened.set()
    await settle()
    assert connection.feed(b"").startswith(b"250 ")


# ---- draining and refusing ------------------------------------------------------------------------------------


def test_draining_says_421_between_messages(tmp_path: Path) -> None:
    """A session that is between messages ends at once."""
    house = House(tmp_path)
    connection = house.connect()
    connection.feed(b"EHLO c.test\r\n")
    house.context.drain()
    assert connection.feed(b"").startswith(b"421 4.3.2 ")
    assert connection.closed


def test_draining_lets_a_message_finish(tmp_path: Path) -> None:
    """A message that is coming in is taken and acknowledged before the session ends."""
    house = House(tmp_path)
    connection = house.connect()
    begin(connection, "DATA")
    house.context.drain()
    assert not connection.closed
    answer = connection.feed(b"Subject: x\r\n\r\n.\r\n")
    assert answer.startswith(b"250 ")
    assert b"\r\n421 4.3.2 " in answer
    assert connection.closed
    assert len(house.deliveries()) == 1


def test_a_connection_too_many_is_told_421(tmp_path: Path) -> None:
    """Above the limit for one address the greeting is 421."""
    house = House(tmp_path, settings={"server.connections_per_address": "1"})
    house.connect()
    second = house.connect()
    assert second.feed(b"").startswith(b"421 ")
    assert second.closed


# ---- errors of ours -------------------------------------------------------------------------------------------


PLACES = {
    "at MAIL": ("SenderRules.judge", "MAIL FROM:<eve@far.test>", 1),
    "at RCPT": ("RecipientRules.judge", "RCPT TO:<ann@house.test>", 2),
}


@pytest.mark.parametrize("error", [RuntimeError("secret"), Unavailable("locked"), KeyError("x")], ids=repr)
@pytest.mark.parametrize("place", PLACES)
def test_an_error_of_ours_is_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
) -> None:
    """Whatever breaks while a command is judged is 451 4.3.0, and the session goes on."""
    import posthouse.services.reception.recipients as recipients_room
    import posthouse.services.reception.senders as senders_room

    async def broken(*_: Any, **__: Any) -> Any:
        raise error

    name, _, number = PLACES[place]
    room = senders_room if name.startswith("Sender") else recipients_room
    house = House(tmp_path)
    monkeypatch.setattr(getattr(room, name.partition(".")[0]), "judge", broken)
    connection = house.connect()
    connection.feed(b"")
    answers = connection.talk(*ENVELOPE)
    assert answers[number].startswith("451 4.3.0 ")
    assert "secret" not in answers[number]
    assert connection.talk("NOOP")[0].startswith("250")
    monkeypatch.undo()
    assert connection.talk("RSET", *ENVELOPE[1:])[-1].startswith("250")


def test_an_unreadable_directory_is_temporary(tmp_path: Path) -> None:
    """Where the store cannot be read a recipient is deferred, and known again later."""
    house = House(tmp_path)
    connection = house.connect()
    connection.feed(b"")
    house.store.unreadable = Unavailable("locked")
    assert connection.talk(*ENVELOPE)[-1].startswith("451 4.3.0 ")
    house.store.unreadable = None
    assert connection.talk("RCPT TO:<ann@house.test>")[-1].startswith("250")


def test_a_bug_in_the_door_ends_with_421(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that belongs to no command is 421, so that the client keeps its mail."""
    house = House(tmp_path)
    connection = house.connect()
    begin(connection)

    def broken() -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(house.queue_ids, "next", broken)
    assert connection.talk("DATA")[-1].startswith(("421", "451"))
    assert connection.closed
    assert house.telemetry.named("message.failed")


# ---- who may sign in where ------------------------------------------------------------------------------------


OFFERS = {
    # listener, loopback, auth_on_mx, offered in clear
    "mail exchange": (ListenerInfo(name="a", protocol="smtp", listener_class="mx"), True, False, False),
    "mail exchange by setting": (ListenerInfo(name="a", protocol="smtp", listener_class="mx"), True, True, True),
    "submission on this machine": (
        ListenerInfo(name="a", protocol="smtp", listener_class="submission"),
        True,
        False,
        True,
    ),
    "submission from afar": (ListenerInfo(name="a", protocol="smtp", listener_class="submission"), False, False, False),
    "a listener that says always": (
        ListenerInfo(name="a", protocol="smtp", listener_class="submission", plaintext_auth="always"),
        False,
        False,
        True,
    ),
    "a listener that says never": (
        ListenerInfo(name="a", protocol="smtp", listener_class="submission", plaintext_auth="never"),
        True,
        False,
        False,
    ),
    "LMTP": (ListenerInfo(name="a", protocol="lmtp", listener_class="lmtp"), True, True, False),
}


@pytest.mark.parametrize("name", OFFERS)
def test_who_may_sign_in_in_clear(tmp_path: Path, name: str) -> None:
    """Mechanisms are offered without TLS exactly where listener, peer and setting allow it."""
    listener, loopback, on_mx, offered = OFFERS[name]
    house = House(tmp_path)
    house.context.settings = Settings([SettingRow("smtp.auth_on_mx", "server", "yes" if on_mx else "no", "", 0.0)])
    configs = SessionConfigs(listener)
    config = configs.get(house.context, is_loopback=loopback)
    assert bool(config.mechanisms_offered(tls_active=False)) is offered
    assert configs.get(house.context, is_loopback=loopback) is config


def test_the_service_class_follows_protocol_and_class() -> None:
    """LMTP is LMTP by protocol too; a class that is not given means the mail exchange."""
    assert service_class(ListenerInfo(name="a", protocol="lmtp")) is ServiceClass.LMTP
    assert service_class(ListenerInfo(name="a", protocol="smtp")) is ServiceClass.MX


# ---- TLS ------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path: Path) -> TlsContexts:
    (tmp_path / "c.pem").write_bytes(CERTIFICATE)
    (tmp_path / "k.pem").write_bytes(KEY)
    return TlsContexts(tmp_path / "c.pem", tmp_path / "k.pem", Settings())


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=CERTIFICATE.decode())
    context.check_hostname = False
    return context


async def reply(reader: asyncio.StreamReader) -> bytes:
    while True:
        line = await asyncio.wait_for(reader.readline(), 5)
        if line[3:4] != b"-":
            return line


async def command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: str) -> bytes:
    writer.write(text.encode() + b"\r\n")
    return await reply(reader)


async def submit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert (await command(reader, writer, "EHLO laptop")).startswith(b"250")
    assert (await command(reader, writer, "AUTH PLAIN AGFubkBob3VzZS50ZXN0AHNlY3JldA==")).startswith(b"235")
    assert (await command(reader, writer, "MAIL FROM:<ann@house.test>")).startswith(b"250")
    assert (await command(reader, writer, "RCPT TO:<x@elsewhere.test>")).startswith(b"250")
    assert (await command(reader, writer, "DATA")).startswith(b"354")
    assert (await command(reader, writer, "Subject: x\r\n\r\n.")).startswith(b"250")
    assert (await command(reader, writer, "QUIT")).startswith(b"221")


async def test_submission_with_starttls(tmp_path: Path, tls: TlsContexts) -> None:
    """A client upgrades, signs in and sends; the trace says ESMTPSA and which TLS."""
    loop = asyncio.get_running_loop()
    house = House(tmp_path, loop=loop, tls=tls)
    server = await loop.create_server(lambda: house.door("submission"), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await reply(reader)
    await command(reader, writer, "EHLO laptop")
    assert (await command(reader, writer, "STARTTLS")).startswith(b"220")
    await writer.start_tls(trusting())
    await submit(reader, writer)
    writer.close()
    server.close()
    (delivery,) = house.deliveries()
    assert b" with ESMTPSA id " in delivery.email.content
    assert b"TLSv1.3" in delivery.email.content
    assert delivery.journey[0].record["account"] == "ann@house.test"
    await server.wait_closed()


async def test_submission_with_implicit_tls(tmp_path: Path, tls: TlsContexts) -> None:
    """On port 465's kind of listener TLS comes before the greeting (RFC 8314 §3.3)."""
    loop = asyncio.get_running_loop()
    house = House(tmp_path, loop=loop, tls=tls)
    server = await loop.create_server(lambda: house.door("submissions"), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trusting())
    await reply(reader)
    await submit(reader, writer)
    writer.close()
    server.close()
    (delivery,) = house.deliveries()
    assert b" with ESMTPSA id " in delivery.email.content
    await server.wait_closed()


async def test_commands_before_the_handshake_are_thrown_away(tmp_path: Path, tls: TlsContexts) -> None:
    """What is pipelined behind STARTTLS in the clear is not executed inside TLS (CVE-2011-0411)."""
    loop = asyncio.get_running_loop()
    house = House(tmp_path, loop=loop, tls=tls)
    server = await loop.create_server(lambda: house.door("mx"), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await reply(reader)
    await command(reader, writer, "EHLO laptop")
    assert (await command(reader, writer, "STARTTLS\r\nMAIL FROM:<injected@far.test>")).startswith(b"220")
    await writer.start_tls(trusting())
    assert (await command(reader, writer, "RCPT TO:<ann@house.test>")).startswith(b"503")
    assert (await command(reader, writer, "QUIT")).startswith(b"221")
    assert house.telemetry.named("smtp.abuse")[0]["kind"] == "bytes-before-tls"
    writer.close()
    server.close()
    await server.wait_closed()


# ---- memory ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_large_message_needs_little_memory(tmp_path: Path) -> None:
    """A transfer of 30 MB holds no more than the limit for one transfer at any time."""
    import tracemalloc

    house = House(tmp_path, loop=asyncio.get_running_loop())
    connection = house.connect()
    begin(connection, "DATA")
    piece = (b"x" * 78 + b"\r\n") * 800
    connection.feed(b"Subject: large\r\n\r\n")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    for _ in range(30_000_000 // len(piece)):
        connection.feed(piece)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < limits.TRANSFER_MEMORY
    connection.feed(b".\r\n")
    for _ in range(500):
        if house.store.commits:
            break
        await asyncio.sleep(0.005)
    assert house.deliveries()[0].email.facts.size > 29_000_000


@pytest.mark.parametrize(
    ("hides", "start"),
    [("no", b"Received: from c.test ([127.0.0.1])\r\n\tby "), ("yes", b"Received: by mail.house.test with ESMTPA id ")],
)
def test_the_address_of_who_submits_may_be_left_out(tmp_path: Path, hides: str, start: bytes) -> None:
    """With smtp.hide_client set for the domain, the trace of submitted mail begins with our own name (RFC 5321 §4.4)."""
    house = House(tmp_path)
    house.settings.load([SettingRow("smtp.hide_client", "domain:house.test", hides, "", 0.0)])
    connection = house.connect("submission", peer="127.0.0.1")
    connection.feed(b"")
    connection.talk(
        "EHLO c.test",
        "AUTH PLAIN AGFubkBob3VzZS50ZXN0AHNlY3JldA==",
        "MAIL FROM:<ann@house.test>",
        "RCPT TO:<bob@house.test>",
        "DATA",
    )
    connection.feed(b"Subject: x\r\n\r\nx\r\n.\r\n")
    (delivery,) = house.deliveries()
    assert delivery.email.content.startswith(start)


@pytest.mark.parametrize(
    ("text", "greeting"),
    [
        pytest.param("Posthouse", b"220 mail.house.test ESMTP Posthouse\r\n", id="the default"),
        pytest.param("", b"220 mail.house.test ESMTP\r\n", id="nothing of the software"),
        pytest.param("{hostname} ready", b"220 mail.house.test ESMTP mail.house.test ready\r\n", id="a variable"),
        pytest.param("b\u00e9", b"220 mail.house.test ESMTP b?\r\n", id="no ASCII"),
        pytest.param("a\r\n250 b", b"220 mail.house.test ESMTP Posthouse\r\n", id="a second line is no value"),
        pytest.param("x" * 999, b"220 mail.house.test ESMTP " + b"x" * 200 + b"\r\n", id="too long"),
    ],
)
def test_the_words_of_the_greeting(tmp_path: Path, text: str, greeting: bytes) -> None:
    """The greeting says what smtp.banner says, always in one short line of ASCII."""
    house = House(tmp_path)
    house.settings.load([SettingRow("smtp.banner", "server", text, "", 0.0)])
    assert house.connect().feed(b"") == greeting
