"""any text of an administrator is refused or filled in, in bounded time and memory, never another exception."""

from __future__ import annotations

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.messages.definitions import MESSAGES
from posthouse.services.administration.messages.template import TEXT_FILLED, TooLong, check, fill

MESSAGE = MESSAGES["delivery-failed"]
ROWS = [dict.fromkeys(("address", "wanted", "kind", "reply", "host", "status", "until"), "{{ x }}")] * 3
VALUES = {**MESSAGE.samples, "recipients": ROWS, "whole": False}


def target(data: bytes) -> None:
    """Check it as a text, and fill it in."""
    text = data.decode("utf-8", "replace")
    try:
        check(MESSAGE, "subject", text)
    except Refused:
        return
    try:
        assert len(fill("subject", text, VALUES)[1]) <= TEXT_FILLED
    except TooLong:
        return
