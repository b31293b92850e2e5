"""What of a conversation may be shown: the contract between a session and whoever logs it, and what masks share.

A session that is watched tells its observer each line *as it reads it*, with whether the line belongs to a SASL
exchange, and each piece of content as a number of octets: the session knows what a line is, a second parser beside it
could be fooled. The masks (``protocols.<name>.masking``) show commands they know in their proper form and nothing else:
a line that is no command of the protocol may be a password typed in the wrong place, or a message whose DATA was
refused. They never show content.

Not here: where it is written (``telemetry.conversation``). Tests: ``tests/unit/protocols/test_masking.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol

HIDDEN: Final = "[hidden]"
_MECHANISMS: Final = re.compile(
    "PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|SCRAM-SHA-(?:1|256|512)(?:-PLUS)?|XOAUTH2|OAUTHBEARER|EXTERNAL|ANONYMOUS|GSSAPI"
    "|GS2-KRB5|NTLM"
)

Report = Callable[[str, str, int], None]
"""Takes the direction (``C`` or ``S``), what may be shown, and the octets of what was said."""


class Observer(Protocol):
    """Is told what a session reads."""

    def on_line(self, line: bytes, *, is_secret: bool) -> None:
        """Take a line without its end; ``is_secret``: it belongs to a SASL exchange."""
        ...

    def on_fault(self, what: str, octets: int) -> None:
        """Take the news that something could not be read as a line; ``what`` is in our words."""
        ...

    def on_content(self, octets: int) -> None:
        """Take the news that octets of a message were read; negative where some were put back."""
        ...


class Mask:
    """The base of the masks: an ``Observer`` for one direction, and ``on_sent`` for the other."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._content = 0

    def on_fault(self, what: str, octets: int) -> None:
        """Report it."""
        self._end_content()
        self._report("C", f"[{what}]", octets)

    def on_content(self, octets: int) -> None:
        """Count it; it is reported as a whole, when something else is said."""
        self._content += octets

    def _end_content(self) -> None:
        count, self._content = self._content, 0
        if count > 0:
            self._report("C", octets_of(count), count)


def octets_of(count: int) -> str:
    """Return what is shown in place of octets that are not."""
    return f"[{count} octets]"


def unknown(line: bytes) -> str:
    """Return what is shown in place of a line that is no command in its proper form."""
    return f"[no command, {len(line)} octets]"


def mechanism_of(arguments: bytes) -> str:
    """Return what is shown of ``mechanism [initial-response]``; a name nobody registered may be a secret."""
    name, _, rest = arguments.strip().partition(b" ")
    text = name.decode("ascii", "replace").upper()
    shown_name = text if _MECHANISMS.fullmatch(text) else HIDDEN if text else ""
    return f"{shown_name} {HIDDEN}" if rest.strip() else shown_name


def shown(line: bytes) -> str:
    """Return text for people: UTF-8 where it is, and no control characters."""
    text = line.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)


class ContentEnd:
    """Finds the end of dot-stuffed content that we send ourselves, in pieces (RFC 5321 §4.5.2, RFC 1939 §3)."""

    def __init__(self) -> None:
        self._tail = b"\r\n"
        self.octets = 0

    def feed(self, data: bytes) -> bytes | None:
        """Take a piece; return what follows the end, None where the end has not come."""
        work = self._tail + data
        end = work.find(b"\r\n.\r\n")
        if end < 0:
            self.octets += len(data)
            self._tail = work[-4:]
            return None
        rest = work[end + 5 :]
        self.octets += len(data) - len(rest)
        return rest
