"""The order of sources, what passes a sign-in on, and how a source that is down is spared."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from posthouse.config.settings import Settings
from posthouse.services.identity.sources.contract import (
    Down,
    Granted,
    QuietSource,
    SourcePerson,
    Unknown,
    Wrong,
    login_of,
)
from posthouse.services.identity.sources.kinds import Parts
from posthouse.services.identity.sources.registry import Sources
from posthouse.store.directory_rows import SettingRow
from posthouse.testing.clock import FakeClock

ANNA = SourcePerson(address="anna@house.test")
ANSWERS = {"granted": Granted(ANNA), "wrong": Wrong(), "unknown": Unknown(), "down": Down("away")}


@dataclass
class Row:
    """A source as stored."""

    name: str
    kind: str = "test"
    config: dict[str, str] = field(default_factory=dict)
    sealed: str = ""
    disabled: bool = False
    revision: int = 1


class Scripted(QuietSource):
    """Answers what it is told to."""

    def __init__(self, name, log) -> None:
        super().__init__(name)
        self.log = log
        self.answer = Unknown()
        self.closed = False

    async def check_password(self, login, password):
        self.log.append(self.name)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer == "silent":
            await asyncio.Event().wait()
        if isinstance(self.answer, asyncio.Event):
            await self.answer.wait()
            return Granted(ANNA)
        return self.answer

    async def check_token(self, token, mechanism):
        return await self.check_password(None, b"")

    async def close(self):
        self.closed = True


class House:
    """Sources a, b and c, and a record of who was asked."""

    def __init__(self, **settings: str) -> None:
        self.clock = FakeClock()
        self.log: list[str] = []
        self.rows = [Row(name) for name in "abc"]
        self.made: dict[str, Scripted] = {}
        rows = [SettingRow(key.replace("__", "."), "server", value, "", 0.0) for key, value in settings.items()]
        self.settings = Settings(rows)
        assert not self.settings.problems
        parts = Parts(clock=self.clock, verify_hash=lambda encoded, password: False)
        self.sources = Sources(self.load, self.settings, parts, unseal=lambda sealed: {}, make=self.make)

    async def load(self):
        return self.rows

    def make(self, row):
        self.made[row.name] = Scripted(row.name, self.log)
        return self.made[row.name]

    async def answers(self, **answers) -> None:
        for name, answer in answers.items():
            source = await self.sources.get(name)
            source.answer = ANSWERS.get(answer, answer) if isinstance(answer, str) else answer

    async def ask(self, own="unknown", password=b"secret"):
        async def from_own():
            self.log.append("own")
            return ANSWERS[own]

        return await self.sources.ask_password(login_of("anna@house.test"), password, from_own)


@pytest.mark.parametrize(
    ("order", "passes_on", "answers", "expected", "asked"),
    [
        ("own", "", {}, Unknown, ["own"]),
        ("own, a", "", {"a": "granted"}, Granted, ["own", "a"]),
        ("a, own, b", "", {"a": "granted"}, Granted, ["a"]),
        ("a, b", "", {"a": "wrong", "b": "granted"}, Wrong, ["a"]),
        ("a, b", "wrong", {"a": "wrong", "b": "granted"}, Granted, ["a", "b"]),
        ("a, b", "wrong", {"a": "wrong", "b": "unknown"}, Wrong, ["a", "b"]),
        ("a, b", "", {"a": "down", "b": "granted"}, Down, ["a"]),
        ("a, b", "down", {"a": "down", "b": "granted"}, Granted, ["a", "b"]),
        ("a, b", "down", {"a": "down", "b": "wrong"}, Down, ["a", "b"]),
        ("a, b, c", "down, wrong", {"a": "wrong", "b": "down", "c": "unknown"}, Down, ["a", "b", "c"]),
        ("nowhere", "", {}, Down, []),
        ("nowhere, a", "down", {"a": "granted"}, Granted, ["a"]),
    ],
)
async def test_the_order_and_what_passes_on(order, passes_on, answers, expected, asked) -> None:
    """Granted ends the walk, unknown goes on, the rest by setting; what could have granted makes it Down."""
    house = House(auth__sources=order, auth__next_source_after=passes_on)
    await house.answers(**answers)
    answer = await house.ask()
    assert isinstance(answer, expected)
    assert house.log == asked


async def test_a_grant_says_which_source_it_was() -> None:
    """The name of the source travels with the answer."""
    house = House(auth__sources="own, b")
    await house.answers(b="granted")
    assert (await house.ask()).source == "b"


@pytest.mark.parametrize("password", [b"", b"x" * 1025, b"a\x00b"])
async def test_what_is_no_password_asks_nobody(password) -> None:
    """An empty password, one that is too long, and one with a NUL are wrong unseen."""
    house = House(auth__sources="a, own")
    assert isinstance(await house.ask(password=password), Wrong)
    assert house.log == []


@pytest.mark.parametrize(
    ("failure", "is_spared"), [(Down("away"), True), (Down("odd", is_spared=False), False), (ValueError("bug"), False)]
)
async def test_a_source_that_is_down_is_spared(failure, is_spared) -> None:
    """For some seconds it is not asked; a failure that one name may have provoked spares nobody."""
    house = House(auth__sources="a", auth__source_pause="5s")
    await house.answers(a=failure)
    assert isinstance(await house.ask(), Down)
    await house.answers(a="granted")
    assert isinstance(await house.ask(), Down if is_spared else Granted)
    house.clock.advance(6)
    assert isinstance(await house.ask(), Granted)
    assert isinstance(await house.ask(), Granted)


async def test_after_the_pause_one_caller_tries() -> None:
    """While he waits, the others still get Down at once."""
    house = House(auth__sources="a")
    await house.answers(a="down")
    await house.ask()
    house.clock.advance(6)
    gate = asyncio.Event()
    await house.answers(a=gate)
    first = asyncio.create_task(house.ask())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert isinstance(await house.ask(), Down)
    gate.set()
    assert isinstance(await first, Granted)
    assert isinstance(await house.ask(), Granted)


async def test_a_silent_source_is_given_up() -> None:
    """The time for all sources bounds the answer."""
    house = House(auth__sources="a", auth__source_budget="500ms")
    await house.answers(a="silent")
    answer = await house.ask()
    assert isinstance(answer, Down)
    assert "no answer" in answer.detail


async def test_a_source_that_changed_is_made_anew() -> None:
    """A new revision closes the old one; an equal one stays; one that was removed is closed."""
    house = House(auth__sources="a, b")
    await house.answers(a="granted", b="granted")
    first = house.made["a"]
    house.sources.forget()
    assert await house.sources.get("a") is first
    house.rows = [Row("a", revision=2)]
    house.sources.forget()
    second = await house.sources.get("a")
    await house.sources.close()
    assert second is not first
    assert first.closed
    assert house.made["b"].closed
    assert second.closed


async def test_a_disabled_source_is_passed_over() -> None:
    """It stands in the order and is not asked."""
    house = House(auth__sources="a, b")
    house.rows[0].disabled = True
    await house.answers(b="granted")
    assert isinstance(await house.ask(), Granted)
    assert house.log == ["b"]


async def test_a_source_that_cannot_be_made_is_down() -> None:
    """A field at fault is named in the detail, for the log."""
    clock = FakeClock()

    async def load():
        return [Row("a", kind="ldap", config={"servers": "http://x"})]

    parts = Parts(clock=clock, verify_hash=lambda encoded, password: False)
    settings = Settings([SettingRow("auth.sources", "server", "a", "", 0.0)])
    sources = Sources(load, settings, parts, unseal=lambda sealed: {})
    answer = await sources.ask_one("a", lambda source: source.check_password(login_of("x"), b"x"), 1)
    assert isinstance(answer, Down)
    assert "servers" in answer.detail


async def test_tokens_walk_the_same_way() -> None:
    """Our own store knows no tokens; the next source is asked."""
    house = House(auth__sources="own, a")
    await house.answers(a="granted")
    assert isinstance(await house.sources.ask_token("t", "OAUTHBEARER"), Granted)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Anna@House.TEST", "anna@house.test"),
        ("anna", "anna@default.test"),
        ("a@b@house.test", "a@b@house.test"),
        ("", "@default.test"),
    ],
)
def test_a_name_is_divided_at_its_last_at(name, address) -> None:
    """A bare name gets the default domain; case is folded, what was typed is kept."""
    login = login_of(name, default_domain="default.test")
    assert (login.address, login.name) == (address, name)


async def test_a_source_without_abilities_knows_nobody() -> None:
    """The base of all sources answers Unknown and lists nobody."""
    source = QuietSource("quiet")
    assert isinstance(await source.check_password(login_of("x"), b"x"), Unknown)
    assert isinstance(await source.check_token("x", "XOAUTH2"), Unknown)
    assert await source.find("x@y.test") is None
    assert [each async for each in source.people()] == []
    assert [each async for each in source.groups()] == []
    await source.close()
