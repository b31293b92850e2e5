"""Delivery status notifications (RFC 3464, RFC 6522; internationalised: RFC 6533). Room: message.

A report has three parts: words for people, fields for programs, and the message or its header section. The words say
what happened and what the reader can do. Everything a peer said is made fit for one line first.

Invariants: the result is ASCII with CRLF line ends and lines of at most 998 octets, except that a report for SMTPUTF8
mail may hold UTF-8 (RFC 6533 §3). Not here: whether to send one
(``services.queue``). Tests: ``tests/unit/message/test_message_written.py``.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from posthouse.core import limits
from posthouse.message.dates import format_date
from posthouse.message.encoded_words import encode_words
from posthouse.message.headers import section_end

_MOST_RETURNED = limits.BODY_CHUNK  # octets of the original that are returned; the rest is left out, and said so
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_LONG_LINE = 900  # octets of what somebody said
_LONGEST_LINE = 998  # octets without CRLF (RFC 5321 §4.5.3.1.6)

_HEADINGS = {
    "failed": "Your message could not be delivered to",
    "delayed": "Your message has not been delivered yet to",
    "delivered": "Your message was delivered to",
    "relayed": "Your message was passed on, to a system that may not confirm delivery, for",
    "expanded": "Your message was delivered to a list of recipients at",
}
_SUBJECTS = {
    "failed": "Your message could not be delivered",
    "delayed": "Your message is delayed",
    "delivered": "Your message was delivered",
    "relayed": "Your message was passed on",
    "expanded": "Your message was delivered",
}
_ADVICE = {
    "failed": "It will not be tried again. What you can do depends on the reason above; where it speaks of\r\n"
    "an unknown address, check the spelling. Where you cannot tell, ask the postmaster of the recipient's side.",
    "delayed": "You need not do anything: delivery is tried again by itself. Please do not send the message again.",
    "delivered": "You need not do anything. You asked to be told.",
    "relayed": "You need not do anything. You asked to be told.",
    "expanded": "You need not do anything. You asked to be told.",
}
_REASONS = {
    "1.1": "The address is not known there.",
    "1.2": "The recipient's domain cannot receive mail, or does not exist.",
    "1.3": "The address is not written as it must be.",
    "1.10": "The recipient's domain says that it accepts no mail.",
    "2.1": "The recipient's mailbox is switched off.",
    "2.2": "The recipient's mailbox is full.",
    "2.3": "The message is too large for the recipient's mailbox.",
    "3.4": "The message is too large for the recipient's system.",
    "4.1": "The recipient's system did not answer.",
    "4.4": "No system that takes mail for the recipient's domain was found.",
    "4.6": "The message went round in circles.",
    "4.7": "The time for trying ran out.",
    "6.7": "The recipient's system cannot take mail with international addresses.",
    "7.1": "The recipient's system refused the message by its rules.",
    "7.8": "The recipient's system did not accept our sign-in.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DsnRecipient:
    """What became of one recipient.

    Attributes:
        final_recipient: the address, without type.
        original_recipient: ORCPT as ``type;address`` decoded, "" where none.
        action: ``failed`` | ``delayed`` | ``delivered`` | ``relayed`` | ``expanded``.
        status: enhanced code such as ``5.1.1``.
        diagnostic: the remote reply, such as ``550 5.1.1 No such user``; "" for none.
        remote_mta: name of the host that replied; "" for none.
        last_attempt, will_retry_until: seconds since the epoch, or None.
    """

    final_recipient: str
    original_recipient: str = ""
    action: str
    status: str
    diagnostic: str = ""
    remote_mta: str = ""
    last_attempt: float | None = None
    will_retry_until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DsnWords:
    """The part for people in other words than ours: its subject, and its text as lines that flow (RFC 3676)."""

    subject: str
    text: str


def _line(text: str) -> str:
    """Return what somebody said as one line without control characters, of bounded length."""
    plain = _CONTROL.sub(" ", text[:_LONG_LINE])
    return plain.encode("utf-8")[:_LONG_LINE].decode("utf-8", "ignore").strip()


def _ascii(text: str) -> str:
    return _line(text).encode("ascii", "replace").decode("ascii")


def _xtext(text: str) -> str:
    """Encode what is not printable ASCII (RFC 3461 §4); characters beyond it as in RFC 6533 §3."""
    encoded: list[str] = []
    room = _LONG_LINE
    for octet in text:
        if "\ud800" <= octet <= "\udfff":
            continue
        unit = octet if "!" <= octet <= "~" and octet != "\\" else f"\\x{{{ord(octet):02X}}}"
        room -= len(unit)
        if room < 0:
            break
        encoded.append(unit)
    return "".join(encoded)


def _typed_address(address: str, *, smtputf8: bool) -> str:
    address = _line(address)
    if address.isascii():
        return f"rfc822; {address}"
    return f"utf-8; {address}" if smtputf8 else f"utf-8; {_xtext(address)}"


def _original(value: str, *, smtputf8: bool) -> str:
    kind, separator, address = _line(value).partition(";")
    if not separator:
        return _typed_address(value, smtputf8=smtputf8)
    if address.isascii() or smtputf8:
        return f"{_ascii(kind)}; {address.strip()}"
    return f"utf-8; {_xtext(address.strip())}"


def _fold(text: str) -> str:
    """Fold a field at spaces so that no line passes 998 octets by much less (RFC 5322 §2.1.1)."""
    if len(text) <= 76:
        return text
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) >= 76:
            lines.append(line)
            line = " " + word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return "\r\n".join(lines)


def _recipient_fields(recipient: DsnRecipient, *, smtputf8: bool) -> str:
    """``per-recipient-fields`` (RFC 3464 §2.3)."""
    fields = []
    if recipient.original_recipient:
        fields.append(f"Original-Recipient: {_original(recipient.original_recipient, smtputf8=smtputf8)}")
    fields.append(f"Final-Recipient: {_typed_address(recipient.final_recipient, smtputf8=smtputf8)}")
    fields.append(f"Action: {_ascii(recipient.action)}")
    fields.append(f"Status: {_ascii(recipient.status)}")
    if recipient.remote_mta:
        fields.append(f"Remote-MTA: dns; {_ascii(recipient.remote_mta)}")
    if recipient.diagnostic:
        # A reply starts with its code; what does not is our own finding and has no registered type.
        kind = "smtp" if recipient.diagnostic[:3].isdigit() else "x-posthouse"
        said = _line(recipient.diagnostic) if smtputf8 else _ascii(recipient.diagnostic)
        fields.append(_fold(f"Diagnostic-Code: {kind}; {said}"))
    if recipient.last_attempt is not None:
        fields.append(f"Last-Attempt-Date: {format_date(recipient.last_attempt)}")
    if recipient.will_retry_until is not None and recipient.action == "delayed":
        fields.append(f"Will-Retry-Until: {format_date(recipient.will_retry_until)}")
    return "\r\n".join(fields)


def _status_part(
    *, reporting_mta: str, envid: str, arrival: float, recipients: Sequence[DsnRecipient], smtputf8: bool
) -> str:
    """``delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )`` (RFC 3464 §2.1)."""
    head = [f"Original-Envelope-Id: {_ascii(envid)}"] if envid else []
    head.append(f"Reporting-MTA: dns; {_ascii(reporting_mta)}")
    head.append(f"Arrival-Date: {format_date(arrival)}")
    groups = ["\r\n".join(head), *(_recipient_fields(recipient, smtputf8=smtputf8) for recipient in recipients)]
    return "\r\n\r\n".join(groups) + "\r\n"


def _story(recipient: DsnRecipient, *, smtputf8: bool) -> list[str]:
    said = _line if smtputf8 else _ascii
    lines = [f"  {said(recipient.final_recipient)}"]
    wanted = recipient.original_recipient.partition(";")[2]
    if wanted and wanted.lower() != recipient.final_recipient.lower():
        lines.append(f"    (you wrote to {said(wanted)})")
    reason = _REASONS.get(recipient.status.partition(".")[2], "")
    if reason and recipient.action in {"failed", "delayed"}:
        lines.append(f"    {reason}")
    if recipient.diagnostic:
        who = f"{_ascii(recipient.remote_mta)} said" if recipient.remote_mta else "The reason"
        lines.append(_fold(f"    {who}: {said(recipient.diagnostic)}").replace("\r\n", "\r\n    "))
    if recipient.action == "delayed" and recipient.will_retry_until is not None:
        lines.append(f"    Delivery will be tried until {format_date(recipient.will_retry_until)}.")
    return lines


def _words(
    reporting_mta: str, arrival: float, recipients: Sequence[DsnRecipient], *, whole: bool, smtputf8: bool
) -> str:
    """The part for people: grouped by what happened, worst first."""
    lines = [f"This is the mail system at {_ascii(reporting_mta)}.", ""]
    for action, heading in _HEADINGS.items():
        concerned = [recipient for recipient in recipients if recipient.action == action]
        if not concerned:
            continue
        lines += [f"{heading}:", ""]
        for recipient in concerned:
            lines += [*_story(recipient, smtputf8=smtputf8), ""]
        lines += [_ADVICE[action], ""]
    lines += [
        f"The message came in on {format_date(arrival)}.",
        f"{'It' if whole else 'Its header'} is attached to this report.",
    ]
    return "\r\n".join(lines) + "\r\n"


def _words_part(words: DsnWords) -> str:
    """Words of others, encoded so that they pass everywhere."""
    octets = _crlf(binascii.b2a_qp(_crlf(words.text.encode("utf-8", "replace")), istext=True))
    head = "Content-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    return f"{head}\r\n{octets.decode('ascii')}"


def _crlf(octets: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\r\n", octets)


def _can_go(body: bytes, *, smtputf8: bool) -> bool:
    """Whether octets can go without an encoding: no long line, no 8-bit octet that the way back may not take."""
    return (smtputf8 or body.isascii()) and max(map(len, body.split(b"\r\n"))) <= _LONGEST_LINE


def _returned_part(original: bytes, *, full: bool, smtputf8: bool) -> tuple[str, bytes]:
    """Return the third part's header lines and body (RFC 6522 §3, RFC 6533 §4).

    The whole message goes back where that was asked for, it is not too large, and it can go as it is; else its header
    section, which as text can be encoded.
    """
    body = _crlf(original[: _MOST_RETURNED + 1])
    encoding = "7bit" if body.isascii() else "8bit"
    if full and len(body) <= _MOST_RETURNED and _can_go(body, smtputf8=smtputf8):
        kind = "message/rfc822" if body.isascii() else "message/global"
    else:
        head = original[: min(section_end(original, 0, len(original)), _MOST_RETURNED)]
        body = _crlf(head.rstrip(b"\r\n") + b"\n")
        kind, encoding = "text/rfc822-headers", "7bit"
        if not _can_go(body, smtputf8=smtputf8):
            body, encoding = _crlf(binascii.b2a_qp(body, istext=True)), "quoted-printable"
        elif not body.isascii():
            kind, encoding = "message/global-headers", "8bit"
    head_lines = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    return "Content-Description: Returned message\r\n" + head_lines, body


def is_returned_whole(original: bytes, *, full: bool, smtputf8: bool) -> bool:
    """Whether ``compose_dsn`` returns the whole message, not its header section alone."""
    return full and "header" not in _returned_part(original, full=full, smtputf8=smtputf8)[0]


def _headline(recipients: Sequence[DsnRecipient]) -> str:
    actions = {recipient.action for recipient in recipients}
    return next((text for action, text in _SUBJECTS.items() if action in actions), "About your message")


def _head(
    *, from_address: str, to_address: str, subject: str, date: float, message_id: str, boundary: str, encoding: str
) -> str:
    return (
        f"From: Mail Delivery System <{from_address}>\r\n"
        f"To: <{to_address}>\r\n"
        f"Subject: {subject}\r\n"
        f"Date: {format_date(date)}\r\n"
        f"Message-ID: <{message_id}>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n"
    )


def compose_dsn(
    *,
    reporting_mta: str,
    from_address: str,
    to_address: str,
    envid: str,
    arrival: float,
    recipients: Sequence[DsnRecipient],
    original: bytes,
    full: bool,
    message_id: str,
    date: float,
    boundary: str,
    smtputf8: bool = False,
    words: DsnWords | None = None,
) -> bytes:
    """Return a whole multipart/report message.

    Args:
        reporting_mta: our name.
        from_address: whom people may write to, the postmaster; the envelope's reverse-path must be null.
        to_address: the reverse-path of the message reported on.
        envid: ENVID= of it, decoded, "" for none.
        arrival: when the message came in, seconds since the epoch.
        recipients: at least one; their order is kept.
        original: the message or its beginning.
        full: return the whole message (RET=FULL), where it is not too large; else its header section.
        date: now, seconds since the epoch.
        message_id: of the report, without brackets.
        boundary: must not occur in the original; a random one from the caller.
        smtputf8: the report may be sent with SMTPUTF8, so that addresses stay as they are.
        words: the part for people; None for ours.
    """
    international = smtputf8 and any(
        not (one.final_recipient + one.original_recipient + one.diagnostic).isascii() for one in recipients
    )
    status = _status_part(
        reporting_mta=reporting_mta, envid=envid, arrival=arrival, recipients=recipients, smtputf8=international
    )
    returned_head, returned = _returned_part(original, full=full, smtputf8=smtputf8)
    whole = "header" not in returned_head  # text/rfc822-headers, message/global-headers (RFC 6522 §4, RFC 6533 §4)
    told = _words(reporting_mta, arrival, recipients, whole=whole, smtputf8=international)
    eight_bit = international or not returned.isascii()
    head = _head(
        from_address=_ascii(from_address),
        to_address=_line(to_address) if smtputf8 else _ascii(to_address),
        subject=encode_words(_line(words.subject)) if words is not None else _headline(recipients),
        date=date,
        message_id=_ascii(message_id),
        boundary=boundary,
        encoding="8bit" if eight_bit else "7bit",
    )
    charset, encoding = ("utf-8", "8bit") if international else ("us-ascii", "7bit")
    first = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{told}"
    parts = (
        f"\r\n--{boundary}\r\nContent-Description: Notification\r\n{_words_part(words) if words else first}"
        f"\r\n--{boundary}\r\n{_status_head(encoding, international=international)}\r\n{status}"
        f"\r\n--{boundary}\r\n{returned_head}\r\n"
    )
    return b"".join((head.encode(), parts.encode(), returned, f"\r\n--{boundary}--\r\n".encode()))


def _status_head(encoding: str, *, international: bool) -> str:
    kind = "message/global-delivery-status" if international else "message/delivery-status"
    return f"Content-Description: Delivery report\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"
