"""What the generated methods stand on: a call by path and fields, pages walked, jobs waited for.

Tests: ``tests/unit/client/test_client_values.py``, ``tests/interop/test_api.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from posthouse_client.transport import Download, Transport
from posthouse_client.values import decode


class Caller:
    """Calls operations over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def read(self, path: str, kind: Any, query: Mapping[str, Any]) -> Any:
        """Return what is at a path."""
        return decode(kind, self._transport.request("GET", path, query=query).json)

    def pages(self, path: str, kind: Any, query: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the items of all pages, each page fetched when it is needed."""
        cursor: str | None = None
        while True:
            page = self._transport.request("GET", path, query={**query, "cursor": cursor}).json
            yield from (decode(kind, item) for item in page["items"])
            cursor = page["next"] or None
            if cursor is None:
                return

    def write(self, method: str, path: str, kind: Any, fields: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Change something; ``options`` are ``dry_run``, ``if_revision`` and ``idempotency_key``."""
        given = {name: value for name, value in fields.items() if value is not None}
        query = {"dry_run": True} if options["dry_run"] else {}
        headers = _headers(options)
        if method == "DELETE":
            reply = self._transport.request(method, path, query={**given, **query}, headers=headers)
        else:
            reply = self._transport.request(method, path, query=query, body=given, headers=headers)
        return decode(kind, reply.json)

    def upload(  # noqa: PLR0917  (as above)
        self, method: str, path: str, kind: Any, file: Any, media_type: str, query: Mapping[str, Any]
    ) -> Any:
        """Send a file."""
        return decode(kind, self._transport.upload(method, path, file, media_type, query).json)

    def download(self, path: str, query: Mapping[str, Any]) -> Download:
        """Fetch a file."""
        return self._transport.download(path, query)

    def events(self, path: str, kind: Any, query: Mapping[str, Any]) -> Iterator[Any]:
        """Yield events."""
        for event in self._transport.events(path, query):
            yield decode(kind, event)


def part(value: object) -> str:
    """Return a value as one part of a path."""
    return quote(str(value), safe="@")


def _headers(options: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    if options["if_revision"]:
        headers["If-Match"] = f'"{options["if_revision"]}"'
    if options["idempotency_key"]:
        headers["Idempotency-Key"] = str(options["idempotency_key"])
    return headers
