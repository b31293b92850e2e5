"""What we write ourselves: trace lines, completion of submitted messages, delivery reports."""

import email
import email.policy

import pytest

from posthouse.message.complete import complete
from posthouse.message.dsn import DsnRecipient, compose_dsn
from posthouse.message.headers import HeaderIndex
from posthouse.message.scan import scan
from posthouse.message.trace import (
    format_delivered_to,
    format_received,
    format_return_path,
    hop_count,
    with_protocol,
)

AT = 880127706.0


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        pytest.param({"esmtp": False}, "SMTP", id="HELO"),
        pytest.param({}, "ESMTP", id="EHLO"),
        pytest.param({"tls": True}, "ESMTPS", id="TLS"),
        pytest.param({"tls": True, "authenticated": True}, "ESMTPSA", id="TLS and AUTH"),
        pytest.param({"authenticated": True}, "ESMTPA", id="AUTH"),
        pytest.param({"lmtp": True}, "LMTP", id="LMTP"),
        pytest.param({"lmtp": True, "tls": True}, "LMTPS", id="LMTP with TLS"),
        pytest.param({"smtputf8": True, "tls": True, "authenticated": True}, "UTF8SMTPSA", id="UTF8"),
        pytest.param({"smtputf8": True, "lmtp": True}, "UTF8LMTP", id="UTF8 LMTP"),
    ],
)
def test_with_words(flags, word):
    """The registered words of RFC 3848 and RFC 6531."""
    assert with_protocol(**flags) == word


def received(**changes):
    values = {
        "helo": "client.example",
        "client_name": "real.example",
        "client_address": "192.0.2.1",
        "by": "mail.example",
        "protocol": "ESMTPS",
        "queue_id": "abc",
        "at": AT,
        "for_recipient": "a@b.example",
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
    }
    return format_received(**{**values, **changes})


def test_a_received_field_tells_all():
    """Names, address, protocol, id, recipient, TLS and date, folded."""
    assert received() == (
        b"Received: from client.example (real.example [192.0.2.1])\r\n"
        b"\t(using TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
        b"\tby mail.example with ESMTPS id abc\r\n"
        b"\tfor <a@b.example>;\r\n"
        b"\tFri, 21 Nov 1997 15:55:06 +0000\r\n"
    )


def test_a_received_field_leaves_out_what_is_not_known():
    """No name, no TLS, no recipient, an IPv6 address; a message made here."""
    assert received(client_name="", client_address="2001:db8::1", for_recipient="", tls="") == (
        b"Received: from client.example ([IPv6:2001:db8::1])\r\n\tby mail.example with ESMTPS id abc;\r\n"
        b"\tFri, 21 Nov 1997 15:55:06 +0000\r\n"
    )
    assert received(client_address="", for_recipient="").startswith(
        b"Received: by mail.example with ESMTPS id abc;\r\n"
    )


def test_a_peer_cannot_write_header_lines():
    """What a peer called itself is made harmless."""
    line = received(helo="x\r\nBcc: all", client_name="(a)\udcff", for_recipient="a\r\nX: y@b")
    assert line.count(b"\r\n") == 5
    assert len(HeaderIndex(line, 0, len(line))) == 1
    assert format_return_path("a\r\n@b") == b"Return-Path: <a??@b>\r\n"
    assert format_return_path("") == b"Return-Path: <>\r\n"
    assert format_delivered_to("a@b") == b"Delivered-To: a@b\r\n"


def test_what_a_client_calls_itself_is_written_in_ascii():
    """A name in EHLO is A-labels even with SMTPUTF8, and other octets do not reach the header (RFC 6531 §3.7.1)."""
    assert received(helo="ex\ufffdmple.\u00e4").startswith(b"Received: from ex?mple.? (")


def test_hops_are_received_fields():
    """Loops are seen by counting them."""
    assert hop_count(scan(received() * 3 + b"\r\n").headers) == 3


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"Date: x\r\nMessage-ID: <y>\r\n\r\nhi", b"Date: x\r\nMessage-ID: <y>\r\n\r\nhi", id="complete"),
        pytest.param(
            b"From: a@b\r\n\r\nhi",
            b"Date: Fri, 21 Nov 1997 15:55:06 +0000\r\nMessage-ID: <m@x>\r\nFrom: a@b\r\n\r\nhi",
            id="both missing",
        ),
        pytest.param(
            b"Date: x\r\nBcc: c@d,\r\n e@f\r\nMessage-ID: <y>\r\nbcc: g@h\r\n\r\nhi",
            b"Date: x\r\nMessage-ID: <y>\r\n\r\nhi",
            id="blind copies",
        ),
        pytest.param(
            b"Return-Path: <z@z>\r\nResent-Bcc: c@d\r\nDate: x\r\nBcc: e@f\r\nMessage-ID: <y>\r\nresent-bcc: g@h\r\n\r\nhi",
            b"Date: x\r\nMessage-ID: <y>\r\n\r\nhi",
            id="blind copies of one sent again, and a return path (RFC 5322 §3.6.6, RFC 5321 §4.4)",
        ),
        pytest.param(
            b"\r\nhi",
            b"Date: Fri, 21 Nov 1997 15:55:06 +0000\r\nMessage-ID: <m@x>\r\n\r\nhi",
            id="empty header section",
        ),
        pytest.param(
            b"no header at all",
            b"Date: Fri, 21 Nov 1997 15:55:06 +0000\r\nMessage-ID: <m@x>\r\n\r\nno header at all",
            id="no header section",
        ),
    ],
)
def test_submitted_messages_are_completed(content, expected):
    """Date and Message-ID are added, Bcc, Resent-Bcc and Return-Path are taken out, all else stays as it was."""
    assert complete(scan(content), date=AT, message_id="m@x").apply(content) == expected


FAILED = DsnRecipient(
    final_recipient="nobody@b.example",
    original_recipient="rfc822;alias@b.example",
    action="failed",
    status="5.1.1",
    diagnostic="550 5.1.1 No such user\r\nX: y",
    remote_mta="mx.b.example",
    last_attempt=AT,
)
ORIGINAL = b"From: a@b.example\r\nSubject: hello\r\n\r\nbody\n--dot\r\n"


def report(*recipients, original=ORIGINAL, full=False, smtputf8=False, to="a@b.example"):
    return compose_dsn(
        reporting_mta="mail.example",
        from_address="postmaster@mail.example",
        to_address=to,
        envid="QQ1",
        arrival=AT,
        recipients=recipients,
        original=original,
        full=full,
        message_id="r@mail.example",
        date=AT,
        boundary="=_boundary",
        smtputf8=smtputf8,
    )


def test_a_report_has_three_parts_and_says_what_happened():
    """Words for people, fields for programs, the header section."""
    octets = report(FAILED)
    assert octets.isascii()
    assert b"\n" not in octets.replace(b"\r\n", b"")
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert message["auto-submitted"] == "auto-replied"
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    words, status, returned = message.get_payload()
    text = words.get_content()
    for phrase in ("could not be delivered", "nobody@b.example", "alias@b.example", "not known", "No such user"):
        assert phrase in text
    head, first = status.get_payload()
    assert head["original-envelope-id"] == "QQ1"
    assert head["reporting-mta"] == "dns; mail.example"
    assert first["original-recipient"] == "rfc822; alias@b.example"
    assert first["final-recipient"] == "rfc822; nobody@b.example"
    assert (first["action"], first["status"]) == ("failed", "5.1.1")
    assert first["remote-mta"] == "dns; mx.b.example"
    assert first["diagnostic-code"] == "smtp; 550 5.1.1 No such user X: y"
    assert first["last-attempt-date"] == "Fri, 21 Nov 1997 15:55:06 +0000"
    assert returned.get_content_type() == "text/rfc822-headers"
    assert "Subject: hello" in returned.get_content()
    assert "body" not in returned.get_content()


def test_a_report_returns_the_whole_message_on_request():
    """RET=FULL gives message/rfc822 while the message is small and 7-bit."""
    kinds = [part.media for part in scan(report(FAILED, full=True)).root.children]
    assert kinds == ["text/plain", "message/delivery-status", "message/rfc822"]
    assert b"\r\nIt is attached to this report.\r\n" in report(FAILED, full=True)
    huge = report(FAILED, full=True, original=ORIGINAL + b"x\r\n" * 200_000)
    assert [part.media for part in scan(huge).root.children][2] == "text/rfc822-headers"
    eight_bit = report(FAILED, full=True, original="Subject: ü\r\n\r\nü\r\n".encode())
    assert eight_bit.isascii()
    assert b"\r\nIts header is attached to this report.\r\n" in eight_bit
    assert b"Subject: =C3=BC" in eight_bit


@pytest.mark.parametrize(
    ("action", "phrase", "subject"),
    [
        ("delayed", "not been delivered yet", "delayed"),
        ("delivered", "was delivered to", "delivered"),
        ("relayed", "passed on", "passed on"),
        ("expanded", "list of recipients", "delivered"),
    ],
)
def test_a_report_has_words_for_each_action(action, phrase, subject):
    """Each action is told in plain words, with until when it is tried."""
    one = DsnRecipient(
        final_recipient="x@b", action=action, status="4.4.1", diagnostic="timed out", will_retry_until=AT
    )
    octets = report(one)
    assert phrase.encode() in octets
    assert subject.encode() in scan(octets).headers.get(b"subject")
    assert (b"Will-Retry-Until:" in octets) == (action == "delayed")
    assert b"Diagnostic-Code: x-posthouse; timed out" in octets


def test_international_addresses_take_the_form_the_way_back_allows():
    """utf-8 addresses are encoded for ASCII reports and stay in global ones (RFC 6533)."""
    one = DsnRecipient(final_recipient="jörg@b.example", action="failed", status="5.1.1")
    plain = report(one)
    assert plain.isascii()
    assert b"Final-Recipient: utf-8; j\\x{F6}rg@b.example" in plain
    wide = report(one, smtputf8=True, full=True, original="Subject: ü\r\n\r\n".encode())
    assert "Final-Recipient: utf-8; jörg@b.example".encode() in wide
    assert b"message/global-delivery-status" in wide
    assert b"Content-Type: message/global\r\n" in wide


def test_lines_of_a_report_are_short():
    """Long replies are folded and cut."""
    long = DsnRecipient(final_recipient="x@b", action="failed", status="5.0.0", diagnostic="550 " + "word " * 2000)
    assert max(map(len, report(long).split(b"\r\n"))) <= 998
    unbroken = DsnRecipient(final_recipient="x@b", action="failed", status="5.0.0", diagnostic="550 " + "w" * 2000)
    assert max(map(len, report(unbroken).split(b"\r\n"))) <= 998
