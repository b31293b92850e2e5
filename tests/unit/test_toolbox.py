"""What commands work with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from posthouse.config.faults import ConfigFault
from posthouse.config.home import Home
from posthouse.core.address import parse_address
from posthouse.founding import Founding, found_home
from posthouse.services.administration.operations import account, queue
from posthouse.store.values import Delivery
from posthouse.toolbox import opened_toolbox
from tests.support.desks import do
from tests.support.stores import queued


@pytest.fixture
async def home(tmp_path) -> Home:
    """Return a home that was just made."""
    made = Home(tmp_path / "home")
    await found_home(made, Founding(hostname="mail.example.org", domain="example.org", admin="ann", password=None))
    return made


async def test_without_a_home_there_is_one_fault(tmp_path) -> None:
    """Nothing is made where nothing was."""
    with pytest.raises(ConfigFault, match="there is no such file"):
        async with opened_toolbox(Home(tmp_path / "home")):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_every_tool_works_on_the_store(home) -> None:
    """Tools are made when they are asked for, and stay the same."""
    async with opened_toolbox(home) as tools:
        assert [row.name for row in await tools.store.domains()] == ["example.org"]
        assert (await tools.desk()).hostname == tools.configuration.hostname


async def test_the_desk_is_what_operations_work_with(home) -> None:
    """A command is the server's administrator; without a running server there is nothing live."""
    async with opened_toolbox(home) as tools:
        desk = await tools.desk()
        assert (desk.live, desk.hostname, desk.home) == (None, "mail.example.org", home.path)
        shown = await do(desk, account.show, address="ann@example.org")
        assert shown.address == "ann@example.org"
        assert desk.part("diagnosis").configuration is tools.configuration


async def test_a_bounced_message_comes_back_to_its_sender(home) -> None:
    """The notice is in the sender's mailbox, and the recipient is no longer in the queue."""
    async with opened_toolbox(home) as tools:
        waiting: Delivery = queued("z@far.example", at=tools.clock.now(), next_attempt=tools.clock.now() + 3600)
        await tools.store.commit(waiting)
        desk = await tools.desk()
        (row,) = (await do(desk, queue.list_)).items
        assert (await do(desk, queue.bounce, queue_id=row.queue_id)).recipients == 1
        assert (await do(desk, queue.summary)).items == []
        found = await tools.store.account(str(parse_address("ann@example.org")))
        usage = await tools.store.usage(found.id)
        assert usage.messages == 1


def test_listing_accounts_does_not_load_the_mail_server() -> None:
    """Commands start quickly because they import what they use."""
    program = (
        "import sys, posthouse.cli.here, posthouse.services.administration.operations.account, posthouse.toolbox, posthouse.store.sqlite.engine\n"
        "print([name for name in sys.modules if name.startswith(('posthouse.servers', 'posthouse.protocols', 'dns.'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
