"""The tree of faults.

    Fault
    ├── SyntaxFault       the peer's bytes do not match the grammar; says at which octet
    ├── SequenceFault     right words in the wrong order or state
    ├── LimitFault        a limit of core/limits.py was passed
    ├── PolicyRefusal     understood and refused; carries the Outcome
    ├── Unavailable       something we need is away for now: temporary, always
    └── Bug               an invariant of ours is broken: answered as temporary, logged in full

The first three are the peer's doing and are answered in the protocol's own terms. Anything that is no Fault and
reaches a door is treated as a Bug: the message is deferred (4.3.0), never lost and never bounced.
"""

from __future__ import annotations

from posthouse.core import status
from posthouse.core.outcome import Outcome, defer, reject


class Fault(Exception):  # noqa: N818  (the tree names faults by what they are)
    """Root of all faults that cross a room.

    Args:
        detail: the private half, for the log.
        where: the place or production that failed, such as ``smtp.rcpt``.
    """

    def __init__(self, detail: str = "", *, where: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.where = where

    @property
    def outcome(self) -> Outcome:
        """The public half; subclasses choose code and text."""
        return defer("Local error in processing", detail=self.detail)


class SyntaxFault(Fault):
    """The bytes do not match the grammar; ``offset`` is the first octet that cannot continue the production."""

    def __init__(self, detail: str = "", *, where: str = "", offset: int = 0) -> None:
        super().__init__(detail, where=where)
        self.offset = offset

    @property
    def outcome(self) -> Outcome:
        """501 5.5.4 (RFC 5321 §4.2.4)."""
        return reject("Syntax error in parameters", code=501, detail_code=status.INVALID_ARGUMENTS, detail=self.detail)


class SequenceFault(Fault):
    """A command that the current state does not allow."""

    @property
    def outcome(self) -> Outcome:
        """503 5.5.1 (RFC 5321 §4.1.4)."""
        return reject("Bad sequence of commands", code=503, detail_code=status.INVALID_COMMAND, detail=self.detail)


class LimitFault(Fault):
    """A limit was passed; the text names it in general words."""

    def __init__(self, detail: str = "", *, where: str = "", outcome: Outcome | None = None) -> None:
        super().__init__(detail, where=where)
        self._outcome = outcome

    @property
    def outcome(self) -> Outcome:
        """The outcome given, else 552 5.3.4."""
        return self._outcome or reject(
            "Too large", code=552, detail_code=status.MESSAGE_TOO_BIG, rule="limit", detail=self.detail
        )


class PolicyRefusal(Fault):
    """Understood, and refused by a rule; carries the outcome that says which."""

    def __init__(self, outcome: Outcome, *, where: str = "") -> None:
        super().__init__(outcome.detail or outcome.public_text, where=where)
        self._outcome = outcome

    @property
    def outcome(self) -> Outcome:
        """The refusal as it was decided."""
        return self._outcome


class Unavailable(Fault):
    """Something the request needs is away for now: disk full, database locked, resolver silent.

    The answer is always temporary (451 4.3.0, or 452 4.3.1 where storage is short).
    """

    def __init__(self, detail: str = "", *, where: str = "", storage_short: bool = False) -> None:
        super().__init__(detail, where=where)
        self.storage_short = storage_short

    @property
    def outcome(self) -> Outcome:
        """451 4.3.0 or 452 4.3.1."""
        if self.storage_short:
            return defer("Insufficient system storage", code=452, detail_code=status.SYSTEM_FULL, detail=self.detail)
        return defer("Temporary failure, please try again later", detail=self.detail)


class Bug(Fault):
    """An invariant of ours does not hold. Temporary for the peer, loud for us."""
