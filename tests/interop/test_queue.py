"""A message that cannot leave: what the queue shows, and everything an administrator can do with it.

The next hop is a port where nobody listens, until a sink is started there.
"""

import json
from email import message_from_bytes, policy

import pytest

from tests.interop.peers.postfix import free_port
from tests.support.server import DOMAIN, PosthouseServer, until
from tests.support.sink import Sink

pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("queue")]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a server with everything at its defaults: five minutes between attempts, dead hosts left alone."""
    with PosthouseServer(tmp_path_factory.mktemp("house") / "home") as server:
        yield server


@pytest.fixture
def dead(house, request):
    """Return (domain, port): a routed domain whose next hop does not answer."""
    domain, port = f"d{abs(hash(request.node.name)) % 10**8}.test", free_port()
    house.route(domain, port)
    return domain, port


def stick(house, *addresses, sender="anna"):
    """Send a message to a dead next hop; return its queue id once it was put off (without an attempt in a pause)."""
    with house.submission(sender) as client:
        client.sendmail(f"{sender}@{DOMAIN}", list(addresses), "Subject: stuck\r\n\r\nHello\r\n")

    def tried():
        rows = [row for row in house.rows("queue", "list") if row["to"] in addresses]
        return rows if rows and all(row["last_reply"] and row["state"] == "waiting" for row in rows) else []

    return until(tried, "the message to be put off")[0]["queue_id"]


def states(house, queue_id):
    """Return the state of each recipient of a message in the queue."""
    shown = json.loads(house.say("queue", "show", queue_id, "--json"))
    return [(row["to"], row["state"]) for row in shown["recipients"]]


def test_a_dead_next_hop_is_told_and_a_retry_reaches_the_living(house, dead):
    """The queue names the reason; once the peer lives, ``queue retry`` delivers at once, pauses or not."""
    domain, port = dead
    queue_id = stick(house, f"someone@{domain}")
    (row,) = [row for row in house.rows("queue", "list") if row["queue_id"] == queue_id]
    assert (row["from"], row["to"], row["destination"], row["state"]) == (
        f"anna@{DOMAIN}",
        f"someone@{domain}",
        f"host:127.0.0.1:{port}",
        "waiting",
    )
    assert "connection refused" in row["last_reply"]
    assert queue_id in house.say("queue", "list")
    assert f"host:127.0.0.1:{port}" in house.say("queue", "list", "--summary")
    assert "connection refused" in house.say("journey", "show", queue_id)
    with Sink(port) as sink:
        assert "1 recipient due now" in house.say("queue", "retry", queue_id)
        until(lambda: sink.messages, "the message at the sink")
    assert sink.messages[0][:2] == (f"anna@{DOMAIN}", (f"someone@{domain}",))
    until(lambda: "delivered to" in house.say("journey", "show", queue_id), "the end of the story")
    assert house.run("queue", "show", queue_id).returncode == 65


def test_retry_all(house, dead):
    """``queue retry --all`` tries every waiting message."""
    domain, port = dead
    for number in range(3):
        stick(house, f"r{number}@{domain}")
    with Sink(port) as sink:
        house.say("queue", "retry", "--all")
        until(lambda: len(sink.messages) == 3, "three messages at the sink")


def test_a_held_message_stays_until_it_is_released(house, dead):
    """A retry of everything leaves a held message alone; its release sends it."""
    domain, port = dead
    queue_id = stick(house, f"someone@{domain}")
    assert "1 recipient held" in house.say("queue", "hold", queue_id)
    assert states(house, queue_id) == [(f"someone@{domain}", "held")]
    other = stick(house, f"other@{domain}")
    with Sink(port) as sink:
        house.say("queue", "retry", "--all")
        until(lambda: sink.messages, "the other message at the sink")
        assert [message[1] for message in sink.messages] == [(f"other@{domain}",)]
        assert states(house, queue_id) == [(f"someone@{domain}", "held")]
        assert "1 recipient released" in house.say("queue", "release", queue_id)
        until(lambda: len(sink.messages) == 2, "the held message at the sink")
    assert house.run("queue", "show", other).returncode == 65
    story = house.say("journey", "show", queue_id)
    assert "held for" in story
    assert "released for" in story


def test_one_recipient_of_two_is_removed(house, dead):
    """``--recipient`` means one recipient; nobody is told of a removal."""
    domain, port = dead
    queue_id = stick(house, f"one@{domain}", f"two@{domain}")
    assert house.run("queue", "remove", queue_id, "--recipient", "0").returncode == 64, "asks before it destroys"
    assert "1 recipient removed" in house.say("queue", "remove", queue_id, "--recipient", "0", "--yes")
    assert states(house, queue_id) == [(f"two@{domain}", "waiting")]
    with Sink(port) as sink:
        house.say("queue", "retry", queue_id)
        until(lambda: sink.messages, "the message at the sink")
    assert sink.messages[0][1] == (f"two@{domain}",)
    assert "removed for <one@" in house.say("journey", "show", queue_id)
    assert house.count("anna") == 0


def test_an_administrator_bounces(house, dead):
    """``queue bounce`` gives up at once and tells the sender."""
    domain, _ = dead
    (address,) = house.add("impatient")
    queue_id = stick(house, f"someone@{domain}", sender="impatient")
    assert "1 recipient returned" in house.say("queue", "bounce", queue_id, "--yes")
    (message,) = house.wait_for("impatient", 1)
    parts = list(message_from_bytes(message, policy=policy.default).iter_parts())
    fields = parts[1].get_payload()[1]
    assert (fields["Final-Recipient"], fields["Action"]) == (f"rfc822; someone@{domain}", "failed")
    assert address in message.decode()
    assert house.run("queue", "show", queue_id).returncode == 65


def test_a_delay_is_told_once_and_the_end_too(house, dead):
    """The sender is told that a message waits, and when its time has run out that it was given up."""
    domain, _ = dead
    house.add("patient")
    house.set(
        queue__retry_schedule="1s", queue__delay_notice_after="1s", queue__lifetime="5s", relay__dead_host_pause="1s"
    )
    try:
        stick(house, f"someone@{domain}", sender="patient")
        found = house.wait_for("patient", 2)
    finally:
        for name in ("queue.retry_schedule", "queue.delay_notice_after", "queue.lifetime", "relay.dead_host_pause"):
            house.say("setting", "unset", name)
    notices = [list(message_from_bytes(message, policy=policy.default).iter_parts()) for message in found]
    fields = [parts[1].get_payload()[1] for parts in notices]
    assert [field["Action"] for field in fields] == ["delayed", "failed"]
    assert fields[0]["Will-Retry-Until"]
    assert fields[1]["Status"] == "4.4.7"
    assert "connection refused" in fields[1]["Diagnostic-Code"]
    assert "The time for trying ran out" in notices[1][0].get_content()


def test_a_refused_recipient_ends_while_the_busy_one_waits(house, dead):
    """Each recipient of one transaction has its own fate."""
    domain, port = dead
    house.add("fate")
    with Sink(port) as sink:
        sink.refusals[f"bad@{domain}"] = "550 5.1.1 Nobody"
        sink.refusals[f"busy@{domain}"] = "451 4.3.0 Later"
        with house.submission("fate") as client:
            recipients = [f"{local}@{domain}" for local in ("good", "bad", "busy")]
            client.sendmail(f"fate@{DOMAIN}", recipients, "Subject: x\r\n\r\nHello\r\n")
        house.wait_for("fate", 1)
        until(lambda: sink.messages, "the message at the sink")
    assert sink.messages[0][1] == (f"good@{domain}",)
    (row,) = [row for row in house.rows("queue", "list") if row["to"].endswith(domain)]
    assert (row["to"], row["attempts"]) == (f"busy@{domain}", 1)


def test_what_waits_survives_a_restart(house, dead):
    """The queue is in the store: a server that stops and starts goes on with it."""
    domain, port = dead
    queue_id = stick(house, f"someone@{domain}")
    assert house.stop() == 0
    house.start()
    with Sink(port) as sink:
        house.say("queue", "retry", queue_id)
        until(lambda: sink.messages, "the message at the sink")
    assert house.run("verify").stdout == "The store is sound.\n"
