"""JSON into the client's dataclasses, and calls over a transport that is recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from posthouse_client import Client, JobFailed, Unreachable
from posthouse_client.api.job import Job
from posthouse_client.transport import Reply
from posthouse_client.values import decode


@dataclass(frozen=True)
class Inner:
    """A part."""

    text: str


@dataclass(frozen=True)
class Outer:
    """A whole."""

    name: str
    parts: list[Inner]
    by_name: dict[str, Inner]
    maybe: Inner | None = None
    more: Any = None


def test_objects_become_dataclasses() -> None:
    """However deep; what this version does not know is left out."""
    told = {
        "name": "n",
        "parts": [{"text": "a"}],
        "by_name": {"x": {"text": "b", "new": 1}},
        "maybe": {"text": "c"},
        "new": 2,
    }
    made = decode(Outer, told)
    assert made == Outer("n", [Inner("a")], {"x": Inner("b")}, Inner("c"))
    assert decode(Outer | None, None) is None
    assert decode(list[Inner], [{"text": "a"}]) == [Inner("a")]


def test_what_is_missing_is_said() -> None:
    """An answer of another kind is no answer of ours."""
    with pytest.raises(Unreachable):
        decode(Outer, {"name": "n"})


class Recorder:
    """Stands for the transport: answers from a list, keeps what was asked."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.asked = []

    def request(self, method, path, **more):
        self.asked.append((method, path, more))
        return Reply(200, {}, json.dumps(self.answers.pop(0)).encode())

    def close(self) -> None:
        """Do nothing."""


def client(*answers):
    """Return a client whose transport is recorded."""
    made = Client("http://localhost", token="t")
    made.transport = recorder = Recorder(*answers)
    for noun in vars(made).values():
        if hasattr(noun, "_caller"):
            noun._caller._transport = recorder
    return made, recorder


def page(names, following=""):
    """Return a page of tokens."""
    known = {
        "account": "",
        "scopes": [],
        "role": "",
        "created": 0.0,
        "expires": 0.0,
        "last_used": 0.0,
        "last_address": "",
    }
    return {"items": [{"id": name, "name": name, **known} for name in names], "next": following}


def test_pages_are_walked_as_they_are_needed() -> None:
    """The cursor of each leads to the next."""
    posthouse, recorder = client(page("ab", "c1"), page("c"))
    items = posthouse.token.list()
    assert next(items).name == "a"
    assert len(recorder.asked) == 1
    assert [each.name for each in items] == ["b", "c"]
    assert recorder.asked[1][2]["query"]["cursor"] == "c1"


def test_a_change_says_its_conditions() -> None:
    """A dry run, the revision, the key; fields that were not given are not sent."""
    posthouse, recorder = client({"id": "x"}, None)
    with pytest.raises(Unreachable):
        posthouse.token.add(name="n", days=3, dry_run=True, if_revision=7, idempotency_key="k")
    method, path, more = recorder.asked[0]
    assert (method, path, more["body"], more["query"]) == (
        "POST",
        "/tokens",
        {"name": "n", "days": 3},
        {"dry_run": True},
    )
    assert more["headers"] == {"If-Match": '"7"', "Idempotency-Key": "k"}
    posthouse.token.revoke(id="a/b", account="x@y.test")
    assert recorder.asked[1][:2] == ("DELETE", "/tokens/a%2Fb")
    assert recorder.asked[1][2]["query"] == {"account": "x@y.test"}


def job(state, result=None):
    """Return a job."""
    known = {"operation": "o", "done": 0, "total": 0, "text": "", "started_by": "", "office": "", "domain": ""}
    return {"id": "j", "state": state, "created": 0.0, "changed": 0.0, "result": result, **known}


def test_a_job_is_waited_for() -> None:
    """Its states are told; the pauses grow."""
    posthouse, _ = client(job("running"), job("running"), job("done", {"n": 1}))
    pauses, seen = [], []
    ended = posthouse.wait(Job(**job("waiting")), progress=lambda each: seen.append(each.state), sleep=pauses.append)
    assert (ended.result, seen) == ({"n": 1}, ["running", "running", "done"])
    assert pauses == sorted(pauses)


def test_a_job_that_failed_is_an_exception() -> None:
    """With what the server says of it."""
    posthouse, _ = client(job("failed", {"error": "no"}))
    with pytest.raises(JobFailed) as failure:
        posthouse.wait(Job(**job("waiting")), sleep=lambda _: None)
    assert (failure.value.state, str(failure.value)) == ("failed", "no")


def test_waiting_has_an_end() -> None:
    """TimeoutError."""
    posthouse, _ = client(job("running"))
    with pytest.raises(TimeoutError):
        posthouse.wait(Job(**job("waiting")), seconds=-1, sleep=lambda _: None)
