"""The door of monitoring over a loopback socket, with clients that mean well and others."""

from __future__ import annotations

import asyncio
import json

import pytest

from posthouse.telemetry.metrics import Metrics
from posthouse.testing.telemetry import RecordingTelemetry
from posthouse.web import metrics as room
from posthouse.web.metrics import HEAD_SIZE, MetricsDesk, MetricsDoor


class House:
    """A desk on a socket."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.error: Exception | None = None
        self.telemetry = RecordingTelemetry()
        self.desk = MetricsDesk(collect=self._collect, missing=self._missing, telemetry=self.telemetry)

    async def _collect(self):
        if self.error is not None:
            raise self.error
        return Metrics().snapshot()

    async def _missing(self) -> list[str]:
        return self.missing

    async def ask(self, request: bytes, *, end: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Send octets; return status, header fields and body of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        if end:
            writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head:
            return 0, {}, b""
        first, *lines = head.decode().split("\r\n")
        return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), body


@pytest.fixture
async def house():
    """Return a desk that answers."""
    made = House()
    server = await asyncio.get_running_loop().create_server(lambda: MetricsDoor(made.desk), "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


def get(path: str, *more: str) -> bytes:
    """Return a request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *more, "", ""]).encode()


async def test_metrics_in_both_forms(house) -> None:
    """The text form unless OpenMetrics is asked for, in one header field or several."""
    status, head, body = await house.ask(get("/metrics?x=1"))
    assert (status, head["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert int(head["content-length"]) == len(body)
    assert b"posthouse_messages_accepted_total 0.0" in body
    status, head, body = await house.ask(
        get("/metrics", "Accept: text/html", "ACCEPT: application/openmetrics-text;version=1.0.0")
    )
    assert head["content-type"].startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


async def test_health(house) -> None:
    """Live as long as it answers; ready unless something is missing, which is said."""
    assert (await house.ask(get("/health/live")))[0] == 200
    assert json.loads((await house.ask(get("/health/ready")))[2]) == {"status": "ok"}
    house.missing = ["The store does not answer."]
    status, _, body = await house.ask(get("/health/ready"))
    assert (status, json.loads(body)) == (503, {"status": "not ready", "missing": house.missing})
    assert (await house.ask(get("/health/live")))[0] == 200


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (get("/"), 404),
        (get("/metrics/"), 404),
        (get("/../etc/passwd"), 404),
        (b"POST /metrics HTTP/1.1\r\n\r\n", 405),
        (b"GET /metrics HTTP/2.0\r\n\r\n", 400),
        (b"GET metrics HTTP/1.1\r\n\r\n", 405),
        (b"EHLO x\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xff\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 405),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * HEAD_SIZE, 431),
    ],
)
async def test_whatever_else_is_sent(house, request_text, status) -> None:
    """Every request gets a plain refusal, and the next client is served."""
    found, head, _ = await house.ask(request_text)
    assert found == status
    assert head["connection"] == "close"
    assert (await house.ask(get("/health/live")))[0] == 200


async def test_head_has_no_body(house) -> None:
    """HEAD tells the length and nothing else."""
    status, head, body = await house.ask(b"HEAD /health/live HTTP/1.0\r\n\r\n")
    assert (status, head["content-length"], body) == (200, "16", b"")


async def test_an_error_of_ours_is_reported_and_told_without_detail(house) -> None:
    """500, and the log knows why."""
    house.error = RuntimeError("secret detail")
    status, _, body = await house.ask(get("/metrics"))
    assert (status, b"secret" in body) == (500, False)
    assert "secret detail" in house.telemetry.named("metrics.failed")[0]["error"]


async def test_who_sends_nothing_is_cut(house, monkeypatch) -> None:
    """A connection has a bounded time as a whole, whatever it drips."""
    monkeypatch.setattr(room, "PATIENCE", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"GET /met")
    with pytest.raises(ConnectionResetError):
        if await asyncio.wait_for(reader.read(), 10) == b"":
            raise ConnectionResetError
    writer.close()
    assert not house.desk.open


async def test_too_many_at_once_are_told_so(house, monkeypatch) -> None:
    """Beyond the bound a connection is answered 503."""
    monkeypatch.setattr(room, "CONNECTIONS", 1)
    _, writer = await asyncio.open_connection("127.0.0.1", house.port)
    while not house.desk.open:  # noqa: ASYNC110  (a turn of the loop is what is needed)
        await asyncio.sleep(0)
    assert (await house.ask(b""))[0] == 503
    writer.close()
    await writer.wait_closed()


async def test_who_leaves_early_is_forgotten(house) -> None:
    """A client that closes before its answer leaves nothing behind."""
    _, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(get("/metrics"))
    writer.transport.abort()
    assert (await house.ask(get("/health/live")))[0] == 200
    while house.desk.open:  # noqa: ASYNC110  (a turn of the loop is what is needed)
        await asyncio.sleep(0)
