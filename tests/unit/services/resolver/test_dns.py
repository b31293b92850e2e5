"""The resolver against a small name server on the loopback: truncation, lies, silence, cache, single flight."""

import asyncio

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from posthouse.core.errors import SyntaxFault
from posthouse.services.resolver.contract import Finding, MxHost
from posthouse.services.resolver.dns import DnsResolver, parse_server, read_hosts, read_resolv_conf
from posthouse.services.resolver.exchange import Server
from posthouse.testing.clock import FakeClock

SOA = ("example.test.", 600, "IN", "SOA", "ns.example.test. h.example.test. 1 2 3 4 120")
ZONE = {
    ("example.test.", "MX"): [
        ("example.test.", 300, "IN", "MX", "20 b.example.test."),
        ("example.test.", 300, "IN", "MX", "10 A.Example.test."),
    ],
    ("null.test.", "MX"): [("null.test.", 300, "IN", "MX", "0 .")],
    ("a.example.test.", "A"): [("a.example.test.", 300, "IN", "A", "192.0.2.1")],
    ("a.example.test.", "AAAA"): [("a.example.test.", 100, "IN", "AAAA", "2001:db8::1")],
    ("b.example.test.", "A"): [("b.example.test.", 300, "IN", "A", "192.0.2.2")],
    ("alias.test.", "A"): [
        ("alias.test.", 50, "IN", "CNAME", "a.example.test."),
        ("a.example.test.", 300, "IN", "A", "192.0.2.1"),
    ],
    ("xn--mller-kva.test.", "MX"): [("xn--mller-kva.test.", 300, "IN", "MX", "5 mx.test.")],
}
ZONE |= {
    ("text.test.", "TXT"): [
        ("text.test.", 300, "IN", "TXT", '"v=spf1 " "mx \\195\\164 \\255" "-all"'),
    ],
    ("_imaps._tcp.text.test.", "SRV"): [("_imaps._tcp.text.test.", 300, "IN", "SRV", "0 1 993 Mail.text.test.")],
    ("text.test.", "CAA"): [("text.test.", 300, "IN", "CAA", '0 issue "ca.example"')],
}
NAMES = {name for name, _ in ZONE}


class NameServer(asyncio.DatagramProtocol):
    """Answers from ZONE; ``tricks`` maps a name to how its answer goes wrong."""

    def __init__(self):
        self.questions = []
        self.tricks = {}
        self.port = 0

    async def start(self):
        loop = asyncio.get_running_loop()
        self.tcp = await asyncio.start_server(self.serve_tcp, "127.0.0.1", 0)
        self.port = self.tcp.sockets[0].getsockname()[1]
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self.port))
        return self

    async def stop(self):
        self.transport.close()
        self.tcp.close()
        await self.tcp.wait_closed()

    def answer(self, query):
        name, kind = query.question[0].name.to_text(), dns.rdatatype.to_text(query.question[0].rdtype)
        self.questions.append((name, kind))
        response = dns.message.make_response(query, recursion_available=True)
        for record in ZONE.get((name, kind), ()):
            response.answer.append(dns.rrset.from_text(*record))
        if not response.answer:
            response.authority.append(dns.rrset.from_text(*SOA))
            if name not in NAMES:
                response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def datagram_received(self, data, addr):
        query = dns.message.from_wire(data)
        trick = self.tricks.get(query.question[0].name.to_text())
        response = self.answer(query)
        if trick == "silence":
            return
        if trick == "servfail":
            response.answer.clear()
            response.set_rcode(dns.rcode.SERVFAIL)
        if trick == "validated":
            response.flags |= dns.flags.AD if query.flags & dns.flags.AD else 0
        if trick == "truncated":
            response.answer.clear()
            response.flags |= dns.flags.TC
        if trick == "lies":
            forged = dns.message.from_wire(response.to_wire())
            forged.id ^= 1
            self.transport.sendto(forged.to_wire(), addr)
            other = dns.message.make_response(dns.message.make_query("evil.test.", "MX", id=query.id))
            self.transport.sendto(other.to_wire(), addr)
            self.transport.sendto(b"\x00", addr)
            self.transport.sendto(data[:2] + b"\xff" * 40, addr)
        self.transport.sendto(response.to_wire(), addr)

    async def serve_tcp(self, reader, writer):
        length = int.from_bytes(await reader.readexactly(2), "big")
        wire = self.answer(dns.message.from_wire(await reader.readexactly(length))).to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        writer.close()


@pytest.fixture
async def server():
    started = await NameServer().start()
    yield started
    await started.stop()


def resolver(*servers, **more):
    more.setdefault("timeout", 2.0)
    return DnsResolver([Server("127.0.0.1", server.port) for server in servers], **more)


async def test_mx_come_in_order_of_preference(server):
    """Hosts are lower case, without the final dot, best first, with the time to live."""
    answer = await resolver(server).mx("example.test")
    assert answer.finding is Finding.FOUND
    assert answer.hosts == (MxHost(10, "a.example.test"), MxHost(20, "b.example.test"))
    assert answer.ttl == 300


async def test_the_null_mx_is_an_empty_name(server):
    """RFC 7505: the root as exchange."""
    assert (await resolver(server).mx("null.test")).hosts == (MxHost(0, ""),)


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("a.example.test", ("2001:db8::1", "192.0.2.1")),
        ("b.example.test", ("192.0.2.2",)),
        ("alias.test", ("192.0.2.1",)),
        ("192.0.2.9", ("192.0.2.9",)),
        ("[2001:db8::9]", ("2001:db8::9",)),
        ("localhost", ("127.0.0.1",)),
    ],
)
async def test_addresses_of_both_families(server, host, addresses):
    """IPv6 comes first; aliases are followed; literals and the hosts file need no question."""
    answer = await resolver(server, hosts={"localhost": ("127.0.0.1",)}).addresses(host)
    assert (answer.finding, answer.addresses) == (Finding.FOUND, addresses)


@pytest.mark.parametrize(
    ("domain", "finding"),
    [
        ("missing.test", Finding.NO_NAME),
        ("a.example.test", Finding.NO_DATA),
        ("müller.test", Finding.FOUND),
        ("a" * 64 + ".test", Finding.NO_NAME),
        ("..", Finding.NO_NAME),
    ],
)
async def test_kinds_of_nothing_are_told_apart(server, domain, finding):
    """NXDOMAIN, no data, IDNA names and names that cannot be."""
    answer = await resolver(server).mx(domain)
    assert answer.finding is finding
    if domain == "missing.test":
        assert answer.ttl == 120  # the SOA's minimum


async def test_no_server_is_a_temporary_failure_with_a_reason():
    """Nothing configured: mail waits, and the reason says what to set."""
    answer = await DnsResolver([]).mx("example.test")
    assert answer.finding is Finding.UNAVAILABLE
    assert "dns.servers" in answer.detail


async def test_truncation_goes_to_tcp(server):
    """A truncated answer is asked for again over TCP."""
    server.tricks["example.test."] = "truncated"
    assert len((await resolver(server).mx("example.test")).hosts) == 2
    assert len(server.questions) == 2


async def test_lies_are_ignored(server):
    """Wrong ids, other questions and rubbish do not count; the true answer behind them does."""
    server.tricks["example.test."] = "lies"
    assert len((await resolver(server).mx("example.test")).hosts) == 2


async def test_silence_and_servfail_send_us_to_the_next_server(server):
    """The second server answers where the first is silent or fails."""
    other = await NameServer().start()
    try:
        for trick in ("silence", "servfail"):
            server.tricks["example.test."] = trick
            answer = await resolver(server, other, timeout=0.05).mx("example.test")
            assert answer.finding is Finding.FOUND
    finally:
        await other.stop()


@pytest.mark.parametrize("trick", ["silence", "servfail"])
async def test_failure_everywhere_is_temporary(server, trick):
    """Every round through the list is made, then the question is given up for now, for a few seconds."""
    server.tricks["example.test."] = trick
    answer = await resolver(server, timeout=0.05, attempts=2).mx("example.test")
    assert answer.finding is Finding.UNAVAILABLE
    assert len(server.questions) == 2
    assert 0 < answer.ttl <= 10
    assert str(server.port) in answer.detail


async def test_a_closed_port_is_temporary():
    """Nobody listens: the kernel says so, and no time is lost."""
    server = await NameServer().start()
    await server.stop()
    answer = await resolver(server, attempts=1).addresses("a.example.test")
    assert answer.finding is Finding.UNAVAILABLE


async def test_answers_are_kept_until_their_time_ends(server):
    """The second question is free, until the time to live is over."""
    clock = FakeClock()
    asked = resolver(server, monotonic=clock.monotonic)
    for advance, questions in ((0, 1), (299, 1), (2, 2)):
        clock.advance(advance)
        await asked.mx("example.test")
        assert len(server.questions) == questions


async def test_equal_questions_share_one_exchange(server):
    """A hundred callers at once cause one question."""
    asked = resolver(server)
    answers = await asyncio.gather(*(asked.mx("Example.test") for _ in range(100)))
    assert len({answer.hosts for answer in answers}) == 1
    assert len(server.questions) == 1


async def test_a_closed_resolver_asks_nothing(server):
    """After close every question ends UNAVAILABLE."""
    asked = resolver(server)
    asked.close()
    assert (await asked.mx("example.test")).finding is Finding.UNAVAILABLE
    assert server.questions == []


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", Server("192.0.2.1")),
        ("192.0.2.1:5353", Server("192.0.2.1", 5353)),
        ("2001:db8::1", Server("2001:db8::1")),
        ("[2001:db8::1]:5353", Server("2001:db8::1", 5353)),
    ],
)
def test_servers_are_read(text, server):
    """Addresses with and without port."""
    assert parse_server(text) == server
    assert parse_server(str(server)) == server


@pytest.mark.parametrize("text", ["", "ns.example.test", "192.0.2.1:0", "192.0.2.1:x", "192.0.2.1:99999"])
def test_what_is_no_server_is_a_named_fault(text):
    """Names and bad ports are refused."""
    with pytest.raises(SyntaxFault):
        parse_server(text)


def test_files_of_the_system_are_read(tmp_path):
    """resolv.conf and hosts are read leniently; absent ones are empty."""
    path = tmp_path / "file"
    path.write_text("# c\nnameserver 192.0.2.53\nnameserver  2001:db8::53\nnameserver bad\nsearch test\nnameserver\n")
    assert read_resolv_conf(path) == (Server("192.0.2.53"), Server("2001:db8::53"))
    path.write_text("127.0.0.1 localhost Loop # x\n::1 localhost\nbad line\n\n")
    assert read_hosts(path) == {"localhost": ("127.0.0.1", "::1"), "loop": ("127.0.0.1",)}
    assert read_resolv_conf(tmp_path / "none") == ()
    assert read_hosts(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        pytest.param("text.test", "TXT", "v=spf1 mx ä \ufffd-all", id="strings are joined, odd octets shown"),
        pytest.param("_imaps._tcp.text.test", "SRV", "0 1 993 Mail.text.test.", id="a service"),
        pytest.param("text.test", "CAA", '0 issue "ca.example"', id="an authority"),
    ],
)
async def test_records_of_any_type_are_texts(server, name, kind, text):
    """As their data stands in a zone file; TXT as the text itself."""
    answer = await resolver(server).records(name, kind)
    assert (answer.finding, answer.texts, answer.validated) == (Finding.FOUND, (text,), False)


async def test_the_word_of_a_validating_name_server_is_kept(server):
    """AD is asked for, and said of what is there and of what is not."""
    server.tricks = {"text.test.": "validated", "none.test.": "validated"}
    asker = resolver(server)
    assert (await asker.records("text.test", "TXT")).validated
    missing = await asker.records("none.test", "TXT")
    assert (missing.finding, missing.validated) == (Finding.NO_NAME, True)
    assert (await asker.records("text.test", "NO-SUCH-TYPE")).finding is Finding.NO_DATA
