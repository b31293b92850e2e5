"""Jobs as operations: see how far they are, stop them, fetch what they made.

Who may see a job: whoever started it, and the administrators of the domain and post office it is about. What it was
given is not shown. Tests: ``tests/unit/services/administration/test_jobs.py``.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.jobs import CANCELLED, ENDED, WAITING, read_chunks, result_of, upload_of
from posthouse.services.administration.operation import (
    Download,
    Effect,
    Input,
    Operation,
    Output,
    Page,
    PageInput,
    Rule,
    cursor_of,
    key_of,
    on_own,
    operation,
)
from posthouse.store.directory_rows import JobRow
from posthouse.store.directory_values import PutJob


class JobId(Input):
    """One job."""

    id: str = Field(min_length=1, max_length=64, description="The job's id, as the answer that started it said.")


class Job(Output):
    """A job and how far it is."""

    id: str = Field(description="Its id.")
    operation: str = Field(description="What it does, such as `account.import`.")
    state: str = Field(description="`waiting`, `running`, `done`, `failed` or `cancelled`.")
    done: int = Field(description="How much is done.")
    total: int = Field(description="How much there is to do; 0 where that is not known.")
    text: str = Field(description="What it is doing, in words.")
    started_by: str = Field(description="Who started it.")
    office: str = Field(description="The post office it is about; empty for none.")
    domain: str = Field(description="The domain it is about; empty for none.")
    created: float = Field(description="When it was started, in seconds since the epoch.")
    changed: float = Field(description="When this was last written.")
    result: dict[str, Any] | None = Field(
        description="What it came to, once it has ended: the answer of the operation; `file` where that is a file to "
        "be fetched; `error`, `kind` and `remedy` where it failed."
    )


@operation(
    "job",
    "list",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="GET /jobs",
    columns=("id", "operation", "state", "done", "total", "text"),
)
async def list_jobs(call: Call, given: PageInput) -> Page[Job]:
    """List jobs, newest first."""
    found: list[JobRow] = []
    after, store, more = key_of(given.cursor), call.desk.store, True
    while more and len(found) <= given.limit:
        rows = await store.jobs(office=call.office, domain=call.domain, after=after, limit=given.limit + 1)
        found += [row for row in rows if may_see(call.caller, row)]
        more = len(rows) > given.limit
        after = rows[-1].id if rows else ""
    page = found[: given.limit]
    return Page[Job](
        items=[shown(row) for row in page], next=cursor_of(page[-1].id) if len(found) > given.limit else ""
    )


@operation("job", "show", rule=Rule(Role.ACCOUNT, on_own()), http="GET /jobs/{id}", arguments=("id",))
async def show(call: Call, given: JobId) -> Job:
    """Show a job."""
    return shown(await _job(call, given))


@operation(
    "job",
    "cancel",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="POST /jobs/{id}/cancel",
    effect=Effect.DESTROY,
    arguments=("id",),
)
async def cancel(call: Call, given: JobId) -> Job:
    """Stop a job. What it has done already stays done."""
    row = await _own_job(call, given)
    if row.state in ENDED:
        raise Refused(f"the job {row.id} has ended already: {row.state}", kind=Kind.NOT_NOW, field="id")
    await call.commit(
        PutJob(id=row.id, state=CANCELLED, at=call.desk.clock.now()),
        subject=f"job:{row.id}",
        before={"operation": row.operation, "state": row.state},
        after={"operation": row.operation, "state": CANCELLED},
        place=(row.office, row.domain),
    )
    if row.state == WAITING and not call.dry_run:
        upload_of(call.desk.home, row.id).unlink(missing_ok=True)
    return shown(await _job(call, given))


@operation("job", "fetch", rule=Rule(Role.ACCOUNT, on_own()), http="GET /jobs/{id}/result", arguments=("id",))
async def fetch(call: Call, given: JobId) -> Download:
    """Fetch the file that a job made."""
    row = await _own_job(call, given)
    path = result_of(call.desk.home, row.id)
    if row.state not in ENDED:
        raise Refused(f"the job {row.id} has not ended", "Wait until its state is done.", kind=Kind.NOT_NOW, field="id")
    if row.result is None or "file" not in row.result or not path.exists():
        raise Refused(f"the job {row.id} made no file, or it is gone", kind=Kind.MISSING, field="id")
    return Download(str(row.result["media_type"]), str(row.result["file"]), read_chunks(path))


def may_see(caller: Caller, row: JobRow) -> bool:
    """Whether a caller may see a job."""
    if caller.role is Role.SERVER:
        return True
    started = row.caller.get("account")
    if started and started == caller.account:
        return True
    if caller.role is Role.OFFICE:
        return row.office == caller.office
    return caller.role is Role.DOMAIN and row.domain == caller.domain


async def _job(call: Call, given: JobId) -> JobRow:
    row = await call.desk.store.job(given.id)
    if row is None or not may_see(call.caller, row):
        raise Refused(f"there is no job {given.id}", "`posthouse job list` shows them.", kind=Kind.MISSING, field="id")
    return row


async def _own_job(call: Call, given: JobId) -> JobRow:
    """Return a job that was not started by somebody who administers more. Raises Refused."""
    row = await _job(call, given)
    if Role[str(row.caller.get("role", Role.SERVER.name))] > call.caller.role:
        raise Refused(
            f"the job {row.id} was started by somebody who administers more than you do",
            "Ask who started it.",
            kind=Kind.FORBIDDEN,
            field="id",
        )
    return row


def shown(row: JobRow) -> Job:
    """Return a job as it is shown."""
    return Job(
        id=row.id,
        operation=row.operation,
        state=row.state,
        done=row.done,
        total=row.total,
        text=row.text,
        started_by=str(row.caller.get("name", "")),
        office=row.office,
        domain=row.domain,
        created=row.created,
        changed=row.changed,
        result=dict(row.result) if row.result is not None and row.state in ENDED else None,
    )


OPERATIONS: tuple[Operation[Any, Any], ...] = (list_jobs, show, cancel, fetch)
