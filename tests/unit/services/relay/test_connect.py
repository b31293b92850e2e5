"""Trying hosts in turn: the next MX, dead addresses, TLS fallback, and what is for good."""

import pytest

from posthouse.config.definitions import relay as definitions
from posthouse.config.settings import Settings
from posthouse.core.outcome import Outcome, defer, reject
from posthouse.services.relay.connect import Connector, ConnectorParts, DialFailure
from posthouse.services.relay.hosts import Self
from posthouse.services.relay.routes import TlsPolicies, TlsPolicy
from posthouse.store.directory_rows import RouteRow, SettingRow
from posthouse.testing.resolver import FakeResolver
from posthouse.testing.telemetry import RecordingTelemetry

KEY = "mx:example.org"
REFUSED = DialFailure(defer("Connection refused"), is_dead=True)
BUSY = DialFailure(defer("Too busy", code=421))
CLOSED = DialFailure(reject("Go away", code=554))
NEVER = DialFailure(reject("No mail here", code=521))
BAD_TLS = DialFailure(defer("Handshake failed"), is_tls=True)
OPEN = "a connection"

TABLE = [
    ("the first host answers", {"192.0.2.1": OPEN}, OPEN, ["192.0.2.1"]),
    ("refused: the next MX", {"192.0.2.1": REFUSED, "192.0.2.2": OPEN}, OPEN, ["192.0.2.1", "192.0.2.2"]),
    ("421: the next MX", {"192.0.2.1": BUSY, "192.0.2.2": OPEN}, OPEN, ["192.0.2.1", "192.0.2.2"]),
    ("554: the next MX", {"192.0.2.1": CLOSED, "192.0.2.2": OPEN}, OPEN, ["192.0.2.1", "192.0.2.2"]),
    ("none left", {"192.0.2.1": BUSY, "192.0.2.2": REFUSED}, "451", ["192.0.2.1", "192.0.2.2"]),
    ("a refusal in the greeting is temporary", {"192.0.2.1": BUSY, "192.0.2.2": CLOSED}, "450", None),
    ("521 everywhere is for good", {"192.0.2.1": NEVER, "192.0.2.2": NEVER}, "556", None),
    ("521 of one host is not", {"192.0.2.1": BUSY, "192.0.2.2": NEVER}, "450", None),
]


class Bench:
    def __init__(self, store, clock, **settings):
        self.answers = {}
        self.dialled = []
        self.telemetry = RecordingTelemetry()
        rows = [SettingRow(name, "server", value, "", 0) for name, value in settings.items()]
        resolver = FakeResolver(
            {"example.org": [(1, "a.test"), (2, "b.test")]}, {"a.test": ["192.0.2.1"], "b.test": ["192.0.2.2"]}
        )
        self.policies = TlsPolicies(store, Settings(rows))
        self.connector = Connector(
            ConnectorParts(
                resolver=resolver,
                policies=self.policies,
                settings=Settings(rows),
                clock=clock,
                telemetry=self.telemetry,
                own=Self("house.test"),
                dial=self.dial,
                shuffle=lambda hosts: None,
            )
        )

    async def dial(self, visit, events):
        hop = visit.hop
        self.dialled.append((hop.address, visit.policy.name))
        answer = self.answers[hop.address]
        return answer.pop(0) if isinstance(answer, list) else answer

    async def connect(self, key=KEY):
        return await self.connector.connect(key, None)


@pytest.fixture
def bench(queue_store, clock):
    return Bench(queue_store, clock)


@pytest.mark.parametrize(("answers", "wanted", "dialled"), [pytest.param(*row[1:], id=row[0]) for row in TABLE])
async def test_hosts_are_tried_in_turn(bench, answers, wanted, dialled):
    """RFC 5321 §5.1: each failure before a transaction sends us on, and is never for good but 521 everywhere."""
    bench.answers = answers
    answer = await bench.connect()
    assert (str(answer.code) if isinstance(answer, Outcome) else answer) == wanted
    if dialled:
        assert [address for address, _ in bench.dialled] == dialled


async def test_a_dead_address_is_passed_over_for_a_while(bench, clock):
    """What refused the connection is not asked again until the pause ends, by nobody."""
    bench.answers = {"192.0.2.1": REFUSED, "192.0.2.2": OPEN}
    await bench.connect()
    await bench.connect()
    assert [address for address, _ in bench.dialled] == ["192.0.2.1", "192.0.2.2", "192.0.2.2"]
    clock.advance(60)
    await bench.connect()
    assert bench.dialled[-2][0] == "192.0.2.1"


async def test_dead_addresses_are_forgotten_on_demand(bench):
    """Whoever wants mail tried now does not wait for the pause to end."""
    bench.answers = {"192.0.2.1": [REFUSED, OPEN], "192.0.2.2": REFUSED}
    await bench.connect()
    bench.connector.forget_dead()
    assert await bench.connect() == OPEN


async def test_where_all_are_dead_the_reason_is_remembered(bench):
    """Nobody is dialled, and the outcome says what the host said."""
    bench.answers = {"192.0.2.1": REFUSED, "192.0.2.2": REFUSED}
    await bench.connect()
    assert (await bench.connect()).public_text == "Connection refused"
    assert len(bench.dialled) == 2


async def test_a_failed_handshake_falls_back_where_tls_may_be(bench):
    """The same address is asked again in the clear, and the event says so."""
    bench.answers = {"192.0.2.1": [BAD_TLS, OPEN]}
    assert await bench.connect() == OPEN
    assert bench.dialled == [("192.0.2.1", "MAY"), ("192.0.2.1", "NONE")]
    assert bench.telemetry.events[0][1]["fallback"] is True


async def test_a_failed_handshake_defers_where_tls_must_be(queue_store, clock):
    """Mail waits rather than go in the clear."""
    bench = Bench(queue_store, clock, **{definitions.TLS.name: "must"})
    bench.answers = {"192.0.2.1": BAD_TLS, "192.0.2.2": BAD_TLS}
    assert (await bench.connect()).is_temporary
    assert {policy for _, policy in bench.dialled} == {"MUST"}


@pytest.mark.parametrize("key", ["nonsense", "mx:"])
async def test_a_key_that_cannot_be_read_waits(bench, key):
    """An error of ours never bounces mail."""
    assert (await bench.connect(key)).is_temporary


async def test_routes_decide_the_tls_policy(bench, queue_store):
    """The strictest route to a next hop wins; the cache is read again when the directory changes."""
    key = "host:relay.test:25"
    assert await bench.policies.policy(key) is TlsPolicy.MAY
    queue_store.route_rows = [
        RouteRow("a.test", "relay.test", 25, "none", False, False),
        RouteRow("b.test", "Relay.test", 25, "must", False, False),
        RouteRow("c.test", "mx.test", 25, "none", False, True),
    ]
    assert await bench.policies.policy(key) is TlsPolicy.MAY
    bench.policies.forget()
    assert await bench.policies.policy(key) is TlsPolicy.MUST
    assert await bench.policies.policy("mx:mx.test") is TlsPolicy.NONE
