"""Live events over HTTP: numbers, what a slow client loses, silence, and the end."""

import asyncio

import orjson

from posthouse.services.administration.operations import event
from posthouse.web.rest import streams
from posthouse.web.rest.application import make_application
from posthouse.web.rest.streams import EventBuffer, event_stream
from tests.support.asgi import AsgiClient
from tests.support.desks import do, make_desk, make_parts, people, token_of

TOLD = [
    {"ts": "t", "level": "info", "event": "relay.sent", "to": "x@far.example", "from": "anna@acme.test"},
    {"ts": "t", "level": "info", "event": "relay.sent", "to": "rita@rival.test", "from": "y@far.example"},
    {"ts": "t", "level": "warning", "event": "auth.refused", "login": "ben@acme.test", "peer": "192.0.2.1"},
    {"ts": "t", "level": "info", "event": "door.closed", "peer": "192.0.2.1"},
]


class Told:
    """A live server that tells a few events, then waits or ends."""

    def __init__(self, events, *, ends=True) -> None:
        self.events, self.ends, self.closed = events, ends, False

    async def follow(self):
        try:
            for each in self.events:
                yield each
            if not self.ends:
                await asyncio.Event().wait()
        finally:
            self.closed = True


async def yes() -> bool:
    """Let the stream go on."""
    return True


async def numbers(count):
    """Yield texts."""
    for number in range(count):
        yield str(number)


async def test_events_are_numbered() -> None:
    """Each has an id and its data."""
    blocks = b"".join([block async for block in event_stream(numbers(2), 10, yes)])
    assert blocks == b"retry: 2000\n\nid: 1\ndata: 0\n\nid: 2\ndata: 1\n\n"


async def test_a_slow_client_is_told_how_much_it_lost() -> None:
    """The oldest go; what is left keeps its numbers."""
    buffer = EventBuffer(2)
    for number in range(5):
        buffer.put(b"%d" % number)
    assert await buffer.take(0) == b"event: dropped\ndata: 3\n\nid: 4\ndata: 3\n\nid: 5\ndata: 4\n\n"
    buffer.end()
    assert await buffer.take(0) == b""


async def test_silence_is_broken_now_and_then(monkeypatch) -> None:
    """A comment keeps the line open."""
    monkeypatch.setattr(streams, "LOOK", 0.001)
    monkeypatch.setattr(streams, "HEARTBEAT", 0.003)
    source = Told([], ends=False)
    stream = event_stream(source.follow(), 10, yes)
    blocks = [await anext(stream) for _ in range(2)]
    await stream.aclose()
    assert blocks == [b"retry: 2000\n\n", b": still here\n\n"]
    assert source.closed


async def test_the_stream_ends_when_it_may_not_go_on() -> None:
    """An event says so, so that the client does not come back at once; the source is closed."""
    source = Told([], ends=False)
    answers = iter([True, False])

    async def may() -> bool:
        await asyncio.sleep(0)
        return next(answers)

    source.events = [{"a": 1}]
    blocks = [block async for block in event_stream(source.follow(), 10, may)]
    assert blocks[-1] == b"event: end\ndata: \n\n"
    assert source.closed


async def seen(desk, caller, **fields):
    """Return the names of the events that a caller sees."""
    return [each.event async for each in await do(desk, event.follow, caller, **fields)]


async def follow(store, clock, home, address, path="/api/v1/events"):
    """Return the events that an account follows over HTTP."""
    await people(store)
    desk = make_desk(store, clock, home, live=Told(TOLD))
    client = AsgiClient(make_application(make_parts(desk)), await token_of(desk, address))
    answer = await client.send("GET", path, accept="text/event-stream")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    lines = [line.removeprefix(b"data: ") for line in answer.body.splitlines() if line.startswith(b"data: {")]
    return [orjson.loads(line) for line in lines]


async def test_who_administers_the_server_sees_everything(store, store_clock, tmp_path) -> None:
    """All events, with their fields."""
    found = await follow(store, store_clock, tmp_path, "root@own.test")
    assert [each["event"] for each in found] == ["relay.sent", "relay.sent", "auth.refused", "door.closed"]
    assert found[0]["fields"] == {"to": "x@far.example", "from": "anna@acme.test"}


async def test_an_administrator_of_a_domain_sees_his_own(store, store_clock, tmp_path) -> None:
    """What names an address of his domain; nothing of another tenant's."""
    found = await follow(store, store_clock, tmp_path, "admin@acme.test")
    assert [each["fields"].get("from", each["fields"].get("login")) for each in found] == [
        "anna@acme.test", "ben@acme.test"
    ]  # fmt: skip


async def test_events_are_filtered(store, store_clock, tmp_path) -> None:
    """By kind, level, beginning of the name, and text."""
    paths = {
        "kind=queue": 2, "kind=sessions": 2, "level=warning": 1, "event=door": 1, "contains=rival": 1, "kind=log": 4,
    }  # fmt: skip
    await people(store)
    desk = make_desk(store, store_clock, tmp_path, live=Told(TOLD))
    client = AsgiClient(make_application(make_parts(desk)), await token_of(desk, "root@own.test"))
    found = {}
    for query in paths:
        answer = await client.send("GET", f"/api/v1/events?{query}", accept="text/event-stream")
        found[query] = answer.body.count(b"data: {")
    assert found == paths


async def test_a_revoked_token_ends_its_stream(store, store_clock, tmp_path, monkeypatch) -> None:
    """Within a look, and what is counted as open is none."""
    from posthouse.services.administration.operations import token

    monkeypatch.setattr(streams, "LOOK", 0.01)
    await people(store)
    live = Told(TOLD[:1], ends=False)
    desk = make_desk(store, store_clock, tmp_path, live=live)
    parts = make_parts(desk)
    made = await do(desk, token.add, account="root@own.test", name="t")
    client = AsgiClient(make_application(parts), f"Bearer {made.token}")
    stream = asyncio.create_task(client.send("GET", "/api/v1/events", accept="text/event-stream"))
    for _ in range(10_000):
        if parts.streams:
            break
        await asyncio.sleep(0)
    await do(desk, token.revoke, account="root@own.test", id=made.id)
    answer = await asyncio.wait_for(stream, 5)
    assert answer.body.endswith(b"event: end\ndata: \n\n")
    assert (live.closed, parts.streams) == (True, 0)


async def test_there_is_an_end_to_streams(store, store_clock, tmp_path) -> None:
    """503 where as many follow as the setting allows; HEAD follows nothing."""
    await people(store)
    desk = make_desk(store, store_clock, tmp_path, live=Told(TOLD))
    parts = make_parts(desk)
    client = AsgiClient(make_application(parts), await token_of(desk, "root@own.test"))
    assert (await client.send("HEAD", "/api/v1/events", accept="text/event-stream")).body == b""
    parts.streams = 50
    assert (await client.send("GET", "/api/v1/events", accept="text/event-stream")).status == 503
