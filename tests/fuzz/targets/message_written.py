"""any bytes from a sender give a message we may send on, and a report about it, in bounded memory, never an exception.

A submitted message that was completed has Date and Message-ID and no Bcc. A report about any message is one that every
server takes: CRLF line ends, lines of at most 998 octets, ASCII unless SMTPUTF8 was asked for, three parts.
"""

from __future__ import annotations

from posthouse.message.dsn import DsnRecipient, compose_dsn
from posthouse.message.scan import scan
from posthouse.services.reception.content import complete_head


def target(data: bytes) -> None:
    """Complete the data, and report on it."""
    completed = scan(complete_head(data, date=0.0, message_id="a@b.test"))
    assert b"date" in completed.headers
    assert b"message-id" in completed.headers
    assert b"bcc" not in completed.headers
    first, _, rest = data.partition(b"\n")
    said = first.decode("utf-8", "replace")
    for full in (False, True):
        for smtputf8 in (False, True):
            _check(_report(said, rest, full=full, smtputf8=smtputf8), smtputf8=smtputf8)


def _report(said: str, original: bytes, *, full: bool, smtputf8: bool) -> bytes:
    recipient = DsnRecipient(
        final_recipient=said, original_recipient=f"rfc822;{said}", action="failed", status="5.1.1", diagnostic=said,
        remote_mta=said, last_attempt=0.0,
    )  # fmt: skip
    return compose_dsn(
        reporting_mta="mx.test", from_address="postmaster@mx.test", to_address=said, envid=said, arrival=0.0,
        recipients=[recipient], original=original, full=full, message_id="c@mx.test", date=0.0, boundary="=_b0und4ry",
        smtputf8=smtputf8,
    )  # fmt: skip


def _check(report: bytes, *, smtputf8: bool) -> None:
    lines = report.split(b"\r\n")
    assert b"\n" not in report.replace(b"\r\n", b"")
    assert b"\r" not in report.replace(b"\r\n", b"")
    assert max(map(len, lines)) <= 998
    assert smtputf8 or report.isascii()
    scanned = scan(report)
    assert scanned.root.media == "multipart/report"
    assert len(scanned.root.children) == 3
