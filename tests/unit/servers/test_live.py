"""The running server asked through its control sockets: all that answer, none that do not, and their events."""

import asyncio

import orjson
import pytest

from posthouse.servers import live
from posthouse.servers.control import ControlDoor
from posthouse.servers.live import LiveServer


class Worker:
    """A control socket of one worker."""

    def __init__(self, folder, number) -> None:
        self.path = folder / f"control.{number}.sock"
        self.number = number
        self.followers = []
        self.server = None

    def subscribe(self, callback, **more):
        self.followers.append(callback)
        return lambda: self.followers.remove(callback)

    def tell(self, **event) -> None:
        for each in self.followers:
            each(orjson.dumps(event) + b"\n")

    async def open(self):
        commands = {"echo": lambda asked: {"worker": self.number, "word": asked.get("word")}}
        self.server = await asyncio.get_running_loop().create_unix_server(
            lambda: ControlDoor(lambda: {"worker": self.number}, self.subscribe, commands=commands), str(self.path)
        )
        return self


@pytest.fixture
async def workers(tmp_path):
    """Return two workers that answer."""
    made = [await Worker(tmp_path, number).open() for number in range(2)]
    yield made
    for each in made:
        each.server.close()


async def turns(condition) -> None:
    """Let others have their turn until something holds."""
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("waited in vain")


async def test_every_worker_is_asked(workers, tmp_path) -> None:
    """With the fields of the question."""
    assert await LiveServer(tmp_path).ask("echo", word="hello") == [
        {"worker": 0, "word": "hello"}, {"worker": 1, "word": "hello"}
    ]  # fmt: skip
    assert [each["worker"] for each in await LiveServer(tmp_path).ask("status")] == [0, 1]


async def test_who_does_not_answer_is_left_out(workers, tmp_path, monkeypatch) -> None:
    """A socket that nobody listens on, one that says nothing, one that says nonsense, one without end."""
    monkeypatch.setattr(live, "PATIENCE", 0.05)
    monkeypatch.setattr(live, "LARGEST", 100_000)
    (tmp_path / "control.7.sock").write_bytes(b"")
    loop = asyncio.get_running_loop()

    class Nonsense(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            transport.write(b"nonsense\n")
            transport.close()

    class Endless(asyncio.Protocol):
        def connection_made(self, transport) -> None:
            transport.write(b"x" * 200_000)

    others = [
        await loop.create_unix_server(kind, str(tmp_path / f"control.{number}.sock"))
        for number, kind in enumerate((asyncio.Protocol, Nonsense, Endless), 3)
    ]
    assert [each["worker"] for each in await LiveServer(tmp_path).ask("status")] == [0, 1]
    for each in others:
        each.close()


async def test_without_a_server_nobody_answers(tmp_path) -> None:
    """An empty list, at once."""
    assert await LiveServer(tmp_path).ask("status") == []


async def test_events_of_all_workers_are_followed(workers, tmp_path, monkeypatch) -> None:
    """Also those of a worker that starts later; closing the iterator ends it all."""
    monkeypatch.setattr(live, "LOOK", 0.01)
    events = LiveServer(tmp_path).follow()
    first = asyncio.create_task(anext(events))
    await turns(lambda: all(each.followers for each in workers))
    workers[0].tell(event="one")
    assert (await first)["event"] == "one"
    workers[1].tell(event="two")
    assert (await anext(events))["event"] == "two"
    late = await Worker(tmp_path, 2).open()
    await turns(lambda: late.followers)
    late.tell(event="three")
    assert (await anext(events))["event"] == "three"
    await events.aclose()
    await turns(lambda: not any(each.followers for each in [*workers, late]))
    late.server.close()
