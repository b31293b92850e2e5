"""What ``posthouse check`` looks at, on a real home, with real sockets on loopback and no name server."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl

import pytest

from posthouse import checking
from posthouse.config.file import Bind, ListenerConfig, load_configuration
from posthouse.config.home import Home
from posthouse.founding import Founding, found_home
from posthouse.servers.tls import make_server_context
from posthouse.services.administration.diagnosis.check import PortState
from posthouse.store.directory_values import PutSetting
from posthouse.toolbox import opened_toolbox

PLAIN = ListenerConfig(name="pop3", protocol="pop3", bind=(), tls="starttls")
IMPLICIT = ListenerConfig(name="pop3s", protocol="pop3", bind=(), tls="implicit")


@pytest.fixture
async def home(tmp_path) -> Home:
    """Return a home with one listener on a free port, named so that nothing is looked up."""
    made = Home(tmp_path / "home")
    plan = Founding(hostname="mail.example.test", domain="example.test", admin="ann", password=b"correct horse")
    await found_home(made, plan)
    text = made.file.read_text()
    listener = '[[listener]]\nname = "pop3"\nprotocol = "pop3"\nbind = ["127.0.0.1:0"]\ntls = "starttls"\n'
    made.file.write_text(
        re.sub(r"\[\[listener\]\].*", "", text.partition("[[listener]]\n")[0], flags=re.DOTALL) + listener
    )
    return made


def told(findings) -> dict[tuple[str, str], str]:
    """Return what was found, by severity and topic."""
    return {(each.severity.value, each.topic): each.what for each in findings}


async def test_a_new_home_has_no_error(home) -> None:
    """All topics are looked at; a self-signed certificate is a warning."""
    found = told(await checking.check_home(home, serving=False))
    assert {severity for severity, _ in found} == {"ok", "warning"}
    assert {topic for _, topic in found} == {
        "configuration",
        "certificate",
        "ports",
        "store",
        "directory",
        "settings",
        "relay",
        "dns",
    }
    assert "self-signed" in found["warning", "certificate"]


async def test_a_file_that_cannot_be_used_is_the_only_finding(home) -> None:
    """Nothing else can be looked at then."""
    home.file.write_text("hostname = 7\n")
    (finding,) = await checking.check_home(home, serving=False)
    assert (finding.severity.value, finding.topic) == ("error", "configuration")
    assert "hostname" in finding.what


async def test_a_home_without_certificate_or_store(home) -> None:
    """Each is an error of its own."""
    configuration = load_configuration(home.file)
    configuration.in_home(configuration.certificate).unlink()
    (home.path / "store.db").write_bytes(b"this is no database" * 1000)
    found = told(await checking.check_home(home, serving=False))
    assert ("error", "certificate") in found
    assert ("error", "store") in found


async def test_an_open_relay_is_an_error_unless_it_is_meant(home) -> None:
    """Whatever way the setting came into the store."""
    async with opened_toolbox(home) as tools:
        await tools.store.commit(PutSetting(name="relay.networks", value="0.0.0.0/0", scope="server", by="", at=0.0))
    assert ("error", "relay") in told(await checking.check_home(home, serving=False))
    assert ("warning", "relay") in told(await checking.check_home(home, serving=False, forced=True))


async def test_a_server_that_does_not_answer_is_found(home) -> None:
    """Where a server runs its listeners must greet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        home.file.write_text(home.file.read_text().replace(":0", f":{probe.getsockname()[1]}"))
    found = told(await checking.check_home(home, serving=True))
    assert "does not answer" in found["error", "ports"]


async def greet(link: asyncio.StreamWriter, line: bytes) -> None:
    """Say a line and close."""
    link.write(line)
    link.close()


@pytest.mark.parametrize("implicit", [False, True], ids=["plain", "TLS"])
async def test_a_listener_that_greets_answers(home, implicit) -> None:
    """With TLS from the first byte the certificate is not judged here."""
    configuration = load_configuration(home.file)
    context: ssl.SSLContext | None = None
    if implicit:
        paths = configuration.in_home(configuration.certificate), configuration.in_home(configuration.key)
        context = make_server_context(*paths)
    server = await asyncio.start_server(lambda _, link: greet(link, b"+OK here\r\n"), "127.0.0.1", 0, ssl=context)
    async with server:
        bind = Bind("127.0.0.1", server.sockets[0].getsockname()[1])
        seen = await checking.port_answers(IMPLICIT if implicit else PLAIN, bind)
    assert seen == (PortState.ANSWERS, "+OK here")


async def test_a_listener_that_says_nothing_is_silent(monkeypatch) -> None:
    """Neither an end nor silence is a greeting; the wait is bounded."""
    monkeypatch.setattr(checking, "PORT_PATIENCE", 0.05)
    async with await asyncio.start_server(lambda _, link: greet(link, b""), "127.0.0.1", 0) as server:
        bind = Bind("127.0.0.1", server.sockets[0].getsockname()[1])
        assert (await checking.port_answers(PLAIN, bind))[0] is PortState.SILENT
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        seen = await checking.port_answers(PLAIN, Bind("127.0.0.1", mute.getsockname()[1]))
    assert seen == (PortState.SILENT, "no greeting")


async def test_ports_are_told_free_or_taken() -> None:
    """Trying to bind tells, and leaves the port as it was."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        bind = Bind("127.0.0.1", other.getsockname()[1])
        assert (await checking.port_is_free(PLAIN, bind))[0] is PortState.TAKEN
    assert (await checking.port_is_free(PLAIN, bind))[0] is PortState.FREE
    assert (await checking.port_is_free(PLAIN, Bind("192.0.2.77", 0)))[0] is PortState.NO_ADDRESS
    assert (await checking.port_is_free(PLAIN, Bind("*", 0)))[0] is PortState.FREE


async def test_looking_names_up_takes_no_longer_than_it_may(home, monkeypatch) -> None:
    """A name server that is silent is one warning."""

    async def never(*_: object) -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(checking, "NAMES_PATIENCE", 0.01)
    monkeypatch.setattr(checking, "check_names", never)
    assert "looking names up took more than" in told(await checking.check_home(home, serving=False))["warning", "dns"]
