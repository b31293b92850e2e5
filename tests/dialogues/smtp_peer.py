"""A small mail host in memory for SMTP dialogues: the real session, with answers made up here.

Accounts alice, bob and long names at example.test take mail; carol's mailbox is full after the data (LMTP); nobody
relays but who is authenticated. alice's password is "secret".
"""

from posthouse.core import status
from posthouse.core.outcome import defer, done, reject
from posthouse.protocols.sasl.mechanism import CredentialsOffered
from posthouse.protocols.smtp.session import SmtpSession
from posthouse.protocols.smtp.types import (
    BARE_POSTMASTER,
    BareNewline,
    ConnectionEnding,
    DataChunk,
    DataEnded,
    DataRefused,
    DataRequested,
    Extension,
    MailRequested,
    RcptRequested,
    ServiceClass,
    SessionConfig,
    StartTlsRequested,
    TransactionReset,
)

UNKNOWN_USER = reject("No such user here", code=550, detail_code=status.BAD_MAILBOX)
RELAY_DENIED = reject("Relaying denied", code=550, detail_code=status.NOT_AUTHORIZED)
FULL = reject("Mailbox full", code=552, detail_code=status.MAILBOX_FULL)
BAD_CREDENTIALS = reject("Authentication credentials invalid", code=535, detail_code=status.BAD_CREDENTIALS)
KNOWN = {"alice", "bob", "carol", "jones", "green", "smith"}


def config_of(words):
    """Make a SessionConfig of a script's config line."""
    off = {Extension(word) for word in words.get("without", "").split(",") if word}
    return SessionConfig(
        hostname="mail.example.test",
        service_class=ServiceClass(words.get("class", "mx")),
        max_size=int(words.get("size", "0")),
        max_recipients=int(words.get("recipients", "100")),
        offers_tls=words.get("tls") == "offered",
        tls_active=words.get("tls") == "active",
        requires_tls=words.get("requires-tls") == "yes",
        mechanisms=tuple(word for word in words.get("auth", "").split(",") if word),
        auth_in_clear=words.get("auth-in-clear") == "yes",
        bare_newline=BareNewline(words.get("bare-newline", "refuse")),
        extensions=frozenset(Extension) - off,
        error_limit=int(words.get("errors", "20")),
        junk_limit=int(words.get("junk", "100")),
    )


class SmtpPeer:
    """One connection; see ``testing.dialogue.Peer``."""

    def __init__(self, words):
        self.session = SmtpSession(config_of(words))
        self.session.greet()
        self.closed = False
        self.content = b""
        self.messages = []

    def step(self, name):
        if name == "starttls":
            self.session.tls_started()
        elif name == "shutdown":
            self.session.shutdown()
        elif name == "timeout":
            self.session.time_out()
        else:
            raise ValueError(name)

    def feed(self, data):
        self.session.receive_data(data)
        while (event := self.session.next_event()) is not None:
            self.take(event)
        return self.session.data_to_send()

    def take(self, event):
        match event:
            case MailRequested(reverse_path=path):
                is_bad = path is not None and path.domain == "bad.test"
                self.session.answer(defer("Greylisted") if is_bad else done("Ok"))
            case RcptRequested(address=address):
                self.session.answer(self.rule(address))
            case DataRequested():
                self.content = b""
                path = self.session.envelope.reverse_path
                is_slow = path is not None and path.domain == "busy.test"
                self.session.answer(defer("Busy") if is_slow else done())
            case DataChunk(data=data):
                self.content += data
            case DataEnded(size=size):
                assert size == len(self.content)
                self.end(size)
            case CredentialsOffered(login=login, password=password):
                is_right = (login, password) == ("alice", "secret")
                self.session.answer_auth(done() if is_right else BAD_CREDENTIALS)
            case ConnectionEnding():
                self.closed = True
            case DataRefused() | TransactionReset():
                self.content = b""
            case StartTlsRequested():
                pass

    def end(self, size):
        envelope = self.session.envelope
        self.messages.append((envelope, self.content))
        taken = done(f"Taken, {size} octets for {len(envelope.recipients)}")
        if self.session.config.is_lmtp:
            outcomes = [FULL if each.address.local_part == "carol" else taken for each in envelope.recipients]
            self.session.answer_recipients(outcomes)
        else:
            self.session.answer(taken)

    def rule(self, address):
        if address == BARE_POSTMASTER or self.session.is_authenticated:
            return done("Ok")
        if not address.domain.endswith(("example.test", "bar.com", "пример.test")):
            return RELAY_DENIED
        return done("Ok") if address.local_part.lower() in KNOWN or not address.local_part.isascii() else UNKNOWN_USER
