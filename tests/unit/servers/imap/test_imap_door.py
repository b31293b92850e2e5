"""What a script cannot say: large messages, failures inside, endings, Python's imaplib."""

from __future__ import annotations

import asyncio
import imaplib
import re
import ssl

from posthouse.core.errors import Unavailable
from posthouse.message.scan import scan
from posthouse.store.open import open_store
from posthouse.store.values import Delivery, Filing, NewEmail

LOGIN = b"a1 LOGIN ann@example.test secret\r\n"


class Client:
    """Sends bytes and reads up to a pattern."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.said = b""

    async def ask(self, data: bytes, until: bytes) -> bytes:
        self.writer.write(data)
        async with asyncio.timeout(10):
            while not re.search(until, self.said):
                more = await self.reader.read(1 << 20)
                assert more, self.said[-500:]
                self.said += more
        answer, self.said = self.said, b""
        return answer

    async def rest(self) -> bytes:
        async with asyncio.timeout(10):
            said = self.said + await self.reader.read()
        self.writer.close()
        await self.writer.wait_closed()
        return said

    def close(self):
        self.writer.close()


async def connect(house, **config):
    """Start a server and connect to it."""
    server = await house.serve(config)
    port = server.sockets[0].getsockname()[1]
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    await client.ask(b"", rb"Posthouse ready\r\n")
    return server, client


async def test_large_message_comes_and_goes_in_chunks(house):
    """A message over the inline limit is spooled, stored and streamed back, whole, by section and in part."""
    server, client = await connect(house)
    await client.ask(LOGIN, rb"a1 OK")
    attachment = b"0123456789abcdef" * 4 + b"\r\n"
    head = b'Subject: big\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nHello needle\r\n--b\r\n'
    message = head + b"Content-Type: application/octet-stream\r\n\r\n" + attachment * 40_000 + b"\r\n--b--\r\n"
    await client.ask(b"a2 APPEND INBOX {%d+}\r\n" % len(message) + message + b"\r\n", rb"a2 OK")
    await client.ask(b"a3 SELECT INBOX\r\n", rb"a3 OK")
    whole = await client.ask(b"a4 FETCH 1 BODY.PEEK[]\r\n", rb"a4 OK")
    assert whole.startswith(b"* 1 FETCH (BODY[] {%d}\r\n" % len(message) + message + b")\r\n")
    part = await client.ask(b"a5 FETCH 1 BODY.PEEK[2]<66.16>\r\n", rb"a5 OK")
    assert part.startswith(b"* 1 FETCH (BODY[2]<66> {16}\r\n0123456789abcdef)\r\n")
    text = await client.ask(b"a6 FETCH 1 (BODY.PEEK[1] BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n", rb"a6 OK")
    assert b"BODY[1] {12}\r\nHello needle BODY[HEADER.FIELDS (SUBJECT)] {16}\r\nSubject: big\r\n\r\n)" in text
    assert b"* SEARCH 1\r\n" in await client.ask(b"a7 SEARCH BODY NEEDLE\r\n", rb"a7 OK")
    assert b"* SEARCH\r\n" in await client.ask(b"a8 SEARCH BODY 0123456789\r\n", rb"a8 OK")
    assert b"* SEARCH 1\r\n" in await client.ask(b"a9 SEARCH HEADER subject BIG\r\n", rb"a9 OK")
    client.close()
    server.close()


async def test_pipelined_commands_are_answered_in_order(house):
    """Commands sent at once are served one after the other, though some of them wait for the disk."""
    server, client = await connect(house)
    commands = [LOGIN, b"a2 CREATE One\r\n", b"a3 NOOP\r\n", b"a4 CREATE Two\r\n", b"a5 DELETE One\r\n", b"a6 NOOP\r\n"]
    said = await client.ask(b"".join(commands), rb"a6 OK")
    assert re.findall(rb"^(a\d) OK", said, re.MULTILINE) == [b"a1", b"a2", b"a3", b"a4", b"a5", b"a6"]
    client.close()
    server.close()


async def test_unexpected_exception_is_a_serverbug_and_the_session_goes_on(house, monkeypatch):
    """A command that fails for a reason of ours says NO [SERVERBUG], is reported, and ends nothing."""
    server, client = await connect(house)
    await client.ask(LOGIN, rb"a1 OK")

    async def broken(*_arguments):
        raise KeyError("secret detail")

    monkeypatch.setattr(house.store, "mailbox_named", broken)
    said = await client.ask(b"a2 STATUS INBOX (MESSAGES)\r\n", rb"a2 NO .*\r\n")
    assert said == b"a2 NO [SERVERBUG] Internal error, see the server's log\r\n"
    monkeypatch.undo()
    await client.ask(b"a3 STATUS INBOX (MESSAGES)\r\n", rb"a3 OK")
    assert [event["error"] for event in house.telemetry.named("imap.command_failed")] == ["KeyError"]
    client.close()
    server.close()


async def test_store_that_is_away_is_a_temporary_no(house, monkeypatch):
    """Where the store cannot write the answer is NO [UNAVAILABLE]; nothing is acknowledged."""
    server, client = await connect(house)
    await client.ask(LOGIN, rb"a1 OK")

    async def full(*_changes):
        raise Unavailable("disk full", storage_short=True)

    monkeypatch.setattr(house.store, "commit", full)
    said = await client.ask(b"a2 APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n", rb"a2 NO .*\r\n")
    assert said.startswith(b"a2 NO [UNAVAILABLE]")
    assert (await client.ask(b"a3 CREATE x\r\n", rb"a3 NO .*\r\n")).startswith(b"a3 NO [UNAVAILABLE]")
    client.close()
    server.close()


async def test_body_is_shown_though_seen_cannot_be_stored(house, monkeypatch):
    """A full disk does not keep anybody from reading mail."""
    server, client = await connect(house)
    await client.ask(LOGIN, rb"a1 OK")
    await client.ask(b"a2 APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n", rb"a2 OK")
    await client.ask(b"a3 SELECT INBOX\r\n", rb"a3 OK")

    async def full(*_changes):
        raise Unavailable("disk full", storage_short=True)

    monkeypatch.setattr(house.store, "commit", full)
    said = await client.ask(b"a4 FETCH 1 BODY[HEADER]\r\n", rb"a4 OK")
    assert said.startswith(b"* 1 FETCH (BODY[HEADER] {14}\r\nSubject: x\r\n\r\n)\r\n")
    assert house.telemetry.named("imap.seen_not_set")
    client.close()
    server.close()


async def test_ten_failed_sign_ins_end_the_connection(house):
    """Whoever keeps guessing is sent away."""
    server, client = await connect(house)
    client.writer.write(b"".join([b"g%d LOGIN ann@example.test wrong\r\n" % number for number in range(11)]))
    said = await client.rest()
    assert said.count(b"NO [AUTHENTICATIONFAILED]") == 10
    assert said.endswith(b"* BYE Too many failed sign-ins\r\n")
    server.close()


async def test_drain_says_bye(house):
    """A server that stops tells its clients, also those in IDLE."""
    server, client = await connect(house)
    await client.ask(LOGIN + b"a2 IDLE\r\n", rb"\+ idling\r\n")
    house.context.drain()
    assert await client.rest() == b"* BYE Server shutting down\r\n"
    server.close()


async def test_silence_is_logged_out(house, monkeypatch):
    """A client that was silent beyond the limit gets BYE."""
    server, client = await connect(house)
    await client.ask(LOGIN, rb"a1 OK")
    (door,) = house.context.sweep.doors
    assert door.idle_limit == 1800
    door.on_sweep(house.clock.monotonic() + 1700)
    await client.ask(b"a2 NOOP\r\n", rb"a2 OK")
    door.on_sweep(house.clock.monotonic() + 1900)
    assert await client.rest() == b"* BYE Disconnected for inactivity\r\n"
    server.close()


async def test_dripping_is_silence(house):
    """A byte now and then that completes no command does not keep a session."""
    server, client = await connect(house)
    (door,) = house.context.sweep.doors
    touched = door._touched
    client.writer.write(b"a1 LOG")
    async with asyncio.timeout(10):
        while door.received < 6:  # noqa: ASYNC110  (counted by the loop's next reads)
            await asyncio.sleep(0)
    assert door._touched == touched
    door.on_sweep(touched + door.idle_limit + 1)
    assert await client.rest() == b"* BYE Disconnected for inactivity\r\n"
    server.close()


async def test_deleted_mailbox_ends_the_sessions_that_have_it_open(house):
    """There is no way to tell in IMAP that the selected mailbox is gone, but BYE."""
    server, client = await connect(house)
    await client.ask(LOGIN + b"a2 CREATE x\r\na3 SELECT x\r\n", rb"a3 OK")
    port = server.sockets[0].getsockname()[1]
    other = Client(*await asyncio.open_connection("127.0.0.1", port))
    await other.ask(LOGIN + b"a2 DELETE x\r\n", rb"a2 OK")
    client.writer.write(b"a4 NOOP\r\n")
    assert (await client.rest()).startswith(b"* BYE The selected mailbox was deleted\r\n")
    other.close()
    server.close()


async def test_many_messages_are_told_in_slices(house):
    """Sequence numbers and UIDs agree across slices, with a gap in the middle."""
    server, client = await connect(house)
    await client.ask(LOGIN, rb"a1 OK")
    appends = [b"p%d APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n" % number for number in range(30)]
    await client.ask(b"".join(appends), rb"p29 OK")
    await client.ask(b"a2 SELECT INBOX\r\n", rb"a2 OK")
    await client.ask(b"a3 STORE 5,7:9 +FLAGS.SILENT (\\Deleted)\r\na4 EXPUNGE\r\n", rb"a4 OK")
    said = await client.ask(b"a5 FETCH 1:* (UID)\r\n", rb"a5 OK")
    told = re.findall(rb"\* (\d+) FETCH \(UID (\d+)\)", said)
    left = [number for number in range(1, 31) if number not in {5, 7, 8, 9}]
    assert [(int(number), int(uid)) for number, uid in told] == list(enumerate(left, 1))
    said = await client.ask(b"a6 FETCH 3:5 (UID)\r\n", rb"a6 OK")
    assert re.findall(rb"UID (\d+)", said) == [b"3", b"4", b"6"]
    client.close()
    server.close()


async def test_python_imaplib_gets_along(house):
    """The standard library's client signs in, appends, searches, fetches, moves flags and logs out."""
    server = await house.serve({})
    port = server.sockets[0].getsockname()[1]

    def talk():
        with imaplib.IMAP4("127.0.0.1", port, timeout=10) as client:
            client.login("ann@example.test", "secret")
            assert client.append("INBOX", r"(\Seen)", None, b"Subject: hello\r\n\r\nbody\r\n")[0] == "OK"
            assert client.select("INBOX") == ("OK", [b"1"])
            assert client.search(None, "SUBJECT", "hello") == ("OK", [b"1"])
            status, data = client.fetch("1", "(RFC822 FLAGS)")
            assert status == "OK"
            assert data[0][1] == b"Subject: hello\r\n\r\nbody\r\n"
            assert client.store("1", "+FLAGS", r"\Deleted")[0] == "OK"
            assert client.expunge() == ("OK", [b"1"])
            assert client.list()[0] == "OK"
            client.close()

    await asyncio.to_thread(talk)
    server.close()


async def test_passwords_wait_for_tls(house):
    """LOGIN is refused in the clear and taken after STARTTLS; capabilities change with it."""
    server = await house.serve({"tls": "starttls", "plaintext": "never"})
    port = server.sockets[0].getsockname()[1]
    context = ssl.create_default_context(cafile=str(house.home / "cert.pem"))
    context.check_hostname = False

    def talk():
        with imaplib.IMAP4("127.0.0.1", port, timeout=10) as client:
            assert {"STARTTLS", "LOGINDISABLED"} <= set(client.capabilities)
            try:
                client.login("ann@example.test", "secret")
            except imaplib.IMAP4.error as error:
                assert "PRIVACYREQUIRED" in str(error)
            client.starttls(context)
            assert "AUTH=PLAIN" in client.capabilities
            assert "STARTTLS" not in client.capabilities
            client.login("ann@example.test", "secret")

    await asyncio.to_thread(talk)
    server.close()


async def test_idle_hears_of_changes_by_another_worker(house):
    """A delivery through another store on the same files reaches a session in IDLE."""
    server, client = await connect(house)
    await client.ask(LOGIN + b"a2 SELECT INBOX\r\na3 IDLE\r\n", rb"\+ idling\r\n")
    other = open_store("sqlite:///store.db", worker=1, home=house.home, clock=house.clock)
    await other.open()
    email = NewEmail(content=b"Subject: x\r\n\r\n", facts=scan(b"Subject: x\r\n\r\n").facts())
    await other.commit(Delivery(email=email, filings=(Filing(account=house.account, prefix=b"Return-Path: <>\r\n"),)))
    assert await client.ask(b"", rb"RECENT\r\n") == b"* 1 EXISTS\r\n* 1 RECENT\r\n"
    said = await client.ask(
        b"DONE\r\na4 FETCH 1 (RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER.FIELDS (RETURN-PATH)])\r\n", rb"a4 OK"
    )
    assert b"RFC822.SIZE 31 BODY[] {31}\r\nReturn-Path: <>\r\nSubject: x\r\n\r\n BODY[" in said
    assert b"{19}\r\nReturn-Path: <>\r\n\r\n)" in said
    await other.close()
    client.close()
    server.close()


async def test_commands_wait_while_the_client_reads_nothing(house):
    """Nothing is read from a client that leaves its answers unread; afterwards everything is answered, in order."""
    server, client = await connect(house)
    await client.ask(LOGIN, rb"a1 OK")
    (door,) = house.context.sweep.doors
    door.pause_writing()
    client.writer.write(b"a2 NOOP\r\na3 CAPABILITY\r\na4 LOGOUT\r\n")
    async with asyncio.timeout(10):
        while not door._is_paused:  # noqa: ASYNC110  (set by the loop's next reads)
            await asyncio.sleep(0)
    assert door._session.data_to_send() == b""
    door.resume_writing()
    said = await client.rest()
    assert re.findall(rb"^a\d OK", said, re.MULTILINE) == [b"a2 OK", b"a3 OK", b"a4 OK"]
    server.close()


async def test_news_wait_while_the_client_reads_nothing(house):
    """During IDLE nothing is told to a client that leaves unread what it was told before."""
    server, client = await connect(house)
    await client.ask(LOGIN, rb"a1 OK")
    await client.ask(b"a2 SELECT INBOX\r\na3 IDLE\r\n", rb"\+ idling")
    (door,) = house.context.sweep.doors
    door.pause_writing()
    content = b"Subject: x\r\n\r\n"
    email = NewEmail(content=content, facts=scan(content).facts())
    await house.store.commit(Delivery(email=email, filings=(Filing(account=house.account),)))
    async with asyncio.timeout(10):
        while not door._must_look:  # noqa: ASYNC110  (set by the loop's next reads)
            await asyncio.sleep(0)
    door.resume_writing()
    assert b"* 1 EXISTS" in await client.ask(b"", rb"EXISTS")
    await client.ask(b"DONE\r\n", rb"a3 OK")
    client.close()
    server.close()
