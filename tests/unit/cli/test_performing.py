"""Operations carried out here and elsewhere: the same orders, the same answers."""

from __future__ import annotations

import io
import os
import ssl
from typing import Any

import pytest

from posthouse.cli import there
from posthouse.cli.here import Here
from posthouse.cli.performing import Order, performer_for
from posthouse.cli.target import There as Target
from posthouse.config.home import Home
from posthouse.services.administration.catalogue import operation
from posthouse.services.administration.faults import Kind, Refused
from posthouse_client import errors
from posthouse_client.transport import Reply

TARGET = Target(url="http://127.0.0.1:1", token="ph_secret")


class FakeTransport:
    """Answers with what was prepared, and remembers what it was asked."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[Any, ...]] = []

    def _next(self) -> Any:
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def request(self, method, path, *, query=None, body=None, headers=None) -> Reply:
        self.asked.append((method, path, dict(query or {}), body, dict(headers or {})))
        return self._next()

    def upload(self, method, path, file, media_type, query=None) -> Reply:
        self.asked.append((method, path, dict(query or {}), file.read(), media_type))
        return self._next()

    def events(self, path, query=None):
        self.asked.append(("GET", path, dict(query or {})))
        yield from self._next()

    def close(self) -> None:
        self.asked.append(("close",))


def reply(body: bytes = b"{}", status: int = 200) -> Reply:
    """Return an answer."""
    return Reply(status, {}, body)


def elsewhere(monkeypatch, *replies: Any) -> tuple[there.There, FakeTransport]:
    """Return a performer whose transport gives these answers."""
    transport = FakeTransport(*replies)
    monkeypatch.setattr(there, "Transport", lambda *_, **__: transport)
    return there.There(TARGET, sleep=lambda _: None), transport


def order(name: str, /, **given: Any) -> Order:
    """Return an order; names that begin with an underscore are of the order itself."""
    known = {key[1:]: given.pop(key) for key in list(given) if key.startswith("_")}
    one = operation(name)
    return Order(operation=one, given=one.input.model_validate(given), **known)


REQUESTS = [
    pytest.param(
        order("account.show", address="a/b@x.test"), ("GET", "/accounts/a%2Fb@x.test", {}, None, {}), id="path"
    ),
    pytest.param(
        order("account.set", address="a@x.test", name="", _dry_run=True, _if_revision=7),
        ("PATCH", "/accounts/a@x.test", {"dry_run": True}, {"name": ""}, {"If-Match": '"7"'}),
        id="what is given alone",
    ),
    pytest.param(
        order("account.add", address="a@x.test", password="phrase", quota="2G", level="domain"),
        (
            "POST",
            "/accounts",
            {},
            {"address": "a@x.test", "password": "phrase", "quota": 2 << 30, "level": "domain"},
            {},
        ),
        id="body with secret, size and choice",
    ),
    pytest.param(
        order("account.remove", address="a@x.test", now=True, _dry_run=True),
        ("DELETE", "/accounts/a@x.test", {"now": True, "dry_run": True}, None, {}),
        id="query of what removes",
    ),
    pytest.param(
        order("check.run", only=["dns.*", "ports.*"], domain="x.test"),
        ("GET", "/checks", {"only": ["dns.*", "ports.*"], "domain": "x.test"}, None, {}),
        id="list in a query",
    ),
]


@pytest.mark.parametrize(("given", "asked"), REQUESTS)
def test_an_order_becomes_a_request(monkeypatch, given, asked) -> None:
    """Path, query, body and conditions as the API wants them."""
    performer, transport = elsewhere(monkeypatch, reply(b'{"a":1}'))
    with performer:
        assert performer.answer(given) == {"a": 1}
    assert transport.asked == [asked, ("close",)]


def test_pages_are_fetched_when_they_are_needed(monkeypatch) -> None:
    """One after the other, by cursor."""
    pages = [reply(b'{"items":[{"n":1},{"n":2}],"next":"c"}'), reply(b'{"items":[{"n":3}],"next":""}')]
    performer, transport = elsewhere(monkeypatch, *pages)
    items = performer.items(order("domain.list", limit=2))
    assert next(items) == {"n": 1}
    assert len(transport.asked) == 1
    assert [each["n"] for each in items] == [2, 3]
    assert transport.asked[1][2] == {"limit": 2, "cursor": "c"}


JOB = b'{"id":"j1","state":"%b","done":%d,"total":9,"text":"rows","result":%b}'


def test_long_work_is_waited_for(monkeypatch) -> None:
    """The job is asked until it has ended; its result is the answer."""
    told: list[tuple[int, int, str]] = []
    jobs = [
        reply(JOB % (b"waiting", 0, b"null"), 202),
        reply(JOB % (b"running", 4, b"null")),
        reply(JOB % (b"done", 9, b'{"records":9}')),
    ]
    performer, transport = elsewhere(monkeypatch, *jobs)
    given = order("import.csv", _upload=io.BytesIO(b"a,b"), _progress=lambda *each: told.append(each))
    assert performer.answer(given) == {"records": 9}
    assert transport.asked[0] == ("POST", "/import/csv", {}, b"a,b", "text/csv")
    assert [each[1] for each in transport.asked[1:]] == ["/jobs/j1", "/jobs/j1"]
    assert told == [(4, 9, "rows"), (9, 9, "rows")]


def test_a_job_that_failed_is_refused_with_its_reason(monkeypatch) -> None:
    """As if it had been done here."""
    failed = JOB % (b"failed", 1, b'{"error":"line 3 is odd","remedy":"Mend it."}')
    performer, _ = elsewhere(monkeypatch, reply(failed, 202))
    with pytest.raises(Refused, match="line 3 is odd") as refused:
        performer.answer(order("import.csv", _upload=io.BytesIO(b"")))
    assert refused.value.remedy == "Mend it."


def test_an_interrupted_wait_says_how_to_see_the_job(monkeypatch, capsys) -> None:
    """The job goes on by itself."""
    performer, _ = elsewhere(monkeypatch, reply(JOB % (b"waiting", 0, b"null"), 202), KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        performer.answer(order("verify"))
    assert "posthouse job show j1" in capsys.readouterr().err


def problem(status: int, kind: str, **more: str) -> errors.Refused:
    """Return a problem of the API."""
    return errors.Refused(status, {"type": f"/api/v1/docs#{kind}", "detail": "no", **more})


REFUSALS = [
    pytest.param(problem(404, "missing", remedy="Look."), Kind.MISSING, os.EX_DATAERR, "Look.", id="missing"),
    pytest.param(problem(412, "changed"), Kind.CHANGED, os.EX_TEMPFAIL, "", id="changed"),
    pytest.param(problem(403, "forbidden"), Kind.FORBIDDEN, os.EX_NOPERM, "", id="forbidden"),
    pytest.param(problem(401, "unknown-caller"), Kind.UNKNOWN_CALLER, os.EX_NOPERM, None, id="token"),
    pytest.param(problem(415, "media-type"), Kind.INVALID, os.EX_DATAERR, "", id="of HTTP"),
    pytest.param(problem(500, "broken"), Kind.UNAVAILABLE, os.EX_SOFTWARE, "", id="its own"),
    pytest.param(problem(503, "unavailable"), Kind.UNAVAILABLE, os.EX_TEMPFAIL, "", id="busy"),
]


@pytest.mark.parametrize(("fault", "kind", "code", "remedy"), REFUSALS)
def test_problems_are_refusals_with_their_exit_codes(monkeypatch, fault, kind, code, remedy) -> None:
    """The same as on the machine itself."""
    performer, _ = elsewhere(monkeypatch, fault)
    with pytest.raises(Refused) as refused:
        performer.answer(order("account.show", address="a@x.test"))
    assert (refused.value.kind, refused.value.exit_code) == (kind, code)
    assert refused.value.remedy == remedy or (remedy is None and "token add" in refused.value.remedy)


def test_a_server_that_does_not_answer(monkeypatch) -> None:
    """One line and what to look at; for a certificate, how it is trusted."""
    silent = errors.Unreachable("mail.example.org does not answer")
    untrusted = errors.Unreachable("mail.example.org does not answer")
    untrusted.__cause__ = ssl.SSLCertVerificationError()
    performer, _ = elsewhere(monkeypatch, silent, untrusted)
    for remedy in ("listener of the protocol http", "--ca FILE"):
        with pytest.raises(Refused, match="does not answer") as refused:
            performer.answer(order("status"))
        assert (refused.value.exit_code, remedy in refused.value.remedy) == (os.EX_UNAVAILABLE, True)


def test_events_go_on_until_the_server_ends(monkeypatch) -> None:
    """One after the other."""
    performer, _ = elsewhere(monkeypatch, [{"n": 1}, {"n": 2}])
    assert list(performer.events(order("event.follow"))) == [{"n": 1}, {"n": 2}]


def test_an_authority_that_cannot_be_read(tmp_path) -> None:
    """The file is named."""
    (tmp_path / "ca").write_text("odd")
    for path in (tmp_path / "ca", tmp_path / "none"):
        with pytest.raises(Refused, match=str(path)):
            performer_for(Target(url="https://mail.example.org", token="t", ca=str(path)))


def test_here_is_the_home_of_this_machine(home) -> None:
    """Answers, pages and files are those of the operations."""
    with performer_for(Home(home)) as performer:
        assert isinstance(performer, Here)
        assert performer.answer(order("account.show", address="ann@example.test"))["level"] == "server"
        assert [row["name"] for row in performer.items(order("domain.list", limit=1))] == ["example.test"]
        made = performer.file(order("export.accounts"))
        assert (made.media_type, b"ann@example.test" in b"".join(made.chunks)) == ("text/csv", True)
        with pytest.raises(Refused, match="there is no account"):
            performer.answer(order("account.show", address="none@example.test"))
