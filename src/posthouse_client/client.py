"""The client: the operations by noun, and waiting for jobs. Tests: ``tests/interop/test_api.py``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Self

from posthouse_client.api import Api
from posthouse_client.api.job import Job
from posthouse_client.caller import Caller
from posthouse_client.errors import JobFailed
from posthouse_client.transport import Transport

_ENDED: Final = frozenset({"done", "failed", "cancelled"})


class Client(Api):
    """A server. A context that closes its connection.

    Args:
        url: such as ``https://mail.example.org``.
        options: ``token``, or ``login`` and ``password``; ``context`` for TLS, ``timeout`` in seconds.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.transport = Transport(url, **options)
        super().__init__(Caller(self.transport))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the connection."""
        self.transport.close()

    def wait(
        self,
        job: Job,
        *,
        seconds: float = 86_400.0,
        progress: Callable[[Job], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Job:
        """Wait until a job has ended well, and return it.

        Args:
            job: as the call that started it returned it.
            seconds: how long to wait at most.
            progress: told of each state that was seen.
            sleep: waits between two looks.

        Raises JobFailed: where it failed or was cancelled; TimeoutError; Refused, Unreachable.
        """
        pause = 0.1
        ends = time.monotonic() + seconds
        while job.state not in _ENDED:
            if time.monotonic() > ends:
                raise TimeoutError(f"the job {job.id} has not ended: {job.state}")
            sleep(pause)
            pause = min(2.0, pause * 1.5)
            job = self.job.show(id=job.id)
            if progress is not None:
                progress(job)
        if job.state != "done":
            raise JobFailed(job.state, job.result or {})
        return job
