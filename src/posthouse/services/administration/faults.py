"""The one refusal of this room."""

from __future__ import annotations

from posthouse.core.errors import Fault


class Refused(Fault):
    """What was asked for cannot be done.

    Attributes:
        detail: one line that says what and where.
        remedy: what to do about it; "" where the line says it all.
        exit_code: for a command that ends because of it (EX_DATAERR unless said otherwise).
    """

    def __init__(self, detail: str, remedy: str = "", *, exit_code: int = 65) -> None:
        super().__init__(detail, where="administration")
        self.remedy = remedy
        self.exit_code = exit_code
