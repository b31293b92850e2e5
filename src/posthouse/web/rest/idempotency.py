"""Requests that may be repeated: ``Idempotency-Key``.

The key is claimed in the same commit as the first thing that is written, so that a request either did all of its work
and is known, or did nothing and may be sent again. What was answered is kept; the same request is answered so again.
What makes a request the same is its operation and input, passwords aside: a digest of those should lie nowhere.
Refusals are not kept: they did nothing. Secrets that an answer shows once are not kept either.
Tests: ``tests/unit/web/rest/test_idempotency.py``.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from posthouse.services.administration.caller import Caller
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.operation import Operation
from posthouse.store.directory_values import KeepReply
from posthouse.web.rest.problems import Problem, malformed

HEADER: Final = "idempotency-key"
REPLAYED: Final = "idempotency-replayed"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")
_PATIENCE: Final = 60.0  # seconds after which a claim without an answer is that of a worker that died
# Names of fields that are shown once, when they are made.
SECRETS: Final = {"password", "secret", "token", "uri", "codes", "recovery_codes", "app_password"}


def key_of(request: Request) -> str:
    """Return the key that came with a request; "" for none. Raises Problem."""
    key = request.headers.get(HEADER, "")
    if key and not _KEY.fullmatch(key):
        raise malformed("the Idempotency-Key is not 1 to 128 printable ASCII characters", "Use a random UUID.")
    return key


class Repetition:
    """One request with a key."""

    def __init__(self, desk: Desk, caller: Caller, key: str) -> None:
        self._desk = desk
        # Not the name: who makes a token of the server's own calls it as he likes.
        self._who = caller.account or f"token {caller.credential}" if caller.credential else caller.name
        self._key = key
        self._fingerprint = ""

    async def begin(self, operation: Operation[Any, Any], given: Any) -> Response | None:
        """Return the answer that was kept, or None where the work is to be done. Raises Problem."""
        told = orjson.dumps([operation.name, given.model_dump(mode="json", exclude=SECRETS)])
        self._fingerprint = hashlib.sha256(told).hexdigest()
        return await self.kept()

    async def kept(self) -> Response | None:
        """Return what is kept of the key. Raises Problem: where it is for another request, or not answered yet."""
        row = await self._desk.store.kept_reply(self._who, self._key)
        if row is None:
            return None
        if row.fingerprint != self._fingerprint:
            raise Problem(
                status=422,
                kind="key-reused",
                detail="the Idempotency-Key was used for another request",
                remedy="Use a fresh key for each request, and the same only to repeat it.",
            )
        if row.status == 0 and self._desk.clock.now() - row.at < _PATIENCE:
            raise Problem(
                status=409,
                kind="key-in-progress",
                detail="a request with this Idempotency-Key is being worked on",
                remedy="Repeat it in a moment.",
                headers={"retry-after": "1"},
            )
        if row.status == 0:
            raise Problem(
                status=409,
                kind="key-in-progress",
                detail="this request was carried out, but what was answered is not known",
                remedy="Read what is there now.",
            )
        head, _, body = row.body.partition(b"\n")
        headers = {name: str(value) for name, value in orjson.loads(head).items()}
        return Response(body, row.status, headers=headers | {REPLAYED: "true"})

    def claim(self) -> KeepReply:
        """Return what is to be written together with the work."""
        return KeepReply(caller=self._who, key=self._key, fingerprint=self._fingerprint, at=self._desk.clock.now())

    async def keep(self, response: Response) -> None:
        """Keep the answer."""
        headers = {
            name: response.headers[name] for name in ("content-type", "etag", "location") if name in response.headers
        }
        body = orjson.dumps(headers) + b"\n" + _without_secrets(bytes(response.body))
        await self._desk.store.commit(
            KeepReply(
                caller=self._who,
                key=self._key,
                fingerprint=self._fingerprint,
                at=self._desk.clock.now(),
                status=response.status_code,
                body=body,
            )
        )


def _without_secrets(body: bytes) -> bytes:
    if not body:
        return body
    found = orjson.loads(body)
    if not isinstance(found, dict) or not any(_is_secret(name, value) for name, value in found.items()):
        return body
    return orjson.dumps({name: _emptied(value) if _is_secret(name, value) else value for name, value in found.items()})


def _is_secret(name: str, value: Any) -> bool:
    return name in SECRETS or (isinstance(value, str) and value.startswith("otpauth:"))


def _emptied(value: Any) -> Any:
    return type(value)() if isinstance(value, str | list) else None
