"""The control socket of a worker: one line in, status or a stream of events out."""

from __future__ import annotations

import asyncio
import json

import pytest

from posthouse.servers.control import BACKLOG_SIZE, REQUEST_SIZE, ControlDoor


class Followers:
    """Stands for the writer of the log."""

    def __init__(self) -> None:
        self.callbacks: list[object] = []

    def subscribe(self, callback):
        """Take a follower; return what ends it."""
        self.callbacks.append(callback)
        return lambda: self.callbacks.remove(callback)


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.waiting = 0
        self.state = "open"

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.sent += data

    def close(self) -> None:
        """Note it."""
        self.state = "closed"

    def abort(self) -> None:
        """Note it."""
        self.state = "aborted"

    def get_write_buffer_size(self) -> int:
        """Return what the test says."""
        return self.waiting


@pytest.fixture
def followers() -> Followers:
    """Return followers of a log."""
    return Followers()


def opened(followers: Followers) -> tuple[ControlDoor, Wire]:
    """Return a door with its wire."""
    door, wire = ControlDoor(lambda: {"worker": 3}, followers.subscribe), Wire()
    door.connection_made(wire)
    return door, wire


def test_status_is_answered_and_the_connection_closed(followers) -> None:
    """One JSON line, however the request is cut."""
    door, wire = opened(followers)
    for octet in b'{"do":"status"}\n':
        assert wire.sent == b""
        door.data_received(bytes([octet]))
    assert json.loads(wire.sent) == {"worker": 3}
    assert wire.state == "closed"


@pytest.mark.parametrize(
    "request_line",
    [b"\n", b"status\n", b'{"do":"reboot"}\n', b"[]\n", b"\xff\xfe\n", b"{" * REQUEST_SIZE],
    ids=["empty", "no JSON", "unknown", "no object", "no text", "too long"],
)
def test_anything_else_is_told_what_to_ask(followers, request_line) -> None:
    """No request makes it raise or wait for ever."""
    door, wire = opened(followers)
    door.data_received(request_line)
    assert json.loads(wire.sent) == {"error": "ask for status or tail"}
    assert wire.state == "closed"


def test_tail_hands_lines_on_until_the_end(followers) -> None:
    """A follower gets each line and is forgotten when it goes."""
    door, wire = opened(followers)
    door.data_received(b'{"do":"tail"}\n')
    door.data_received(b'{"do":"tail"}\n')
    assert len(followers.callbacks) == 1
    for callback in followers.callbacks:
        callback(b"one\n")
        callback(b"two\n")
    assert wire.sent == b"one\ntwo\n"
    door.connection_lost(None)
    assert followers.callbacks == []


def test_a_follower_that_reads_nothing_is_cut_off(followers) -> None:
    """The log does not pile up in memory for a terminal that is paused."""
    door, wire = opened(followers)
    door.data_received(b'{"do":"tail"}\n')
    wire.waiting = BACKLOG_SIZE + 1
    followers.callbacks[0](b"one more\n")
    assert (wire.sent, wire.state) == (b"", "aborted")


def test_metrics_are_answered_where_there_are_some() -> None:
    """Siblings ask for them; a worker without any says what may be asked."""
    door, wire = ControlDoor(dict, Followers().subscribe, lambda: {"name": [[["label"], 1]]}), Wire()
    door.connection_made(wire)
    door.data_received(b'{"do":"metrics"}\n')
    assert json.loads(wire.sent) == {"name": [[["label"], 1]]}
    door, wire = opened(Followers())
    door.data_received(b'{"do":"metrics"}\n')
    assert "error" in json.loads(wire.sent)


@pytest.mark.parametrize(("level", "handed"), [('"debug"', {"level": "debug"}), ("7", {}), ("null", {})])
def test_tail_may_name_a_level(level, handed) -> None:
    """It is handed on where it is text."""
    seen: list[dict[str, str]] = []

    def subscribe(callback, **more):
        seen.append(more)
        return lambda: None

    door, wire = ControlDoor(dict, subscribe), Wire()
    door.connection_made(wire)
    door.data_received(b'{"do":"tail","level":%s}\n' % level.encode())
    assert seen == [handed]
