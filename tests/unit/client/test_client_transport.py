"""The client's requests over a server in the same process: what is repeated, what is refused, files, events."""

import http.server
import json
import threading
from types import SimpleNamespace

import pytest

from posthouse_client import PosthouseError, Refused, Transport, Unreachable
from posthouse_client.transport import TRIES

PROBLEM = {"type": "/api/v1/docs#exists", "title": "T", "status": 409, "detail": "it is there", "remedy": "Do else.",
           "field": "name", "fields": [{"field": "name", "detail": "it is there"}]}  # fmt: skip
EVENTS = (
    b'retry: 2000\n\nid: 1\ndata: {"a": 1}\n\n: still here\n\nevent: dropped\ndata: 5\n\n'
    b'id: 7\ndata: {\ndata: "a": 2}\n\nevent: end\ndata: \n\nid: 8\ndata: {"a": 3}\n\n'
)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers from the script, and keeps what was asked."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size)
        self.server.asked.append(SimpleNamespace(method=self.command, path=self.path, headers=self.headers, body=body))
        script = self.server.script
        step = script.pop(0) if script else {}
        if step.get("cut"):
            self.close_connection = True
            return
        octets = step.get("body", b"{}")
        self.send_response(step.get("status", 200))
        for name, value in {"content-type": "application/json", **step.get("headers", {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(octets) + step.get("missing", 0)))
        self.end_headers()
        self.wfile.write(octets)
        self.close_connection = bool(step.get("missing"))

    do_GET = do_POST = do_DELETE = do_PATCH = answer

    def log_message(self, *arguments) -> None:
        """Say nothing."""


@pytest.fixture
def server():
    """Return a server that answers from ``script``."""
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.script, made.asked = [], []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def waits():
    """Return the seconds that were waited between tries."""
    return []


@pytest.fixture
def transport(server, waits):
    """Return a transport to that server."""
    made = Transport(f"http://127.0.0.1:{server.server_port}/below/", token="ph_x", sleep=waits.append)
    yield made
    made.close()


def test_a_request_says_who_and_what(server, transport) -> None:
    """The token, the fields of the query, the object of the body, a key for every write."""
    transport.request("GET", "/a", query={"x": "ä &", "many": ["1", "2"], "no": None, "yes": True})
    transport.request("POST", "/b", body={"name": "n"}, query={})
    get, post = server.asked
    assert get.path == "/below/api/v1/a?x=%C3%A4+%26&many=1&many=2&yes=true"
    assert (get.headers["authorization"], get.headers["idempotency-key"]) == ("Bearer ph_x", None)
    assert json.loads(post.body) == {"name": "n"}
    assert len(post.headers["idempotency-key"]) == 36


def test_a_password_is_sent_as_such(server) -> None:
    """HTTP Basic."""
    transport = Transport(f"http://127.0.0.1:{server.server_port}", login="a@b.test", password="ü")
    transport.request("GET", "/a")
    transport.close()
    assert server.asked[0].headers["authorization"] == "Basic YUBiLnRlc3Q6w7w="


def test_a_refusal_is_an_exception(server, transport) -> None:
    """With its kind, field and remedy."""
    server.script = [{"status": 409, "body": json.dumps(PROBLEM).encode()}]
    with pytest.raises(Refused) as refusal:
        transport.request("POST", "/a", body={})
    told = refusal.value
    assert (told.status, told.kind, told.field, told.remedy) == (409, "exists", "name", "Do else.")
    assert told.fields == {"name": "it is there"}
    assert str(told) == "it is there Do else."


def test_a_refusal_by_something_else_is_one_too(server, transport) -> None:
    """A proxy's page is no problem object."""
    server.script = [{"status": 404, "body": b"<html>"}]
    with pytest.raises(Refused) as refusal:
        transport.request("GET", "/a")
    assert (refusal.value.status, refusal.value.detail) == (404, "the server answered 404")


def test_a_busy_server_is_asked_again(server, transport, waits) -> None:
    """After the time it asks for, with the same key."""
    server.script = [{"status": 503, "headers": {"retry-after": "3"}}, {"status": 502}, {}]
    transport.request("POST", "/a", body={})
    assert waits == [3.0, 1.0]
    assert len({each.headers["idempotency-key"] for each in server.asked}) == 1


def test_a_connection_that_broke_is_opened_again(server, transport, waits) -> None:
    """The request is sent again; the answer is that of the second time."""
    server.script = [{}, {"cut": True}, {"body": b'{"a": 1}'}]
    transport.request("GET", "/a")
    assert transport.request("PATCH", "/a", body={}).json == {"a": 1}
    assert len(server.asked) == 3


def test_patience_has_an_end(server, transport, waits) -> None:
    """The last answer is the refusal, the last break the exception."""
    server.script = [{"status": 503}] * TRIES
    with pytest.raises(Refused):
        transport.request("GET", "/a")
    server.script = [{"cut": True}] * TRIES
    with pytest.raises(Unreachable):
        transport.request("GET", "/a")
    assert len(server.asked) == 2 * TRIES


def test_what_is_no_json(server, transport) -> None:
    """It is not a server of ours."""
    server.script = [{"body": b"<html>"}]
    with pytest.raises(Unreachable):
        _ = transport.request("GET", "/a").json


@pytest.mark.parametrize("url", ["", "mail.example.org", "ftp://x", "http://"])
def test_what_is_no_address(url) -> None:
    """It is said before anything is sent."""
    with pytest.raises(PosthouseError):
        Transport(url)


def test_nobody_there(waits) -> None:
    """Said as such, after the tries."""
    with pytest.raises(Unreachable):
        Transport("http://127.0.0.1:1", sleep=waits.append).request("GET", "/a")
    assert len(waits) == TRIES - 1


def test_a_file_is_fetched(server, transport) -> None:
    """By pieces; what ends before its time is an exception."""
    name = {"content-disposition": 'attachment; filename="a.csv"', "content-type": "text/csv"}
    server.script = [{"body": b"x" * 200_000, "headers": name}, {"body": b"x", "missing": 9}]
    with transport.download("/a") as file:
        assert (file.name, file.media_type, len(file.read())) == ("a.csv", "text/csv", 200_000)
    with pytest.raises(Unreachable), transport.download("/a") as file:
        file.read()


def test_a_file_is_sent_once(server, transport) -> None:
    """A break in its midst is told: it cannot be known what the server did."""
    transport.upload("POST", "/a", b"a,b\n", "text/csv", {"dry_run": True})
    assert (server.asked[0].body, server.asked[0].headers["content-type"]) == (b"a,b\n", "text/csv")
    server.script = [{"cut": True}]
    with pytest.raises(Unreachable):
        transport.upload("POST", "/a", b"a,b\n", "text/csv")
    assert len(server.asked) == 2


def test_events_are_read(server, transport) -> None:
    """Their data; not comments, and not what was dropped; until the server says that it is the end."""
    server.script = [{"body": EVENTS, "headers": {"content-type": "text/event-stream"}}]
    assert list(transport.events("/events")) == [{"a": 1}, {"a": 2}]


def test_a_stream_that_is_refused(server, transport) -> None:
    """As any request."""
    server.script = [{"status": 403, "body": json.dumps(PROBLEM).encode()}]
    with pytest.raises(Refused):
        next(transport.events("/events"))
