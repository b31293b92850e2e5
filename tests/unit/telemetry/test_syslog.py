"""Syslog: RFC 5424 messages, and a receiver that plays syslogd."""

from __future__ import annotations

import asyncio
import re
import socket

import pytest

from posthouse.telemetry import syslog as room
from posthouse.telemetry.formats import make_formatter, make_json_formatter
from posthouse.telemetry.syslog import SyslogFormatter, SyslogWriter, parse_syslog_target

NOW = 1_700_000_000.25


def dropped(lines: int) -> bytes:
    """Return the message that tells of a loss."""
    return b"lost %d\n" % lines


@pytest.mark.parametrize(("level", "priority"), [("debug", 23), ("info", 22), ("warning", 20), ("error", 19)])
def test_a_message_is_rfc_5424(level, priority) -> None:
    """Facility mail, UTC with milliseconds, host, program, process, the event as MSGID, JSON as MSG."""
    form = SyslogFormatter(make_json_formatter(), "mail.example.test", lambda: 42)
    line = form(NOW, level, "relay.sent", {"to": "a@b.test"}).decode()
    head, _, message = line.partition(" - ")
    assert head == f"<{priority}>1 2023-11-14T22:13:20.250Z mail.example.test posthouse 42 relay.sent"
    assert message.startswith('{"ts":')


def test_the_postfix_form_names_its_programs() -> None:
    """Tools for Postfix see its programs as APP-NAME; an event Postfix does not know gives nothing."""
    form = SyslogFormatter(make_formatter("postfix", hostname="mx"), "mx", lambda: 42)
    fields = {"queue_id": "ABC", "peer": "192.0.2.1", "from": "a@x.test", "size": 12, "message_id": "m"}
    lines = form(NOW, "info", "message.received", fields).decode().splitlines()
    assert [line.split()[3] for line in lines] == ["posthouse/smtpd", "posthouse/cleanup", "posthouse/qmgr"]
    assert lines[0].endswith(" - ABC: client=unknown[192.0.2.1]")
    assert form(NOW, "info", "settings.skipped", {}) == b""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("unix", ("/dev/log", 0))),
        ("/run/log", ("unix", ("/run/log", 0))),
        ("udp://192.0.2.1:514", ("udp", ("192.0.2.1", 514))),
        ("tcp://[2001:db8::1]:601", ("tcp", ("2001:db8::1", 601))),
    ],
)
def test_targets(text, expected) -> None:
    """A path, or a numeric address with a port."""
    assert parse_syslog_target(text) == expected


@pytest.mark.parametrize(
    "text", ["udp://", "udp://host.example:514", "tcp://192.0.2.1", "tcp://192.0.2.1:0", "tls://192.0.2.1:1", "x"]
)
def test_targets_that_cannot_be_used(text) -> None:
    """Names would need a look-up."""
    with pytest.raises(ValueError, match=r"."):
        parse_syslog_target(text)


@pytest.fixture
def unix(tmp_path):
    """Return a receiver on a UNIX socket, and its path."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "log"))
        receiver.settimeout(5)
        yield receiver, str(tmp_path / "log")


def test_over_a_unix_socket(unix) -> None:
    """Each message is a datagram, cut where it is too long; an event of several lines gives several."""
    receiver, path = unix
    writer = SyslogWriter(path, dropped)
    writer.write(b"one\ntwo\n")
    writer.write(b"x" * 10_000 + b"\n")
    assert [receiver.recv(65536) for _ in range(2)] == [b"one", b"two"]
    assert len(receiver.recv(65536)) == room.LONGEST
    assert writer.lost_total == 0
    writer.close()


def test_over_udp() -> None:
    """The same to an address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        writer = SyslogWriter(f"udp://127.0.0.1:{receiver.getsockname()[1]}", dropped)
        writer.write(b"one\n")
        writer.close()
        assert receiver.recv(65536) == b"one"


def test_a_syslogd_that_is_away_loses_lines_and_is_told(tmp_path) -> None:
    """Nothing raises; when it is back it hears how many were lost."""
    path = str(tmp_path / "log")
    writer = SyslogWriter(path, dropped)
    writer.write(b"one\n")
    writer.write(b"two\n")
    assert (writer.lost, writer.lost_total) == (2, 2)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(5)
        writer.reopen()
        writer.write(b"three\n")
        assert [receiver.recv(100), receiver.recv(100)] == [b"lost 2", b"three"]
    assert (writer.lost, writer.lost_total) == (0, 2)
    writer.close()


def test_a_restarted_syslogd_is_found_again(tmp_path) -> None:
    """The socket of the old one is no obstacle."""
    path = tmp_path / "log"
    writer = SyslogWriter(str(path), dropped)
    for word in (b"one", b"two"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(str(path))
            receiver.settimeout(5)
            writer.write(word + b"\n")
            assert receiver.recv(100) == word
        path.unlink()
    writer.close()


async def test_over_tcp_messages_are_counted(monkeypatch) -> None:
    """RFC 6587 octet counting; what comes before the connection stands is kept."""
    monkeypatch.setattr(room, "DELAY", 0.005)
    received = bytearray()
    done, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader, writer) -> None:
        while data := await reader.read(65536):
            received.extend(data)
            if received.endswith(b"last"):
                done.set()
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        sender = SyslogWriter(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", dropped)
        sender.start(asyncio.get_running_loop())
        sender.write(b"first\n")
        sender.write(b"second and\n")
        sender.flush()
        sender.write(b"last\n")
        sender.flush()
        async with asyncio.timeout(10):
            await done.wait()
            sender.close()
            await gone.wait()
    assert bytes(received) == b"5 first10 second and4 last"


async def test_a_tcp_receiver_that_is_away_is_bounded(monkeypatch) -> None:
    """What cannot be sent is kept up to a bound, and lost beyond it, without waiting."""
    monkeypatch.setattr(room, "KEPT", 100)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sender = SyslogWriter(f"tcp://127.0.0.1:{port}", dropped)
    sender.start(asyncio.get_running_loop())
    for _ in range(20):
        sender.write(b"x" * 30 + b"\n")
        sender.flush()
    assert sender.lost_total >= 17
    assert len(sender._unsent) <= 100
    sender.close()


def test_ids_of_messages_have_no_spaces() -> None:
    """The head of a message has seven words, whatever the host is called."""
    form = SyslogFormatter(make_json_formatter(), "mäil", lambda: 1)
    assert re.fullmatch(rb"<22>1 \S+ m\?il posthouse 1 x - .*\n", form(NOW, "info", "x", {}))
