"""The courier with a real connection to a scripted peer: what is sent, what comes of each reply, what survives."""

import asyncio
import datetime as dt
import ssl
from dataclasses import replace

import pytest
from assemble import RelayParts, build_courier
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from peer import EHLO, Peer

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.services.journey import steps
from posthouse.services.journey.queue_ids import QueueIds
from posthouse.services.relay import courier as courier_module
from posthouse.services.relay import notices as notices_module
from posthouse.services.relay.hosts import Self
from posthouse.store.directory_rows import RouteRow, SettingRow
from posthouse.store.values import RecipientState
from posthouse.testing.resolver import FakeResolver
from posthouse.testing.telemetry import RecordingTelemetry

MESSAGE = b"Subject: hi\r\n\r\n.dot\r\nbody\r\n"
WAITING, DELIVERED, FAILED = RecipientState.WAITING, RecipientState.DELIVERED, RecipientState.FAILED


class House:
    """A store, a resolver and couriers on them."""

    def __init__(self, store, planner, clock):
        self.store, self.planner, self.clock = store, planner, clock
        self.resolver = FakeResolver({}, {"peer.test": ["127.0.0.1"]})
        self.telemetry = RecordingTelemetry()
        self.settings = {}
        self.couriers = []
        self.peers = []

    async def courier(self, owner="w1"):
        settings = Settings([SettingRow(name, "server", value, "", 0) for name, value in self.settings.items()])
        made = build_courier(
            RelayParts(
                store=self.store,
                settings=settings,
                clock=self.clock,
                telemetry=self.telemetry,
                resolver=self.resolver,
                planner=self.planner,
                queue_ids=QueueIds(self.clock, 1),
                own=Self("house.test"),
                lease_owner=owner,
            )
        )
        self.couriers.append(made)
        await made.start()
        return made

    async def peer(self, **rules):
        self.peers.append(await Peer(**rules).start())
        return self.peers[-1]

    def send(self, *rows, content=MESSAGE):
        put = self.store.put(content, *rows)
        self.store.notices.tell()
        return put

    async def until(self, condition):
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110  (the loopback has no event for this)
                await asyncio.sleep(0.001)

    async def attempted(self, count=1):
        await self.until(lambda: sum(entry.step != steps.DELAYED for entry in self.store.journey) >= count)

    def states(self):
        rows = {**self.store.rows, **self.store.ended}
        return {row.address: row.state for row in rows.values()}


@pytest.fixture
async def house(queue_store, planner, clock, monkeypatch):
    monkeypatch.setattr(notices_module, "compose", lambda notice, **fields: b"DSN")
    monkeypatch.setattr(courier_module, "SWEEP", 0.01)
    made = House(queue_store, planner, clock)
    yield made
    for courier in made.couriers:
        await courier.stop(grace=0.0)
    for peer in made.peers:
        await peer.stop()


def at(peer):
    return f"host:peer.test:{peer.port}"


async def test_a_due_recipient_is_carried(house, make_row):
    """Claimed, sent with its content intact, recorded with the peer's words, told in the journey."""
    peer = await house.peer(end="250 2.6.0 Queued as 7")
    await house.courier()
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    assert peer.messages == [MESSAGE]
    assert peer.commands == [
        "EHLO HOUSE.TEST",
        f"MAIL FROM:<A@HOUSE.TEST> SIZE={len(MESSAGE)} BODY=8BITMIME",
        "RCPT TO:<R1@EXAMPLE.ORG>",
        "DATA",
    ]
    (row,) = house.store.ended.values()
    assert row.last_reply == "peer.test[127.0.0.1]: 250 2.6.0 Queued as 7"
    assert house.store.journey[0].step == steps.DELIVERED


async def test_what_is_handed_over_is_sent_from_memory(house, make_row, clock):
    """No read of the body, no claim."""
    peer = await house.peer()
    courier = await house.courier()
    assert courier.has_room(len(MESSAGE))
    (row,) = house.store.put(
        MESSAGE, make_row(destination=at(peer), lease_owner="w1", lease_until=courier.lease_until())
    )
    house.store.bodies.clear()
    courier.hand_over([row], MESSAGE)
    await house.attempted()
    assert peer.messages == [MESSAGE]


async def test_recipients_of_a_message_share_a_transaction(house, make_row):
    """One MAIL, one content, and each recipient has its own reply."""
    peer = await house.peer(**{"rcpt_to:<r2": "550 5.1.1 No", "rcpt_to:<r3": "450 4.2.0 Later"})
    await house.courier()
    house.send(*(make_row(number=n, destination=at(peer)) for n in (1, 2, 3)))
    await house.attempted(3)
    assert len(peer.messages) == 1
    assert house.states() == {"r1@example.org": DELIVERED, "r2@example.org": FAILED, "r3@example.org": WAITING}
    assert [(to, kind) for _, to, _, kind in house.planner.planned] == [("a@house.test", "failure")]
    assert len(house.store.deliveries) == 1


async def test_a_temporary_refusal_is_tried_again_when_it_is_due(house, make_row, clock):
    """451, then success after the schedule's first wait."""
    peer = await house.peer(mail=["451 4.3.0 Later", "250 Ok"])
    await house.courier()
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    (row,) = house.store.rows.values()
    assert (row.attempts, row.next_attempt) == (1, clock.now() + 300)
    clock.advance(300)
    house.store.notices.tell()
    await house.until(lambda: house.store.ended)
    assert len(peer.messages) == 1


async def _one_attempt(house, make_row, rules):
    peer = await house.peer(**{key: value for key, value in rules.items() if value is not None})
    await house.courier()
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    return peer


ENDS = [
    ("refused after the content", {"end": "554 5.7.1 Spam"}, FAILED),
    ("MAIL refused for good", {"mail": "550 5.7.1 No"}, FAILED),
    ("DATA refused for now", {"data": "452 4.3.1 Full"}, WAITING),
    ("too many recipients in old words", {"rcpt": "552 Too many recipients"}, WAITING),
    ("lost before the answer to the content", {"end": "lost"}, WAITING),
    ("taken, and lost before the answer", {"end": "taken"}, WAITING),
    ("dropped at RCPT", {"rcpt": "drop"}, WAITING),
    ("greeting refuses for good", {"greeting": "554 go away"}, WAITING),
    ("greeting refuses for now", {"greeting": "421 busy"}, WAITING),
    ("not SMTP at all", {"greeting": "HTTP/1.1 400 Bad Request"}, WAITING),
    ("EHLO and HELO refused", {"EHLO ": "550 no", "HELO": "550 no"}, WAITING),
    ("no EHLO but HELO", {"EHLO ": "502 what"}, DELIVERED),
]


@pytest.mark.parametrize(("rules", "state"), [pytest.param(*row[1:], id=row[0]) for row in ENDS])
async def test_only_a_refusal_of_the_message_or_recipient_is_for_good(house, make_row, rules, state):
    """Each way a transaction may end gives the right state, and never another."""
    await _one_attempt(house, make_row, rules)
    assert house.states() == {"r1@example.org": state}


async def test_a_connection_is_reused(house, make_row):
    """Ten messages in a row go over few connections."""
    peer = await house.peer()
    await house.courier()
    for message in range(1, 11):
        house.send(make_row(message, destination=at(peer)))
        await house.attempted(message)
    assert peer.connections == 1
    assert len(peer.messages) == 10


async def test_a_connection_that_went_stale_costs_nothing(house, make_row):
    """The peer closed an idle connection: the next message takes a new one and counts one attempt."""
    peer = await house.peer()
    await house.courier()
    house.send(make_row(1, destination=at(peer)))
    await house.attempted(1)
    peer.rules["MAIL"] = ["421 4.4.2 Idle too long", "250 Ok"]
    house.send(make_row(2, destination=at(peer)))
    await house.attempted(2)
    assert [row.attempts for row in house.store.ended.values()] == [1, 1]
    assert peer.connections == 2


async def test_a_large_message_is_streamed_from_the_store(house, make_row):
    """Chunks arrive in order and whole, dots and all."""
    content = b"Subject: big\r\n\r\n" + b".line of text\r\n" * 60_000
    peer = await house.peer(ehlo=[*EHLO[:2], "250 8BITMIME"])
    await house.courier()
    house.send(make_row(destination=at(peer)), content=content)
    await house.attempted()
    assert peer.messages == [content]


async def test_a_body_that_cannot_be_read_is_never_sent_in_part(house, make_row):
    """The store fails in the middle: the peer gets no end of data, and the recipient waits."""
    peer = await house.peer()
    await house.courier()

    async def fail(body, offset, length):
        if offset:
            raise OSError("disk")
        return b"Subject: x\r\n"

    house.store.read_body = fail
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    assert house.states() == {"r1@example.org": WAITING}
    assert peer.messages == []
    assert "relay.internal_error" in house.telemetry.names


async def test_a_refused_connection_goes_to_the_next_exchanger(house, make_row):
    """The best host is down, the second one takes the mail."""
    peer = await house.peer()
    house.resolver.mx_table["example.org"] = [(1, "dead.test"), (2, "peer.test")]
    house.resolver.address_table["dead.test"] = ["127.0.0.99"]
    await house.courier()
    house.send(make_row(destination=f"mx:example.org:{peer.port}"))
    await house.attempted()
    assert len(peer.messages) == 1


async def test_nobody_listens(house, make_row):
    """Connection refused everywhere: deferred with the reason, and a second message is not tried in vain."""
    peer = await house.peer()
    await peer.stop()
    await house.courier()
    for message in (1, 2):
        house.send(make_row(message, destination=at(peer)))
        await house.attempted(message)
    first, second = house.store.rows.values()
    assert "connection refused" in first.last_reply
    assert (first.attempts, second.attempts) == (1, 0)


@pytest.mark.parametrize(
    ("domain", "entry", "code"),
    [("null.test", [(0, "")], "556 5.1.10"), ("missing.test", None, "550 5.1.2")],
)
async def test_a_domain_that_takes_no_mail_bounces_at_once(house, make_row, domain, entry, code):
    """Null MX and NXDOMAIN are for good."""
    if entry is not None:
        house.resolver.mx_table[domain] = entry
    await house.courier()
    house.send(make_row(destination=f"mx:{domain}"))
    await house.attempted()
    assert house.states() == {"r1@example.org": FAILED}
    assert code in house.store.ended.popitem()[1].last_reply
    assert len(house.planner.planned) == 1


async def test_a_bounce_is_not_bounced(house, make_row):
    """The null reverse-path ends in the journey."""
    peer = await house.peer(rcpt="550 5.1.1 No such user")
    await house.courier()
    house.send(make_row(destination=at(peer), reverse_path=""))
    await house.attempted()
    assert house.states() == {"r1@example.org": FAILED}
    assert house.planner.planned == []
    assert "MAIL FROM:<>" in peer.commands[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate in a server context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer.test")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36_500))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "pair.pem"
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


WITH_TLS = [*EHLO[:-1], "250-STARTTLS", EHLO[-1]]


async def test_tls_is_used_where_it_is_offered(house, make_row, certificate):
    """STARTTLS, handshake with a certificate nobody signed, EHLO again, then the mail."""
    peer = await house.peer(ehlo=WITH_TLS, context=certificate)
    await house.courier()
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    assert (peer.tls, len(peer.messages)) == (1, 1)
    assert [command.split()[0] for command in peer.commands] == ["EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA"]


async def test_a_broken_handshake_falls_back_to_the_clear(house, make_row):
    """With ``may`` a new connection carries the mail without TLS."""
    peer = await house.peer(ehlo=WITH_TLS, starttls="220 go")
    await house.courier()
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    assert len(peer.messages) == 1
    assert peer.connections == 2
    assert "relay.tls_failed" in house.telemetry.names


async def test_refused_starttls_goes_on_in_the_clear(house, make_row):
    """454 to STARTTLS costs no new connection."""
    peer = await house.peer(ehlo=WITH_TLS, starttls="454 4.7.0 not now")
    await house.courier()
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    assert (peer.connections, len(peer.messages)) == (1, 1)


@pytest.mark.parametrize("ehlo", [EHLO, WITH_TLS])
async def test_where_tls_must_be_mail_waits(house, make_row, ehlo):
    """Not offered or broken: nothing goes in the clear."""
    peer = await house.peer(ehlo=ehlo, starttls="454 4.7.0 not now")
    house.store.route_rows = [RouteRow("example.org", "peer.test", peer.port, "must", False, False)]
    await house.courier()
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    assert house.states() == {"r1@example.org": WAITING}
    assert peer.messages == []


async def test_dsn_parameters_are_passed_on(house, make_row):
    """A peer that offers DSN takes over the duty; no confirmation of ours."""
    peer = await house.peer(ehlo=[*EHLO[:-1], "250 DSN"])
    await house.courier()
    house.send(
        make_row(destination=at(peer), notify="SUCCESS,FAILURE", orcpt="rfc822;R@example.org", ret="HDRS", envid="E+1")
    )
    await house.attempted()
    assert "RET=HDRS" in peer.commands[1]
    assert "ENVID=E+2B1" in peer.commands[1]
    assert "NOTIFY=SUCCESS,FAILURE" in peer.commands[2]
    assert "ORCPT=RFC822;R@EXAMPLE.ORG" in peer.commands[2]
    assert house.planner.planned == []


async def test_success_is_confirmed_where_the_peer_cannot(house, make_row):
    """NOTIFY=SUCCESS and no DSN at the next hop: we tell that it was relayed."""
    peer = await house.peer()
    await house.courier()
    house.send(make_row(destination=at(peer), notify="SUCCESS"))
    await house.attempted()
    assert [kind for *_, kind in house.planner.planned] == ["success"]


async def test_smtputf8_is_asked_for_only_where_it_is_needed(house, make_row):
    """An ASCII message to a host without SMTPUTF8 goes out, a UTF-8 address does not."""
    peer = await house.peer()
    courier = await house.courier()
    lease = {"lease_owner": "w1", "lease_until": courier.lease_until()}
    (plain,) = house.store.put(MESSAGE, make_row(1, destination=at(peer), smtputf8=True, **lease))
    courier.hand_over([plain], MESSAGE)
    await house.attempted(1)
    house.send(make_row(2, destination=at(peer), smtputf8=True, address="jürgen@example.org"))
    await house.attempted(2)
    assert house.states() == {"r1@example.org": DELIVERED, "jürgen@example.org": FAILED}


async def test_a_killed_courier_repeats_and_never_loses(house, make_row, clock):
    """We die after the peer took a message: when the lease ends another courier sends it again (at least once)."""
    peer = await house.peer(end=["silence", "250 Ok"])
    first = await house.courier("w1")
    house.send(make_row(destination=at(peer)))
    await house.until(lambda: peer.messages)
    for task in first._tasks:
        task.cancel()
    first._is_taking = False
    first._recorder.add = lambda attempts: None  # the dead write nothing
    await house.courier("w2")
    await asyncio.sleep(0.01)
    assert len(peer.messages) == 1  # the lease of the dead still holds
    clock.advance(courier_module.LEASE)
    house.store.notices.tell()
    await house.until(lambda: house.store.ended)
    assert len(peer.messages) == 2


async def test_a_courier_that_starts_takes_back_what_its_predecessor_held(house, make_row, clock):
    """The same name after a restart: no waiting for the lease."""
    peer = await house.peer()
    house.store.put(MESSAGE, make_row(destination=at(peer), lease_owner="w1", lease_until=clock.now() + 1800))
    await house.courier("w1")
    await house.attempted()
    assert len(peer.messages) == 1


async def test_stopping_gives_leases_back(house, make_row):
    """What was under way and what waited is claimable at once, and has counted nothing."""
    peer = await house.peer(mail="silence")
    house.settings[definitions.CONNECTIONS_PER_DESTINATION.name] = "1"
    courier = await house.courier()
    house.send(make_row(1, destination=at(peer)), make_row(2, destination=at(peer)))
    await house.until(lambda: any(command.startswith("MAIL") for command in peer.commands))
    await courier.stop(grace=0.01)
    assert [(row.lease_owner, row.attempts, row.state) for row in house.store.rows.values()] == [("", 0, WAITING)] * 2
    assert not courier.has_room()
    (row,) = house.store.put(MESSAGE, replace(make_row(3, destination=at(peer)), lease_owner="w1"))
    courier.hand_over([row], MESSAGE)
    await house.until(lambda: house.store.rows[row.queue_id, 1].lease_owner == "")


async def test_a_silent_peer_is_cut(house, make_row, clock):
    """No answer to MAIL within five minutes: the connection is cut and the recipient deferred."""
    peer = await house.peer(mail="silence")
    await house.courier()
    house.send(make_row(destination=at(peer)))
    await house.until(lambda: any(command.startswith("MAIL") for command in peer.commands))
    clock.advance(301)
    await house.attempted()
    assert "timed out" in house.store.rows.popitem()[1].last_reply


async def test_room_is_bounded(house, make_row, monkeypatch):
    """Octets of handed-over messages and recipients in flight have their limits."""
    peer = await house.peer(mail="silence")
    courier = await house.courier()
    monkeypatch.setattr(courier_module, "HAND_OVER_MEMORY", 3 * len(MESSAGE))
    (row,) = house.store.put(
        MESSAGE, make_row(destination=at(peer), lease_owner="w1", lease_until=courier.lease_until())
    )
    courier.hand_over([row], MESSAGE)
    assert courier.has_room(2 * len(MESSAGE))
    assert not courier.has_room(2 * len(MESSAGE) + 1)
    monkeypatch.setattr(courier_module, "ROWS_IN_FLIGHT", 1)
    assert not courier.has_room()


async def test_a_store_that_is_away_does_not_stop_the_courier(house, make_row, monkeypatch):
    """A claim that fails is reported and repeated."""
    peer = await house.peer()
    await house.courier()
    house.store.away()
    house.send(make_row(destination=at(peer)))
    await house.attempted()
    assert "relay.claim_failed" in house.telemetry.names
    assert len(peer.messages) == 1
