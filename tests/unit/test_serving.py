"""From a home to ``ready``: what is refused before anything runs, and a server that serves."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from posthouse import serving
from posthouse.config.faults import ConfigFault
from posthouse.config.home import Home
from posthouse.servers.listeners import ListenFault
from posthouse.supervisor import LOCK_VARIABLE, SupervisorFault, lock_home
from tests.support.server import PosthouseServer, until


@pytest.fixture
def server(tmp_path) -> PosthouseServer:
    """Return a server that was founded and not started."""
    return PosthouseServer(tmp_path / "home", people=("anna",)).found()


@pytest.fixture(autouse=True)
def _without_fork(monkeypatch) -> None:
    """Whatever goes wrong must do so before a supervisor starts."""

    def refuse(*_: object) -> None:
        raise AssertionError("a supervisor was made")

    monkeypatch.setattr(serving, "Supervisor", refuse)


def serve(server: PosthouseServer) -> None:
    """Serve the home in this process."""
    serving.serve(Home(server.home), lambda: None)


def test_a_certificate_that_cannot_be_used_is_refused_first(server) -> None:
    """Before a port is opened."""
    server.certificate.write_text("nothing")
    with pytest.raises(ConfigFault, match="certificate"):
        serve(server)


def test_a_second_server_is_refused(server) -> None:
    """The home's lock tells."""
    lock = lock_home(server.home / "run")
    with pytest.raises(SupervisorFault, match="another Posthouse") as refused:
        serve(server)
    assert refused.value.exit_code == os.EX_UNAVAILABLE
    os.close(lock)


def test_a_taken_port_is_refused_and_the_lock_given_back(server) -> None:
    """One line names listener and address; a later start finds nothing in its way."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", server.port(110)))
        other.listen()
        with pytest.raises(ListenFault, match=f"'pop3' cannot listen on 127.0.0.1:{server.port(110)}"):
            serve(server)
    os.close(lock_home(server.home / "run"))


def test_a_store_that_cannot_be_opened_is_refused_and_ports_are_closed(server) -> None:
    """Nothing is left listening."""
    from posthouse.core.errors import Fault

    (server.home / "store.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(Fault):
        serve(server)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port(25)), 5)
    assert LOCK_VARIABLE not in os.environ


def test_a_folder_that_cannot_be_made_is_refused_with_its_name(server) -> None:
    """A file where a folder should be."""
    (server.home / "spool").rmdir()
    (server.home / "spool").write_text("")
    with pytest.raises(ConfigFault, match="spool") as refused:
        serve(server)
    assert refused.value.remedy


@pytest.mark.slow
def test_a_server_says_ready_answers_and_ends(server) -> None:
    """SIGHUP keeps it serving; SIGTERM ends it with code 0 and leaves no socket behind."""
    server.start()
    try:
        assert server.ready_count() == 1
        with server.smtp(25) as client:
            assert client.noop()[0] == 250
        assert {row["listener"] for row in server.rows("status")[0]["listeners"]} >= {"mx", "imaps"}
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.events("server.reloaded"), "the reload to be logged")
        with server.smtp(25) as client:
            assert client.noop()[0] == 250
    finally:
        assert server.stop() == 0
    assert list((server.home / "run").glob("control.*")) == []


@pytest.mark.slow
def test_new_code_takes_over_without_a_refused_connection(server) -> None:
    """SIGUSR2: the process stays, says ready again, and its ports answer all the while."""
    server.start()
    try:
        pid = server.process.pid
        server.process.send_signal(signal.SIGUSR2)
        while server.ready_count() < 2:
            socket.create_connection(("127.0.0.1", server.port(25)), 10).close()
        with server.smtp(25) as client:
            assert client.noop()[0] == 250
        assert server.process.pid == pid
        assert server.process.poll() is None
    finally:
        assert server.stop() == 0


@pytest.mark.slow
def test_new_code_may_have_another_number_of_workers(server) -> None:
    """Sockets are opened anew for as many as are wanted."""
    server.start()
    try:
        server.configure(r"^count = .*$", "count = 3")
        server.process.send_signal(signal.SIGUSR2)
        until(lambda: server.ready_count() == 2, "the new code to be ready")
        assert len(server.rows("status")[0]["workers"]) == 3
        with server.smtp(25) as client:
            assert client.noop()[0] == 250
    finally:
        assert server.stop() == 0
