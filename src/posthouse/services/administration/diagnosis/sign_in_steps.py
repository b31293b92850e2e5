"""The steps of a sign-in that is explained: what was asked, and what came of it. Tests: with ``explainer``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        name: what was asked, a few words, such as ``source ldap-berlin``.
        is_good: whether the sign-in may go on; None where the step only tells.
        text: what came of it, one line without secrets.
        remedy: what to do where it is not good.
    """

    name: str
    is_good: bool | None
    text: str
    remedy: str = ""
