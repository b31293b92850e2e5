"""Live sessions as operations: who is connected, by which protocol, from where; and ending one.

An administrator of a post office or a domain sees the sessions of its accounts, everybody his own; connections that
nobody signed in on are the server's affair. Tests:
``tests/unit/services/administration/operations/test_session_operations.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from posthouse.services.administration import words
from posthouse.services.administration.access import reaches, require_over
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.desk import Live
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operation import (
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
from posthouse.services.administration.reach import Reach, Target
from posthouse.store.directory_values import Audit

_ASKED_AT_ONCE = 100  # ids in one question, so that it stays short


class ListSessions(PageInput):
    """Which sessions."""

    account: str = Field("", max_length=320, description="Only those of this account.")
    protocol: str = Field("", max_length=20, description="Only those of this protocol, such as `imap`.")


class Disconnect(Input):
    """Which sessions to end: one, or all of an account."""

    id: str = Field("", max_length=64, description="The session's id, as lists show it.")
    account: str = Field("", max_length=320, description="All sessions of this account.")


class Session(Output):
    """A connection that is open now."""

    id: str = Field(description="Its id, which stands in every log line of it.")
    protocol: str = Field(description="`smtp`, `imap`, `pop3`, `http`, ...")
    listener: str = Field(description="The listener it came through.")
    account: str = Field(description="Who signed in; empty for nobody.")
    address: str = Field(description="Where the client is.")
    since: float = Field(description="When it was opened, in seconds since the epoch.")
    tls: bool = Field(description="Whether it is encrypted.")
    received: int = Field(description="Octets that came from the client.")
    sent: int = Field(description="Octets that were sent to it.")


class Ended(Output):
    """What was ended."""

    sessions: list[str] = Field(description="The ids of the sessions that were ended.")


@operation(
    "session",
    "list",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="GET /sessions",
    columns=("id", "protocol", "account", "address", "since", "tls"),
)
async def list_sessions(call: Call, given: ListSessions) -> Page[Session]:
    """List the connections that are open now."""
    wanted = words.own_address(given.account) if given.account else ""
    after = key_of(given.cursor)
    found = [
        each
        for each in await _sessions(call)
        if each.id > after
        and (not wanted or each.account == wanted)
        and (not given.protocol or each.protocol == given.protocol)
    ]
    found.sort(key=lambda each: each.id)
    page = found[: given.limit]
    return Page[Session](items=page, next=cursor_of(page[-1].id) if len(found) > given.limit else "")


@operation(
    "session",
    "disconnect",
    rule=Rule(Role.ACCOUNT, on_own()),
    http="POST /sessions/disconnect",
    effect=Effect.DESTROY,
    arguments=("id",),
)
async def disconnect(call: Call, given: Disconnect) -> Ended:
    """End a session, or all sessions of an account, at once.

    Whoever is cut off may connect again; to keep somebody out, disable the account or its sign-in.
    """
    if bool(given.id) == bool(given.account):
        raise Refused("id: name either a session or an account", "Give one of id and account.", field="id")
    wanted = words.own_address(given.account) if given.account else ""
    found = [each for each in await _sessions(call) if each.id == given.id or (wanted and each.account == wanted)]
    await _require_over(call, found)
    if given.id and not found:
        raise Refused(f"there is no session {given.id}", "`posthouse session list` shows them.", kind=Kind.MISSING)
    ids = [each.id for each in found]
    if not ids or call.dry_run:
        return Ended(sessions=ids)
    ended: list[str] = []
    for place in range(0, len(ids), _ASKED_AT_ONCE):
        for answer in await _live(call).ask("disconnect", sessions=ids[place : place + _ASKED_AT_ONCE]):
            ended += answer.get("ended", [])
    await _record(call, found)
    return Ended(sessions=sorted(ended))


async def _require_over(call: Call, found: list[Session]) -> None:
    """Raise Refused: FORBIDDEN, where somebody would be cut off who administers more than the caller."""
    for address in {each.account for each in found if each.account}:
        row = await call.desk.store.account(address)
        if row is not None:
            require_over(call.caller, row)


async def _record(call: Call, ended: list[Session]) -> None:
    """Write who ended what: there is no change in the store for an entry to go with."""
    account = ended[0].account
    row = await call.desk.store.domain(account.rpartition("@")[2]) if account else None
    await call.desk.store.commit(
        Audit(
            at=call.desk.clock.now(),
            actor=call.caller.name,
            door=call.caller.door,
            address=call.caller.address,
            operation=call.operation,
            subject=f"session:{account or ended[0].id}",
            office=row.office if row is not None else "",
            domain=row.name if row is not None else "",
            before={"sessions": [each.id for each in ended]},
        ),
        *call.along,
    )
    call.along.clear()


def _live(call: Call) -> Live:
    if call.desk.live is None:
        raise Refused("no server runs here", "Start it with `posthouse serve`.", kind=Kind.UNAVAILABLE)
    return call.desk.live


async def _sessions(call: Call) -> list[Session]:
    """Return the sessions within the caller's reach."""
    answers = await _live(call).ask("sessions")
    seen: dict[str, bool] = {}
    found = []
    for told in (each for answer in answers for each in answer.get("sessions", ())):
        account = str(told.get("account", ""))
        if account not in seen:
            seen[account] = await _may_see(call, account)
        if seen[account]:
            found.append(_shown(told))
    return found


async def _may_see(call: Call, account: str) -> bool:
    if call.caller.role is Role.SERVER:
        return True
    return bool(account) and await reaches(call.desk.store, call.caller, Target(Reach.ACCOUNT, account))


def _shown(told: Mapping[str, Any]) -> Session:
    return Session(**{name: told[name] for name in Session.model_fields})


OPERATIONS: tuple[Operation[Any, Any], ...] = (list_sessions, disconnect)
