"""The client machine against scripted servers."""

import pytest

from posthouse.core.address import Address, parse_address
from posthouse.core.envelope import BodyType, MailParameters, Notify, RcptParameters, Recipient
from posthouse.core.outcome import defer
from posthouse.protocols.smtp.client import SmtpClient, parse_capabilities
from posthouse.protocols.smtp.client_events import (
    TIMEOUTS,
    Authenticated,
    Capabilities,
    ClientConfig,
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
from posthouse.protocols.smtp.types import Extension, Reply

EHLO = b"250-h.test hi\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250 DSN\r\n"
BARE = b"250-h.test\r\n250 HELP\r\n"


def message(*addresses, path="a@b.test", **parameters):
    recipients = tuple(Recipient(parse_address(address)) for address in addresses or ("c@d.test",))
    reverse_path = parse_address(path) if path else None
    return OutgoingTransaction(
        reverse_path=reverse_path, recipients=recipients, parameters=MailParameters(**parameters)
    )


def take(client, data=b""):
    client.receive_data(data)
    events = []
    while (event := client.next_event()) is not None:
        events.append(event)
    return events


def ready(ehlo=EHLO, **config):
    client = SmtpClient(ClientConfig(hello_name="me.test", **config))
    events = take(client, b"220 hi\r\n" + ehlo)
    assert isinstance(events[-1], Ready)
    client.data_to_send()
    return client


def codes(event):
    assert isinstance(event, TransactionDone)
    return [(result.reply.code, result.phase, result.is_local) for result in event.results]


def test_pipelined_message():
    """With PIPELINING the whole envelope goes in one write, and the content after 354."""
    client = ready()
    client.begin(message("c@d.test", "e@f.test", size=10, body=BodyType.EIGHT_BIT))
    assert client.data_to_send() == (
        b"MAIL FROM:<a@b.test> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<e@f.test>\r\nDATA\r\n"
    )
    events = take(client, b"250 ok\r\n250 ok\r\n550 5.1.1 no\r\n354 go\r\n")
    assert [type(event) for event in events] == [RecipientsAnswered, DataWanted]
    assert [reply.code for reply in events[0].replies] == [250, 550]
    client.send_content(b".a\n")
    client.send_content(b"b")
    client.end_content()
    client.send_content(b"ignored")
    client.end_content()
    assert client.data_to_send() == b"..a\r\nb\r\n.\r\n"
    assert codes(take(client, b"250 taken\r\n")[0]) == [
        (250, Phase.END_OF_DATA, False),
        (550, Phase.RCPT, False),
    ]
    assert client.is_ready
    assert client.transactions == 1
    client.begin(message())
    assert client.data_to_send().startswith(b"MAIL")
    assert TIMEOUTS[client.phase] == 300


def test_message_without_pipelining():
    """Without it each command waits for the reply before it."""
    client = ready(BARE)
    client.begin(message("c@d.test", "e@f.test", size=10))
    for sent, reply in [
        (b"MAIL FROM:<a@b.test>\r\n", b"250 ok\r\n"),
        (b"RCPT TO:<c@d.test>\r\n", b"550 no\r\n"),
        (b"RCPT TO:<e@f.test>\r\n", b"250 ok\r\n"),
    ]:
        assert client.data_to_send() == sent
        events = take(client, reply)
    assert client.data_to_send() == b"DATA\r\n"
    assert [type(event) for event in events] == [RecipientsAnswered]
    assert take(client, b"354 go\r\n") == [DataWanted()]


REFUSALS = [
    pytest.param(EHLO, b"550 no\r\n503 x\r\n503 x\r\n", [(550, Phase.MAIL, False)], b"", id="MAIL, pipelined"),
    pytest.param(BARE, b"450 no\r\n", [(450, Phase.MAIL, False)], b"", id="MAIL"),
    pytest.param(EHLO, b"250 ok\r\n451 no\r\n554 x\r\n", [(451, Phase.RCPT, False)], b"RSET\r\n", id="RCPT, pipelined"),
    pytest.param(EHLO, b"250 ok\r\n250 ok\r\n552 no\r\n", [(552, Phase.DATA, False)], b"RSET\r\n", id="DATA"),
]


@pytest.mark.parametrize(("ehlo", "replies", "results", "reset"), REFUSALS)
def test_refusals_before_the_content(ehlo, replies, results, reset):
    """The reply that decides is reported; the next transaction starts with RSET where one may be open."""
    client = ready(ehlo)
    client.begin(message())
    events = take(client, replies)
    assert codes(events[-1]) == results
    client.data_to_send()
    client.begin(message())
    assert client.data_to_send().startswith(reset + b"MAIL")


def test_354_without_recipients():
    """A server that says 354 though it granted nobody gets an empty end, and its reply counts for nobody."""
    client = ready()
    client.begin(message())
    client.data_to_send()
    assert [type(event) for event in take(client, b"250 ok\r\n550 no\r\n354 go\r\n")] == [RecipientsAnswered]
    assert client.data_to_send() == b".\r\n"
    assert codes(take(client, b"250 taken\r\n")[0]) == [(550, Phase.RCPT, False)]


def test_lmtp_results():
    """LMTP has a reply for each recipient that was granted (RFC 2033 §4.2)."""
    client = SmtpClient(ClientConfig(hello_name="me.test", is_lmtp=True))
    take(client, b"220 hi\r\n")
    assert client.data_to_send() == b"LHLO me.test\r\n"
    take(client, EHLO)
    client.begin(message("a@x.test", "b@x.test", "c@x.test"))
    take(client, b"250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n")
    client.end_content()
    assert take(client, b"250 a\r\n") == []
    assert codes(take(client, b"452 c\r\n")[0]) == [
        (250, Phase.END_OF_DATA, False),
        (550, Phase.RCPT, False),
        (452, Phase.END_OF_DATA, False),
    ]


def test_helo_fallback_and_refusals():
    """EHLO refused for good leads to HELO; refused for now, or a refused greeting, is reported."""
    client = SmtpClient(ClientConfig(hello_name="me.test"))
    take(client, b"220 hi\r\n502 what\r\n")
    assert client.data_to_send() == b"EHLO me.test\r\nHELO me.test\r\n"
    assert take(client, b"250 h.test at your service\r\n") == [Ready(Capabilities(name="h.test"), is_tls=False)]
    for script, phase in [
        (b"554 no\r\n", Phase.GREETING),
        (b"220 hi\r\n450 no\r\n", Phase.HELLO),
        (b"220 hi\r\n500 no\r\n500 no\r\n", Phase.HELLO),
    ]:
        client = SmtpClient(ClientConfig(hello_name="me.test"))
        event = take(client, script)[-1]
        assert isinstance(event, Refused)
        assert event.phase is phase
        client.quit()
        assert client.data_to_send().endswith(b"QUIT\r\n")
        assert take(client, b"221 bye\r\n") == [Closed(Reply(code=221, lines=(b"bye",)))]


def test_starttls():
    """After the handshake EHLO is said again and what was known before is forgotten (RFC 3207 §4.2)."""
    client = ready(b"250-h.test\r\n250 STARTTLS\r\n")
    client.start_tls()
    assert client.data_to_send() == b"STARTTLS\r\n"
    assert take(client, b"220 go\r\n") == [TlsAccepted()]
    client.tls_started()
    assert client.data_to_send() == b"EHLO me.test\r\n"
    event = take(client, BARE)[0]
    assert event.is_tls
    assert event.capabilities.extensions == frozenset()


def test_starttls_refused_and_injected():
    """A refusal leaves the session usable; octets behind 220 end it."""
    client = ready()
    client.start_tls()
    event = take(client, b"454 later\r\n")[0]
    assert (event.phase, client.is_ready) == (Phase.TLS, True)
    client.start_tls()
    assert isinstance(take(client, b"220 go\r\n250 injected\r\n")[0], ProtocolViolation)
    assert client.next_event() is None


def test_authenticate():
    """PLAIN where it is offered, with its initial response; else LOGIN; else a local refusal."""
    client = ready()
    client.authenticate("a", "b")
    assert client.data_to_send() == b"AUTH PLAIN AGEAYg==\r\n"
    assert take(client, b"235 in\r\n") == [Authenticated("PLAIN")]
    client = ready(b"250-h\r\n250 AUTH LOGIN\r\n")
    client.authenticate("a", "b")
    take(client, b"334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n")
    assert client.data_to_send() == b"AUTH LOGIN\r\nYQ==\r\nYg==\r\n"
    assert take(client, b"535 5.7.8 no\r\n")[0].phase is Phase.AUTH
    assert client.is_ready
    client = ready(BARE)
    client.authenticate("a", "b")
    assert take(client)[0].is_local


def test_challenges_without_end():
    """A server that never stops asking is left."""
    client = ready()
    client.authenticate("a", "b")
    assert isinstance(take(client, b"334 !\r\n" * 10)[-1], ProtocolViolation)


def test_what_the_peer_cannot_take_is_told_at_once():
    """SMTPUTF8 and size are decided before anything is sent, per message or per recipient."""
    client = ready()
    client.begin(message(smtputf8=True))
    assert take(client)[0].results[0].reply.text.startswith("5.6.7")
    client.begin(message(path="ä@b.test"))
    assert codes(take(client)[0]) == [(553, Phase.MAIL, True)]
    client.begin(message(size=1001))
    assert codes(take(client)[0]) == [(552, Phase.MAIL, True)]
    assert client.data_to_send() == b""
    client.begin(message("ä@d.test", "c@d.test"))
    assert client.data_to_send() == b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n"
    assert codes(take(client, b"250 ok\r\n250 ok\r\n451 no\r\n")[-1]) == [
        (553, Phase.RCPT, True),
        (451, Phase.DATA, False),
    ]
    client.data_to_send()
    bad = OutgoingTransaction(reverse_path=Address("a\r\n", "b"), recipients=message().recipients)
    client.begin(bad)
    assert codes(take(client)[0]) == [(553, Phase.MAIL, True)]
    bad = OutgoingTransaction(reverse_path=None, recipients=(Recipient(Address("a\nb", "c")),))
    client.begin(bad)
    assert codes(take(client)[0]) == [(553, Phase.RCPT, True)]


def test_utf8_addresses():
    """Domains go out as A-labels; SMTPUTF8 is said where a local part needs it."""
    client = ready(b"250-h\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n")
    client.begin(message("c@пример.test"))
    assert b"RCPT TO:<c@xn--e1afmkfd.test>\r\n" in client.data_to_send()
    take(client, b"250 a\r\n550 b\r\n550 c\r\n")
    client.begin(message("ä@d.test"))
    assert client.data_to_send().startswith("RSET\r\nMAIL FROM:<a@b.test> SMTPUTF8\r\nRCPT TO:<ä@d.test>".encode())


def test_dsn_parameters():
    """DSN parameters are said where the peer offers DSN."""
    recipient = Recipient(Address("c", "d.test"), RcptParameters(notify=Notify.SUCCESS, orcpt="rfc822;c@d.test"))
    for ehlo, words in [(EHLO, b" NOTIFY=SUCCESS ORCPT=rfc822;c@d.test"), (BARE.replace(b"HELP", b"PIPELINING"), b"")]:
        client = ready(ehlo)
        client.begin(OutgoingTransaction(reverse_path=None, recipients=(recipient,)))
        assert client.data_to_send() == b"MAIL FROM:<>\r\nRCPT TO:<c@d.test>" + words + b"\r\nDATA\r\n"


LOST = [
    pytest.param(b"", Phase.MAIL, id="before any reply"),
    pytest.param(b"250 ok\r\n250 ok\r\n", Phase.DATA, id="before DATA"),
    pytest.param(b"250 ok\r\n250 ok\r\n354 go\r\n", Phase.CONTENT, id="in the content"),
]


@pytest.mark.parametrize(("replies", "phase"), LOST)
def test_a_lost_connection_settles_everything(replies, phase):
    """A transaction ends once, as temporary, wherever the connection is lost."""
    client = ready()
    client.begin(message("c@d.test", "e@f.test"))
    take(client, replies.replace(b"250 ok\r\n", b"250 ok\r\n" * 2, 1) if replies else b"")
    client.receive_eof()
    client.receive_eof()
    events = take(client, b"250 late\r\n")
    assert codes(events[0]) == [(451, phase, True)] * 2
    assert events[1:] == [Closed(None)]
    client.quit()


def test_timeout_has_its_own_outcome():
    """The driver's reason for giving up is what the recipients get."""
    client = ready()
    client.begin(message())
    client.receive_eof(defer("Timed out"))
    assert take(client)[0].results[0].reply.text == "4.3.0 Timed out"


def test_421_ends_the_session():
    """421 at any moment decides the transaction and closes (RFC 5321 §3.8)."""
    client = ready()
    client.begin(message())
    events = take(client, b"250 ok\r\n421 4.3.2 bye\r\n")
    assert codes(events[0]) == [(421, Phase.RCPT, False)]
    assert isinstance(events[1], Closed)
    client = ready()
    client.begin(message())
    take(client, b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert codes(take(client, b"552 enough\r\n")[0]) == [(552, Phase.CONTENT, False)]


VIOLATIONS = [
    pytest.param(b"hello\r\n", id="no reply"),
    pytest.param(b"250 ok\n", id="LF alone"),
    pytest.param(b"354 go\r\n", id="354 to MAIL"),
    pytest.param(b"250 ok\r\n250 ok\r\n250 ok\r\n", id="250 to DATA"),
    pytest.param(b"250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n", id="a reply nobody asked for"),
]


@pytest.mark.parametrize("replies", VIOLATIONS)
def test_violations(replies):
    """A peer that does not speak SMTP ends the session; the recipients are tried again later."""
    client = ready()
    client.begin(message())
    events = take(client, replies)
    assert isinstance(events[-1], ProtocolViolation)
    assert codes(events[-2])[0][0] == 451
    assert client.phase is Phase.CLOSED


def test_quit_behind_the_content():
    """QUIT may be pipelined behind the end of data; a 221 alone delivers nothing."""
    client = ready()
    client.begin(message())
    with pytest.raises(ValueError, match="transaction is open"):
        client.quit()
    take(client, b"250 ok\r\n250 ok\r\n354 go\r\n")
    client.end_content()
    client.quit()
    assert client.data_to_send().endswith(b".\r\nQUIT\r\n")
    events = take(client, b"250 taken\r\n221 bye\r\n")
    assert codes(events[0]) == [(250, Phase.END_OF_DATA, False)]
    assert isinstance(events[1], Closed)


def test_misuse_is_told():
    """Calls out of turn are mistakes of ours and say so."""
    client = SmtpClient(ClientConfig(hello_name="me.test"))
    with pytest.raises(ValueError, match="phase"):
        client.begin(message())
    with pytest.raises(ValueError, match="phase"):
        client.start_tls()
    client = ready()
    with pytest.raises(ValueError, match="recipients"):
        client.begin(OutgoingTransaction(reverse_path=None, recipients=()))


def test_capabilities():
    """Keywords are read without regard to case; what is unknown or malformed is passed over."""
    lines = (b"h.test", b"size", b"SIZE x", b"size 0", b"auth plain X-Y", b"AUTH=LOGIN", b"", b"XWHAT 1", b"\xff")
    found = parse_capabilities(Reply(code=250, lines=lines))
    assert (found.max_size, found.mechanisms) == (None, ("PLAIN", "X-Y"))
    assert found.extensions == {Extension.SIZE, Extension.AUTH}
    assert isinstance(take(SmtpClient(ClientConfig(hello_name="x")), b"220 hi\r\n")[0], GreetingReceived)
