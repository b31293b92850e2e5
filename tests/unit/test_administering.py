"""The administration inside a worker: made from its parts, and loaded only where it is asked for."""

import asyncio
import subprocess
import sys
from types import SimpleNamespace

from posthouse.administering import Administering, AdministeringParts
from posthouse.config.settings import Settings
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.telemetry.log import null_telemetry
from tests.support.asgi import AsgiClient
from tests.support.desks import make_authenticator, make_desk, people, token_of


async def test_a_worker_administers(store, store_clock, tmp_path) -> None:
    """Its application answers, its jobs run until it stops."""
    await people(store)
    desk = make_desk(store, store_clock, tmp_path)
    context = SimpleNamespace(is_draining=False, settings=Settings(), clock=store_clock)
    made = Administering(
        AdministeringParts(
            desk=desk,
            authenticator=make_authenticator(desk),
            notes=SignInNotes(store, store_clock),
            telemetry=null_telemetry(),
            context=context,
            owner="worker",
        )
    )
    client = AsgiClient(made.application, await token_of(desk, "anna@acme.test"))
    assert (await client.send("GET", "/api/v1/accounts/anna@acme.test")).status == 200
    running = asyncio.create_task(made.run())
    await made.stop(1)
    await asyncio.wait_for(running, 5)


def test_a_command_does_not_load_the_api() -> None:
    """Importing what a worker is made of loads neither Starlette nor uvicorn."""
    code = (
        "import sys, posthouse.worker; print([name for name in ('starlette', 'uvicorn', 'h11') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
