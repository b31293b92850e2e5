"""A request from its path to its answer: routes, methods, roles, changes, jobs, and what must not be possible."""

import asyncio

import pytest
from pydantic import Field

from posthouse.config.definitions.rest import ALLOWED_ORIGINS
from posthouse.core.errors import Unavailable
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.jobs import result_of
from posthouse.services.administration.operation import (
    Download,
    Effect,
    Input,
    Nothing,
    Output,
    Rule,
    on_own,
    operation,
)
from posthouse.web.rest.application import make_application
from tests.support.asgi import AsgiClient
from tests.support.desks import make_api, make_parts, token_of

BASE = "/api/v1"


class Given(Input):
    """What the operations of these tests take."""

    name: str = Field("", description="Any text.")


class Told(Output):
    """What they give."""

    name: str = Field(description="Any text.")


@operation("thing", "break", rule=Rule(Role.ACCOUNT, on_own()), http="GET /break")
async def break_down(call: Call, given: Given) -> Told:
    """Meet an error."""
    raise ZeroDivisionError(given.name)


@operation("thing", "wait", rule=Rule(Role.ACCOUNT, on_own()), http="GET /wait")
async def wait(call: Call, given: Given) -> Told:
    """Meet a store that cannot answer."""
    raise Unavailable("the disk is full")


@operation("thing", "import", rule=Rule(Role.ACCOUNT, on_own()), http="POST /import", effect=Effect.CHANGE,
           upload="text/csv", is_long=True)  # fmt: skip
async def take(call: Call, given: Given) -> Told:
    """Take a file."""
    call.progress(1, 2, "half of it")
    size = sum([len(chunk) async for chunk in call.upload])
    return Told(name=f"{size} octets, {given.name}, dry run {call.dry_run}")


@operation("thing", "export", rule=Rule(Role.ACCOUNT, on_own()), http="GET /export", is_long=True)
async def give(call: Call, given: Given) -> Download:
    """Give a file."""

    async def chunks():
        yield b"one\n"
        yield b"two\n"

    return Download("text/plain", "a b.txt", chunks())


@operation("thing", "touch", rule=Rule(Role.ACCOUNT, on_own()), http="PUT /things/{name}", effect=Effect.CHANGE)
async def touch(call: Call, given: Given) -> Nothing:
    """Do nothing."""
    return Nothing()


THINGS = (break_down, wait, take, give, touch)


def field(answer, name):
    """Return a field of the answer's head."""
    return answer.headers.get(name, "")


async def test_a_thing_is_made_shown_changed_and_removed(root) -> None:
    """201 with its place, 200 with a tag, 200 for the right tag, 412 for an old one, 204, 404."""
    made = await root.send("POST", f"{BASE}/accounts", {"address": "new@acme.test", "name": "New"})
    assert (made.status, field(made, "location")) == (201, f"{BASE}/accounts/new@acme.test")
    shown = await root.send("GET", field(made, "location"))
    tag = field(shown, "etag")
    assert shown.json["name"] == "New"
    changed = await root.send("PATCH", field(made, "location"), {"name": "Newer"}, if_match=tag)
    assert changed.status == 200
    late = await root.send("PATCH", field(made, "location"), {"name": "Late"}, if_match=tag)
    assert (late.status, late.json["type"]) == (412, f"{BASE}/docs#changed")
    gone = await root.send("DELETE", f"{BASE}/aliases/nobody@acme.test")
    assert gone.status == 404


async def test_an_answer_that_is_known_is_not_sent_again(root) -> None:
    """If-None-Match with the tag: 304 without a body; with another: 200."""
    shown = await root.send("GET", f"{BASE}/accounts/anna@acme.test")
    again = await root.send("GET", f"{BASE}/accounts/anna@acme.test", if_none_match=field(shown, "etag"))
    assert (again.status, again.body) == (304, b"")
    assert (await root.send("GET", f"{BASE}/accounts/anna@acme.test", if_none_match='"1-0"')).status == 200


async def test_lists_are_walked_by_link(root) -> None:
    """Each page names the next in Link; the last one does not, and all items come once."""
    path, found = f"{BASE}/accounts?limit=3&domain=acme.test", []
    while path:
        page = await root.send("GET", path)
        found += [item["address"] for item in page.json["items"]]
        link = field(page, "link")
        assert bool(link) == bool(page.json["next"])
        path = link.partition(">")[0].removeprefix("<")
    assert found == ["admin@acme.test", "anna@acme.test", "ben@acme.test", "boss@acme.test"]


async def test_a_dry_run_changes_nothing(root) -> None:
    """The answer is that of the change; afterwards there is nothing."""
    tried = await root.send("POST", f"{BASE}/domains?dry_run=true", {"name": "new.test"})
    assert (tried.status, field(tried, "location")) == (200, "")
    assert (await root.send("GET", f"{BASE}/domains/new.test")).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nothing", 404, ""),
        ("GET", "/accounts/", 404, ""),
        ("GET", "/accounts/a/b/c", 404, ""),
        ("PUT", "/accounts", 405, "GET, HEAD, OPTIONS, POST"),
        ("TRACE", "/accounts", 405, "GET, HEAD, OPTIONS, POST"),
        ("OPTIONS", "/accounts", 204, "GET, HEAD, OPTIONS, POST"),
        ("POST", "/find", 405, "GET, HEAD, OPTIONS"),
    ],
)
async def test_paths_and_methods(root, method, path, status, allow) -> None:
    """404 for no path, 405 with Allow for another method, OPTIONS tells."""
    answer = await root.send(method, BASE + path)
    assert (answer.status, field(answer, "allow")) == (status, allow)


async def test_head_is_get(root) -> None:
    """The same status and length, whoever drops the body."""
    got, head = [await root.send(method, f"{BASE}/accounts/anna@acme.test") for method in ("GET", "HEAD")]
    assert (head.status, field(head, "etag")) == (200, field(got, "etag"))


async def test_an_address_may_hold_a_slash(root) -> None:
    """What is percent-encoded in the path is part of the name, as RFC 5321 §4.1.2 allows in a local part."""
    made = await root.send("POST", f"{BASE}/aliases", {"address": "a/b@acme.test", "targets": ["anna@acme.test"]})
    assert field(made, "location") == f"{BASE}/aliases/a%2Fb@acme.test"
    assert (await root.send("GET", field(made, "location"))).json["address"] == "a/b@acme.test"


async def test_an_error_of_ours_is_logged_and_not_told(desk) -> None:
    """500 with a mark; the event has the mark and the trace, the answer neither type nor text of the error."""
    told = []

    class Recorder:
        threshold = 0

        def write(self, level, name, fields):
            told.append((name, fields))

    from posthouse.telemetry.log import Telemetry

    api = make_api(desk, THINGS, telemetry=Telemetry(Recorder()))
    client = api.as_caller(await token_of(desk, "root@own.test"))
    answer = await client.send("GET", f"{BASE}/break?name=secret-word")
    name, fields = told[-1]
    assert (answer.status, name, fields["id"]) == (500, "rest.failed", answer.json["id"])
    assert "ZeroDivisionError" in fields["trace"]
    assert b"secret-word" not in answer.body
    assert b"ZeroDivision" not in answer.body


async def test_a_store_that_cannot_answer_is_told_with_a_time(desk) -> None:
    """503 with Retry-After and a remedy."""
    client = make_api(desk, THINGS).as_caller(await token_of(desk, "root@own.test"))
    answer = await client.send("GET", f"{BASE}/wait")
    assert (answer.status, field(answer, "retry-after"), answer.json["detail"]) == (503, "5", "the disk is full")


async def test_nothing_to_say_is_204(desk) -> None:
    """No body, no type."""
    client = make_api(desk, THINGS).as_caller(await token_of(desk, "root@own.test"))
    answer = await client.send("PUT", f"{BASE}/things/one", {})
    assert (answer.status, answer.body) == (204, b"")


async def test_every_answer_keeps_browsers_from_mischief(api) -> None:
    """No sniffing, no framing, no caching by others; no page of another origin is let in."""
    answer = await api.send("GET", f"{BASE}/accounts", origin="https://evil.example")
    assert field(answer, "x-content-type-options") == "nosniff"
    assert "frame-ancestors 'none'" in field(answer, "content-security-policy")
    assert field(answer, "cache-control") == "private, no-cache"
    assert "access-control-allow-origin" not in answer.headers


async def test_pages_of_other_origins_change_nothing(root) -> None:
    """A write with a foreign Origin is refused, even with a credential that a browser added by itself."""
    foreign = await root.send("POST", f"{BASE}/domains", {"name": "new.test"}, origin="https://evil.example")
    own = await root.send("POST", f"{BASE}/domains", {"name": "new.test"}, origin="https://mx.test", host="mx.test")
    assert (foreign.status, own.status) == (403, 201)


async def test_origins_that_a_setting_names_are_let_in(desk, root) -> None:
    """Preflight and answer name the origin; what an answer shows to scripts is listed."""
    desk.settings.load([Row(ALLOWED_ORIGINS.name, "https://panel.test")], {})
    preflight = await root.send(
        "OPTIONS", f"{BASE}/domains", origin="https://panel.test", access_control_request_method="POST"
    )
    answer = await root.send("POST", f"{BASE}/domains", {"name": "new.test"}, origin="https://panel.test")
    assert (preflight.status, answer.status) == (204, 201)
    assert field(preflight, "access-control-allow-origin") == "https://panel.test"
    assert "ETag" in field(answer, "access-control-expose-headers")


class Row:
    """A setting that was set for the server."""

    def __init__(self, name, value) -> None:
        self.name, self.value, self.scope = name, value, "server"


async def things_with_jobs(desk):
    """Return a client over the operations of this file and those about jobs, and what runs its jobs."""
    from posthouse.services.administration import catalogue
    from posthouse.services.administration.operations.job import OPERATIONS

    parts = make_parts(desk)
    application = make_application(parts, [*THINGS, *OPERATIONS])
    return AsgiClient(application, await token_of(desk, "ben@acme.test")), parts.jobs, catalogue


async def test_long_work_becomes_a_job(desk, monkeypatch) -> None:
    """202 with a place; the upload lies on disk until the job has run; the job then tells what it came to."""
    client, jobs, catalogue = await things_with_jobs(desk)
    monkeypatch.setattr(catalogue, "operation", {each.name: each for each in THINGS}.__getitem__)
    started = await client.send(
        "POST", f"{BASE}/import?name=list", body=b"a,b\n" * 9, content_type="text/csv", prefer="respond-async"
    )
    assert (started.status, field(started, "preference-applied")) == (202, "respond-async")
    assert started.json["state"] == "waiting"
    await jobs.claim()
    await jobs.idle()
    ended = await client.send("GET", field(started, "location"))
    assert ended.json["state"] == "done"
    assert ended.json["result"] == {"name": "36 octets, list, dry run False"}
    assert (ended.json["done"], ended.json["total"]) == (1, 2)
    assert not (desk.home / "jobs" / ended.json["id"] / "upload").exists()


async def test_a_file_that_a_job_makes_is_fetched(desk, monkeypatch) -> None:
    """The job's result names the file; it is not there before the job has ended."""
    client, jobs, catalogue = await things_with_jobs(desk)
    monkeypatch.setattr(catalogue, "operation", {each.name: each for each in THINGS}.__getitem__)
    started = await client.send("GET", f"{BASE}/export")
    place = field(started, "location")
    assert (await client.send("GET", f"{place}/result")).status == 409
    await jobs.claim()
    await jobs.idle()
    fetched = await client.send("GET", f"{place}/result")
    assert fetched.body == b"one\ntwo\n"
    assert field(fetched, "content-disposition") == 'attachment; filename="a_b.txt"'
    result_of(desk.home, started.json["id"]).unlink()
    assert (await client.send("GET", f"{place}/result")).status == 404


async def test_an_upload_of_another_type_is_refused(desk) -> None:
    """415 names what is taken, and no job is made."""
    client, _, _ = await things_with_jobs(desk)
    answer = await client.send("POST", f"{BASE}/import", body=b"x", content_type="image/png")
    assert answer.status == 415
    assert (await client.send("GET", f"{BASE}/jobs")).json["items"] == []


async def test_two_writers_of_one_thing_do_not_overwrite_each_other(root) -> None:
    """Of many changes with the same tag exactly one is carried out."""
    tag = field(await root.send("GET", f"{BASE}/accounts/anna@acme.test"), "etag")
    changes = [
        root.send("PATCH", f"{BASE}/accounts/anna@acme.test", {"name": f"Anna {number}"}, if_match=tag)
        for number in range(8)
    ]
    statuses = sorted([answer.status for answer in await asyncio.gather(*changes)])
    assert statuses == [200] + [412] * 7
