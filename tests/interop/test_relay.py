"""Mail goes out through Debian's Postfix and comes back from it; what cannot be delivered is told to who sent it.

The peer takes mail for ``peer.test``: ``back@`` leads to an account of ours, ``busy@`` is refused for now, nobody else
is there. Everything that is not for ``peer.test`` it hands to our exchanger.
"""

import contextlib
import smtplib
import time
from email import message_from_bytes, policy

import pytest

from posthouse.servers.tls import write_self_signed
from posthouse.services.administration.operations import domain
from tests.interop.peers.postfix import MISSING, PostfixPeer
from tests.support.server import DOMAIN, PosthouseServer, administer, until

pytestmark = [
    pytest.mark.interop,
    pytest.mark.xdist_group("relay"),
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]

TEXT = (
    "From: Anna <anna@example.test>\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{id}@anna.test>\r\n\r\nHello\r\n"
)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a server that tries again after a second."""
    with PosthouseServer(tmp_path_factory.mktemp("house") / "home") as server:
        server.set(queue__retry_schedule="1s", relay__dead_host_pause="1s", smtp__received_hops="12")
        server.tools(lambda tools: administer(tools, domain.add, name="second.test"))
        yield server


@pytest.fixture(scope="module")
def peer(house, tmp_path_factory):
    """Return a Postfix that offers TLS, and to which ``peer.test`` and others are routed."""
    folder = tmp_path_factory.mktemp("peer")
    write_self_signed(folder / "certificate.pem", folder / "key.pem", "postfix.peer.test", time.time())
    with PostfixPeer(
        folder,
        virtual_alias_domains="peer.test",
        virtual_alias_maps=f"inline:{{ {{back@peer.test = ben@{DOMAIN}}}, {{busy@peer.test = ben@{DOMAIN}}} }}",
        relay_domains="loop.test, inner.test, a.inner.test",
        transport_maps="inline:{ {a.inner.test = discard:}, {nowhere-at-all.example = discard:} }",
        smtpd_recipient_restrictions="check_recipient_access inline:{ {busy@peer.test = 450 4.2.1 Busy just now} }",
        header_checks="regexp:{ {/^Subject: unwelcome/ REJECT We do not want this} }",
        smtpd_tls_security_level="may",
        smtpd_tls_cert_file=str(folder / "certificate.pem"),
        smtpd_tls_key_file=str(folder / "key.pem"),
        smtpd_tls_received_header="yes",
        smtp_tls_security_level="encrypt",
        relayhost=f"[127.0.0.1]:{house.port(25)}",
        bounce_queue_lifetime="1d",
        minimal_backoff_time="1s",
        maximal_backoff_time="2s",
        queue_run_delay="1s",
    ) as running:
        house.route("peer.test", running.port)
        house.route("loop.test", running.port, recipients_local=True)
        house.route(".inner.test", running.port, recipients_local=True)
        yield running


@pytest.fixture
def people(house, request):
    """Return the names of a new sender's account, which is used in this test only."""
    name = f"s{abs(hash(request.node.name)) % 10**8}"
    house.add(name)
    return name


def submit(house, name, recipients, *, subject="hello", options=()):
    """Send a message as an account; return its Message-ID."""
    message_id = f"{name}.{time.monotonic_ns()}"
    text = TEXT.format(to=", ".join(recipients), subject=subject, id=message_id)
    with house.submission(name) as client:
        client.sendmail(f"{name}@{DOMAIN}", recipients, text, rcpt_options=list(options))
    return f"<{message_id}@anna.test>"


def reports(house, name, count=1):
    """Wait for notices in an inbox; return each as (message, its three parts)."""
    found = [message_from_bytes(one, policy=policy.default) for one in house.wait_for(name, count)]
    return [(message, list(message.iter_parts())) for message in found]


def with_subject(house, name, subject):
    """Return the messages of an inbox that have a subject."""
    parsed = [message_from_bytes(one, policy=policy.default) for one in house.messages(name)]
    return [message for message in parsed if message["Subject"] == subject]


def story_until(house, what, words):
    """Wait until the story of a message holds some words; return it."""
    told = ""

    def is_told():
        nonlocal told
        told = house.story(what)
        return words in told

    until(is_told, f"{words!r} in the story of {what}")
    return told


def test_out_through_postfix_and_back_with_tls_both_ways(house, peer, people):
    """A message for a routed domain goes to Postfix and comes back from there, each time encrypted."""
    message_id = submit(house, people, ["back@peer.test"], subject=people)
    (message,) = until(lambda: with_subject(house, "ben", people), "the message to come back")
    traces = [" ".join(line.split()) for line in message.get_all("Received")]
    hosts = ["postfix.peer.test", "mx.example.test"]
    assert [(f"by {name}" in trace, "ESMTPS" in trace) for name, trace in zip(hosts[::-1], traces, strict=False)] == [
        (True, True)
    ] * 2, traces
    story = story_until(house, message_id, "delivered to")
    for words in (
        f"signed in as {people}@{DOMAIN}",
        "granted <back@peer.test>, because the client had signed in (relay.authenticated)",
        f"queued for <back@peer.test> by host:127.0.0.1:{peer.port}",
        "delivered to <back@peer.test> by 127.0.0.1",
        "250 2.0.0",
    ):
        assert words in story, story
    assert house.rows("queue", "list") == []


def test_a_bounce_tells_what_postfix_refused(house, peer, people):
    """A recipient whom Postfix refuses is told to the sender: in words, in fields, and with the message."""
    message_id = submit(house, people, ["nobody@peer.test"])
    ((notice, parts),) = reports(house, people)
    assert (notice.get_content_type(), notice.get_param("report-type")) == ("multipart/report", "delivery-status")
    assert (notice["Return-Path"], notice["Auto-Submitted"]) == ("<>", "auto-replied")
    assert "mailer-daemon@" in notice["From"].lower()
    assert notice["To"] == f"{people}@{DOMAIN}"
    words, fields, original = parts
    assert [part.get_content_type() for part in parts[:2]] == ["text/plain", "message/delivery-status"]
    assert "nobody@peer.test" in words.get_content()
    about_message, about_recipient = fields.get_payload()
    assert about_message["Reporting-MTA"] == "dns; mx.example.test"
    assert about_recipient["Final-Recipient"] == "rfc822; nobody@peer.test"
    assert (about_recipient["Action"], about_recipient["Status"]) == ("failed", "5.1.1")
    assert about_recipient["Diagnostic-Code"].startswith("smtp; 550 5.1.1 <nobody@peer.test>"), about_recipient
    assert original.get_content_type() in {"message/rfc822", "text/rfc822-headers"}
    assert message_id in original.as_string()
    story = house.story(message_id)
    assert "given up for <nobody@peer.test>" in story
    assert "550 5.1.1" in story
    assert house.rows("queue", "list") == []


def test_a_bounce_after_the_data(house, peer, people):
    """A message that Postfix refuses after its content bounces for every recipient."""
    submit(house, people, ["back@peer.test"], subject="unwelcome")
    ((_, parts),) = reports(house, people)
    (_, about_recipient) = parts[1].get_payload()
    assert about_recipient["Status"] == "5.7.1"
    assert "We do not want this" in about_recipient["Diagnostic-Code"]


def test_one_recipient_of_two_bounces(house, peer, people):
    """Of two recipients at one place the good one gets the message and only the bad one is told."""
    submit(house, people, ["back@peer.test", "nobody@peer.test"], subject=people)
    ((_, parts),) = reports(house, people)
    assert [fields["Final-Recipient"] for fields in parts[1].get_payload()[1:]] == ["rfc822; nobody@peer.test"]
    until(lambda: with_subject(house, "ben", people), "the good recipient's copy")


def test_a_recipient_who_is_busy_waits(house, peer, people):
    """A refusal for now is repeated, and the queue and the story say by whom and why."""
    message_id = submit(house, people, ["busy@peer.test"])
    story_until(house, message_id, "450 4.2.1")
    (row,) = [row for row in house.rows("queue", "list") if row["to"] == "busy@peer.test"]
    until(lambda: house.rows("queue", "list")[0]["attempts"] >= 2, "a second attempt")
    assert (row["from"], row["state"] in {"waiting", "active"}) == (f"{people}@{DOMAIN}", True)
    assert "Busy just now" in row["last_reply"]
    assert "1 recipient removed" in until(
        lambda: house.run("queue", "remove", row["queue_id"], "--yes").stdout, "the recipient to be free of its lease"
    )
    assert "removed for <busy@peer.test>" in house.story(message_id)


def test_a_success_notice_that_was_asked_for(house, peer, people):
    """NOTIFY=SUCCESS travels: who asks is told when the message was delivered."""
    submit(house, people, ["back@peer.test"], subject=people, options=["NOTIFY=SUCCESS,FAILURE"])
    until(lambda: with_subject(house, "ben", people), "the message to come back")
    found = reports(house, people)
    actions = {fields["Action"] for _, parts in found for fields in parts[1].get_payload()[1:]}
    assert actions <= {"delivered", "relayed", "expanded"}, actions


def test_postfix_bounces_what_we_refuse(house, peer, people):
    """Postfix is refused by us at RCPT, and its notice, with the null reverse-path, reaches our account."""
    with contextlib.closing(smtplib.SMTP("127.0.0.1", peer.port, timeout=20)) as client:
        client.sendmail(f"{people}@{DOMAIN}", [f"nobody-at-all@{DOMAIN}"], "Subject: x\r\n\r\nx\r\n")
        client.quit()
    ((notice, parts),) = reports(house, people)
    assert notice["Return-Path"] == "<>"
    assert parts[1].get_payload()[1]["Status"] == "5.1.1"


def test_a_gateway_takes_mail_of_strangers(house, peer):
    """A route with --recipients-local opens one domain to strangers, and no other; the story says so."""
    with house.smtp() as client:
        client.ehlo()
        client.mail("stranger@elsewhere.example")
        assert client.rcpt("someone@a.inner.test")[0] == 250
        assert client.rcpt("someone@peer.test")[0] == 550
        client.data("Subject: gateway\r\nMessage-ID: <gateway@elsewhere.example>\r\n\r\nHello\r\n")
    story = story_until(house, "<gateway@elsewhere.example>", "refused <someone@peer.test>")
    assert "granted <someone@a.inner.test>, because a route lets anyone send to that domain (relay." in story
    assert "relay.denied" in story


def test_a_loop_between_two_servers_ends(house, peer, people):
    """A domain that each server hands to the other ends in a bounce, not in endless copies."""
    submit(house, people, ["someone@loop.test"], subject="round and round")
    ((notice, parts),) = reports(house, people)
    assert notice["Return-Path"] == "<>"
    assert parts[1].get_payload()[1]["Status"] == "5.4.6"


def looped(house):
    """Return the refusals that ended a loop."""
    return [event for event in house.events("message.refused") if event["rule"] == "loop.received"]


def test_a_null_reverse_path_is_never_bounced(house, peer):
    """A notice that cannot be delivered ends silently."""
    before = len(house.events("queue.bounce_dropped"))
    loops = len(looped(house))
    with house.smtp() as client:
        client.sendmail("", ["someone@loop.test"], "Subject: a notice\r\n\r\nx\r\n")
    until(lambda: len(looped(house)) > loops, "the loop to end")
    until(lambda: len(house.events("queue.bounce_dropped")) > before or peer.queued() == 0, "the end of the notice")
    assert house.rows("queue", "list") == []


def test_an_alias_leads_far_away(house, peer, people):
    """An alias with a local and a remote target files one copy and relays the other, whoever sends."""
    house.say("alias", "add", f"all-{people}@second.test", f"{people}@{DOMAIN}", "back@peer.test")
    with house.smtp() as client:
        client.sendmail("x@elsewhere.example", [f"all-{people}@second.test"], f"Subject: {people}\r\n\r\nx\r\n")
    house.wait_for(people, 1)
    until(lambda: with_subject(house, "ben", people), "the copy that went by Postfix")


def test_a_network_may_relay_when_it_is_listed(house, peer, people):
    """relay.networks takes effect at once, and the story names it."""
    house.say("setting", "set", "relay.networks", "127.0.0.0/8")
    try:

        def accepted():
            with house.smtp() as client:
                client.ehlo()
                client.mail("x@elsewhere.example")
                return client.rcpt("back@peer.test")[0] == 250

        until(accepted, "the setting to take effect", 2)
        with house.smtp() as client:
            client.sendmail(
                "x@elsewhere.example", ["back@peer.test"], f"Subject: {people}\r\nMessage-ID: <{people}@n.test>\r\n\r\n"
            )
        assert "the client's address is in relay.networks" in story_until(house, f"<{people}@n.test>", "delivered to")
    finally:
        house.say("setting", "unset", "relay.networks")


def test_the_smart_host_takes_everything_else(house, peer, people):
    """The route of * carries mail for every domain that has no route of its own."""
    house.say("route", "add", "*", "--host", "127.0.0.1", "--port", str(peer.port), "--tls", "must")
    try:
        message_id = submit(house, people, ["someone@nowhere-at-all.example"])
        story = story_until(house, message_id, "delivered to <someone@nowhere-at-all.example> by 127.0.0.1")
        assert f"queued for <someone@nowhere-at-all.example> by host:127.0.0.1:{peer.port}" in story
    finally:
        house.say("route", "remove", "*", "--yes")
