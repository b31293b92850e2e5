"""Outcomes, status codes and faults: the class digit always agrees with the reply code."""

import pytest

from posthouse.core import status
from posthouse.core.errors import Bug, Fault, LimitFault, PolicyRefusal, SequenceFault, SyntaxFault, Unavailable
from posthouse.core.outcome import Outcome, defer, done, reject
from posthouse.core.status import Detail, Disposition, format_enhanced

DETAILS = {name: value for name, value in vars(status).items() if isinstance(value, Detail)}


@pytest.mark.parametrize("name", DETAILS)
@pytest.mark.parametrize(("code", "digit"), [(250, "2"), (354, "2"), (450, "4"), (421, "4"), (550, "5"), (554, "5")])
def test_the_class_digit_follows_the_reply_code(name, code, digit):
    """Over the full table of details, the enhanced code's class comes from the reply code alone."""
    outcome = Outcome(code, DETAILS[name], "text")
    assert outcome.enhanced.startswith(digit + ".")
    assert outcome.enhanced == f"{digit}.{DETAILS[name].subject}.{DETAILS[name].detail}"


def test_makers_and_predicates():
    """Each maker gives its class, and exactly one predicate is true."""
    for outcome, truths in [
        (done(), (True, False, False)),
        (defer("later"), (False, True, False)),
        (reject("no"), (False, False, True)),
    ]:
        assert (outcome.is_done, outcome.is_temporary, outcome.is_permanent) == truths
    assert done().disposition is Disposition.DONE


@pytest.mark.parametrize("code", [0, 199, 600])
def test_codes_outside_the_protocol_are_refused(code):
    """An outcome cannot hold a code that SMTP does not have."""
    with pytest.raises(ValueError, match="5321"):
        Outcome(code, status.OTHER, "text")


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "a\rb"])
def test_public_text_is_one_line(text):
    """A line end in the public text, which could forge a reply, is refused."""
    with pytest.raises(ValueError, match="one line"):
        reject(text)


def test_records_leave_out_what_is_empty():
    """The record for log and journey has the private half where there is one."""
    assert done("Ok").as_record() == {"code": 250, "enhanced": "2.0.0", "text": "Ok"}
    told = reject("no", rule="relay.denied", setting="relay.networks").because("192.0.2.1").as_record()
    assert told["rule"] == "relay.denied"
    assert told["setting"] == "relay.networks"
    assert told["detail"] == "192.0.2.1"


def test_details_have_up_to_three_digits():
    """RFC 3463 §2."""
    with pytest.raises(ValueError, match="three digits"):
        Detail(1000, 0)
    assert format_enhanced(Disposition.TEMPORARY, Detail(3, 1)) == "4.3.1"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        pytest.param(Fault("x"), 451, id="any fault is temporary"),
        pytest.param(Bug("x"), 451, id="our own bug is temporary"),
        pytest.param(SyntaxFault("x"), 501, id="syntax"),
        pytest.param(SequenceFault("x"), 503, id="sequence"),
        pytest.param(LimitFault("x"), 552, id="limit"),
        pytest.param(LimitFault("x", outcome=defer("busy", code=452)), 452, id="limit with an outcome of its own"),
        pytest.param(PolicyRefusal(reject("no", code=554)), 554, id="policy"),
        pytest.param(Unavailable("x"), 451, id="away"),
        pytest.param(Unavailable("x", storage_short=True), 452, id="disk full"),
    ],
)
def test_faults_carry_an_outcome(fault, code):
    """Each fault has its public half, and the private detail never reaches the text."""
    assert fault.outcome.code == code
    assert "x" not in fault.outcome.public_text.split()
