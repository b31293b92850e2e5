r"""Dialogues: one script of a protocol, played whole, byte by byte, and over a loopback socket.

Role: tests of every protocol are text files in ``tests/dialogues/<protocol>/*.txt`` that read like the examples of
an RFC. This module knows no protocol. Its own tests: ``tests/unit/testing/test_dialogue.py``.

A script, line by line::

    # a comment; empty lines are ignored
    config: class=mx tls=offered      handed to the factory as a dict of strings (only before the first other line)
    C: EHLO client.test               client line, sent with CRLF
    C-raw: MAIL FROM:<a@b>\n\x00      client bytes with escapes (\r \n \t \\ \xNN), no CRLF added
    C-fill: 5000 x                    5000 times "x", no CRLF
    S: 250-mail.test                  one server line, exactly, without its CRLF
    S: 250 {\d+} octets               {regex} islands; {{ and }} are the literal braces
    S*: 250-{.*}                      any number of lines, as many as match, up to a line that matches what follows
    S-raw: abc\r\n                    server bytes exactly
    [session 2]                       go on in another connection to the same server (opened when first named)
    [step starttls]                   call peer.step("starttls"); in socket mode given to on_step
    [closed]                          the server has closed this connection

Client lines that follow each other are one turn and are sent together in ``run_dialogue``; each byte alone in
``run_dialogue_bytewise``. Server output nobody asked for is a failure at the next client line of that session.

In memory the server is a *peer*: ``feed(data: bytes) -> bytes`` returns what the server sends after these bytes.
``feed(b"")`` right after construction returns the greeting; later it returns what other sessions caused. A peer has
``closed: bool`` and, where scripts need it, ``step(name: str) -> None``. ``make_peer(config)`` is called once per
session; what sessions share lives in its closure, so make a new factory for each run.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

SOCKET_PATIENCE = 5.0  # seconds for a server on the same machine to say its next line


class Peer(Protocol):
    """A server in memory."""

    @property
    def closed(self) -> bool:
        """Whether the server has ended the connection."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Give the server bytes; return what it sends, then and since the last call."""
        ...


PeerFactory: TypeAlias = Callable[[Mapping[str, str]], Peer]


class DialogueFailed(AssertionError):  # noqa: N818  (a failed expectation, named as one reads it in a report)
    """The server said something else; the message shows where in the script, and what was said so far."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a script, read: kind is send, line, many, raw, session, step or closed."""

    number: int
    kind: str
    data: bytes = b""
    name: str = ""
    pattern: re.Pattern[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A script, read and checked."""

    name: str
    config: Mapping[str, str]
    lines: tuple[_Line, ...]


_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([rnt\\0]))")
_ESCAPES = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\", b"0": b"\0"}
_BRACED = re.compile(r"\{\{|\}\}|\{((?:[^{}]|\{[0-9,]*\})*)\}")
_DIRECTIVE = re.compile(r"\[(session|step|closed)(?: ([^\]]+))?\]")


def unescape(text: str) -> bytes:
    r"""Return the bytes of a C-raw or S-raw line: \r \n \t \0 \\ and \xNN are read."""
    return _ESCAPE.sub(
        lambda match: bytes([int(match[1], 16)]) if match[1] else _ESCAPES[match[2]], text.encode("utf-8")
    )


def compile_expectation(text: str) -> re.Pattern[bytes]:
    """Compile the text of an S line: literal but for its {regex} islands."""
    parts: list[str] = []
    position = 0
    for match in _BRACED.finditer(text):
        parts.append(re.escape(text[position : match.start()]))
        found = match.group()
        parts.append(re.escape(found[0]) if found in {"{{", "}}"} else f"(?:{match[1]})")
        position = match.end()
    parts.append(re.escape(text[position:]))
    return re.compile("".join(parts).encode("utf-8"), re.DOTALL)


def read_script(path: Path) -> Script:
    """Read a script. Raises ValueError: with file and line, where a line is none of the forms above."""
    config: dict[str, str] = {}
    lines: list[_Line] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not text.strip() or text.startswith("#"):
            continue
        if text.startswith("config:") and not lines:
            config.update(pair.split("=", 1) for pair in text[7:].split())  # type: ignore[misc]
            continue
        line = _read_line(number, text)
        if line is None:
            raise ValueError(f"{path.name}:{number}: no dialogue line: {text!r}")
        lines.append(line)
    return Script(path.name, config, tuple(lines))


def _read_line(number: int, text: str) -> _Line | None:
    directive = _DIRECTIVE.fullmatch(text.strip())
    if directive:
        return _Line(number, directive[1], name=directive[2] or "")
    prefix, colon, rest = text.partition(":")
    rest = rest.removeprefix(" ")
    if not colon:
        return None
    if prefix == "C":
        return _Line(number, "send", rest.encode("utf-8") + b"\r\n")
    if prefix == "C-raw":
        return _Line(number, "send", unescape(rest))
    if prefix == "C-fill":
        count, _, unit = rest.partition(" ")
        return _Line(number, "send", unescape(unit) * int(count))
    if prefix == "S-raw":
        return _Line(number, "raw", unescape(rest))
    if prefix in {"S", "S*"}:
        return _Line(number, "line" if prefix == "S" else "many", rest.encode(), pattern=compile_expectation(rest))
    return None


@dataclass(frozen=True, slots=True)
class _Act:
    """What the play asks of whoever carries it.

    ``send``: send data; ``line``: return the next server line without CRLF; ``raw``: return ``count`` server bytes;
    ``quiet``: return server bytes nobody asked for (b"" is well); ``step``: do the named step; ``closed``: return b""
    where the server has closed. None in place of bytes means that nothing came.
    """

    kind: str
    session: str
    data: bytes = b""
    name: str = ""
    count: int = 0


def play(script: Script) -> Generator[_Act, bytes | None, None]:
    """Yield acts and take their results: the script without any I/O. Raises DialogueFailed."""
    session = "1"
    transcript: list[str] = []
    held: bytes | None = None  # a line that was read by S* and belongs to the next S
    for index, line in enumerate(script.lines):
        if line.kind == "session":
            session = line.name
        elif line.kind == "send":
            if index == 0 or script.lines[index - 1].kind != "send":
                surplus = held if held is not None else (yield _Act("quiet", session))
                _require(not surplus, script, line, transcript, surplus)
            turn_ends = index + 1 == len(script.lines) or script.lines[index + 1].kind != "send"
            transcript.append(f"{session} C: {_shown(line.data)}")
            yield _Act("send" if turn_ends else "hold", session, line.data)
        elif line.kind == "line":
            said = held if held is not None else (yield _Act("line", session))
            held = None
            assert line.pattern is not None
            _require(said is not None and line.pattern.fullmatch(said) is not None, script, line, transcript, said)
            transcript.append(f"{session} S: {_shown(said or b'')}")
        elif line.kind == "many":
            held = yield from _play_many(script, index, session, transcript)
        elif line.kind == "raw":
            said = yield _Act("raw", session, count=len(line.data))
            _require(said == line.data, script, line, transcript, said)
        else:
            said = yield _Act(line.kind, session, name=line.name)
            _require(line.kind != "closed" or said == b"", script, line, transcript, said)
    surplus = held if held is not None else (yield _Act("quiet", session))
    _require(not surplus, script, script.lines[-1], transcript, surplus)


def _play_many(
    script: Script, index: int, session: str, transcript: list[str]
) -> Generator[_Act, bytes | None, bytes | None]:
    """Skip lines that match an S* pattern; return the first that is not to be skipped."""
    line = script.lines[index]
    after = script.lines[index + 1] if index + 1 < len(script.lines) else None
    while True:
        said = yield _Act("line", session)
        assert line.pattern is not None
        ends = after is not None and after.kind == "line" and after.pattern and after.pattern.fullmatch(said or b"")
        if said is None or ends or not line.pattern.fullmatch(said):
            return said
        transcript.append(f"{session} S: {_shown(said)}")


def _shown(data: bytes) -> str:
    text = repr(data.removesuffix(b"\r\n"))[2:-1]
    return text if len(text) <= 200 else f"{text[:120]}... ({len(data)} octets)"


def _require(holds: bool, script: Script, line: _Line, transcript: list[str], said: bytes | None) -> None:
    if holds:
        return
    came = "nothing" if said is None else repr(said[:500])
    wanted = f"{line.kind} {_shown(line.data) or line.name}"
    story = "\n  ".join(transcript[-20:])
    raise DialogueFailed(f"{script.name}:{line.number}: wanted {wanted}\n  came: {came}\n  before:\n  {story}")


class _MemoryCarrier:
    """Carries a play to peers in memory."""

    def __init__(self, script: Script, make_peer: PeerFactory, *, bytewise: bool) -> None:
        self._script = script
        self._make_peer = make_peer
        self._bytewise = bytewise
        self._peers: dict[str, Peer] = {}
        self._said: dict[str, bytearray] = {}
        self._held = b""

    def carry(self, act: _Act) -> bytes | None:
        peer, said = self._open(act.session)
        if act.kind == "hold":
            self._held += act.data
            return None
        if act.kind == "send":
            data, self._held = self._held + act.data, b""
            for piece in [data[i : i + 1] for i in range(len(data))] if self._bytewise else [data]:
                said += peer.feed(piece)
            return None
        said += peer.feed(b"")
        if act.kind == "line":
            end = said.find(b"\r\n")
            return _take(said, end + 2)[:-2] if end >= 0 else None
        if act.kind == "raw":
            return _take(said, act.count)
        if act.kind == "step":
            peer.step(act.name)  # type: ignore[attr-defined]
            return None
        if act.kind == "closed":
            return bytes(said) if peer.closed else None
        return bytes(said)

    def _open(self, session: str) -> tuple[Peer, bytearray]:
        if session not in self._peers:
            self._peers[session] = self._make_peer(self._script.config)
            self._said[session] = bytearray()
        return self._peers[session], self._said[session]


def _take(buffer: bytearray, count: int) -> bytes:
    taken = bytes(buffer[:count])
    del buffer[:count]
    return taken


def _run_in_memory(path: Path, make_peer: PeerFactory, *, bytewise: bool) -> None:
    script = read_script(path)
    carrier = _MemoryCarrier(script, make_peer, bytewise=bytewise)
    acts = play(script)
    result: bytes | None = None
    try:
        act = next(acts)
        while True:
            result = carrier.carry(act)
            act = acts.send(result)
    except StopIteration:
        return


def run_dialogue(path: Path, make_peer: PeerFactory) -> None:
    """Play a script in memory, all bytes of a client turn at once. Raises DialogueFailed."""
    _run_in_memory(path, make_peer, bytewise=False)


def run_dialogue_bytewise(path: Path, make_peer: PeerFactory) -> None:
    """Play a script in memory, one byte at a time. Raises DialogueFailed."""
    _run_in_memory(path, make_peer, bytewise=True)


class _SocketCarrier:
    """Carries a play to a server on a socket."""

    def __init__(self, address: tuple[str, int], on_step: OnStep | None) -> None:
        self._address = address
        self._on_step = on_step
        self._streams: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def carry(self, act: _Act) -> bytes | None:
        reader, writer = await self._open(act.session)
        if act.kind in {"send", "hold"}:
            writer.write(act.data)
            return None
        if act.kind == "quiet":
            return None  # what was not asked for is met by the next line that is; silence cannot be proved here
        if act.kind == "step":
            if self._on_step is not None:
                await self._on_step(act.name, reader, writer)
            return None
        try:
            return await asyncio.wait_for(self._read(act, reader), SOCKET_PATIENCE)
        except (TimeoutError, asyncio.IncompleteReadError):
            return None

    @staticmethod
    async def _read(act: _Act, reader: asyncio.StreamReader) -> bytes | None:
        if act.kind == "line":
            line = await reader.readuntil(b"\r\n")
            return line[:-2]
        if act.kind == "raw":
            return await reader.readexactly(act.count)
        try:
            return await reader.read(1000)  # b"" at the end of the stream: closed
        except ConnectionError:
            return b""

    async def _open(self, session: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if session not in self._streams:
            self._streams[session] = await asyncio.open_connection(*self._address, limit=1 << 20)
        return self._streams[session]

    async def close(self) -> None:
        for _, writer in self._streams.values():
            writer.close()
            try:
                await writer.wait_closed()
            except ConnectionError:
                pass


OnStep: TypeAlias = Callable[[str, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
StartServer: TypeAlias = Callable[[Mapping[str, str]], Awaitable[asyncio.Server]]


async def run_dialogue_socket(path: Path, start_server: StartServer, *, on_step: OnStep | None = None) -> None:
    """Play a script over a loopback socket.

    Args:
        path: the script.
        start_server: given the script's config, starts a server on a free port; it is closed at the end.
        on_step: does what ``[step NAME]`` says on the client's side of the connection.

    Raises DialogueFailed.
    """
    script = read_script(path)
    server = await start_server(script.config)
    host, port = server.sockets[0].getsockname()[:2]
    carrier = _SocketCarrier((host, port), on_step)
    acts = play(script)
    try:
        act = next(acts)
        while True:
            act = acts.send(await carrier.carry(act))
    except StopIteration:
        return
    finally:
        await carrier.close()
        server.close()
        await server.wait_closed()


class _PeerDoor(asyncio.Protocol):
    """Puts a peer in memory on a socket."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._peer.feed(data))
        if self._peer.closed:
            self._transport.close()


def serve_peer(make_peer: PeerFactory) -> StartServer:
    """Return a ``start_server`` for ``run_dialogue_socket`` that serves peers in memory over a real socket."""

    async def start(config: Mapping[str, str]) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _PeerDoor(make_peer(config)), "127.0.0.1", 0)

    return start
