"""The same dialogues with mail really stored: the SQLite store behind the door, and what it holds afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from posthouse.core.ids import parse_queue_id
from posthouse.message.scan import scan
from posthouse.services.journey.story import Journey
from posthouse.store.directory_values import AccountState, Level, PutAccount, PutAlias, PutDomain, PutRoute
from posthouse.store.rows import Field
from posthouse.store.sqlite.engine import SqliteStore
from posthouse.store.values import Delivery, Filing, NewEmail
from posthouse.testing.clock import FakeClock
from posthouse.testing.dialogue import read_script, run_dialogue_socket
from posthouse.testing.smtp_house import Connection, House

FOLDER = Path(__file__).parents[3] / "dialogues" / "smtp-server"
SCRIPTS = [path for path in sorted(FOLDER.glob("*.txt")) if "fail" not in read_script(path).config]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    (tmp_path / "run").mkdir()
    store = SqliteStore(tmp_path / "mail.db", worker=1, home=tmp_path, clock=FakeClock())
    await store.open()
    await fill(store)
    yield store
    await store.close()


async def fill(store: SqliteStore) -> None:
    """The people of ``testing.smtp_house.fill``, with mail that fills their quotas."""
    await store.commit(
        PutDomain(name="house.test"),
        PutDomain(name="also.test", alias_of="house.test"),
        PutAccount(address="ann@house.test", password_hash="secret", level=Level.SERVER),
        PutAccount(address="bob@house.test", password_hash="bobs"),
        PutAccount(address="off@house.test", state=AccountState.DISABLED),
        PutAccount(address="full@house.test", quota_bytes=1_000),
        PutAccount(address="small@house.test", quota_bytes=2_000),
        PutAlias(address="team@house.test", targets=("ann@house.test", "out@far.test")),
        PutAlias(address="sales@house.test", targets=("ann@house.test",)),
        PutAlias(address="half@house.test", targets=("ann@house.test", "nobody@house.test")),
        PutRoute(domain="gate.test", host="10.0.0.1", recipients_local=True),
    )
    for address, size in (("full@house.test", 1_000), ("small@house.test", 500)):
        account = await store.account(address)
        assert account is not None
        content = b"x" * size
        email = NewEmail(content=content, facts=scan(content).facts())
        await store.commit(Delivery(email=email, filings=(Filing(account=account.id),)))


async def inbox(store: SqliteStore, address: str) -> list[tuple[bytes, bytes]]:
    """Return prefix and content of every message in an account's inbox."""
    account = await store.account(address)
    assert account is not None
    row = await store.mailbox_named(account.id, "INBOX")
    assert row is not None
    return await store.messages(account.id, row.id, [(1, 2**32 - 1)], (Field.PREFIX, Field.CONTENT))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
async def test_dialogues_with_the_store(script: Path, store: SqliteStore, tmp_path: Path) -> None:
    """A script holds with the real store behind the door, and every invariant of the store holds afterwards."""
    loop = asyncio.get_running_loop()

    async def start(config: Mapping[str, str]) -> asyncio.Server:
        options = {key: value for key, value in config.items() if "." in key}
        house = House(tmp_path, store=store, settings=options, loop=loop)
        peer = config.get("peer", "192.0.2.1")

        class Met(type(house.door())):  # type: ignore[misc]
            def _set_peer(self, peername: object) -> None:
                super()._set_peer((peer, 40_000))

        def make() -> asyncio.Protocol:
            door = house.door(config.get("class", "mx"))
            door.__class__ = Met
            return door

        return await loop.create_server(make, "127.0.0.1", 0)

    await run_dialogue_socket(script, start)
    assert await store.verify() == []


async def receive(house: House, content: bytes, *recipients: str) -> str:
    """Send one message in memory; return the queue id of its reply."""
    connection: Connection = house.connect()
    connection.feed(b"")
    commands = ["EHLO c.test", "MAIL FROM:<eve@far.test>", *(f"RCPT TO:<{each}>" for each in recipients), "DATA"]
    assert connection.talk(*commands)[-1].startswith("354")
    answer = connection.feed(content + b".\r\n")
    for _ in range(1000):
        if answer:
            break
        await asyncio.sleep(0.002)
        answer = connection.feed(b"")
    assert answer.startswith(b"250 "), answer
    return answer.decode().split()[-1]


async def test_what_is_acknowledged_is_there(store: SqliteStore, tmp_path: Path) -> None:
    """After 250 the message is in each mailbox and in the queue, its story can be found, and its octets are as sent."""
    house = House(tmp_path, store=store, loop=asyncio.get_running_loop())
    content = b"From: eve@far.test\r\nMessage-ID: <m1@far.test>\r\n\r\nhello\r\n"
    queue_id = parse_queue_id(await receive(house, content, "team@house.test", "bob+x@house.test"))
    for address in ("ann@house.test", "bob@house.test"):
        ((prefix, body),) = await inbox(store, address)
        assert prefix.startswith(b"Return-Path: <eve@far.test>\r\nDelivered-To: ")
        assert body.endswith(content)
    (row,) = await store.queue_rows()
    assert (row.queue_id, row.number, row.address, row.destination) == (queue_id, 0, "out@far.test", "mx:far.test")
    journey = Journey(store)
    for what in ("m1@far.test", "<m1@far.test>", "eve@far.test", "TEAM@house.test"):
        assert await journey.find(what) == [queue_id]
    assert (await journey.story(queue_id))[0].words[0].startswith("accepted from 192.0.2.1 ")


async def test_a_large_message_is_stored_whole(store: SqliteStore, tmp_path: Path) -> None:
    """A message that went through the spool reads back as it was sent."""
    house = House(tmp_path, store=store, loop=asyncio.get_running_loop())
    content = b"Subject: large\r\n\r\n" + (b"y" * 78 + b"\r\n") * 30_000
    await receive(house, content, "ann@house.test")
    account = await store.account("ann@house.test")
    assert account is not None
    row = await store.mailbox_named(account.id, "INBOX")
    assert row is not None
    ((body, size),) = await store.messages(account.id, row.id, [(1, 1)], (Field.BODY_ID, Field.BODY_SIZE))
    pieces = []
    while piece := await store.read_body(body, sum(map(len, pieces)), 262_144):
        pieces.append(piece)
    stored = b"".join(pieces)
    assert len(stored) == size
    assert stored.startswith(b"Received: ")
    assert stored.endswith(content)
    assert await store.verify() == []


async def test_many_clients_at_once(store: SqliteStore, tmp_path: Path) -> None:
    """Messages of many sessions that share commits are each filed once."""
    house = House(tmp_path, store=store, loop=asyncio.get_running_loop())
    texts = [b"Subject: %d\r\n\r\nx\r\n" % number for number in range(40)]
    await asyncio.gather(*(receive(house, text, "ann@house.test") for text in texts))
    found = [body[body.index(b"Subject") :] for _, body in await inbox(store, "ann@house.test")]
    assert sorted(found) == sorted(texts)
