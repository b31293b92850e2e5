"""The client's side of an SMTP or LMTP connection, without I/O (RFC 5321 §3, RFC 2033, RFC 2920).

Role: used by ``services.relay`` and by tests; ``client_events`` says how a driver uses it.

    GREETING --220--> HELLO --250--> READY --begin--> MAIL, RCPT, DATA --354--> CONTENT --"."--> END_OF_DATA --> READY
                        ^             | start_tls: TLS --220, handshake--.   (a group at once where PIPELINING)
                        |             | authenticate: AUTH --235--> READY |
                        '-------------------------------------------------'        quit: QUIT --221--> CLOSED

Invariants: each command has its reply in ``_expected``, so a reply nobody waits for is seen; what goes out as content
holds no CR or LF outside of CRLF and no line that could end it early; octets behind 220 to STARTTLS end the session
(they would have been injected); every transaction that was begun ends in exactly one TransactionDone, whatever the
peer or the network does. A reply is bounded (``reply.ReplyReader``).

Not here: which host, whether TLS is needed, when to try again. Tests: in ``tests/unit/protocols/smtp``
``test_smtp_client.py`` and ``test_smtp_client_meets_server.py``, fuzz target ``smtp_client``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from posthouse.core import status
from posthouse.core.errors import Fault
from posthouse.core.outcome import Outcome, defer, reject
from posthouse.protocols.sasl.exchange import decode_base64, encode_base64
from posthouse.protocols.sasl.login import LoginClient
from posthouse.protocols.sasl.mechanism import ClientMechanism
from posthouse.protocols.sasl.plain import PlainClient
from posthouse.protocols.smtp.client_events import (
    Authenticated,
    Capabilities,
    ClientConfig,
    ClientEvent,
    Closed,
    DataWanted,
    GreetingReceived,
    OutgoingTransaction,
    Phase,
    ProtocolViolation,
    Ready,
    RecipientsAnswered,
    Refused,
    TlsAccepted,
    TransactionDone,
)
from posthouse.protocols.smtp.outgoing import Outgoing
from posthouse.protocols.smtp.reply import ReplyReader, reply_of
from posthouse.protocols.smtp.types import Extension, Reply

LOST = defer("Connection lost", detail_code=status.BAD_CONNECTION, rule="smtp.client.lost")
VIOLATION = defer("The next server does not speak SMTP", detail_code=status.PROTOCOL_OTHER, rule="smtp.client.protocol")
NO_MECHANISM = reject(
    "No mechanism in common", code=504, detail_code=status.WEAK_MECHANISM, rule="smtp.client.mechanism"
)

_MOST_CHALLENGES = 4  # LOGIN has two

_Take: TypeAlias = Callable[[Reply], None]


def parse_capabilities(reply: Reply) -> Capabilities:
    """Read the answer to EHLO (RFC 5321 §4.1.1.1); what is not known is passed over."""
    lines = [line.decode("ascii", "replace") for line in reply.lines]
    extensions: set[Extension] = set()
    mechanisms: tuple[str, ...] = ()
    max_size: int | None = None
    for line in lines[1:]:
        # "AUTH=PLAIN" is how servers before RFC 2554 said it; it is passed over, they all say the other form too.
        keyword, *words = line.upper().split() or [""]
        extension = _KEYWORDS.get(keyword)
        if extension is None:
            continue
        extensions.add(extension)
        if extension is Extension.AUTH:
            mechanisms = tuple(words)
        elif extension is Extension.SIZE and words and words[0].isdecimal() and len(words[0]) <= 20:
            max_size = int(words[0]) or None
    name = lines[0].split(" ", 1)[0]
    return Capabilities(
        name=name, extensions=frozenset(extensions), mechanisms=mechanisms, max_size=max_size, is_esmtp=True
    )


_KEYWORDS = {extension.value: extension for extension in Extension}


class SmtpClient:
    """The client's side of one connection.

    Attributes:
        phase: what is waited for; ``client_events.TIMEOUTS`` says how long.
        capabilities: of the last EHLO.
        is_tls: whether TLS is active.
        transactions: how many have ended on this connection.
    """

    def __init__(self, config: ClientConfig, *, is_tls: bool = False) -> None:
        self.config = config
        self.phase = Phase.GREETING
        self.capabilities = Capabilities()
        self.is_tls = is_tls
        self.transactions = 0
        self._replies = ReplyReader()
        self._events: deque[ClientEvent] = deque()
        self._out: list[bytes] = []
        self._expected: deque[_Take] = deque([self._take_greeting])
        self._outgoing: Outgoing | None = None
        self._mechanism: ClientMechanism | None = None
        self._challenges = 0
        self._is_quitting = False
        self._needs_reset = False  # the peer may think that a transaction is open

    # --- what the driver does

    def receive_data(self, data: bytes) -> None:
        """Take octets from the peer; they are read by ``next_event``."""
        if self.phase is not Phase.CLOSED:
            self._replies.receive(data)

    def receive_eof(self, outcome: Outcome = LOST) -> None:
        """Say that the stream has ended, or that the driver gives up (timeout); ``outcome`` decides what is open."""
        while self._read_reply():
            pass
        self._close(None, reply_of(outcome))

    def next_event(self) -> ClientEvent | None:
        """Return the next event; None while octets, or a call of the driver, are awaited."""
        while not self._events:
            if not self._read_reply():
                return None
        return self._events.popleft()

    def data_to_send(self) -> bytes:
        """Return, once, the octets that are to be sent."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    @property
    def is_ready(self) -> bool:
        """Whether ``begin`` may be called."""
        return self.phase is Phase.READY and not self._expected

    def start_tls(self) -> None:
        """Send STARTTLS. TlsAccepted or Refused follows."""
        self._require(Phase.READY)
        self._command(b"STARTTLS\r\n", self._take_starttls, Phase.TLS)

    def tls_started(self) -> None:
        """Say that the handshake is done. EHLO is sent again and Ready follows (RFC 3207 §4.2)."""
        self._require(Phase.TLS)
        self._replies.clear()
        self.is_tls = True
        self.capabilities = Capabilities()
        self._say_hello()

    def authenticate(self, login: str, password: str) -> None:
        """Send AUTH with PLAIN, or else LOGIN, as offered. Authenticated or Refused follows (RFC 4954)."""
        self._require(Phase.READY)
        offered = self.capabilities.mechanisms
        if "PLAIN" in offered:
            self._mechanism = PlainClient(login, password)
        elif "LOGIN" in offered:
            self._mechanism = LoginClient(login, password)
        else:
            self._events.append(Refused(Phase.AUTH, reply_of(NO_MECHANISM), is_local=True))
            return
        self._challenges = 0
        initial = self._mechanism.initial_response()
        words = b"" if initial is None else b" " + (encode_base64(initial) or b"=")
        line = b"AUTH %b%b\r\n" % (self._mechanism.name.encode(), words)
        self._command(line, self._take_auth, Phase.AUTH)

    def begin(self, transaction: OutgoingTransaction) -> None:
        """Begin a transaction; DataWanted or TransactionDone follows.

        What this peer cannot be sent (SMTPUTF8 missing, size over its limit) is done at once, with local results.
        Raises ValueError: where there is no recipient, or the client is not ready.
        """
        if not transaction.recipients:
            raise ValueError("a transaction has recipients")
        self._require(Phase.READY)
        outgoing = Outgoing(transaction, self.capabilities)
        self._outgoing = outgoing
        if not outgoing.asked:
            self._finish()
            return
        if self._needs_reset:
            self._out.append(b"RSET\r\n")
            self._expected.append(self._take_reset)
        self.phase = Phase.MAIL
        if not self.config.may_pipeline or Extension.PIPELINING not in self.capabilities.extensions:
            self._out.append(outgoing.mail)
            self._expected.append(self._take_mail)
            return
        # The whole group in one write; DATA is its last command (RFC 2920 §3.1).
        self._out.append(b"%b%bDATA\r\n" % (outgoing.mail, b"".join(outgoing.rcpts)))
        self._expected.append(self._take_mail)
        self._expected.extend(partial(self._take_rcpt, place) for place in range(len(outgoing.asked)))
        self._expected.append(self._take_data)

    def send_content(self, content: bytes) -> None:
        """Send a piece of the message; after DataWanted, as often as needed. Any line ends become CRLF."""
        if self.phase is Phase.CONTENT and self._outgoing is not None:
            self._out.append(self._outgoing.stuffer.feed(content))

    def end_content(self) -> None:
        """End the message. TransactionDone follows."""
        if self.phase is not Phase.CONTENT or self._outgoing is None:
            return
        self._out.append(self._outgoing.stuffer.finish())
        self.phase = Phase.END_OF_DATA
        count = len(self._outgoing.accepted) if self.config.is_lmtp else 1
        self._expected.extend([self._take_end] * count)

    def quit(self) -> None:
        """Send QUIT; Closed follows. It may follow ``end_content`` at once; in a transaction before that, do not.

        Raises ValueError: inside a transaction whose content has not ended.
        """
        if self.phase is Phase.CLOSED or self._is_quitting:
            return
        if self._outgoing is not None and self.phase is not Phase.END_OF_DATA:
            raise ValueError("a transaction is open: cut the connection instead")
        # Behind a message the patience due is still that for its reply (RFC 5321 §4.5.3.2.6).
        self._is_quitting = True
        self._command(b"QUIT\r\n", self._take_quit, Phase.QUIT if self._outgoing is None else self.phase)

    # --- reading

    def _read_reply(self) -> bool:
        """Read one reply; return whether there was something to read."""
        if self.phase is Phase.CLOSED:
            return False
        try:
            reply = self._replies.next_reply()
        except Fault as fault:
            self._violate(fault.detail)
            return True
        if reply is None:
            return False
        self._take(reply)
        return True

    def _take(self, reply: Reply) -> None:
        # 421 may answer anything, and anything unasked is an early 421 in other words (RFC 5321 §3.8).
        if reply.code == 421 or (not self._expected and reply.code >= 400):
            self._close(reply, reply)
        elif not self._expected:
            self._violate(f"unexpected reply {reply.code}")
        else:
            take = self._expected.popleft()
            if 300 <= reply.code < 400 and take not in (self._take_data, self._take_auth):
                self._violate(f"reply {reply.code} where none of 3xx is due")
            else:
                take(reply)

    def _take_greeting(self, reply: Reply) -> None:
        if reply.code != 220:
            self._refused(Phase.GREETING, reply)
            return
        self._events.append(GreetingReceived(reply))
        self._say_hello()

    def _say_hello(self) -> None:
        verb = b"LHLO" if self.config.is_lmtp else b"EHLO"
        line = b"%b %b\r\n" % (verb, self.config.hello_name.encode("ascii", "replace"))
        self._command(line, self._take_ehlo, Phase.HELLO)

    def _take_ehlo(self, reply: Reply) -> None:
        if reply.code == 250:
            self._be_ready(parse_capabilities(reply))
        elif reply.is_permanent and not self.config.is_lmtp:
            line = b"HELO %b\r\n" % self.config.hello_name.encode("ascii", "replace")
            self._command(line, self._take_helo, Phase.HELLO)
        else:
            self._refused(Phase.HELLO, reply)

    def _take_helo(self, reply: Reply) -> None:
        if reply.code == 250:
            self._be_ready(Capabilities(name=reply.text.split(" ", 1)[0]))
        else:
            self._refused(Phase.HELLO, reply)

    def _be_ready(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self.phase = Phase.READY
        self._events.append(Ready(capabilities, self.is_tls))

    def _take_starttls(self, reply: Reply) -> None:
        if reply.code != 220:
            self.phase = Phase.READY
            self._refused(Phase.TLS, reply)
        elif len(self._replies):
            self._violate("octets behind the reply to STARTTLS")
        else:
            self._events.append(TlsAccepted())

    def _take_auth(self, reply: Reply) -> None:
        assert self._mechanism is not None
        if reply.code == 235:
            self._events.append(Authenticated(self._mechanism.name))
        elif reply.code == 334:
            self._challenges += 1
            if self._challenges > _MOST_CHALLENGES:
                self._violate("challenges without end")
                return
            challenge = decode_base64(reply.lines[0])
            response = None if challenge is None else self._mechanism.respond(challenge)
            line = b"*\r\n" if response is None else encode_base64(response) + b"\r\n"
            self._command(line, self._take_auth, Phase.AUTH)
            return
        else:
            self._refused(Phase.AUTH, reply)
        self._mechanism = None
        self.phase = Phase.READY if self.phase is Phase.AUTH else self.phase

    def _take_reset(self, reply: Reply) -> None:
        self._needs_reset = not reply.is_positive

    def _take_mail(self, reply: Reply) -> None:
        outgoing = self._require_outgoing()
        outgoing.take_mail(reply)
        self._needs_reset = not outgoing.is_mail_refused
        if self._expected:  # a group: its other replies follow
            self.phase = Phase.RCPT
        elif outgoing.is_mail_refused:
            self._finish()
        else:
            self._send_rcpt(0)

    def _send_rcpt(self, place: int) -> None:
        line = self._require_outgoing().rcpts[place]
        self._command(line, partial(self._take_rcpt, place), Phase.RCPT)

    def _take_rcpt(self, place: int, reply: Reply) -> None:
        outgoing = self._require_outgoing()
        outgoing.take_rcpt(outgoing.asked[place], reply)
        is_last = place + 1 == len(outgoing.asked)
        if is_last:
            self.phase = Phase.DATA
            self._events.append(RecipientsAnswered(tuple(outgoing.replies)))
        if self._expected:
            return
        if not is_last:
            self._send_rcpt(place + 1)
        elif outgoing.accepted:
            self._command(b"DATA\r\n", self._take_data, Phase.DATA)
        else:
            self._finish()

    def _take_data(self, reply: Reply) -> None:
        outgoing = self._require_outgoing()
        if reply.code != 354:
            if reply.is_positive:
                self._violate(f"reply {reply.code} to DATA")
                return
            outgoing.settle_rest(reply, Phase.DATA)
            self._finish()
        elif outgoing.accepted:
            self.phase = Phase.CONTENT
            self._events.append(DataWanted())
        else:  # 354 without any recipient: there has to be an end of data, and it must not be taken (RFC 2920 §3.1)
            self._command(b".\r\n", self._take_nothing, Phase.END_OF_DATA)

    def _take_nothing(self, _reply: Reply) -> None:
        self._finish()

    def _take_end(self, reply: Reply) -> None:
        outgoing = self._require_outgoing()
        self._needs_reset = False
        if self.config.is_lmtp:
            outgoing.settle_next(reply)
        else:
            outgoing.settle_rest(reply, Phase.END_OF_DATA)
        if outgoing.is_settled:
            self._finish()

    def _take_quit(self, reply: Reply) -> None:
        self._close(reply, reply)

    # --- the ends of things

    def _command(self, line: bytes, take: _Take, phase: Phase) -> None:
        self._out.append(line)
        self._expected.append(take)
        self.phase = phase

    def _require(self, phase: Phase) -> None:
        if self.phase is not phase or self._expected:
            raise ValueError(f"the client is not in phase {phase.value} but {self.phase.value}")

    def _require_outgoing(self) -> Outgoing:
        assert self._outgoing is not None
        return self._outgoing

    def _refused(self, phase: Phase, reply: Reply) -> None:
        self._events.append(Refused(phase, reply))

    def _finish(self) -> None:
        outgoing, self._outgoing = self._outgoing, None
        assert outgoing is not None
        self.transactions += 1
        self.phase = Phase.QUIT if self._is_quitting else Phase.READY
        self._events.append(TransactionDone(outgoing.outcome))

    def _violate(self, detail: str) -> None:
        if self._outgoing is not None:
            self._outgoing.settle_rest(reply_of(VIOLATION), self.phase, is_local=True)
            self._finish()
        self._expected.clear()
        self.phase = Phase.CLOSED
        self._events.append(ProtocolViolation(detail))

    def _close(self, reply: Reply | None, decides: Reply) -> None:
        if self.phase is Phase.CLOSED:
            return
        if self._outgoing is not None:
            is_local = reply is None or decides.is_positive  # a 221 says nothing about the message
            self._outgoing.settle_rest(
                reply_of(LOST) if decides.is_positive else decides, self.phase, is_local=is_local
            )
            self._finish()
        self._expected.clear()
        self.phase = Phase.CLOSED
        self._events.append(Closed(reply))
