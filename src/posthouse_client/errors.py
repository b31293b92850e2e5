"""What can go wrong: the server says no, or cannot be reached.

Tests: ``tests/unit/client/test_client_transport.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PosthouseError(Exception):
    """Anything that went wrong."""


class Unreachable(PosthouseError):  # noqa: N818  (what happened, not that it is an error)
    """No answer came, or none that could be read."""


class Refused(PosthouseError):  # noqa: N818  (as above)
    """The server answered with a problem (RFC 9457).

    Attributes:
        status: of the answer.
        kind: one word for it: ``missing``, ``exists``, ``forbidden``, ``invalid``, ``limit``, ``changed``, ...
        detail: one line that says what and where.
        remedy: what to do about it; "" where the server knows nothing.
        field: the field of the request to blame; "" for none.
        fields: every field to blame, with what is wrong with it.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.kind = str(problem.get("type", "")).rpartition("#")[2]
        self.detail = str(problem.get("detail") or problem.get("title") or f"the server answered {status}")
        self.remedy = str(problem.get("remedy", ""))
        self.field = str(problem.get("field", ""))
        self.fields = {str(each["field"]): str(each["detail"]) for each in problem.get("fields", ())}
        super().__init__(f"{self.detail} {self.remedy}".strip())


class JobFailed(PosthouseError):  # noqa: N818  (as above)
    """A job that was waited for failed or was cancelled.

    Attributes:
        state: ``failed`` or ``cancelled``.
        result: what the server says of it.
    """

    def __init__(self, state: str, result: Mapping[str, Any]) -> None:
        self.state = state
        self.result = result
        super().__init__(str(result.get("error") or state))
