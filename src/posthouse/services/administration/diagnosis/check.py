"""What a check is: an id that stays, words for people, what it needs, and the function that looks.

Each file of ``topics`` holds the checks of one topic in a tuple ``CHECKS``; ``catalogue`` lists them all. To add one:
write the function, give it a ``Check`` in that tuple, a row in ``docs/check.md``, a test that breaks the thing.
Tests: ``tests/unit/services/administration/diagnosis/test_catalogue_of_checks.py``.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from posthouse.services.administration.diagnosis.findings import Finding

if TYPE_CHECKING:
    from posthouse.services.administration.diagnosis.examination import Examination


class Need(enum.Enum):
    """What must be there for a check to make sense; the value says so in words."""

    STORE = "an open store"
    SERVER = "a running server"
    TLS = "a listener with TLS"
    NAMES = "a name server that answers"
    OUTBOUND = "--outbound HOST, or the setting check.outbound_host"
    TIME_SOURCE = "--time-source HOST, or the setting check.time_source"


Look = Callable[["Examination", str], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        id: ``topic.name``; scripts and monitors know it by that, so it does not change.
        title: what is looked at, a few words.
        explanation: why it matters and what is seen as wrong; whole sentences.
        remedy: what to do where it is not well, in general; findings say it for the case at hand.
        needs: where one of these is missing the check is left out, and the report says so.
        per_domain: whether it is run for each domain; ``look`` then gets its name, else "".
        narrows: whether it is run once, and looks at one domain alone where the selection names one.
        look: looks, and returns what it found, never nothing. May raise; that becomes a finding.
    """

    id: str
    title: str
    explanation: str
    remedy: str
    look: Look
    needs: frozenset[Need] = frozenset()
    per_domain: bool = False
    narrows: bool = False
