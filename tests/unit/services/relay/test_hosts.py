"""Next hops: order, implicit and null MX, loops, and which failures are for good."""

import pytest

from posthouse.core.outcome import Outcome
from posthouse.services.queue.destination import parse_destination
from posthouse.services.relay.hosts import Self, order_hosts, plan_hosts
from posthouse.services.resolver.contract import Finding, MxHost
from posthouse.testing.resolver import FakeResolver

OWN = Self("mail.house.test", frozenset({"192.0.2.99"}))
ADDRESSES = {
    "a.test": ["192.0.2.1"],
    "b.test": ["2001:db8::2", "192.0.2.2"],
    "c.test": ["192.0.2.3"],
    "mail.house.test": ["192.0.2.98"],
    "other-name.test": ["192.0.2.99"],
    "bare.test": ["192.0.2.4"],
    "192.0.2.5": ["192.0.2.5"],
    "slow.test": Finding.UNAVAILABLE,
    "ours.test": ["192.0.2.99"],
}
MX = {
    "plain.test": [(20, "b.test"), (10, "a.test")],
    "null.test": [(0, "")],
    "half-null.test": [(0, ""), (10, "a.test")],
    "backup.test": [(10, "a.test"), (20, "mail.house.test"), (30, "c.test")],
    "equal.test": [(10, "c.test"), (10, "mail.house.test")],
    "best.test": [(10, "mail.house.test"), (20, "a.test")],
    "by-address.test": [(5, "a.test"), (10, "other-name.test"), (10, "c.test")],
    "dangling.test": [(10, "gone.test")],
    "half.test": [(10, "gone.test"), (20, "a.test")],
    "waiting.test": [(10, "slow.test")],
    "half-waiting.test": [(10, "slow.test"), (20, "a.test")],
    "down.test": Finding.UNAVAILABLE,
}

TABLE = [
    ("preference decides", "mx:plain.test", ["a.test[192.0.2.1]", "b.test[2001:db8::2]", "b.test[192.0.2.2]"]),
    ("implicit MX", "mx:bare.test", ["bare.test[192.0.2.4]"]),
    ("null MX", "mx:null.test", "556 5.1.10"),
    ("null MX among others is no host", "mx:half-null.test", ["a.test[192.0.2.1]"]),
    ("no such domain", "mx:missing.test", "550 5.1.2"),
    ("name server silent", "mx:down.test", "451 4.4.3"),
    ("we are a backup", "mx:backup.test", ["a.test[192.0.2.1]"]),
    ("we are among equals", "mx:equal.test", "550 5.4.6"),
    ("we are the best", "mx:best.test", "550 5.4.6"),
    ("we are found by address", "mx:by-address.test", ["a.test[192.0.2.1]"]),
    ("we are the implicit MX", "mx:ours.test", "550 5.4.6"),
    ("exchanger without address", "mx:dangling.test", "550 5.4.4"),
    ("one exchanger without address", "mx:half.test", ["a.test[192.0.2.1]"]),
    ("address not known for now", "mx:waiting.test", "451 4.4.3"),
    ("one address not known for now", "mx:half-waiting.test", ["a.test[192.0.2.1]"]),
    ("a host", "host:c.test:25", ["c.test[192.0.2.3]"]),
    ("an address", "host:192.0.2.5:25", ["192.0.2.5[192.0.2.5]"]),
    ("a host of a route that is missing waits", "host:missing.test:25", "451 4.4.4"),
    ("a host not known for now", "host:slow.test:25", "451 4.4.3"),
]


@pytest.mark.parametrize(("key", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in TABLE])
async def test_plans(key, wanted):
    """Each case of RFC 5321 §5.1 and RFC 7505 gives its plan or its outcome."""
    plan = await plan_hosts(parse_destination(key), FakeResolver(MX, ADDRESSES), OWN, lambda hosts: None)
    if isinstance(wanted, str):
        assert isinstance(plan, Outcome)
        assert f"{plan.code} {plan.enhanced}" == wanted
    else:
        assert [str(hop) for hop in plan] == [f"{hop}:25" for hop in wanted]


async def test_the_port_of_the_destination_is_used():
    """A route may name another port."""
    plan = await plan_hosts(parse_destination("host:c.test:2525"), FakeResolver({}, ADDRESSES), OWN, lambda _: None)
    assert plan[0].port == 2525


def test_equals_are_shuffled_and_others_are_not():
    """Chance decides among equal preferences only."""
    hosts = [MxHost(10, "b"), MxHost(5, "z"), MxHost(10, "a")]
    assert order_hosts(hosts, list.reverse) == [MxHost(5, "z"), MxHost(10, "b"), MxHost(10, "a")]
