"""The one refusal of this room, in kinds that each door says in its own terms."""

from __future__ import annotations

import enum
import os

from posthouse.core.errors import Fault


class Kind(enum.Enum):
    """Why something was refused: the exit code of a command, and the status of an answer over HTTP (RFC 9110 §15)."""

    INVALID = ("invalid", os.EX_DATAERR, 422)
    MISSING = ("missing", os.EX_DATAERR, 404)
    EXISTS = ("exists", os.EX_DATAERR, 409)
    NOT_NOW = ("not-now", os.EX_DATAERR, 409)  # what is there does not allow it: a domain that still has accounts
    LIMIT = ("limit", os.EX_UNAVAILABLE, 409)
    CHANGED = ("changed", os.EX_TEMPFAIL, 412)
    UNKNOWN_CALLER = ("unknown-caller", os.EX_NOPERM, 401)
    FORBIDDEN = ("forbidden", os.EX_NOPERM, 403)
    TOO_MUCH = ("too-much", os.EX_DATAERR, 413)
    UNAVAILABLE = ("unavailable", os.EX_TEMPFAIL, 503)

    @property
    def word(self) -> str:
        """The kind as the API names it."""
        return self.value[0]

    @property
    def exit_code(self) -> int:
        """Of sysexits.h."""
        return self.value[1]

    @property
    def status(self) -> int:
        """Of HTTP (RFC 9110 §15)."""
        return self.value[2]


class Refused(Fault):
    """What was asked for cannot be done.

    Attributes:
        detail: one line that says what and where.
        remedy: what to do about it; "" where the line says it all.
        kind: why.
        field: the field of the input that is to blame; "" where it is none.
        exit_code: for a command that ends because of it.
    """

    def __init__(
        self,
        detail: str,
        remedy: str = "",
        *,
        kind: Kind = Kind.INVALID,
        field: str = "",
        exit_code: int | None = None,
    ) -> None:
        super().__init__(detail, where="administration")
        self.remedy = remedy
        self.kind = kind
        self.field = field
        self.exit_code = kind.exit_code if exit_code is None else exit_code
