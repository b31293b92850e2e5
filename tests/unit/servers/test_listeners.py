"""Opening listening sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.servers.listeners import ListenFault, OpenListener, close_listeners, open_listeners


def configuration(home: Path, *binds: Bind, protocol: str = "imap") -> Configuration:
    """Return a configuration with one listener for each bind."""
    return Configuration(
        home=home,
        hostname="h.test",
        listeners=tuple(
            ListenerConfig(name=f"l{number}", protocol=protocol, bind=(bind,)) for number, bind in enumerate(binds)
        ),
    )


def port_of(listener: OpenListener) -> int:
    """Return the port that was taken."""
    return listener.sockets[0][0].getsockname()[1]


@pytest.mark.parametrize("workers", [1, 3])
def test_every_worker_gets_its_own_socket_on_the_port(tmp_path, workers) -> None:
    """Each worker's socket listens on the same address, and connections arrive."""
    (listener,) = open_listeners(configuration(tmp_path, Bind("127.0.0.1", 0)), workers)
    try:
        assert len(listener.sockets) == workers
        names = {each.getsockname() for worker in listener.sockets for each in worker}
        assert len(names) == 1
        with socket.create_connection(names.pop(), timeout=5):
            pass
        assert (listener.info.name, listener.info.protocol) == ("l0", "imap")
    finally:
        close_listeners([listener])


def test_all_addresses(tmp_path) -> None:
    """``*`` takes IPv4, and IPv6 on the same port where the machine has it."""
    (listener,) = open_listeners(configuration(tmp_path, Bind("*", 0)), 2)
    try:
        ports = {each.getsockname()[1] for worker in listener.sockets for each in worker}
        assert len(ports) == 1
        assert len(listener.sockets) == 2
    finally:
        close_listeners([listener])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_taken_port(tmp_path, workers) -> None:
    """One line names listener and address, a remedy follows, and what was opened before is closed again."""
    (taken,) = open_listeners(configuration(tmp_path, Bind("127.0.0.1", 0)), 2)
    try:
        binds = Bind("127.0.0.1", 0), Bind("127.0.0.1", port_of(taken))
        with pytest.raises(ListenFault) as caught:
            open_listeners(configuration(tmp_path, *binds), workers)
        assert caught.value.detail == (
            f"the listener 'l1' cannot listen on 127.0.0.1:{port_of(taken)}: the address is in use"
        )
        assert "Stop it" in caught.value.remedy
        assert caught.value.exit_code == 69
    finally:
        close_listeners([taken])


def test_an_address_of_another_machine(tmp_path) -> None:
    """An address that this machine does not have is named."""
    with pytest.raises(ListenFault, match="no such address"):
        open_listeners(configuration(tmp_path, Bind("192.0.2.1", 0)))


def test_unix_sockets(tmp_path) -> None:
    """A path below the home; a socket left behind is replaced, one in use or another file is not."""
    wanted = configuration(tmp_path, Bind("run/lmtp", -1), protocol="lmtp")
    path = tmp_path / "run" / "lmtp"
    (listener,) = open_listeners(wanted, 2)
    assert len(listener.sockets) == 2
    assert path.stat().st_mode & 0o777 == 0o660
    with pytest.raises(ListenFault, match="in use"):
        open_listeners(wanted)
    for worker in listener.sockets:
        for each in worker:
            each.close()
    (listener,) = open_listeners(wanted)
    close_listeners([listener])
    assert not path.exists()
    path.write_text("a file")
    with pytest.raises(ListenFault, match="File exists"):
        open_listeners(wanted)
    assert path.read_text() == "a file"
