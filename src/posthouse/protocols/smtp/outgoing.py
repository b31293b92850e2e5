"""One transaction of the client, as far as it has gone: which reply decided which recipient (RFC 5321 §3.3).

Knows what is sent and what replies mean; ``client`` sends and reads. Dropped when it is done.
Tests: ``tests/unit/protocols/smtp/test_smtp_client.py``.
"""

from __future__ import annotations

from posthouse.core import status
from posthouse.core.address import Address
from posthouse.core.errors import SyntaxFault
from posthouse.core.outcome import reject
from posthouse.protocols.smtp.client_events import Capabilities, OutgoingTransaction, Phase, RecipientResult
from posthouse.protocols.smtp.data import DotStuffer
from posthouse.protocols.smtp.grammar import format_mail_parameters, format_path, format_rcpt_parameters
from posthouse.protocols.smtp.reply import reply_of
from posthouse.protocols.smtp.types import Extension, Reply

UTF8_NEEDED = reply_of(
    reject("The next server does not offer SMTPUTF8", code=553, detail_code=status.NON_ASCII_NOT_PERMITTED)
)
TOO_LARGE = reply_of(
    reject("The next server does not take messages of this size", code=552, detail_code=status.MESSAGE_TOO_BIG)
)
UNSENDABLE = reply_of(
    reject("The address cannot be written for the next server", code=553, detail_code=status.BAD_ADDRESS_SYNTAX)
)


class Outgoing:
    """A transaction under way.

    Attributes:
        asked: indexes of the recipients that RCPT is sent for; the others failed before.
        accepted: indexes of those granted.
        stuffer: turns content into octets for the wire.
    """

    def __init__(self, transaction: OutgoingTransaction, capabilities: Capabilities) -> None:
        self.transaction = transaction
        self.capabilities = capabilities
        self.results: list[RecipientResult | None] = [None] * len(transaction.recipients)
        self.replies: list[Reply | None] = [None] * len(transaction.recipients)
        self.asked: list[int] = []
        self.accepted: list[int] = []
        self._answered = 0
        self.is_mail_refused = False
        self.stuffer = DotStuffer()
        self.mail = b""
        self.rcpts: list[bytes] = []
        self._prepare()

    def _prepare(self) -> None:
        """Write the commands; what cannot be sent to this peer fails here, per message or per recipient."""
        parameters = self.transaction.parameters
        offered = self.capabilities.extensions
        largest = self.capabilities.max_size
        can_utf8 = Extension.SMTPUTF8 in offered
        reverse_path = self.transaction.reverse_path
        if (parameters.smtputf8 or _needs_utf8(reverse_path)) and not can_utf8:
            self.fail(UTF8_NEEDED)
        elif largest is not None and parameters.size is not None and parameters.size > largest:
            self.fail(TOO_LARGE)
        else:
            paths = [self._rcpt_path(index, can_utf8=can_utf8) for index in range(len(self.results))]
            is_utf8 = parameters.smtputf8 or _needs_utf8(reverse_path) or not all(map(bytes.isascii, paths))
            words = format_mail_parameters(parameters, offered)
            if is_utf8 and not parameters.smtputf8:
                words += b" SMTPUTF8"
            try:
                self.mail = b"MAIL FROM:%b%b\r\n" % (_wire_path(reverse_path), words)
            except SyntaxFault:
                self.fail(UNSENDABLE)
                return
            self._write_rcpts(paths, offered)

    def _rcpt_path(self, index: int, *, can_utf8: bool) -> bytes:
        """Return the path of a recipient, or b"" where it has failed."""
        address = self.transaction.recipients[index].address
        if _needs_utf8(address) and not can_utf8:
            self._settle(index, UTF8_NEEDED, Phase.RCPT, is_local=True)
            return b""
        try:
            return _wire_path(address)
        except SyntaxFault:
            self._settle(index, UNSENDABLE, Phase.RCPT, is_local=True)
            return b""

    def _write_rcpts(self, paths: list[bytes], offered: frozenset[Extension]) -> None:
        for index, path in enumerate(paths):
            if path:
                words = format_rcpt_parameters(self.transaction.recipients[index].parameters, offered)
                self.rcpts.append(b"RCPT TO:%b%b\r\n" % (path, words))
                self.asked.append(index)

    def take_mail(self, reply: Reply) -> None:
        """Take the reply to MAIL."""
        if not reply.is_positive:
            self.is_mail_refused = True
            self.settle_rest(reply, Phase.MAIL)

    def take_rcpt(self, index: int, reply: Reply) -> None:
        """Take the reply to RCPT of one recipient."""
        self.replies[index] = reply
        if self.results[index] is not None:  # MAIL was refused: that is the reason, not "503 MAIL first"
            return
        if reply.is_positive:
            self.accepted.append(index)
        else:
            self._settle(index, reply, Phase.RCPT)

    def fail(self, reply: Reply) -> None:
        """Settle everything without the peer."""
        self.settle_rest(reply, Phase.MAIL, is_local=True)

    def settle_rest(self, reply: Reply, phase: Phase, *, is_local: bool = False) -> None:
        """Let a reply decide all recipients that nothing has decided yet."""
        for index, result in enumerate(self.results):
            if result is None:
                self._settle(index, reply, phase, is_local=is_local)

    def settle_next(self, reply: Reply) -> None:
        """Let a reply after the content decide the next recipient (LMTP, RFC 2033 §4.2)."""
        self._settle(self.accepted[self._answered], reply, Phase.END_OF_DATA)
        self._answered += 1

    @property
    def is_settled(self) -> bool:
        """Whether every recipient has its result."""
        return None not in self.results

    @property
    def outcome(self) -> tuple[RecipientResult, ...]:
        """The results; all are there once it is settled."""
        return tuple(result for result in self.results if result is not None)

    def _settle(self, index: int, reply: Reply, phase: Phase, *, is_local: bool = False) -> None:
        recipient = self.transaction.recipients[index]
        self.results[index] = RecipientResult(recipient=recipient, reply=reply, phase=phase, is_local=is_local)


def _needs_utf8(address: Address | None) -> bool:
    """Whether the path has no ASCII form; a domain always has one (RFC 5890 §2.3.2.1)."""
    return address is not None and not address.local_part.isascii()


def _wire_path(address: Address | None) -> bytes:
    """Return the path as it is sent: the domain in A-labels, which every peer takes (RFC 6531 §3.3 allows either)."""
    if address is None or not address.domain:
        return format_path(address)
    return format_path(Address(address.local_part, address.domain_ascii))
