"""From words to a message: text in UTF-8 that mail programs may flow (RFC 3676), marked as written by a machine.

Whatever a header says is encoded where it is not ASCII (RFC 2047); an address that is not takes a message that needs
SMTPUTF8 (RFC 6532). ``Auto-Submitted`` keeps programs from answering (RFC 3834 §5).
Tests: ``tests/unit/services/administration/messages/test_compose.py``.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from email import policy
from email.headerregistry import Address as HeaderAddress
from email.headerregistry import Group
from email.message import EmailMessage
from typing import Final

from posthouse.core.address import Address
from posthouse.message.dates import format_date

LINE: Final = 72  # characters after which a paragraph flows on in the next line (RFC 3676 §4.2)
LONGEST: Final = 900  # octets of a line that goes unencoded
SIGNATURE: Final = "-- "


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message to be written.

    Attributes:
        sender: whom it is from, as people see it; ``sender_name`` is shown beside, "" for none.
        to: whom it is to; None where it goes to many, whom ``audience`` names.
        subject: one line.
        text: paragraphs, each a line.
        language: of the words.
        date: seconds since the epoch.
        message_id: without angle brackets.
    """

    sender: Address
    sender_name: str
    to: Address | None
    audience: str = ""
    subject: str
    text: str
    language: str
    date: float
    message_id: str


def compose(letter: Letter) -> bytes:
    """Return the message with CRLF line ends."""
    addresses = [letter.sender] + ([letter.to] if letter.to is not None else [])
    message = EmailMessage(policy.SMTP if all(each.is_ascii for each in addresses) else policy.SMTPUTF8)
    message["From"] = _shown(letter.sender, letter.sender_name)
    message["To"] = _shown(letter.to, "") if letter.to is not None else Group(_one_line(letter.audience), ())
    message["Subject"] = _one_line(letter.subject)
    message["Date"] = format_date(letter.date)
    message["Message-ID"] = f"<{letter.message_id}>"
    message["Auto-Submitted"] = "auto-generated"
    text = flowed(letter.text)
    is_plain = text.isascii() and all(len(line) <= LONGEST for line in text.split("\n"))
    message.set_content(
        text,
        charset="us-ascii" if is_plain else "utf-8",
        cte="7bit" if is_plain else "quoted-printable",
        params={"format": "flowed"},
    )
    message["Content-Language"] = letter.language
    return message.as_bytes()


def _shown(address: Address, name: str) -> HeaderAddress:
    return HeaderAddress(display_name=_one_line(name), username=address.local_part, domain=address.domain)


def _one_line(text: str) -> str:
    """Return what somebody wrote without characters that could end a header's line."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def flowed(text: str) -> str:
    """Return paragraphs as lines that flow: a line that goes on ends with a space (RFC 3676 §4)."""
    lines: list[str] = []
    for paragraph in text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n"):
        lines += [SIGNATURE] if paragraph == SIGNATURE else _lines(paragraph.rstrip(" "))
    return "\n".join(lines) + "\n"


def _lines(paragraph: str) -> list[str]:
    if len(paragraph) <= LINE:
        return [_stuffed(paragraph)]
    inside = len(paragraph) - len(paragraph.lstrip(" "))
    cut = textwrap.wrap(
        paragraph[inside:], LINE - 1, break_long_words=False, break_on_hyphens=False, expand_tabs=False,
        replace_whitespace=False,
    )  # fmt: skip
    cut[0] = " " * inside + cut[0]
    return [_stuffed(line) + " " for line in cut[:-1]] + [_stuffed(cut[-1])]


def _stuffed(line: str) -> str:
    """Return a line that is not taken for a quotation, nor changed on its way (RFC 3676 §4.4)."""
    return " " + line if line.startswith((" ", ">", "From ")) else line
