"""A decision as a value: what was decided, why, by which rule and whose setting.

The peer is shown the public half (code, enhanced code, text); the log and the message's journey keep the private half
(rule, setting, detail). Public text is generic and never holds the text of an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from posthouse.core import status
from posthouse.core.status import Detail, Disposition, format_enhanced


@dataclass(frozen=True, slots=True)
class Outcome:
    """One decision with its reason.

    Attributes:
        code: SMTP reply code, 200 to 599; its first digit agrees with ``disposition`` (RFC 5321 §4.2.1).
        detail_code: subject and detail of the enhanced status code (RFC 3463).
        public_text: one line for the peer; printable, no line ends.
        rule: dotted name of the rule that decided, such as ``relay.authenticated``; ``""`` for plain success.
        setting: the setting (with scope) that made the rule decide so; ``""`` where none did.
        detail: the private half, for the log and the journey.
    """

    code: int
    detail_code: Detail
    public_text: str
    rule: str = ""
    setting: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        if not 200 <= self.code <= 599:
            raise ValueError(f"reply code {self.code} is not one of RFC 5321 §4.2.1")
        if "\r" in self.public_text or "\n" in self.public_text:
            raise ValueError("the public text of an outcome is one line")

    @property
    def disposition(self) -> Disposition:
        """DONE for 2xx and 3xx, TEMPORARY for 4xx, PERMANENT for 5xx."""
        if self.code < 400:
            return Disposition.DONE
        return Disposition.TEMPORARY if self.code < 500 else Disposition.PERMANENT

    @property
    def is_done(self) -> bool:
        """Whether the request was granted."""
        return self.code < 400

    @property
    def is_temporary(self) -> bool:
        """Whether the peer should try again later."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """Whether trying again is of no use."""
        return self.code >= 500

    @property
    def enhanced(self) -> str:
        """The enhanced status code, its class taken from the disposition (RFC 3463 §2)."""
        return format_enhanced(self.disposition, self.detail_code)

    def because(self, detail: str) -> Outcome:
        """Return the same outcome with another private detail."""
        return replace(self, detail=detail)

    def as_record(self) -> dict[str, Any]:
        """Return the outcome as plain values for a log line or a journey entry; empty fields are left out."""
        record: dict[str, Any] = {"code": self.code, "enhanced": self.enhanced, "text": self.public_text}
        for name in ("rule", "setting", "detail"):
            value = getattr(self, name)
            if value:
                record[name] = value
        return record


def done(
    text: str = "Ok", *, code: int = 250, detail_code: Detail = status.OTHER, rule: str = "", detail: str = ""
) -> Outcome:
    """Make a granting outcome (2xx)."""
    return Outcome(code, detail_code, text, rule, "", detail)


def defer(
    text: str,
    *,
    code: int = 451,
    detail_code: Detail = status.SYSTEM_OTHER,
    rule: str = "",
    setting: str = "",
    detail: str = "",
) -> Outcome:
    """Make a temporary refusal (4xx): the peer keeps the message and tries again."""
    return Outcome(code, detail_code, text, rule, setting, detail)


def reject(
    text: str,
    *,
    code: int = 550,
    detail_code: Detail = status.NOT_AUTHORIZED,
    rule: str = "",
    setting: str = "",
    detail: str = "",
) -> Outcome:
    """Make a permanent refusal (5xx)."""
    return Outcome(code, detail_code, text, rule, setting, detail)
