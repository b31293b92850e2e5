"""Our client and our server in memory: what one sends the other reads."""

import pytest

from posthouse.core.address import Address, parse_address
from posthouse.core.envelope import BodyType, MailParameters, Notify, RcptParameters, Recipient, Ret
from posthouse.core.outcome import done, reject
from posthouse.protocols.sasl.mechanism import CredentialsOffered
from posthouse.protocols.smtp.client import SmtpClient
from posthouse.protocols.smtp.client_events import (
    Authenticated,
    ClientConfig,
    Closed,
    DataWanted,
    OutgoingTransaction,
    Ready,
    TlsAccepted,
    TransactionDone,
)
from posthouse.protocols.smtp.session import SmtpSession
from posthouse.protocols.smtp.types import (
    DataChunk,
    DataEnded,
    Extension,
    RcptRequested,
    ServiceClass,
    SessionConfig,
    StartTlsRequested,
)

CONTENT = b"Subject: x\n\n.one\r\n..\r\n.\r\nlast"
ARRIVES = b"Subject: x\r\n\r\n.one\r\n..\r\n.\r\nlast\r\n"


class Link:
    """Carries octets between a client and a server in pieces of ``step``, and plays both drivers."""

    def __init__(self, transactions, step, *, wants_tls=False, login="", may_pipeline=True, **config):
        config = SessionConfig(hostname="server.test", **config)
        self.server = SmtpSession(config)
        self.server.greet()
        self.client = SmtpClient(
            ClientConfig(hello_name="client.test", is_lmtp=config.is_lmtp, may_pipeline=may_pipeline)
        )
        self.transactions = list(transactions)
        self.step = step
        self.wants_tls = wants_tls
        self.login = login
        self.received = []
        self.done = []
        self.content = b""
        self.is_open = True

    def run(self):
        while self.is_open:
            self.carry(self.server.data_to_send(), self.client, self.take_client)
            self.carry(self.client.data_to_send(), self.server, self.take_server)
        return self

    def carry(self, data, machine, take):
        for start in range(0, len(data), self.step):
            machine.receive_data(data[start : start + self.step])
            while (event := machine.next_event()) is not None:
                take(event)

    def take_client(self, event):
        if isinstance(event, Ready) and self.wants_tls and not event.is_tls:
            self.client.start_tls()
        elif isinstance(event, Ready) and self.login:
            self.client.authenticate(self.login, "secret")
        elif isinstance(event, Ready | Authenticated):
            self.client.begin(self.transactions.pop(0))
        elif isinstance(event, TlsAccepted):
            self.server.tls_started()
            self.client.tls_started()
        elif isinstance(event, DataWanted):
            for start in range(0, len(CONTENT), self.step):
                self.client.send_content(CONTENT[start : start + self.step])
            self.client.end_content()
        elif isinstance(event, TransactionDone):
            self.done.append([result.reply.code for result in event.results])
            self.client.begin(self.transactions.pop(0)) if self.transactions else self.client.quit()
        elif isinstance(event, Closed):
            self.is_open = False

    def take_server(self, event):
        if isinstance(event, DataChunk):
            self.content += event.data
        elif isinstance(event, DataEnded):
            self.received.append((self.server.envelope, self.content, self.server.with_protocol))
            self.content = b""
            self.server.answer(done("Taken"))
        elif isinstance(event, RcptRequested):
            self.server.answer(reject("No") if event.address.local_part == "no" else done())
        elif isinstance(event, CredentialsOffered):
            is_right = (event.login, event.password) == (self.login, "secret")
            self.server.answer_auth(done() if is_right else reject("No", code=535))
        elif not isinstance(event, StartTlsRequested):
            self.server.answer(done())


PLAIN = OutgoingTransaction(reverse_path=None, recipients=(Recipient(parse_address("a@b.test")),))
RICH = OutgoingTransaction(
    reverse_path=Address('odd "one"', "xn.test"),
    recipients=(
        Recipient(Address("no", "b.test")),
        Recipient(Address("ä", "пример.test"), RcptParameters(notify=Notify.SUCCESS, orcpt="utf-8;ä+@b")),
        Recipient(Address("c", "d.test"), RcptParameters(notify=Notify.NEVER, orcpt="rfc822;a=b c@d")),
    ),
    parameters=MailParameters(size=99, body=BodyType.EIGHT_BIT, smtputf8=True, ret=Ret.HDRS, envid="x+y z", auth="<>"),
)
WAYS = [
    pytest.param({}, "UTF8SMTP", id="SMTP"),
    pytest.param({"may_pipeline": False}, "UTF8SMTP", id="without pipelining"),
    pytest.param({"service_class": ServiceClass.LMTP}, "UTF8LMTP", id="LMTP"),
    pytest.param({"offers_tls": True, "wants_tls": True, "requires_tls": True}, "UTF8SMTPS", id="TLS"),
    pytest.param(
        {"offers_tls": True, "wants_tls": True, "mechanisms": ("LOGIN",), "login": "alice"}, "UTF8SMTPSA", id="AUTH"
    ),
]


@pytest.mark.parametrize(("way", "word"), WAYS)
@pytest.mark.parametrize("step", [1, 13, 100_000])
def test_messages_arrive(way, word, step):
    """Envelope, parameters and content arrive as they were sent, whatever the connection is like."""
    way = {"mechanisms": ("PLAIN",), "auth_in_clear": True} | way
    link = Link([RICH, PLAIN, RICH], step, **way).run()
    assert link.done == [[550, 250, 250], [250], [550, 250, 250]]
    envelope, content, with_protocol = link.received[0]
    assert envelope.reverse_path == RICH.reverse_path
    assert envelope.recipients == RICH.recipients[1:]
    assert envelope.parameters == RICH.parameters
    assert content == ARRIVES
    assert with_protocol == word
    assert link.received[1][0].reverse_path is None


def test_a_server_without_extensions():
    """What is not offered is not said, and what needs it fails for itself."""
    link = Link([RICH, PLAIN], 100, extensions=frozenset()).run()
    assert link.done == [[553, 553, 553], [250]]
    link = Link([RICH, PLAIN], 100, extensions=frozenset({Extension.SMTPUTF8})).run()
    assert link.done == [[550, 250, 250], [250]]
    assert link.received[0][0].parameters == MailParameters(smtputf8=True)
