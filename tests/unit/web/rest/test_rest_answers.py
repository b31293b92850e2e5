"""Answers: problems of every kind, tags, what a client takes, files."""

import gzip

import pytest

from posthouse.config.faults import ConfigFault
from posthouse.core.errors import LimitFault, SyntaxFault, Unavailable
from posthouse.services.administration.faults import Kind, Refused
from posthouse.store.contract import AlreadyExists, Conflict, LimitReached, NotAllowed, Vanished
from posthouse.web.rest.problems import TITLES, problem_of

BASE = "/api/v1"

ERRORS = [
    (Refused("a", "b", field="c"), 422, "invalid"),
    (Refused("a", kind=Kind.MISSING), 404, "missing"),
    (Refused("a", kind=Kind.UNAVAILABLE), 503, "unavailable"),
    (AlreadyExists("a"), 409, "exists"),
    (Vanished("a"), 404, "missing"),
    (Conflict("a"), 412, "changed"),
    (NotAllowed("a"), 409, "not-now"),
    (LimitReached("domain_accounts", 5), 409, "limit"),
    (Unavailable("a"), 503, "unavailable"),
    (SyntaxFault("a", offset=1), 422, "invalid"),
    (LimitFault("a"), 422, "invalid"),
    (ConfigFault("a", remedy="b"), 422, "invalid"),
]


@pytest.mark.parametrize(("error", "status", "kind"), ERRORS, ids=[f"{type(e[0]).__name__} {e[2]}" for e in ERRORS])
def test_every_fault_of_the_house_is_a_problem(error, status, kind) -> None:
    """With its status, its kind, one line and a title."""
    told = problem_of(error).as_json()
    assert (told["status"], told["type"]) == (status, f"{BASE}/docs#{kind}")
    assert told["detail"]
    assert told["title"] == TITLES[kind]


def test_an_error_of_ours_is_no_problem_of_the_caller() -> None:
    """It is told as a 500 by whoever catches it."""
    assert problem_of(ValueError("secret")) is None


def test_every_kind_of_refusal_has_a_title() -> None:
    """A kind that is added needs one."""
    assert {kind.word for kind in Kind} <= set(TITLES)


async def test_long_lists_are_compressed_where_the_client_takes_it(root) -> None:
    """The same content; short answers are sent as they are."""
    for number in range(40):
        await root.send("POST", f"{BASE}/aliases", {"address": f"a{number}@acme.test", "targets": ["x@far.example"]})
    plain = await root.send("GET", f"{BASE}/aliases")
    packed = await root.send("GET", f"{BASE}/aliases", accept_encoding="br, gzip;q=0.5")
    refused = await root.send("GET", f"{BASE}/aliases", accept_encoding="gzip;q=0")
    assert gzip.decompress(packed.body) == plain.body == refused.body
    assert (packed.headers["content-encoding"], "content-encoding" in refused.headers) == ("gzip", False)
    assert "Accept-Encoding" in plain.headers["vary"]


@pytest.mark.parametrize("tag", ['"x"', "5", 'W/"5"', '"0"', '"1", "2"', '"' + "9" * 40 + '"'])
async def test_a_tag_that_is_none_of_ours_matches_nothing(root, tag) -> None:
    """412, and nothing is changed."""
    answer = await root.send("PATCH", f"{BASE}/accounts/anna@acme.test", {"name": "X"}, if_match=tag)
    assert answer.status == 412
    assert (await root.send("GET", f"{BASE}/accounts/anna@acme.test")).json["name"] == "anna"


async def test_any_version_is_named_by_a_star(root) -> None:
    """If-Match: * asks for no version in particular."""
    assert (await root.send("PATCH", f"{BASE}/accounts/anna@acme.test", {"name": "X"}, if_match="*")).status == 200
