"""Rows to transactions, replies to outcomes."""

import pytest

from posthouse.core.envelope import BodyType, Notify, Ret
from posthouse.core.errors import SyntaxFault
from posthouse.protocols.smtp.client_events import Phase
from posthouse.protocols.smtp.types import Reply
from posthouse.services.relay.job import Job
from posthouse.services.relay.outcomes import reply_outcome, transaction_of

TABLE = [
    ("enhanced code is taken out of the text", 550, b"5.1.1 No such user", Phase.RCPT, "550 5.1.1", "No such user"),
    ("no enhanced code", 550, b"No such user", Phase.RCPT, "550 5.0.0", "No such user"),
    ("enhanced code of another class", 450, b"5.1.1 odd", Phase.RCPT, "450 4.0.0", "odd"),
    ("552 to RCPT is temporary", 552, b"Too many", Phase.RCPT, "452 4.5.3", "Too many"),
    ("552 5.2.2 to RCPT is a full mailbox", 552, b"5.2.2 Full", Phase.RCPT, "552 5.2.2", "Full"),
    ("552 after the content is for good", 552, b"Too big", Phase.END_OF_DATA, "552 5.0.0", "Too big"),
    ("success", 250, b"2.0.0 Ok: queued", Phase.END_OF_DATA, "250 2.0.0", "Ok: queued"),
    ("control octets are no line ends", 550, b"a\x00b\xff", Phase.RCPT, "550 5.0.0", None),
]


@pytest.mark.parametrize(
    ("code", "line", "phase", "wanted", "text"), [pytest.param(*row[1:], id=row[0]) for row in TABLE]
)
def test_replies_become_outcomes(code, line, phase, wanted, text):
    """Code, enhanced code and words of the peer are kept."""
    outcome = reply_outcome(Reply(code=code, lines=(line,)), phase)
    assert f"{outcome.code} {outcome.enhanced}" == wanted
    if text is not None:
        assert outcome.public_text == text


def test_a_row_becomes_a_transaction(make_row):
    """All parameters of the envelope are carried."""
    row = make_row(notify="NEVER", orcpt="rfc822;x@y.test", ret="FULL", envid="E", body_type="7BIT", size=7)
    made = transaction_of(Job([row], b"x"))
    assert str(made.reverse_path) == "a@house.test"
    assert (made.parameters.ret, made.parameters.envid, made.parameters.size) == (Ret.FULL, "E", 7)
    assert made.parameters.body is BodyType.SEVEN_BIT
    assert made.recipients[0].parameters.notify is Notify.NEVER
    assert made.recipients[0].parameters.orcpt == "rfc822;x@y.test"
    assert transaction_of(Job([make_row(reverse_path="")], b"x")).reverse_path is None


@pytest.mark.parametrize(
    ("content", "needed"),
    [(b"Subject: x\r\n\r\n\xc3\xbc", False), (b"Subject: \xc3\xbc\r\n\r\n", True), (b"\xc3\xbc", True), (None, True)],
)
def test_smtputf8_is_needed_for_the_header_alone(make_row, content, needed):
    """A body in 8 bits needs no SMTPUTF8; what is not in memory is believed."""
    assert transaction_of(Job([make_row(smtputf8=True)], content)).parameters.smtputf8 is needed


def test_an_address_that_cannot_be_read_is_a_named_fault(make_row):
    """The connection defers it."""
    with pytest.raises(SyntaxFault):
        transaction_of(Job([make_row(address="nonsense")], b"x"))
