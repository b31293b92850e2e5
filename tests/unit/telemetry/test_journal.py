"""The journal's native protocol, with a receiver that plays journald."""

from __future__ import annotations

import array
import os
import socket

import pytest

from posthouse.telemetry.formats import format_words
from posthouse.telemetry.journal import JournalFormatter, JournalWriter

FORM = JournalFormatter(format_words)


def parse(entry: bytes) -> dict[str, bytes]:
    """Read an entry as journald does."""
    found, at = {}, 0
    while at < len(entry):
        end = entry.index(b"\n", at)
        name, equals, value = entry[at:end].partition(b"=")
        at = end + 1
        if not equals:
            size = int.from_bytes(entry[at : at + 8], "little")
            value = entry[at + 8 : at + 8 + size]
            at += 8 + size + 1
        found[name.decode()] = value
    return found


def test_fields_of_an_event_are_fields_of_the_entry() -> None:
    """Names are capitals with a prefix, values with line ends keep them, lists are joined."""
    fields = {"queue_id": "ABC", "trace": "a\nb=c\n", "to": ["x@y.test", "z@y.test"], "odd-näme": 1}
    assert parse(FORM(0.0, "warning", "relay.deferred", fields)) == {
        "MESSAGE": "relay.deferred queue_id=ABC to=['x@y.test', 'z@y.test'] odd-näme=1".encode(),
        "PRIORITY": b"4",
        "SYSLOG_FACILITY": b"2",
        "SYSLOG_IDENTIFIER": b"posthouse",
        "POSTHOUSE_EVENT": b"relay.deferred",
        "POSTHOUSE_QUEUE_ID": b"ABC",
        "POSTHOUSE_TRACE": b"a\nb=c\n",
        "POSTHOUSE_TO": b"x@y.test, z@y.test",
        "POSTHOUSE_ODD_N_ME": b"1",
    }


def test_an_event_that_the_form_leaves_out_gives_no_entry() -> None:
    """The Postfix form knows few events."""
    assert JournalFormatter(lambda *_: b"")(0.0, "info", "x", {}) == b""


@pytest.fixture
def journal(tmp_path):
    """Return a receiver and its path."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "socket"))
        receiver.settimeout(5)
        yield receiver, str(tmp_path / "socket")


def test_small_entries_are_datagrams(journal) -> None:
    """One for each event."""
    receiver, path = journal
    writer = JournalWriter(path, lambda lines: b"")
    writer.write(FORM(0.0, "info", "door.idle", {}))
    assert parse(receiver.recv(65536))["POSTHOUSE_EVENT"] == b"door.idle"
    writer.close()


def test_large_entries_are_sealed_files(journal) -> None:
    """What is too large for a datagram comes as a descriptor that cannot be changed any more."""
    receiver, path = journal
    writer = JournalWriter(path, lambda lines: b"")
    text = "x" * (12 << 20)
    writer.write(FORM(0.0, "error", "door.failed", {"trace": text}))
    writer.close()
    data, ancillary, _, _ = receiver.recvmsg(10, socket.CMSG_SPACE(4))
    descriptors = array.array("i")
    descriptors.frombytes(ancillary[0][2])
    assert data == b""
    with os.fdopen(descriptors[0], "rb") as file:
        file.seek(0)
        assert parse(file.read())["POSTHOUSE_TRACE"] == text.encode()
    with pytest.raises(OSError, match=r"."):
        os.fstat(descriptors[0])


def test_a_journal_that_is_away_loses_entries_and_is_told(tmp_path) -> None:
    """Nothing raises, and the count is told when it is back."""
    path = str(tmp_path / "socket")
    writer = JournalWriter(path, lambda lines: b"MESSAGE=lost %d\n" % lines)
    writer.write(b"MESSAGE=one\n")
    assert writer.lost == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(5)
        writer.write(b"MESSAGE=two\n")
        assert [receiver.recv(100), receiver.recv(100)] == [b"MESSAGE=lost 1\n", b"MESSAGE=two\n"]
    assert (writer.lost, writer.lost_total) == (0, 1)
    writer.close()
