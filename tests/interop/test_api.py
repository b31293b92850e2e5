"""The API of a running server, driven by the Python client and by curl: over TLS, with jobs, events and sessions."""

from __future__ import annotations

import imaplib
import json
import shutil
import smtplib
import ssl
import subprocess
import threading
import time

import pytest

from posthouse_client import Client, Refused, Unreachable
from tests.support.server import DOMAIN, PASSWORD, PosthouseServer, until

pytestmark = [pytest.mark.interop, pytest.mark.slow]
ADMIN = f"admin@{DOMAIN}"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return a server with two workers."""
    with PosthouseServer(tmp_path_factory.mktemp("api") / "home") as made:
        yield made


@pytest.fixture(scope="module")
def context(server):
    """Return what verifies the server's certificate."""
    return ssl.create_default_context(cafile=str(server.home / "tls" / "certificate.pem"))


@pytest.fixture
def posthouse(server, context):
    """Return a client with a token of the administrator, over TLS."""
    url = f"https://localhost:{server.offset + 443}"
    with Client(url, login=ADMIN, password=PASSWORD, context=context) as by_password:
        token = by_password.token.add(name="test").token
    with Client(url, token=token, context=context, timeout=15) as made:
        yield made


def test_a_certificate_that_nobody_vouches_for_is_refused(server) -> None:
    """The client sends nothing to who cannot show who he is."""
    with Client(f"https://localhost:{server.offset + 443}", token="t") as client, pytest.raises(Unreachable):
        client.account.show(address=ADMIN)


def test_a_company_is_set_up(posthouse) -> None:
    """A domain, people, an alias; listed, changed with a revision, removed; mail reaches them."""
    posthouse.domain.add(name="company.test")
    for name in ("dora", "emil", "fred"):
        posthouse.account.add(address=f"{name}@company.test", password="a long enough one", name=name.title())
    posthouse.alias.add(address="all@company.test", targets=["dora@company.test", "emil@company.test"])
    assert [each.address for each in posthouse.account.list(domain="company.test")] == [
        "dora@company.test", "emil@company.test", "fred@company.test"
    ]  # fmt: skip
    shown = posthouse.account.show(address="dora@company.test")
    posthouse.account.set(address="dora@company.test", note="first", if_revision=shown.revision)
    with pytest.raises(Refused) as refusal:
        posthouse.account.set(address="dora@company.test", note="second", if_revision=shown.revision)
    assert refusal.value.kind == "changed"


def test_what_is_made_by_api_is_there_for_mail_within_a_second(server, posthouse) -> None:
    """An account takes mail and signs in."""
    posthouse.account.add(address=f"gina@{DOMAIN}", password="a long enough one")

    def is_taken() -> bool:
        with smtplib.SMTP("127.0.0.1", server.offset + 25, timeout=10) as smtp:
            smtp.ehlo("client.example")
            smtp.mail("x@far.example")
            return smtp.rcpt(f"gina@{DOMAIN}")[0] == 250

    until(is_taken, "mail for gina to be taken", 1.5)
    imap = imaplib.IMAP4_SSL("127.0.0.1", server.offset + 993, ssl_context=ssl._create_unverified_context())
    imap.login(f"gina@{DOMAIN}", "a long enough one")
    imap.logout()


def test_a_revoked_token_is_refused_by_every_worker(server, posthouse, context) -> None:
    """Within a second, over fresh connections that any worker may take."""
    made = posthouse.token.add(name="short")
    url = f"https://localhost:{server.offset + 443}"

    def statuses() -> set[int]:
        found = set()
        for _ in range(6):
            with Client(url, token=made.token, context=context) as client:
                try:
                    client.account.show(address=ADMIN)
                    found.add(200)
                except Refused as refusal:
                    found.add(refusal.status)
        return found

    assert statuses() == {200}
    posthouse.token.revoke(id=made.id)
    until(lambda: statuses() == {401}, "the token to be refused everywhere", 1.5)


def test_an_import_is_a_job(posthouse) -> None:
    """The file is sent, the job waited for; the accounts are there."""
    posthouse.domain.add(name="imported.test")
    lines = [
        "address,name,password",
        *(f"user{number}@imported.test,U{number},long enough {number}" for number in range(30)),
    ]
    job = posthouse.import_.csv(file="\n".join(lines).encode() + b"\n")
    seen = []
    ended = posthouse.wait(job, seconds=60, progress=lambda each: seen.append(each.state))
    assert (ended.state, seen[-1]) == ("done", "done")
    assert len(list(posthouse.account.list(domain="imported.test"))) == 30


def test_sessions_of_all_workers_are_seen_and_ended(server, posthouse) -> None:
    """Connections land on any worker; all are listed; an account's are cut off."""
    context = ssl._create_unverified_context()
    links = [imaplib.IMAP4_SSL("127.0.0.1", server.offset + 993, ssl_context=context) for _ in range(6)]
    for link in links:
        link.login(f"anna@{DOMAIN}", PASSWORD)
    found = list(posthouse.session.list(account=f"anna@{DOMAIN}"))
    assert (len(found), {each.protocol for each in found}, {each.tls for each in found}) == (6, {"imap"}, {True})
    assert len(posthouse.session.disconnect(account=f"anna@{DOMAIN}").sessions) == 6
    assert list(posthouse.session.list(account=f"anna@{DOMAIN}")) == []
    for link in links:
        with pytest.raises((imaplib.IMAP4.abort, OSError)):
            link.noop()
        link.shutdown()


def test_events_are_followed(server, posthouse) -> None:
    """What happens at any worker arrives while it happens."""
    events = posthouse.event.follow(kind="queue", event="message.refused")
    found = []
    reading = threading.Thread(target=lambda: found.append(next(events)))
    reading.start()

    def refused() -> bool:
        with smtplib.SMTP("127.0.0.1", server.offset + 25, timeout=10) as smtp:
            smtp.ehlo("client.example")
            smtp.mail("x@far.example")
            smtp.rcpt(f"nobody-there@{DOMAIN}")
        return not reading.is_alive()

    until(refused, "an event", 10)
    reading.join()
    events.close()
    assert found[0].fields["to"] == f"nobody-there@{DOMAIN}"


def test_the_audit_log_tells_who_did_it(posthouse) -> None:
    """And is whole."""
    posthouse.domain.add(name="audited.test")
    entry = next(posthouse.audit.list(subject="domain:audited.test"))
    assert (entry.actor, entry.door, entry.operation, entry.address) == (ADMIN, "rest", "domain.add", "127.0.0.1")
    assert posthouse.audit.verify().is_whole
    with posthouse.audit.export() as file:
        assert json.loads(file.read().splitlines()[-1])["number"] >= entry.number


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_speaks_it(server) -> None:
    """With the certificate verified, HTTP Basic, and the answer's head."""
    done = subprocess.run(
        ["curl", "-sS", "-i", "--cacert", str(server.home / "tls" / "certificate.pem"), "-u", f"{ADMIN}:{PASSWORD}",
         f"https://localhost:{server.offset + 443}/api/v1/accounts?limit=1"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert done.stdout.startswith("HTTP/1.1 200")
    assert "link: </api/v1/accounts?limit=1&cursor=" in done.stdout.lower()


def test_a_server_that_stops_ends_streams_and_requests(tmp_path) -> None:
    """The event stream ends, the server within its time."""
    with PosthouseServer(tmp_path / "home", workers=1) as server:
        certificate = ssl.create_default_context(cafile=str(server.home / "tls" / "certificate.pem"))
        url = f"https://localhost:{server.offset + 443}"
        with Client(url, login=ADMIN, password=PASSWORD, context=certificate) as posthouse:
            events = posthouse.event.follow()
            found = []
            reading = threading.Thread(target=lambda: found.extend(events))
            reading.start()
            until(lambda: list(posthouse.session.list(protocol="http"))[1:], "the stream", 10)
            began = time.monotonic()
            assert server.stop() == 0
            reading.join(10)
            assert not reading.is_alive()
            assert time.monotonic() - began < 8
