"""A client for ASGI applications, in the same process and loop: no sockets, no threads."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson


@dataclass(frozen=True)
class Answer:
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None where there is none."""
        return orjson.loads(self.body) if self.body else None


def basic(login: str, password: str) -> str:
    """Return the value of an Authorization field."""
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


class AsgiClient:
    """Sends requests to an application.

    Args:
        application: to be called.
        authorization: the field sent with every request; "" for none.
        state: of the connection, such as ``{"door": ...}``.
        peer: the address of the client.
    """

    def __init__(
        self, application: Any, authorization: str = "", *, state: Any = None, peer: str = "192.0.2.1"
    ) -> None:
        self.application = application
        self.authorization = authorization
        self.state = state if state is not None else {}
        self.peer = peer

    def as_caller(self, authorization: str) -> AsgiClient:
        """Return a client of the same application with another credential."""
        return AsgiClient(self.application, authorization, state=self.state, peer=self.peer)

    async def send(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        query: Any = (),
        body: bytes | None = None,
        **headers: str,
    ) -> Answer:
        """Send a request; names of header fields are written with underscores."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.authorization:
            fields.setdefault("authorization", self.authorization)
        if json is not None:
            body = orjson.dumps(json)
            fields.setdefault("content-type", "application/json")
        if body is not None:
            fields.setdefault("content-length", str(len(body)))
        path, _, more = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": (more or urlencode(query, doseq=True)).encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in fields.items()],
            "client": (self.peer, 40000),
            "server": ("localhost", 20080),
            "state": self.state,
        }
        return await self._exchange(scope, body or b"")

    async def _exchange(self, scope: dict[str, Any], body: bytes) -> Answer:
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []
        gone = asyncio.Event()

        async def receive() -> Any:
            if messages:
                return messages.pop(0)
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        start = sent[0]
        fields = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], fields, b"".join(each.get("body", b"") for each in sent[1:]))
