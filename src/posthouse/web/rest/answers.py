"""From what an operation gave to an answer: JSON, an entity tag, the next page, a file, live events.

The entity tag of what has a ``revision`` is that number and a digest of the representation: If-None-Match compares
all of it, so that a figure that changed without a revision is told; If-Match looks at the revision alone, which is
what a change depends on. Tests: ``tests/unit/web/rest/test_rest_answers.py``.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import quote, urlencode

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from posthouse.services.administration.operation import Download, Nothing, Operation, Page
from posthouse.web.rest.problems import Problem, malformed

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"
BASE: Final = "/api/v1"
_TAG: Final = re.compile(r'"(\d{1,18})(?:-[0-9a-f]{1,64})?"')
_GZIP_FROM: Final = 4_096  # octets; less is not worth it
_NAME: Final = re.compile(r"[^A-Za-z0-9._@+-]")


def require_acceptable(request: Request, *forms: str) -> None:
    """Raise Problem: 406, where the client accepts none of these media types (RFC 9110 §12.5.1)."""
    given = request.headers.get("accept", "")
    if not given:
        return
    ranges = {one.partition(";")[0].strip().lower() for one in given.split(",") if not _is_refused(one)}
    for form in forms:
        if ranges & {form, f"{form.partition('/')[0]}/*", "*/*"}:
            return
    raise Problem(
        status=406,
        kind="not-acceptable",
        detail=f"this is given as {' or '.join(forms)}",
        remedy=f"Accept {forms[0]}.",
    )


def _is_refused(one: str) -> bool:
    return any(re.fullmatch(r"q=0(\.0{0,3})?", part.strip()) for part in one.split(";")[1:])


def required_revision(request: Request) -> int:
    """Return the revision that If-Match names, 0 for any. Raises Problem: 412 for a tag that can match nothing."""
    given = request.headers.get("if-match", "").strip()
    if given in {"", "*"}:
        return 0
    match = _TAG.fullmatch(given)
    if match is None or int(match[1]) == 0:
        raise Problem(
            status=412,
            kind="changed",
            detail="If-Match names no version of this",
            remedy="Send the ETag of the answer you read, as it was.",
        )
    return int(match[1])


def is_known(request: Request, tag: str) -> bool:
    """Whether the client has this version already (RFC 9110 §13.1.2)."""
    given = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return tag in given or given == ["*"]


def tag_of(answer: BaseModel, body: bytes) -> str:
    """Return the entity tag of an answer, "" for what has no revision."""
    revision = getattr(answer, "revision", None)
    return f'"{revision}-{hashlib.sha256(body).hexdigest()[:16]}"' if isinstance(revision, int) else ""


def json_answer(request: Request, operation: Operation[Any, Any], answer: BaseModel, *, location: str = "") -> Response:
    """Return the answer of an operation that gave an object."""
    if isinstance(answer, Nothing):
        return Response(status_code=204)
    body = answer.model_dump_json().encode()
    headers: dict[str, str] = {}
    tag = tag_of(answer, body)
    if tag:
        headers["etag"] = tag
        if not operation.writes and is_known(request, tag):
            return Response(status_code=304, headers=headers)
    if isinstance(answer, Page):
        if answer.next:
            headers["link"] = next_link(request, answer.next)
        headers["vary"] = "Accept-Encoding"
        if len(body) >= _GZIP_FROM and _takes_gzip(request):
            headers["content-encoding"] = "gzip"
            body = gzip.compress(body, 1)
    if location:
        headers["location"] = location
    return Response(body, 201 if location else 200, media_type=JSON, headers=headers)


def next_link(request: Request, cursor: str) -> str:
    """Return the Link field of a page that has a next one (RFC 8288)."""
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f'<{request.scope["path"]}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'


def _takes_gzip(request: Request) -> bool:
    codings = request.headers.get("accept-encoding", "").lower().split(",")
    return any(one.strip().partition(";")[0] == "gzip" and not _is_refused(one) for one in codings)


def location_of(answer: BaseModel, show: Operation[Any, Any] | None) -> str:
    """Return the path at which what was made is shown, "" where there is none."""
    if show is None:
        return ""
    parts = []
    for part in show.path.split("/"):
        if part.startswith("{"):
            value = getattr(answer, part[1:-1], None)
            if value is None:
                return ""
            parts.append(quote(str(value), safe="@"))
        else:
            parts.append(part)
    return BASE + "/".join(parts)


def file_answer(made: Download) -> Response:
    """Return the answer that is a file."""
    name = _NAME.sub("_", made.name)[:200]
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(made.chunks, media_type=made.media_type, headers=headers)


def stream_answer(events: AsyncIterator[bytes]) -> Response:
    """Return the answer that goes on (WHATWG HTML, server-sent events)."""
    return StreamingResponse(events, media_type=EVENTS, headers={"x-accel-buffering": "no"})


def wants_job(request: Request) -> bool:
    """Whether the client asks that the answer not be waited for (RFC 7240 §4.1). Raises Problem."""
    given = request.headers.get("prefer", "").lower()
    if len(given) > 1_000:
        raise malformed("the Prefer field is too long")
    return "respond-async" in {one.partition(";")[0].strip() for one in given.split(",")}
