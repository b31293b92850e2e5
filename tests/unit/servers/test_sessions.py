"""Sessions of a worker: what is told of each open connection, and ending some."""

import asyncio

from posthouse.servers.sessions import session_commands
from tests.unit.servers.http.test_http_door import GET, House, answer, turns


async def test_open_connections_are_told_and_ended(tmp_path) -> None:
    """With their protocol, account, address, age and octets; ending one leaves the other."""
    async with House(tmp_path) as house:
        commands = session_commands(house.context)
        reader, writer = await house.connect()
        other_reader, other = await house.connect()
        await turns(lambda: len(house.context.sweep.doors) == 2)
        writer.write(GET % b"/one")
        await answer(reader)
        first = next(door for door in house.context.sweep.doors if door.received)
        first.account = "anna@example.test"
        house.clock.advance(5)
        told = commands["sessions"]({})
        (mine,) = [each for each in told["sessions"] if each["account"]]
        assert (mine["protocol"], mine["listener"], mine["address"], mine["tls"]) == (
            "http",
            "http",
            "127.0.0.1",
            False,
        )
        assert (mine["id"], mine["since"]) == (first.session_id, house.clock.now() - 5)
        assert mine["received"] == len(GET % b"/one")
        assert commands["disconnect"]({"sessions": [mine["id"], "unknown"]}) == {"ended": [mine["id"]]}
        assert await reader.read() == b""
        assert [each["account"] for each in commands["sessions"]({})["sessions"]] == [""]
        other.write(GET % b"/two")
        assert (await answer(other_reader))[0] == 200
        for each in (writer, other):
            each.close()
        await asyncio.sleep(0)


async def test_a_question_that_is_none_ends_nothing(tmp_path) -> None:
    """Whatever stands in the place of the ids."""
    async with House(tmp_path) as house:
        _, writer = await house.connect()
        await turns(lambda: house.context.sweep.doors)
        commands = session_commands(house.context)
        for asked in ({}, {"sessions": "all"}, {"sessions": None}, {"sessions": [1, None]}):
            assert commands["disconnect"](asked) == {"ended": []}
        assert len(commands["sessions"]({})["sessions"]) == 1
        writer.close()
