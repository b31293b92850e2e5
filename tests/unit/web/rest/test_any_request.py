"""Schemathesis over the whole API: whatever is sent, no answer is an error of ours, and each is as described.

Requests are made from the description, valid and not, in a fixed order; each operation gets a few. A longer run:
``POSTHOUSE_API_EXAMPLES=300 pytest tests/unit/web/rest/test_any_request.py``.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from posthouse.services.administration.catalogue import all_operations
from posthouse.web.rest.description import describe
from tests.support.desks import make_api, make_desk, people, token_of
from tests.support.stores import StillClock, make_store
from tests.unit.web.rest.test_role_matrix import Quiet

EXAMPLES = int(os.environ.get("POSTHOUSE_API_EXAMPLES", "2"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


class House:
    """The API over a store of its own, on a loop of its own: what Schemathesis calls is not asynchronous."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._runner.run(self._open())

    async def _open(self) -> None:
        home, clock = Path(self._folder.name), StillClock()
        self._store = make_store(home / "home", clock=clock)
        store = await self._store.__aenter__()
        await people(store)
        desk = make_desk(store, clock, home, live=Quiet())
        self._client = make_api(desk)
        self._client = self._client.as_caller(await token_of(desk, "root@own.test"))

    def send(self, case: Any) -> Any:
        """Send a case; return the answer and the request as Schemathesis wants them."""
        import requests

        prepared = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
        path = prepared.url.removeprefix("http://localhost")
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        if body is not None and not isinstance(body, bytes):
            body = b"".join(body)
        fields = {name.lower().replace("-", "_"): _text(value) for name, value in prepared.headers.items()}
        for name in ("content_length", "authorization", "accept_encoding"):
            fields.pop(name, None)
        answer = self._runner.run(self._client.send(prepared.method, path, body=body or b"", **fields))
        return schemathesis.Response(
            status_code=answer.status,
            headers={name: [value] for name, value in answer.headers.items()},
            content=answer.body,
            request=prepared,
            elapsed=0.0,
            verify=False,
        )

    def close(self) -> None:
        """Close the store."""
        self._runner.run(self._store.__aexit__(None, None, None))
        self._runner.close()
        self._folder.cleanup()


@pytest.fixture(scope="module")
def house():
    """Return the API, one for all cases of this file."""
    made = House()
    yield made
    made.close()


DESCRIPTION = describe(list(all_operations()))
UPLOADS = {
    kind
    for methods in DESCRIPTION["paths"].values()
    for told in methods.values()
    for kind in told.get("requestBody", {}).get("content", {})
}


@schemathesis.serializer(*sorted(UPLOADS - {"application/json", "application/octet-stream", "text/plain"}))
def as_it_is(ctx: Any, value: Any) -> bytes:
    """Send a file as the octets that were made for it."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


schema = schemathesis.openapi.from_dict(DESCRIPTION)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_any_request_has_an_answer_as_described(case, house) -> None:
    """No 5xx; status, media type and body are what the description says."""
    response = house.send(case)
    case.validate_response(response, checks=CHECKS)
