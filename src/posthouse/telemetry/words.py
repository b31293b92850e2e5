"""What a line of a conversation consists of: command and parameters, or status and text, by protocol.

Used by the forms that have a column for each (``w3c``, ``activity``). Tests: ``tests/unit/telemetry/test_formats.py``.
"""

from __future__ import annotations

from typing import Final

CONVERSATION: Final = "conversation."
_REPLY_CODES: Final = frozenset("2345")


def command_words(protocol: str, text: str) -> tuple[str, str]:
    """Return the command and its parameters; an IMAP tag is left out."""
    first, _, rest = text.partition(" ")
    if protocol == "imap" and rest:
        first, _, rest = rest.partition(" ")
    return first, rest


def reply_words(protocol: str, text: str) -> tuple[str, str, bool]:
    """Return the status, the text, and whether this line ends the answer to a command.

    The status is the reply code, ``+OK`` and ``-ERR``, or OK, NO and BAD; "" for lines that are none of these.
    """
    first, _, rest = text.partition(" ")
    if protocol == "pop3":
        return (first, rest, True) if first in {"+OK", "-ERR"} else ("", text, False)
    if protocol == "imap":
        if first == "*":
            return "", text, False
        if first == "+":
            return first, rest, False
        status, _, rest = rest.partition(" ")
        return status, rest, True
    code = text[:3]
    if len(code) == 3 and code.isdigit() and code[0] in _REPLY_CODES:
        return code, text[4:], text[3:4] != "-"
    return "", text, False
