"""Sessions: who sees which, and ending them."""

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import session
from tests.support.desks import ON_MACHINE, caller_of, do, make_desk, people


def told(number, account):
    """Return a session as a worker tells it."""
    return {
        "id": f"s{number}", "protocol": "imap" if number % 2 else "smtp", "listener": "l", "account": account,
        "address": "192.0.2.1", "since": 1.0, "tls": True, "received": 5, "sent": 6,
    }  # fmt: skip


class Workers:
    """Two workers with sessions."""

    def __init__(self) -> None:
        self.open = [
            [told(1, "anna@acme.test"), told(2, "")],
            [told(3, "zoe@sister.test"), told(4, "rita@rival.test"), told(5, "anna@acme.test")],
        ]

    async def ask(self, question, **fields):
        if question == "sessions":
            return [{"worker": number, "sessions": each} for number, each in enumerate(self.open)]
        ended = []
        for number, each in enumerate(self.open):
            gone = [one["id"] for one in each if one["id"] in fields["sessions"]]
            self.open[number] = [one for one in each if one["id"] not in gone]
            ended.append({"ended": gone})
        return ended


@pytest.fixture
async def house(store, store_clock, tmp_path):
    """Return a desk over two workers."""
    await people(store)
    return make_desk(store, store_clock, tmp_path, live=Workers())


@pytest.mark.parametrize(
    ("address", "ids"),
    [
        ("root@own.test", ["s1", "s2", "s3", "s4", "s5"]),
        ("boss@acme.test", ["s1", "s3", "s5"]),
        ("admin@acme.test", ["s1", "s5"]),
        ("anna@acme.test", ["s1", "s5"]),
        ("ben@acme.test", []),
        ("rita@rival.test", ["s4"]),
    ],
)
async def test_everybody_sees_his_own(house, address, ids) -> None:
    """Within his reach; connections of nobody are the server's."""
    page = await do(house, session.list_sessions, await caller_of(house.store, address))
    assert [each.id for each in page.items] == ids


async def test_sessions_are_filtered_and_paged(house) -> None:
    """By account and protocol; each once."""
    found = await do(house, session.list_sessions, ON_MACHINE, account="Anna@ACME.test", protocol="imap")
    assert [each.id for each in found.items] == ["s1", "s5"]
    first = await do(house, session.list_sessions, ON_MACHINE, limit=3)
    second = await do(house, session.list_sessions, ON_MACHINE, limit=3, cursor=first.next)
    assert [each.id for each in [*first.items, *second.items]] == ["s1", "s2", "s3", "s4", "s5"]
    assert second.next == ""


async def test_an_account_is_cut_off(house) -> None:
    """All its sessions on all workers; the audit log says who did it."""
    admin = await caller_of(house.store, "admin@acme.test")
    assert (await do(house, session.disconnect, admin, account="anna@acme.test")).sessions == ["s1", "s5"]
    assert [each.id for each in (await do(house, session.list_sessions)).items] == ["s2", "s3", "s4"]
    (entry,) = await house.store.audit(domain="acme.test")
    assert (entry.actor, entry.operation, entry.subject) == (
        "admin@acme.test", "session.disconnect", "session:anna@acme.test",
    )  # fmt: skip


async def test_a_session_out_of_reach_is_not_there(house) -> None:
    """The same answer as for one that does not exist."""
    admin = await caller_of(house.store, "admin@acme.test")
    for number in ("s4", "s99"):
        with pytest.raises(Refused) as refusal:
            await do(house, session.disconnect, admin, id=number)
        assert (refusal.value.kind, refusal.value.detail) == (Kind.MISSING, f"there is no session {number}")


async def test_a_dry_run_ends_nothing(house) -> None:
    """It says what would be ended."""
    assert (await do(house, session.disconnect, id="s1", dry_run=True)).sessions == ["s1"]
    assert len((await do(house, session.list_sessions)).items) == 5


@pytest.mark.parametrize("fields", [{}, {"id": "s1", "account": "anna@acme.test"}])
async def test_one_of_the_two_is_named(house, fields) -> None:
    """Neither or both is unclear."""
    with pytest.raises(Refused):
        await do(house, session.disconnect, **fields)


async def test_without_a_server_there_are_no_sessions(store, store_clock, tmp_path) -> None:
    """The refusal says what to do."""
    with pytest.raises(Refused) as refusal:
        await do(make_desk(store, store_clock, tmp_path), session.list_sessions)
    assert refusal.value.kind is Kind.UNAVAILABLE
