"""Refusals as answers: ``application/problem+json`` (RFC 9457).

``type`` is a reference into our own page of documentation, ``title`` one line for the kind, ``detail`` what and where,
``remedy`` what to do. ``field`` names the field of the input to blame; ``fields`` all of them where several are.
Tests: ``tests/unit/web/rest/test_rest_answers.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import ValidationError
from starlette.responses import Response

from posthouse.config.faults import ConfigFault
from posthouse.core.errors import LimitFault, SyntaxFault, Unavailable
from posthouse.services.administration.call import refused
from posthouse.services.administration.faults import Kind, Refused
from posthouse.store.contract import StoreRefusal

MEDIA_TYPE: Final = "application/problem+json"
PAGE: Final = "/api/v1/docs"
RETRY_AFTER: Final = 5  # seconds
FIELDS_SHOWN: Final = 50

# kind -> title; those of ``Kind``, and what only HTTP knows
TITLES: Final[dict[str, str]] = {
    "invalid": "Something in the request cannot be used",
    "missing": "There is no such thing",
    "exists": "The name is taken",
    "not-now": "What is there does not allow it",
    "limit": "A limit is reached",
    "changed": "It was changed meanwhile",
    "unknown-caller": "Sign in first",
    "forbidden": "You may not do that",
    "too-much": "The request is too large",
    "unavailable": "The server cannot do that at the moment",
    "broken": "The server met an error of its own",
    "malformed": "The request is not well formed",
    "no-such-path": "There is nothing at this path",
    "method": "This path does not take that method",
    "media-type": "The body is of a type that is not taken here",
    "not-acceptable": "The answer has no form that you accept",
    "key-in-progress": "A request with this key is being worked on",
    "key-reused": "This key was used for another request",
    "too-often": "Too many failed sign-ins",
}


@dataclass(frozen=True, kw_only=True)
class Problem(Exception):  # noqa: N818  (it is an answer)
    """An answer that ends the work on a request."""

    status: int
    kind: str
    detail: str
    remedy: str = ""
    fields: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the members of the problem object."""
        told: dict[str, Any] = {
            "type": f"{PAGE}#{self.kind}",
            "title": TITLES[self.kind],
            "status": self.status,
            "detail": self.detail,
        }
        if self.remedy:
            told["remedy"] = self.remedy
        if self.fields:
            told["field"] = self.fields[0][0]
            told["fields"] = [{"field": name, "detail": detail} for name, detail in self.fields]
        return told | dict(self.more)

    def response(self) -> Response:
        """Return the answer."""
        body = orjson.dumps(self.as_json())
        return Response(body, self.status, media_type=MEDIA_TYPE, headers=dict(self.headers))


def problem_of(error: Exception) -> Problem | None:
    """Return the problem that an error is, None for an error of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StoreRefusal):
        error = refused(error)
    if isinstance(error, Refused):
        return of_refusal(error)
    if isinstance(error, Unavailable):
        return unavailable(error.detail or "the store cannot answer now")
    if isinstance(error, SyntaxFault | LimitFault | ConfigFault):
        return Problem(status=422, kind="invalid", detail=error.detail, remedy=getattr(error, "remedy", ""))
    return None


def of_refusal(refusal: Refused) -> Problem:
    """Return a refusal of the administration as a problem."""
    headers = {"retry-after": str(RETRY_AFTER)} if refusal.kind is Kind.UNAVAILABLE else {}
    fields = [(refusal.field, refusal.detail)] if refusal.field else []
    return Problem(
        status=refusal.kind.status,
        kind=refusal.kind.word,
        detail=refusal.detail,
        remedy=refusal.remedy,
        fields=fields,
        headers=headers,
    )


def of_validation(error: ValidationError, known: Mapping[str, Any]) -> Problem:
    """Return what is wrong with an input; ``known`` are its fields, to help with misspelt ones."""
    fields: list[tuple[str, str]] = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:FIELDS_SHOWN]:
        name = ".".join(str(part) for part in one["loc"]) or "body"
        fields.append((name[:200], _words(one["type"], one["msg"], known)))
    name, detail = fields[0]
    return Problem(status=422, kind="invalid", detail=f"{name}: {detail}", fields=fields)


def _words(kind: str, message: str, known: Mapping[str, Any]) -> str:
    if kind == "extra_forbidden":
        return f"there is no such field; there are: {', '.join(known) or 'none'}"
    if kind == "missing":
        return "is missing"
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def unavailable(detail: str) -> Problem:
    """Return the answer to what cannot be done now."""
    return Problem(
        status=503,
        kind="unavailable",
        detail=detail,
        remedy="Try again in a moment.",
        headers={"retry-after": str(RETRY_AFTER)},
    )


def malformed(detail: str, remedy: str = "") -> Problem:
    """Return the answer to a request that cannot be read."""
    return Problem(status=400, kind="malformed", detail=detail, remedy=remedy)


def broken(mark: str) -> Problem:
    """Return the answer to a request that met an error of ours, logged under a mark."""
    return Problem(
        status=500,
        kind="broken",
        detail=f"the server met an error of its own; it is logged as {mark}",
        remedy="Look for that in the log, or tell the administrator of the server.",
        more={"id": mark},
    )
