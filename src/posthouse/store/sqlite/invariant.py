"""What must hold in the store: the kind of value, and the remedies that several share."""

from __future__ import annotations

from dataclasses import dataclass

BACKUP = "restore the store from its newest sound backup, and report this with the log"
COUNT = "run `posthouse verify --repair`; clients show wrong counts until then"
LEAVE = "no mail is lost by it; run `posthouse verify --repair`, and report it with the log"
TALLY = "run `posthouse verify --repair`; limits count wrongly until then"


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must hold, the statement that finds breaches, and what to do about them."""

    name: str
    statement: str
    remedy: str
