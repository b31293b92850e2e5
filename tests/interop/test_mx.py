"""The way out by DNS: exchangers by preference, implicit and null MX, names that do not exist, servers that are silent.

Exchangers listen on port 25 of further loopback addresses; without the right to that port the tests skip.
"""

import os
from email import message_from_bytes, policy

import pytest

from tests.support.nameserver import NameServer
from tests.support.server import DOMAIN, PosthouseServer, until
from tests.support.sink import Sink

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("relay")]

# Addresses of this process alone, so that two runs on one machine do not meet.
LIVING, DEAD = (f"127.{net}.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF or 1}" for net in (77, 78))

RECORDS = {
    ("preferred.test", "MX"): ["10 dead.preferred.test.", "20 living.preferred.test.", "5 missing.preferred.test."],
    ("dead.preferred.test", "A"): [DEAD],
    ("living.preferred.test", "A"): [LIVING],
    ("implicit.test", "A"): [LIVING],
    ("null.test", "MX"): ["0 ."],
    ("ours.test", "MX"): [f"10 mx.{DOMAIN}."],
    (f"mx.{DOMAIN}", "A"): ["127.0.0.1"],
    ("text.test", "TXT"): ['"neither MX nor address"'],
    ("gateway.test", "A"): [LIVING],
}


@pytest.fixture(scope="module")
def names():
    """Return a running name server."""
    with NameServer() as server:
        server.records.update(RECORDS)
        server.broken.add("broken.test")
        yield server


@pytest.fixture(scope="module")
def exchanger():
    """Return a sink on port 25."""
    try:
        sink = Sink(25, host=LIVING)
    except OSError as error:
        pytest.skip(f"nothing can listen on {LIVING}:25 here: {error.strerror}")
    with sink:
        yield sink


@pytest.fixture(scope="module")
def house(names, exchanger, tmp_path_factory):
    """Return a server that asks this name server."""
    server = PosthouseServer(tmp_path_factory.mktemp("house") / "home").found()
    server.set(dns__servers=f"127.0.0.1:{names.port}", dns__timeout="500ms")
    with server.start():
        yield server


def send(house, domain):
    """Send a message there; return its Message-ID and the sender, an account for this message."""
    sender = domain.replace(".", "-")
    house.add(sender)
    text = f"Subject: x\r\nMessage-ID: <{domain}@mx.test>\r\n\r\nx\r\n"
    with house.submission(sender) as client:
        client.sendmail(f"{sender}@{DOMAIN}", [f"someone@{domain}"], text)
    return f"<{domain}@mx.test>", sender


@pytest.mark.parametrize(
    ("domain", "host"),
    [
        pytest.param("preferred.test", "living.preferred.test", id="the next one where better ones are dead"),
        pytest.param("implicit.test", "implicit.test", id="the domain itself where there is no MX"),
    ],
)
def test_an_exchanger_is_found(house, exchanger, domain, host):
    """Mail reaches the best exchanger that lives, and the story names it (RFC 5321 §5.1)."""
    message_id, _ = send(house, domain)
    until(lambda: any(message[1] == (f"someone@{domain}",) for message in exchanger.messages), "the message")
    until(lambda: f"delivered to <someone@{domain}> by {host}[{LIVING}]" in house.story(message_id), "the story")


@pytest.mark.parametrize(
    ("domain", "status"),
    [
        pytest.param("null.test", "5.1.10", id="null MX"),
        pytest.param("nowhere.test", "5.1.2", id="no such domain"),
        pytest.param("text.test", "5.4.4", id="no mail server"),
        pytest.param("ours.test", "5.4.6", id="we are the best exchanger and do not know the domain"),
    ],
)
def test_what_can_never_be_delivered_bounces_at_once(house, domain, status):
    """The sender is told the status that fits (RFC 7505 §4, RFC 3463 §3.2, RFC 5321 §5.1)."""
    _, sender = send(house, domain)
    (message,) = house.wait_for(sender, 1)
    parts = list(message_from_bytes(message, policy=policy.default).iter_parts())
    assert parts[1].get_payload()[1]["Status"] == status


def test_a_name_server_that_fails_never_bounces(house):
    """Mail waits while the name server cannot answer, and the queue says so."""
    send(house, "broken.test")
    (row,) = until(
        lambda: [row for row in house.rows("queue", "list") if row["to"].endswith("broken.test") and row["attempts"]],
        "the first attempt",
    )
    assert row["state"] == "waiting"
    assert "Name server does not answer" in row["last_reply"]


def test_a_route_by_name(house, exchanger):
    """A route's host is looked up; a name that is missing is the administrator's mistake, and mail waits."""
    house.say("route", "add", "routed.test", "--host", "gateway.test", "--port", "25")
    house.say("route", "add", "lost.test", "--host", "no-such-host.test")
    send(house, "routed.test")
    send(house, "lost.test")
    until(lambda: any(message[1] == ("someone@routed.test",) for message in exchanger.messages), "the message")
    (row,) = until(
        lambda: [row for row in house.rows("queue", "list") if row["to"].endswith("lost.test") and row["attempts"]],
        "the first attempt",
    )
    assert "Next hop not found" in row["last_reply"]
