"""What runs, as an operation."""

from __future__ import annotations

import pytest

from posthouse.config.home import Home
from posthouse.config.write import default_configuration, format_configuration
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import status
from tests.support.desks import caller_of, do
from tests.support.stories import submitted


class Workers:
    """Two workers that answer."""

    async def ask(self, question, **fields):
        """Return a status."""
        assert question == "status"
        common = {"draining": False, "queue_in_flight": 0, "duties": [], "seconds": 5.0}
        return [
            {"worker": 1, "pid": 12, "sessions": {"mx": 2}, **common},
            {"worker": 0, "pid": 11, "sessions": {"mx": 1, "imap": 4}, **common},
        ]


@pytest.fixture
def configured(desk, tmp_path):
    """Return the desk, with a file in its home."""
    configuration = default_configuration(tmp_path, "mx.example.test", listen=("127.0.0.1",), port_offset=0)
    Home(tmp_path).file.write_text(format_configuration(configuration))
    (tmp_path / "store.db").write_bytes(b"x" * 10)
    (tmp_path / "store.db-wal").write_bytes(b"x" * 5)
    return desk


async def test_what_runs_is_told(configured) -> None:
    """Workers in order, sessions by listener, what waits, the store."""
    configured.live = Workers()
    await configured.store.commit(submitted("anna@acme.test", "x@far.example"))
    told = await do(configured, status.status)
    assert (told.serving, [each.worker for each in told.workers]) == (True, [0, 1])
    assert {each.listener: each.sessions for each in told.listeners if each.sessions} == {"mx": 3, "imap": 4}
    assert [(each.destination, each.recipients) for each in told.queue] == [("mx:far.example", 1)]
    assert (told.store.octets, told.store.free_octets > 0) == (15, True)


async def test_without_a_server_nothing_serves(configured) -> None:
    """The rest is told all the same."""
    told = await do(configured, status.status)
    assert (told.serving, told.workers, told.hostname) == (False, [], "mx.example.test")


async def test_it_takes_an_administrator_of_the_server(configured) -> None:
    """It tells of everybody."""
    with pytest.raises(Refused) as refused:
        await do(configured, status.status, await caller_of(configured.store, "boss@acme.test"))
    assert refused.value.kind is Kind.FORBIDDEN


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///store.db", "sqlite:///store.db"),
        ("postgresql://ann:secret@db.example:5432/mail", "postgresql://ann@db.example:5432/mail"),
    ],
)
def test_the_password_of_a_store_is_not_shown(url, shown) -> None:
    """Its address is."""
    assert status._shown(url) == shown
