"""The administration inside a worker: the API's application, the jobs, what operations work with.

Loaded when the first request comes or a job is left to be gone on with (``app.Composition.administering``), so that a
server starts without it, and one whose API nobody uses never pays for it. Nothing here decides anything.
Tests: ``tests/unit/test_administering.py``, ``tests/interop/test_api.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from posthouse.servers.door import DoorContext
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.jobs import JobRunner
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.telemetry.log import Telemetry
from posthouse.web.rest.application import make_application
from posthouse.web.rest.resource import RestParts
from posthouse.web.rest.signing_in import SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministeringParts:
    """What a worker gives its administration.

    Attributes:
        desk: with everything that operations of a running server ask for.
        authenticator: checks passwords.
        notes: take the last uses of tokens.
        owner: who this worker is, in leases of jobs.
    """

    desk: Desk
    authenticator: Authenticator
    notes: SignInNotes
    telemetry: Telemetry
    context: DoorContext
    owner: str


class Administering:
    """The administration of one worker.

    Attributes:
        jobs: runs jobs while ``run`` does.
        application: answers requests (ASGI).
    """

    def __init__(self, parts: AdministeringParts) -> None:
        context = parts.context
        self.jobs = JobRunner(parts.desk, parts.owner, parts.telemetry)
        rest = RestParts(
            desk=parts.desk,
            sign_in=SignIn(parts.desk, parts.authenticator, parts.notes, parts.telemetry),
            jobs=self.jobs,
            telemetry=parts.telemetry,
            is_draining=lambda: context.is_draining,
        )
        self.application = make_application(rest)

    async def run(self) -> None:
        """Run jobs until cancelled or stopped."""
        await self.jobs.run()

    async def stop(self, seconds: float) -> None:
        """Let jobs stop; cut those that do not in time."""
        await self.jobs.stop(seconds)
