"""The small client that talks to listeners, against servers of the test."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from posthouse.services.administration.diagnosis import dialogue
from posthouse.services.administration.diagnosis.dialogue import LinkFault, linked, offers
from tests.unit.services.administration.diagnosis.conftest import seen


@asynccontextmanager
async def says(*answers: bytes):
    """Give the port of a server that says a thing, and one for each line it hears; then it closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                writer.write(answer)
                await reader.readline()
        except ConnectionError:
            pass  # the client has heard enough
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_an_smtp_reply_of_several_lines() -> None:
    """Code and lines apart; our address is known."""
    async with says(b"220-one\r\n220 two\r\n", b"250 x\r\n") as port, linked("127.0.0.1", port) as link:
        assert (await link.reply()).lines == ("one", "two")
        assert (await link.ask("NOOP")).text == "250 x"
        assert link.source == "127.0.0.1"
        assert not link.certificate_digest


FAULTS = [
    pytest.param(b"", "closed without a word", id="closed"),
    pytest.param(b"220 half", "closed within a line", id="half a line"),
    pytest.param(b"hello\r\n", "no SMTP reply", id="no code"),
    pytest.param(b"220-on\r\n" * 300, "without end", id="a reply without end"),
    pytest.param(b"220 " + b"x" * 20_000 + b"\r\n", "too long", id="a line too long"),
]


@pytest.mark.parametrize(("said", "words"), FAULTS)
async def test_what_is_no_reply_is_a_fault(said, words) -> None:
    """In words of ours, within bounds."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LinkFault, match=words):
            async with linked("127.0.0.1", port) as link:
                await link.reply()


async def test_silence_and_nobody(monkeypatch) -> None:
    """Both are bounded and named."""
    monkeypatch.setattr(dialogue, "PATIENCE", 0.05)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        async with linked("127.0.0.1", mute.getsockname()[1]) as link:
            with pytest.raises(LinkFault, match="no answer within"):
                await link.line()
        port = mute.getsockname()[1]
    with pytest.raises(LinkFault, match="refused"):
        async with linked("127.0.0.1", port):
            pass
    with pytest.raises(LinkFault):
        async with linked("/nowhere/at/all.sock", -1):
            pass


async def test_answers_without_end_of_imap_and_pop3() -> None:
    """They are cut."""
    async with says(b"* ok\r\n" * 300) as port, linked("127.0.0.1", port) as link:
        with pytest.raises(LinkFault, match="without end"):
            await link.ask_imap("CAPABILITY")
    async with says(b"+OK\r\n" + b"x\r\n" * 300) as port, linked("127.0.0.1", port) as link:
        assert len((await link.ask_pop3("CAPA", many=True))[1]) == 200


def test_capabilities_are_words() -> None:
    """Not parts of words."""
    assert offers(["250-PIPELINING", "starttls"], "STARTTLS")
    assert not offers(["NOSTARTTLS X"], "STARTTLS")


async def test_port_25_is_tried(look) -> None:
    """Open, or closed by the provider."""
    async with says(b"220 mx.far.net ESMTP\r\n") as port:
        found = await look("outbound.port", settings={"check.outbound_host": f"127.0.0.1:{port}"})
        assert seen(found)[0][0] == "ok"
        assert "mx.far.net" in found[0].evidence
    found = await look("outbound.port", settings={"check.outbound_host": f"127.0.0.1:{port}"})
    assert seen(found)[0][0] == "error"
    assert "smart host" in found[0].remedy
    found = await look("outbound.port", settings={"check.outbound_host": "nowhere.org"})
    assert seen(found)[0][0] == "warning"
