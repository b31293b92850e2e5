"""any bytes from a server give events or a named fault, in bounded memory, never another exception.

The first octet chooses SMTP or LMTP, pipelining and sign-in, the second how the rest is cut. Every transaction that was
begun ends in exactly one TransactionDone with a result for each recipient, and nothing is called delivered that the
server did not answer with 2xx.
"""

from __future__ import annotations

from posthouse.core.address import Address
from posthouse.core.envelope import MailParameters, Recipient
from posthouse.protocols.smtp.client import SmtpClient
from posthouse.protocols.smtp.client_events import (
    Authenticated,
    ClientConfig,
    ClientEvent,
    DataWanted,
    OutgoingTransaction,
    Phase,
    ProtocolViolation,
    Ready,
    Refused,
    TlsAccepted,
    TransactionDone,
)
from posthouse.protocols.smtp.reply import REPLY_LINE

_MESSAGE = OutgoingTransaction(
    reverse_path=Address("a", "b.test"),
    recipients=tuple(Recipient(Address(name, "d.test")) for name in ("c", "ä", "e")),
    parameters=MailParameters(size=100),
)
_MOST = 5  # transactions


class _Driver:
    def __init__(self, how: int) -> None:
        self.how = how
        self.client = SmtpClient(ClientConfig(hello_name="me.test", is_lmtp=bool(how & 1), may_pipeline=not how & 2))
        self.begun = self.done = 0

    def take(self, event: ClientEvent) -> None:
        client = self.client
        if isinstance(event, Ready) and self.how & 4 and not event.is_tls:
            client.start_tls()
        elif isinstance(event, TlsAccepted):
            client.tls_started()
        elif isinstance(event, Ready) and self.how & 8:
            client.authenticate("login", "password")
        elif isinstance(event, DataWanted):
            client.send_content(b".a\nb\r\n.\r\n")
            client.end_content()
            if self.how & 16:
                client.quit()
        elif isinstance(event, TransactionDone):
            self.done += 1
            assert len(event.results) == len(_MESSAGE.recipients)
            for result in event.results:
                assert not result.reply.is_positive or result.phase is Phase.END_OF_DATA
                assert not result.reply.is_positive or (200 <= result.reply.code < 300 and not result.is_local)
            self.begin()
        elif isinstance(event, Ready | Authenticated | Refused):
            self.begin()
        else:
            assert not isinstance(event, ProtocolViolation) or client.phase is Phase.CLOSED

    def begin(self) -> None:
        if self.client.is_ready and self.begun < _MOST:
            self.begun += 1
            self.client.begin(_MESSAGE)

    def drain(self) -> None:
        while (event := self.client.next_event()) is not None:
            self.take(event)
        assert b"\n" not in self.client.data_to_send().replace(b"\r\n", b"")


def target(data: bytes) -> None:
    """Run one client over the data of a server."""
    how, step = (data[0], data[1] + 1) if len(data) > 1 else (0, 1)
    driver = _Driver(how)
    for at in range(2, len(data), step):
        driver.client.receive_data(data[at : at + step])
        driver.drain()
        assert driver.client.phase is Phase.CLOSED or len(driver.client._replies) <= REPLY_LINE
    driver.client.receive_eof()
    driver.drain()
    assert driver.done == driver.begun
