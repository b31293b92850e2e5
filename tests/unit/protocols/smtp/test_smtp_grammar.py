"""Arguments of MAIL and RCPT."""

import pytest

from posthouse.core.address import Address
from posthouse.core.envelope import BodyType, MailParameters, Notify, RcptParameters, Ret
from posthouse.core.errors import PolicyRefusal, SyntaxFault
from posthouse.protocols.smtp.extensions.dsn import format_orcpt, parse_orcpt
from posthouse.protocols.smtp.grammar import (
    format_mail_parameters,
    format_path,
    format_rcpt_parameters,
    hello_name,
    mail_arguments,
    rcpt_arguments,
)
from posthouse.protocols.smtp.types import BARE_POSTMASTER, Extension, SessionConfig
from posthouse.protocols.smtp.xtext import format_xtext, parse_xtext

CONFIG = SessionConfig(hostname="h")
STRICT = SessionConfig(hostname="h", quirks=frozenset())
NONE = MailParameters()

MAIL = [
    pytest.param(b"FROM:<>", None, NONE, id="null path"),
    pytest.param(b"from:<a@B.Test>", Address("a", "b.test"), NONE, id="case"),
    pytest.param(b"FROM: <a@b.test>", Address("a", "b.test"), NONE, id="space after the colon"),
    pytest.param(b"FROM:<@x,@y.z:a@b.test>", Address("a", "b.test"), NONE, id="source route"),
    pytest.param(b'FROM:<"a b>c\\""@b.test>', Address('a b>c"', "b.test"), NONE, id="quoted local part"),
    pytest.param(b"FROM:<a@[192.0.2.1]>", Address("a", "[192.0.2.1]"), NONE, id="address literal"),
    pytest.param(b"FROM:<a@[IPv6:2001:DB8::1]>", Address("a", "[ipv6:2001:db8::1]"), NONE, id="IPv6 literal"),
    pytest.param(
        b"FROM:<a@b.test> SIZE=5 BODY=8bitmime RET=full ENVID=a+2Bb AUTH=<>",
        Address("a", "b.test"),
        MailParameters(size=5, body=BodyType.EIGHT_BIT, ret=Ret.FULL, envid="a+b", auth="<>"),
        id="all parameters",
    ),
    pytest.param(
        "FROM:<ä@b.test> SMTPUTF8".encode(), Address("ä", "b.test"), MailParameters(smtputf8=True), id="SMTPUTF8"
    ),
]


@pytest.mark.parametrize(("text", "path", "parameters"), MAIL)
def test_mail_arguments(text, path, parameters):
    """Reverse-path and parameters are read as RFC 5321 §4.1.1.2 says."""
    assert mail_arguments(text, CONFIG) == (path, parameters)


REFUSED = [
    pytest.param(b"", 501, id="nothing"),
    pytest.param(b"FROM:", 501, id="no path"),
    pytest.param(b"FROM:<a@b.test", 501, id="not closed"),
    pytest.param(b"FROM:<a@b.test>>", 501, id="closed twice"),
    pytest.param(b"FROM:<<a@b.test>>", 501, id="doubled"),
    pytest.param(b'FROM:<"a@b.test>', 501, id="quote without end"),
    pytest.param(b"FROM:<a>", 501, id="no domain"),
    pytest.param(b"FROM:<@x:>", 501, id="route to nowhere"),
    pytest.param(b"FROM:<@x:a>", 501, id="route without domain"),
    pytest.param(b"FROM:<a@b.test>SIZE=1", 501, id="no space"),
    pytest.param(b"FROM:<a@b.test> =1", 501, id="no keyword"),
    pytest.param(b"FROM:<a@b.test> SIZE=1 SIZE=1", 501, id="twice"),
    pytest.param(b"FROM:<a@b.test> SIZE", 501, id="value missing"),
    pytest.param(b"FROM:<a@b.test> SIZE==1", 501, id="two equals signs"),
    pytest.param(b"FROM:<a@b.test> " + b"X=1 " * 30, 501, id="too many"),
    pytest.param(b"FROM:<a@b.test> X=1", 555, id="unknown"),
    pytest.param(b"FROM:<a@b.test> NOTIFY=NEVER", 555, id="of RCPT"),
    pytest.param(b"FROM:<\xc3\xa4@b.test>", 553, id="UTF-8 not asked for"),
    pytest.param(b"FROM:<\xff@b.test> SMTPUTF8", 501, id="not UTF-8"),
    pytest.param(b"FROM:<a\x00@b.test>", 501, id="NUL"),
    pytest.param(b"FROM:<" + b"a" * 2000 + b"@b.test>", 501, id="too long"),
    pytest.param(b"FROM:<" + b'"\\' * 2000, 501, id="slow for a bad pattern"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
def test_mail_arguments_refused(text, code):
    """What cannot be read has a fault that knows its reply."""
    with pytest.raises(PolicyRefusal) as caught:
        mail_arguments(text, CONFIG)
    assert caught.value.outcome.code == code


def test_strict_without_quirks():
    """Without the quirk, a space after the colon is a syntax error."""
    with pytest.raises(PolicyRefusal):
        mail_arguments(b"FROM: <a@b.test>", STRICT)


RCPT = [
    pytest.param(b"TO:<PostMaster>", BARE_POSTMASTER, RcptParameters(), id="postmaster"),
    pytest.param(b"TO:<postmaster@b.test>", Address("postmaster", "b.test"), RcptParameters(), id="with domain"),
    pytest.param(
        b"TO:<a@b.test> NOTIFY=success,DELAY ORCPT=rfc822;x+40y",
        Address("a", "b.test"),
        RcptParameters(notify=Notify.SUCCESS | Notify.DELAY, orcpt="rfc822;x@y"),
        id="DSN",
    ),
]


@pytest.mark.parametrize(("text", "address", "parameters"), RCPT)
def test_rcpt_arguments(text, address, parameters):
    """Forward-path and parameters are read as RFC 5321 §4.1.1.3 says."""
    assert rcpt_arguments(text, CONFIG, is_utf8=False) == (address, parameters)


def test_orcpt_in_utf8():
    """An address of type utf-8 is decoded from either form and sent in ASCII (RFC 6533 §3)."""
    assert parse_orcpt("utf-8;ä@b".encode()) == "utf-8;ä@b"
    assert parse_orcpt(b"utf-8;\\x{E4}@b\\x{2B}") == "utf-8;ä@b+"
    assert format_orcpt("utf-8;ä@b+") == b"ORCPT=utf-8;\\x{E4}@b\\x{2B}"
    for bad in (b"utf-8;\xff", b"utf-8;\\x{110000}", b"utf-8;\\x{0A}", b"utf-8;a\\b", b"x;", b"_;a"):
        with pytest.raises(SyntaxFault):
            parse_orcpt(bad)


def test_xtext():
    """Xtext carries any printable text; malformed or harmful xtext is refused."""
    assert format_xtext("a+b=ü ") == b"a+2Bb+3D+C3+BC+20"
    assert parse_xtext(b"a+2Bb+3D+C3+BC+20") == "a+b=ü "
    for bad in (b"a+", b"a+g0", b"a=b", b"a b", b"a+0Ab", b"a+FF"):
        with pytest.raises(SyntaxFault):
            parse_xtext(bad)


def test_hello_name():
    """Any printable word is a name; nothing, two words or control characters are none."""
    assert hello_name(b"[192.0.2.1]") == "[192.0.2.1]"
    for bad in (b"", b"a b", b"a\tb", b"x" * 256):
        with pytest.raises(SyntaxFault):
            hello_name(bad)


def test_formatting_keeps_to_what_is_offered():
    """Parameters that the peer does not offer are left unsaid, and the default is not said."""
    mail = MailParameters(size=1, body=BodyType.EIGHT_BIT, smtputf8=True, ret=Ret.HDRS, envid="a b", auth="a@b.test")
    rcpt = RcptParameters(notify=Notify.NEVER, orcpt="rfc822;a@b")
    every = frozenset(Extension)
    assert format_mail_parameters(mail, frozenset()) == b""
    assert format_mail_parameters(mail, every) == (b" SIZE=1 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b AUTH=a@b.test")
    assert format_mail_parameters(NONE, every) == b""
    assert format_rcpt_parameters(rcpt, every) == b" NOTIFY=NEVER ORCPT=rfc822;a@b"
    assert format_rcpt_parameters(rcpt, frozenset()) == b""
    assert format_rcpt_parameters(RcptParameters(), every) == b""


def test_paths_that_cannot_be_written():
    """An address with control characters, which no parser makes, is never sent."""
    assert format_path(None) == b"<>"
    assert format_path(BARE_POSTMASTER) == b"<postmaster>"
    with pytest.raises(SyntaxFault):
        format_path(Address("a\r\nRCPT TO:<b@c>", "d.test"))
