"""Listening sockets handed to the code that comes after."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.servers import inherit
from posthouse.servers.listeners import ListenFault, close_listeners, open_listeners


def listener(name: str, *binds: Bind) -> ListenerConfig:
    """Return a POP3 listener."""
    return ListenerConfig(name=name, protocol="pop3", bind=binds)


def configuration(home: Path, *listeners: ListenerConfig) -> Configuration:
    """Return a configuration with these listeners."""
    return Configuration(home=home, hostname="mail.example.org", listeners=listeners)


def numbers(listeners) -> list[list[list[int]]]:
    """Return the descriptors of listeners."""
    return [[[each.fileno() for each in worker] for worker in one.sockets] for one in listeners]


@pytest.fixture
def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def handed_over(listeners, monkeypatch) -> list[int]:
    """Do what exec does: the objects are gone, the descriptors and the variable stay; return the descriptors."""
    monkeypatch.setenv(inherit.VARIABLE, inherit.describe(listeners))
    for one in listeners:
        for worker in one.sockets:
            assert all(os.get_inheritable(each.fileno()) for each in worker)
    return [each.detach() for one in listeners for worker in one.sockets for each in worker]


def test_the_same_configuration_adopts_every_socket(tmp_path, free_port, monkeypatch) -> None:
    """The descriptors are those of before, and are not inherited by accident any more."""
    given = configuration(
        tmp_path,
        listener("pop3", Bind("127.0.0.1", free_port)),
        listener("local", Bind("run/pop3.sock", -1)),
    )
    before = open_listeners(given, 2)
    expected = numbers(before)
    handed_over(before, monkeypatch)
    after = inherit.adopt_or_open(given, 2)
    try:
        assert numbers(after) == expected
        assert inherit.VARIABLE not in os.environ
        assert not any(os.get_inheritable(each) for one in numbers(after) for worker in one for each in worker)
        with socket.create_connection(("127.0.0.1", free_port), 5):
            pass
        assert after[1].binds == before[1].binds
    finally:
        close_listeners(after)
    assert not (tmp_path / "run" / "pop3.sock").exists()


def test_what_is_new_is_opened_and_what_is_left_is_closed(tmp_path, free_port, monkeypatch) -> None:
    """A listener that was taken out gives its port back."""
    before = open_listeners(configuration(tmp_path, listener("old", Bind("127.0.0.1", free_port))), 1)
    descriptors = handed_over(before, monkeypatch)
    after = inherit.adopt_or_open(configuration(tmp_path, listener("new", Bind("127.0.0.1", 0))), 1)
    try:
        assert [one.info.name for one in after] == ["new"]
        kept = {each for one in numbers(after) for worker in one for each in worker}
        for descriptor in set(descriptors) - kept:
            with pytest.raises(OSError, match="descriptor"):
                os.fstat(descriptor)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", free_port), 5)
    finally:
        close_listeners(after)


def test_another_number_of_workers_gets_the_same_address(tmp_path, free_port, monkeypatch) -> None:
    """The sockets of before are closed first, so that the address is free for as many as are wanted now."""
    given = configuration(tmp_path, listener("pop3", Bind("127.0.0.1", free_port)))
    handed_over(open_listeners(given, 1), monkeypatch)
    after = inherit.adopt_or_open(given, 3)
    assert [len(one.sockets) for one in after] == [3]
    close_listeners(after)


def test_a_fault_closes_everything(tmp_path, free_port, monkeypatch) -> None:
    """Where a new listener cannot be opened nothing is left open."""
    good = listener("good", Bind("127.0.0.1", free_port))
    descriptors = handed_over(open_listeners(configuration(tmp_path, good), 1), monkeypatch)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bad = listener("bad", Bind("127.0.0.1", taken.getsockname()[1]))
        with pytest.raises(ListenFault, match="'bad'"):
            inherit.adopt_or_open(configuration(tmp_path, good, bad), 1)
    for descriptor in descriptors:
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(descriptor)


def test_nothing_inherited_is_an_ordinary_start(tmp_path) -> None:
    """Without the variable everything is opened."""
    opened = inherit.adopt_or_open(configuration(tmp_path, listener("pop3", Bind("127.0.0.1", 0))), 1)
    assert len(opened) == 1
    close_listeners(opened)
