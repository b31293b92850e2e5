"""One path of the API: the operations on it, and the way of a request through one of them.

    who calls -> which operation -> may it repeat -> input -> (job | perform) -> answer

HEAD is GET without the body; OPTIONS tells the methods; any other is 405. Whatever goes wrong is a problem; an error
of ours is logged under a mark that the answer names, and nothing of it is told.
Tests: ``tests/unit/web/rest/test_rest_requests.py``.
"""

from __future__ import annotations

import secrets
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from posthouse.config.definitions.rest import BODY_SIZE, EVENT_BUFFER, EVENT_STREAMS, REQUEST_TIMEOUT, UPLOAD_SIZE
from posthouse.services.administration.access import authorise
from posthouse.services.administration.call import Call, perform
from posthouse.services.administration.caller import Caller
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.jobs import (
    JobRunner,
    forget_files,
    new_job_id,
    start_job,
    upload_of,
    write_chunks,
)
from posthouse.services.administration.operation import Download, Operation
from posthouse.services.administration.operations.job import shown
from posthouse.telemetry.log import Telemetry
from posthouse.web.rest import answers, inputs
from posthouse.web.rest.idempotency import Repetition, key_of
from posthouse.web.rest.problems import Problem, broken, problem_of, unavailable
from posthouse.web.rest.signing_in import SignIn
from posthouse.web.rest.streams import event_stream

OCTETS: Final = "application/octet-stream"


@dataclass(kw_only=True)
class RestParts:
    """What the API of one worker is made of.

    Attributes:
        desk: what operations work with.
        sign_in: finds out who calls.
        jobs: runs what is long.
        telemetry: is told of refusals and errors.
        is_draining: whether the server stops.
    """

    desk: Desk
    sign_in: SignIn
    jobs: JobRunner
    telemetry: Telemetry
    is_draining: Callable[[], bool] = lambda: False
    streams: int = field(default=0, init=False)


class Resource:
    """One path."""

    def __init__(
        self,
        parts: RestParts,
        operations: Mapping[str, Operation[Any, Any]],
        shows: Mapping[str, Operation[Any, Any]],
    ) -> None:
        self._parts = parts
        self._operations = operations
        self._shows = shows
        methods = {*operations, "OPTIONS", *({"HEAD"} if "GET" in operations else ())}
        self.allow = ", ".join(sorted(methods))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI)."""
        request = Request(scope, receive)
        response = await answered(self._parts, request, self._respond)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = self._operations.get(method)
        if method == "OPTIONS":
            return Response(status_code=204, headers={"allow": self.allow})
        if operation is None:
            raise Problem(
                status=405,
                kind="method",
                detail=f"this path does not take {request.method[:40]}",
                remedy=f"It takes {self.allow}.",
                headers={"allow": self.allow},
            )
        caller = await self._parts.sign_in.caller(request)
        return await Exchange(self._parts, request, operation, caller).run(self._shows.get(operation.noun))


class Exchange:
    """One request to one operation."""

    def __init__(self, parts: RestParts, request: Request, operation: Operation[Any, Any], caller: Caller) -> None:
        self._parts = parts
        self._desk = parts.desk
        self._request = request
        self._operation = operation
        self._caller = caller

    async def run(self, show: Operation[Any, Any] | None) -> Response:
        """Return the answer. Raises Problem, Fault."""
        operation, request = self._operation, self._request
        self._require_form()
        settings = self._desk.settings
        given = await inputs.read_input(
            request, operation, most=settings.get(BODY_SIZE), seconds=settings.get(REQUEST_TIMEOUT)
        )
        dry_run = operation.writes and inputs.flag(request, "dry_run")
        key = key_of(request) if operation.writes and not dry_run else ""
        repetition = Repetition(self._desk, self._caller, key) if key else None
        call = Call(
            caller=self._caller,
            desk=self._desk,
            dry_run=dry_run,
            if_revision=answers.required_revision(request) if operation.writes else 0,
        )
        await authorise(self._desk.store, self._caller, operation, given)
        if repetition is not None:
            kept = await repetition.begin(operation, given)
            if kept is not None:
                return kept
            call.along.append(repetition.claim())
        try:
            response = await self._perform(call, given, show)
        except Refused as refusal:
            if refusal.kind is Kind.EXISTS and repetition is not None:
                kept = await repetition.kept()  # the same request, sent twice at once
                if kept is not None:
                    return kept
            raise
        if repetition is not None and isinstance(getattr(response, "body", None), bytes):
            await repetition.keep(response)
        return response

    async def _perform(self, call: Call, given: Any, show: Operation[Any, Any] | None) -> Response:
        operation = self._operation
        if operation.is_long:
            return await self._start_job(call, given)
        if operation.upload:
            call.upload = self._upload()
        answer = await perform(operation, call, given)
        if isinstance(answer, Download):
            return answers.file_answer(answer)
        if operation.streams:
            return self._stream(answer)
        made = show is not None and operation.method == "POST" and operation.verb == "add" and not call.dry_run
        location = answers.location_of(answer, show) if made else ""
        return answers.json_answer(self._request, operation, answer, location=location)

    def _require_form(self) -> None:
        operation = self._operation
        if operation.streams:
            answers.require_acceptable(self._request, answers.EVENTS)
        elif operation.output is not Download:
            answers.require_acceptable(self._request, answers.JSON)
        if operation.upload:
            inputs.require_type(self._request, operation.upload, OCTETS)

    def _upload(self) -> AsyncIterator[bytes]:
        return inputs.limited(self._request, self._desk.settings.get(UPLOAD_SIZE), "rest.upload_size")

    async def _start_job(self, call: Call, given: Any) -> Response:
        """Put a job into the store and answer 202 with where it is seen (RFC 9110 §15.3.3)."""
        job = new_job_id()
        try:
            if self._operation.upload:
                await write_chunks(upload_of(self._desk.home, job), self._upload())
            row = await start_job(call, self._operation, given, job)
        except BaseException:
            forget_files(self._desk.home, job)
            raise
        self._parts.jobs.wake()
        body = shown(row).model_dump_json().encode()
        headers = {"location": f"{answers.BASE}/jobs/{job}"}
        if answers.wants_job(self._request):
            headers["preference-applied"] = "respond-async"
        return Response(body, 202, media_type=answers.JSON, headers=headers)

    def _stream(self, things: AsyncIterator[Any]) -> Response:
        settings = self._desk.settings
        if self._parts.streams >= settings.get(EVENT_STREAMS):
            raise unavailable("as many clients follow events as rest.event_streams allows")
        if self._request.method == "HEAD":
            return Response(media_type=answers.EVENTS)
        return answers.stream_answer(self._counted(event_stream(things, settings.get(EVENT_BUFFER), self._may_go_on)))

    async def _counted(self, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._parts.streams += 1
        try:
            async for block in blocks:
                yield block
        finally:
            self._parts.streams -= 1
            await blocks.aclose()  # type: ignore[attr-defined]  # an async generator

    async def _may_go_on(self) -> bool:
        return not self._parts.is_draining() and await self._parts.sign_in.still_holds(self._caller)


async def answered(parts: RestParts, request: Request, respond: Callable[[Request], Awaitable[Response]]) -> Response:
    """Return an answer in any case: an error of ours is logged, and told as one."""
    try:
        return await respond(request)
    except Exception as error:
        problem = problem_of(error)
        if problem is not None:
            return problem.response()
        mark = secrets.token_hex(6)
        parts.telemetry.event(
            "rest.failed",
            level="error",
            id=mark,
            method=request.method[:40],
            path=request.scope["path"][:500],
            trace="".join(traceback.format_exception(error)),
        )
        return broken(mark).response()
