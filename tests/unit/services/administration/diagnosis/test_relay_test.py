"""The relay self-test against servers of the test: one that refuses, one that believes everything, one in between."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager

import pytest

from posthouse.config.file import Bind, Configuration, ListenerConfig
from posthouse.services.administration.diagnosis.relay_test import (
    Verdict,
    literals_of,
    run_relay_test,
    source_for,
    strangers,
    tricks,
)
from posthouse.store.directory_values import PutDomain
from tests.unit.services.administration.diagnosis.conftest import HOST, seen

ALL = list(tricks("house.org", ["[192.0.2.1]"], ("example.com", "example.net")))


@asynccontextmanager
async def server(decide):
    """Give the port of a server whose RCPT gets what ``decide`` says of the path."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 here\r\n")
            while line := (await reader.readline()).decode():
                rcpt = re.match(r"RCPT TO:<(.*)>\r\n", line)
                writer.write(f"{decide(rcpt[1]) if rcpt else 250} x\r\n".encode())
        except ConnectionError:
            pass  # the client is done
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as running:
        yield running.sockets[0].getsockname()[1]


def test_every_trick_of_the_trade_is_there() -> None:
    """Percent, bang, quotes, source route, forged senders, literals; no two are the same."""
    paths = {each.forward_path for each in ALL}
    assert {
        "relay-test@example.com",
        "relay-test%example.com@house.org",
        "example.com!relay-test@house.org",
        '"relay-test@example.com"@house.org',
        "@house.org:relay-test@example.com",
        "relay-test%example.com@[192.0.2.1]",
        "relay-test@example.com@house.org",
    } <= paths
    assert {"", "postmaster@house.org", "postmaster@[192.0.2.1]"} <= {each.reverse_path for each in ALL}
    assert len({(each.reverse_path, each.forward_path) for each in ALL}) == len(ALL)


async def test_a_server_that_refuses() -> None:
    """Every trick is refused."""
    async with server(lambda _: 550) as port:
        found = await run_relay_test("127.0.0.1", port, "", ALL)
    assert {each.verdict for each in found.attempts} == {Verdict.REFUSED}
    assert not found.accepted


async def test_a_server_that_believes_one_trick() -> None:
    """The one is named."""
    async with server(lambda path: 250 if "%" in path and path.endswith("@house.org") else 550) as port:
        found = await run_relay_test("127.0.0.1", port, "127.83.41.7", ALL)
    assert {each.trick.name for each in found.accepted} == {
        "the percent hack at house.org",
        "a quoted percent hack at house.org",
    }


async def test_a_server_that_hangs_up() -> None:
    """The test says that it could not be ended."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as running:
        found = await run_relay_test("127.0.0.1", running.sockets[0].getsockname()[1], "", ALL)
    assert "closed" in found.fault


JUDGED = [
    pytest.param(lambda _: 550, "", "ok", "refused all", id="refuses"),
    pytest.param(lambda _: 250, "", "error", "is an open relay", id="open"),
    pytest.param(lambda _: 451, "", "notice", "put off", id="puts off"),
    pytest.param(lambda path: 250 if "house.org" in path and not path.startswith("@") else 550, "", "error", "open", id="%"),
    pytest.param(
        lambda path: 250 if path.endswith("@house.org") else 550, "ann@house.org", "ok", "refused all", id="catch-all"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("decide", "catch_all", "severity", "words"), JUDGED)
async def test_a_listener_is_judged(look, store, tmp_path, decide, catch_all, severity, words) -> None:  # noqa: PLR0917  (a table's row, and fixtures)
    """What a catch-all takes in is not relayed."""
    await store.commit(PutDomain(name="house.org", catch_all=catch_all))
    async with server(decide) as port:
        binds = (Bind("127.0.0.1", port),)
        listener = ListenerConfig(name="mx", protocol="smtp", bind=binds, listener_class="mx")
        configuration = Configuration(home=tmp_path, hostname=HOST, listeners=(listener,))
        ((found, what),) = seen(await look("relay.self_test", store=store, configuration=configuration))
    assert found == severity
    assert words in what


def test_strangers_are_not_ours() -> None:
    """Domains that are ours, or for which we relay, are no strangers."""
    assert strangers([]) == ("example.com", "example.net")
    assert strangers(["example.com", "net"]) == ("example.org", "iana.org")
    assert strangers(["com", "net", "org"]) == ("relay-test-one.invalid", "relay-test-two.invalid")


SOURCES = [
    pytest.param("127.0.0.1", (), "", id="nobody is trusted"),
    pytest.param("127.0.0.1", ("127.0.0.1",), "127.83.41.7", id="this address is"),
    pytest.param("127.0.0.1", ("127.0.0.0/8",), None, id="all of this machine"),
    pytest.param("192.0.2.1", ("192.0.2.0/24",), None, id="the network"),
    pytest.param("192.0.2.1", ("127.0.0.1",), "", id="another address"),
]


@pytest.mark.parametrize(("host", "networks", "source"), SOURCES)
def test_the_test_comes_from_where_a_stranger_might(host, networks, source) -> None:
    """From an address that is not trusted, where there is one."""
    assert source_for(host, networks) == source


def test_literals() -> None:
    """As RFC 5321 §4.1.3 writes them."""
    assert literals_of(["192.0.2.1", "2001:db8::1"]) == ["[192.0.2.1]", "[IPv6:2001:db8::1]"]
