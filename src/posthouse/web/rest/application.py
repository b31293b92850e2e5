"""The API as an ASGI application: routes made from the operations, the description, the page of documentation.

Around every route: the path is matched as it was sent, so that an address may hold a ``/`` that is percent-encoded;
pages of other origins are kept out unless a setting lets them in; answers carry fields that keep browsers from doing
more with them than they should. Tests: ``tests/unit/web/rest/test_rest_requests.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from posthouse.config.definitions.rest import ALLOWED_ORIGINS
from posthouse.config.settings import Settings
from posthouse.services.administration.catalogue import all_operations
from posthouse.services.administration.operation import Operation
from posthouse.web.rest import description, page
from posthouse.web.rest.answers import BASE
from posthouse.web.rest.problems import Problem
from posthouse.web.rest.resource import Resource, RestParts

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CORS_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
_CORS_HEADERS: Final = "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Prefer"
_CORS_SHOWN: Final = "ETag, Link, Location, Retry-After, Content-Disposition, Idempotency-Replayed"
_FIELDS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


def make_application(parts: RestParts, operations: Sequence[Operation[Any, Any]] | None = None) -> ASGIApp:
    """Return the application.

    Args:
        parts: of the worker.
        operations: what the API offers; all there are.
    """
    offered = list(all_operations()) if operations is None else list(operations)
    routes = [*_documents(offered), *_resources(parts, offered)]
    inner = Starlette(routes=routes)
    inner.router.redirect_slashes = False
    inner.router.default = _nothing_here
    return Surroundings(inner, parts.desk.settings)


def _resources(parts: RestParts, offered: Sequence[Operation[Any, Any]]) -> list[Route]:
    by_path: dict[str, dict[str, Operation[Any, Any]]] = {}
    for each in offered:
        by_path.setdefault(each.path, {})[each.method] = each
    shows = {each.noun: each for each in offered if each.verb == "show"}
    # A word before a field in the same place: /accounts/find is no account of that name.
    ordered = sorted(by_path, key=lambda path: [(part.startswith("{"), part) for part in path.split("/")])
    return [Route(BASE + path, Resource(parts, by_path[path], shows), include_in_schema=False) for path in ordered]


def _documents(offered: Sequence[Operation[Any, Any]]) -> list[Route]:
    made: dict[str, bytes] = {}

    async def openapi(_: Request) -> Response:
        if "openapi" not in made:
            made["openapi"] = description.as_bytes(description.describe(offered))
        return Response(made["openapi"], media_type="application/json")

    async def docs(_: Request) -> Response:
        if "docs" not in made:
            made["docs"] = page.render(offered)
        return Response(made["docs"], media_type="text/html", headers={"content-security-policy": page.POLICY})

    return [Route(f"{BASE}/openapi.json", openapi), Route(f"{BASE}/docs", docs)]


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem(
        status=404, kind="no-such-path", detail="there is nothing at this path", remedy=f"See {BASE}/docs."
    )
    await problem.response()(scope, receive, send)


class Surroundings:
    """What holds for every request, whatever its route."""

    def __init__(self, inner: ASGIApp, settings: Settings) -> None:
        self._inner = inner
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        allowed = origin in self._settings.get(ALLOWED_ORIGINS)
        if origin and not allowed and not _is_own(origin, headers) and scope["method"] not in _SAFE:
            await _foreign().response()(scope, receive, send)
            return
        answer = _with_fields(send, origin if allowed else "")
        if allowed and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight()(scope, receive, answer)
            return
        # uvicorn decodes the path; what it was before tells a / in a name from one between names.
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0].decode("latin-1")
        await self._inner({**scope, "path": path, "root_path": ""}, receive, answer)


def _is_own(origin: str, headers: Headers) -> bool:
    return origin.partition("://")[2] == headers.get("host", "")


def _foreign() -> Problem:
    return Problem(
        status=403,
        kind="forbidden",
        detail="pages of this origin may not call the API",
        remedy="Name the origin in the setting rest.allowed_origins.",
    )


def _preflight() -> Response:
    fields = {
        "access-control-allow-methods": _CORS_METHODS,
        "access-control-allow-headers": _CORS_HEADERS,
        "access-control-max-age": "600",
    }
    return Response(status_code=204, headers=fields)


def _with_fields(send: Send, origin: str) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_FIELDS)
            headers.setdefault("content-security-policy", _POLICY)
            headers.setdefault("cache-control", "private, no-cache")
            headers.add_vary_header("Origin")
            if origin:
                headers["access-control-allow-origin"] = origin
                headers["access-control-expose-headers"] = _CORS_SHOWN
        await send(message)

    return sending
