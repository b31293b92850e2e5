"""Every operation by every role about every kind of target, against the table of who may (``tests/data/role_matrix.csv``).

The requests are made from the API's own description: an operation without a row fails, and so does a row without an
operation. In the table a letter stands for each target: the caller's own, another tenant's, one that does not exist;
``y`` he may (whatever it comes to then), ``n`` he is refused.
"""

from __future__ import annotations

import asyncio
import csv
import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from posthouse.services.administration.catalogue import all_operations
from posthouse.services.administration.operations import token
from posthouse.web.rest.application import make_application
from posthouse.web.rest.description import describe
from tests.support.asgi import Answer, AsgiClient
from tests.support.desks import do, make_desk, make_parts, people, token_of
from tests.support.samples import ADDRESSES, DOMAINS, OFFICES, TARGETS, operations, sample
from tests.support.stores import StillClock, make_store

TABLE = Path(__file__).parents[3] / "data" / "role_matrix.csv"
ROLES = {"server": "root@own.test", "office": "boss@acme.test", "domain": "admin@acme.test", "account": "ben@acme.test"}
DESCRIPTION = describe(list(all_operations()))
OPERATIONS = {told["operationId"]: (method, path, told) for method, path, told in operations(DESCRIPTION)}
ROWS = {row["operation"]: row for row in csv.DictReader(TABLE.read_text().splitlines())}
OURS = sorted({*ADDRESSES.values(), *DOMAINS.values(), *OFFICES.values()}, key=len, reverse=True)


class Quiet:
    """A live server without events and sessions."""

    async def ask(self, question: str, **fields: Any) -> list[Any]:
        """Return nothing."""
        return []

    async def _nothing(self) -> Any:
        return
        yield

    def follow(self) -> Any:
        """Yield nothing."""
        return self._nothing()


@functools.cache
def answers() -> dict[tuple[str, str, str], Any]:
    """Return the answer by operation, role and target; the work of the whole matrix, once."""
    return asyncio.run(_ask_all())


async def _ask_all() -> dict[tuple[str, str, str], Any]:
    found = {}
    clock = StillClock()
    with tempfile.TemporaryDirectory() as folder:
        async with make_store(Path(folder) / "home", clock=clock) as store:
            await people(store)
            desk = make_desk(store, clock, Path(folder), live=Quiet())
            parts = make_parts(desk)
            api = AsgiClient(make_application(parts))
            callers = {role: api.as_caller(await token_of(desk, address)) for role, address in ROLES.items()}
            for name, (method, path, told) in OPERATIONS.items():
                for target in TARGETS:
                    where, more = sample(method, path, told, target)
                    for role, client in callers.items():
                        answer = await client.send(method, where, **more)
                        found[name, role, target] = (
                            answer if answer.status != 202 else await _ended(parts, client, answer)
                        )
                where, more = sample(method, path, told, "own")
                found[name, "anonymous", "own"] = await api.send(method, where, **more)
                scopes = [
                    "nothing:read",
                    f"{told['tags'][0]}:read" if told["x-posthouse-effect"] != "read" else "x:read",
                ]
                made = await do(desk, token.add, account=ROLES["server"], name="narrow", scopes=scopes)
                narrow = api.as_caller(f"Bearer {made.token}")
                found[name, "narrow", "own"] = await narrow.send(method, where, **more)
    return found


async def _ended(parts: Any, client: AsgiClient, started: Answer) -> Answer:
    """Let a job run; return it as if it had been answered at once."""
    await parts.jobs.claim()
    await parts.jobs.idle()
    job = (await client.send("GET", started.headers["location"])).json
    assert job["state"] in {"done", "failed"}, job
    assert "an error of ours" not in str(job["result"]), job
    if job["state"] == "failed" and job["result"].get("kind") == "forbidden":
        problem = {"detail": job["result"]["error"]}
        return Answer(403, {"content-type": "application/problem+json"}, json.dumps(problem).encode())
    return started


def letters(name: str, role: str) -> str:
    """Return the row's cell as it is now."""
    return "".join("n" if answers()[name, role, target].status in {401, 403} else "y" for target in TARGETS)


def test_every_operation_has_a_row() -> None:
    """A new operation needs a decision about who may; a row of an operation that is gone says nothing."""
    assert set(ROWS) == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_role_and_the_reach_decide(name) -> None:
    """Each role may exactly what the table says."""
    row = ROWS[name]
    assert {role: letters(name, role) for role in ROLES} == {role: row[role] for role in ROLES}


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_calls_without_a_credential_or_scope(name) -> None:
    """Anonymous calls are 401; a token of the server's administrator without the scope is 403."""
    assert answers()[name, "anonymous", "own"].status == 401
    refused = answers()[name, "narrow", "own"]
    assert refused.status == 403
    assert "token may not" in refused.json["detail"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_refusal_does_not_tell_what_exists(name) -> None:
    """Outside one's reach the answer is the same whether or not the thing is there."""
    for role in ROLES:
        other, missing = (answers()[name, role, target] for target in ("other", "missing"))
        if other.status == 403 and missing.status == 403:
            assert nameless(other.body) == nameless(missing.body), role
        assert (other.status == 403) == (missing.status == 403), role


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_call_of_the_matrix_meets_an_error_of_ours(name) -> None:
    """No answer is 5xx but that a part of a running server is missing; every problem says what and is of its type."""
    for (operation, role, target), answer in answers().items():
        if operation == name:
            assert answer.status < 500 or answer.status == 503, (role, target, answer.body)
            if answer.status >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json["detail"]


def nameless(body: bytes) -> bytes:
    """Return an answer without the names of targets, so that two can be compared."""
    for text in OURS:
        body = body.replace(text.encode(), b"*")
    return body


if __name__ == "__main__":
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["operation", *ROLES])
        for each in sorted(OPERATIONS):
            writer.writerow([each, *(letters(each, role) for role in ROLES)])
