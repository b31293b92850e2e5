"""What ``posthouse check`` says: one value for each thing that was looked at."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.Enum):
    """How bad a finding is. An error keeps mail from flowing, or lets strangers in; a warning may be as you want it."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: how bad it is.
        topic: what it is about, one word such as ``store``.
        what: the finding, one line.
        evidence: what was seen, such as an address, a path, an answer; "" where ``what`` says it all.
        remedy: what to do about it; "" where nothing is to be done.
    """

    severity: Severity
    topic: str
    what: str
    evidence: str = ""
    remedy: str = ""


def ok(topic: str, what: str, evidence: str = "") -> Finding:
    """Return a finding that all is well."""
    return Finding(Severity.OK, topic, what, evidence)


def warning(topic: str, what: str, evidence: str, remedy: str) -> Finding:
    """Return a finding that may be as you want it."""
    return Finding(Severity.WARNING, topic, what, evidence, remedy)


def error(topic: str, what: str, evidence: str, remedy: str) -> Finding:
    """Return a finding that must be dealt with."""
    return Finding(Severity.ERROR, topic, what, evidence, remedy)
