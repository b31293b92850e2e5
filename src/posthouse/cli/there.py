"""Operations on a server elsewhere, over its API (``/api/v1``). Tests: ``tests/unit/cli/test_performing.py``.

Built from the same definitions as the API: fields of the path, the rest in the query or the body. Long work is a job,
which is waited for; when the command is interrupted meanwhile, the job goes on and how to see it is said.
"""

from __future__ import annotations

import os
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Any, Final, Self
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

from posthouse.cli.performing import File, Order
from posthouse.cli.target import There as Target
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import Operation
from posthouse_client import errors
from posthouse_client.transport import Reply, Transport

_ENDED: Final = frozenset({"done", "failed", "cancelled"})
_BODIES: Final = frozenset({"POST", "PUT", "PATCH"})
_KINDS: Final = {kind.word: kind for kind in Kind}


class There:
    """Performs on a server."""

    def __init__(self, target: Target, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._target = target
        self._sleep = sleep
        self._transport = Transport(target.url, token=target.token, context=_context(target))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the connection."""
        self._transport.close()

    def answer(self, order: Order) -> Mapping[str, Any]:
        """Return the answer; a job's when it has ended."""
        with _said():
            reply = self._send(order)
            if reply.status == 202 and order.operation.is_long:
                return self._result(order, reply.json)
            told: Mapping[str, Any] = reply.json or {}
            return told

    def items(self, order: Order) -> Iterator[Mapping[str, Any]]:
        """Yield the items of all pages."""
        path, fields = _split(order.operation, order.given)
        while True:
            with _said():
                page = self._transport.request("GET", path, query=fields).json
            yield from page["items"]
            if not page["next"]:
                return
            fields = {**fields, "cursor": page["next"]}

    def file(self, order: Order) -> File:
        """Return the file."""
        path, fields = _split(order.operation, order.given)
        with _said():
            if order.operation.is_long:
                job = self._wait(order, self._send(order).json)
                path, fields = f"/jobs/{quote(job['id'])}/result", {}
            made = self._transport.download(path, fields)
        return File(media_type=made.media_type, name=made.name, chunks=_guarded(iter(made)))

    def events(self, order: Order) -> Iterator[Mapping[str, Any]]:
        """Yield what happens."""
        path, fields = _split(order.operation, order.given)
        return _guarded(self._transport.events(path, fields))

    def _send(self, order: Order) -> Reply:
        operation = order.operation
        path, fields = _split(operation, order.given)
        dry = {"dry_run": True} if order.dry_run else {}
        if operation.upload:
            assert order.upload is not None, "a command with a file opens it"
            return self._transport.upload(operation.method, path, order.upload, operation.upload, {**fields, **dry})
        headers = {"If-Match": f'"{order.if_revision}"'} if order.if_revision else {}
        if operation.method in _BODIES:
            return self._transport.request(operation.method, path, query=dry, body=fields, headers=headers)
        return self._transport.request(operation.method, path, query={**fields, **dry}, headers=headers)

    def _result(self, order: Order, job: Mapping[str, Any]) -> Mapping[str, Any]:
        told: Mapping[str, Any] = self._wait(order, job).get("result") or {}
        return told

    def _wait(self, order: Order, job: Mapping[str, Any]) -> Mapping[str, Any]:
        pause, path = 0.1, f"/jobs/{quote(job['id'])}"
        try:
            while job["state"] not in _ENDED:
                self._sleep(pause)
                pause = min(2.0, pause * 1.5)
                job = self._transport.request("GET", path).json
                order.progress(job["done"], job["total"], job["text"])
        except KeyboardInterrupt:
            sys.stderr.write(f"The job {job['id']} goes on: posthouse job show {job['id']}\n")
            raise
        if job["state"] != "done":
            result = job.get("result") or {}
            raise Refused(
                str(result.get("error") or f"the job {job['id']} was {job['state']}"), str(result.get("remedy", ""))
            )
        return job


def _split(operation: Operation[Any, Any], given: BaseModel) -> tuple[str, dict[str, Any]]:
    """Return the path, and the fields that are not in it."""
    fields = wire_fields(given)
    parts = []
    for part in operation.path.split("/"):
        if part.startswith("{"):
            name = part[1:-1]
            fields.pop(name, None)
            parts.append(quote(_text(getattr(given, name)), safe="@"))
        else:
            parts.append(part)
    return "/".join(parts), fields


def wire_fields(given: BaseModel) -> dict[str, Any]:
    """Return the fields that were given, as JSON values; secrets as they are, for they are on their way."""
    return {name: _plain(value) for name, value in given.model_dump(exclude_unset=True).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _text(value: Any) -> str:
    return str(_plain(value))


def _context(target: Target) -> ssl.SSLContext | None:
    if not target.url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=target.ca or None)
    except (OSError, ssl.SSLError) as error:
        raise Refused(
            f"{target.ca} holds no certificate that can be used: {error.strerror or 'wrong form'}",
            "Name a file of certificates in PEM form.",
            exit_code=os.EX_NOINPUT,
        ) from None


def _guarded(source: Iterator[Any]) -> Iterator[Any]:
    with _said():
        yield from source


@contextmanager
def _said() -> Iterator[None]:
    """Say the client's errors as refusals."""
    try:
        yield
    except errors.Refused as refusal:
        raise _as_refusal(refusal) from None
    except errors.Unreachable as error:
        raise Refused(str(error), _remedy(error), exit_code=os.EX_UNAVAILABLE) from None
    except errors.PosthouseError as error:
        raise Refused(str(error)) from None


def _as_refusal(refusal: errors.Refused) -> Refused:
    kind = _KINDS.get(refusal.kind) or (Kind.UNAVAILABLE if refusal.status >= 500 else Kind.INVALID)
    remedy = refusal.remedy
    if kind is Kind.UNKNOWN_CALLER and not remedy:
        remedy = "The token may have expired or been revoked; `posthouse token add` makes one."
    code = os.EX_SOFTWARE if refusal.status == 500 else None
    return Refused(refusal.detail, remedy, kind=kind, field=refusal.field, exit_code=code)


def _remedy(error: errors.Unreachable) -> str:
    if isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return "Check the address; a certificate of your own authority is trusted with --ca FILE."
    return "Check the address, and that the server runs and has a listener of the protocol http."
