"""One call of an operation: who asks, with which conditions, and the one way to write.

``commit`` writes the changes together with an entry of the audit log in one commit, so that nothing is done without a
trace and no trace tells of what was not done. A dry run rehearses the same commit in the store and keeps nothing.
Tests: ``tests/unit/services/administration/test_call.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from posthouse.services.administration import access, tokens
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.faults import Kind, Refused
from posthouse.store.contract import AlreadyExists, Conflict, LimitReached, NotAllowed, StoreRefusal, Vanished
from posthouse.store.directory_values import Audit, RequireReach
from posthouse.store.values import Change

if TYPE_CHECKING:
    from posthouse.services.administration.operation import Operation

Progress = Callable[[int, int, str], None]
_SETTING_OF_LIMIT = {
    "accounts": "limit.accounts",
    "aliases": "limit.aliases",
    "groups": "limit.groups",
    "quota": "limit.total_quota",
    "domains": "limit.domains",
}


def no_progress(done: int, total: int, text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """Changes to one thing with what the audit log says of them; the fields are those of ``Call.commit``."""

    changes: Sequence[Change]
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    place: tuple[str, str] = ("", "")


@dataclass(kw_only=True)
class Call:
    """One call.

    Attributes:
        caller: who asks.
        desk: the services to do it with.
        operation: its name, for the audit log.
        dry_run: whether to say only what would be.
        if_revision: the revision that what is changed must still have; 0 for any.
        progress: to be told how far long work is.
        upload: the octets of the file that came with the call; None where none did.
        upload_name: what the file is called where it comes from; "" where that is not known.
        along: values to write with the first commit (what makes a repeated request harmless).
        cancelled: whether long work should stop at the next good place.
        job: the id of the job that this is, the same when it goes on after an interruption; "" where it is none.
        relied: domains that were found within the caller's reach, and must still be when something is written.
    """

    caller: Caller
    desk: Desk
    operation: str = ""
    dry_run: bool = False
    if_revision: int = 0
    progress: Progress = no_progress
    upload: AsyncIterator[bytes] | None = None
    upload_name: str = ""
    along: list[Change] = field(default_factory=list)
    cancelled: Callable[[], bool] = lambda: False
    job: str = ""
    relied: set[str] = field(default_factory=set)

    @property
    def office(self) -> str | None:
        """The post office that lists are narrowed to; None for all (``store.directory_contract``)."""
        return self.caller.office if self.caller.role is Role.OFFICE else None

    @property
    def domain(self) -> str | None:
        """The domain that lists are narrowed to; None for all."""
        return self.caller.domain if self.caller.role <= Role.DOMAIN else None

    @property
    def records(self) -> Mapping[str, Any]:
        """What entries of the audit log are narrowed to.

        Of a domain those of the post office that it is in: what was told of it while another customer had it is his.
        """
        office = None if self.caller.role is Role.SERVER else self.caller.office
        return {"office": office, "domain": self.domain}

    def require(self, least: Role, what: str) -> None:
        """Raise Refused: FORBIDDEN, unless the caller has at least a role; for single fields of an input."""
        access.require_role(self.caller, least, what)

    async def commit(
        self,
        *changes: Change,
        subject: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        place: tuple[str, str] = ("", ""),
    ) -> Any:
        """Write changes and their trace, all or none; return the result (a tuple for more than one).

        Args:
            changes: what to write.
            subject: what it is about, such as ``account:anna@example.org`` or ``setting:server:smtp.banner``.
            before: what it was, in plain JSON values without secrets; None where there was nothing.
            after: what it is now; None where nothing is left.
            place: the post office and the domain whose administrators may read of it.

        Raises Refused: for each refusal of the store, in words; Unavailable.
        """
        step = Traced(changes=changes, subject=subject, before=before, after=after, place=place)
        results = await self.commit_all([step])
        return results[0] if len(changes) == 1 else results[: len(changes)]

    async def commit_all(self, steps: Sequence[Traced]) -> tuple[Any, ...]:
        """Write several things, each with a trace of its own, all or none; return the results of their changes.

        Raises as ``commit`` does.
        """
        await self.require_still()
        changes = [change for step in steps for change in step.changes]
        at, offices = self.desk.clock.now(), await self._offices(steps)
        fence = self._fence(steps)
        traces = [self._trace(step, at, offices) for step in steps]
        values = (*fence, *changes, *traces, *self.along)
        try:
            results = await self.desk.store.commit(*values, rehearse=self.dry_run)
        except StoreRefusal as refusal:
            raise refused(refusal) from None
        self.along.clear()
        each = results if len(values) > 1 else (results,)
        return tuple(each[len(fence) : len(fence) + len(changes)])

    async def require_still(self) -> None:
        """Raise Refused: FORBIDDEN, where the caller is not any more who he was when the call began."""
        if not await tokens.still_may(self.desk.store, self.caller):
            raise Refused(
                "you may not do this any more", "Your account or your token was changed meanwhile.", kind=Kind.FORBIDDEN
            )

    def _fence(self, steps: Sequence[Traced]) -> list[RequireReach]:
        """Return what makes the store refuse all of it where a domain has left the caller's reach meanwhile."""
        caller = self.caller
        if caller.role not in {Role.OFFICE, Role.DOMAIN}:
            return []
        office = caller.office if caller.role is Role.OFFICE else None
        names = {name for name in (*self.relied, *(step.place[1] for step in steps)) if name}
        return [RequireReach(domain=name, office=office, within=caller.domain) for name in sorted(names)]

    async def _offices(self, steps: Sequence[Traced]) -> dict[str, str]:
        """Return the post offices of domains that steps name alone: their administrators read of it too."""
        found = {}
        for name in {step.place[1] for step in steps if step.place[1] and not step.place[0]}:
            row = await self.desk.store.domain(name)
            found[name] = row.office if row is not None else ""
        return found

    def _trace(self, step: Traced, at: float, offices: Mapping[str, str]) -> Audit:
        office, domain = step.place
        return Audit(
            at=at,
            actor=self.caller.name,
            door=self.caller.door,
            address=self.caller.address,
            operation=self.operation,
            subject=step.subject,
            office=office or offices.get(domain, ""),
            domain=domain,
            before=step.before,
            after=step.after,
        )


def refused(refusal: StoreRefusal) -> Refused:
    """Return a store's refusal in an administrator's words."""
    if isinstance(refusal, Conflict):
        return Refused(
            "somebody has changed it since you read it", "Read it again, then repeat the change.", kind=Kind.CHANGED
        )
    if isinstance(refusal, LimitReached):
        whose, _, what = refusal.limit.partition("_")
        setting = _SETTING_OF_LIMIT[what]
        holder = "post office" if whose == "office" else whose
        return Refused(
            f"the limit of the {holder} is reached: {setting} is {refusal.ceiling}",
            f"Remove something, or have {setting} raised.",
            kind=Kind.LIMIT,
        )
    kinds = {AlreadyExists: Kind.EXISTS, Vanished: Kind.MISSING, NotAllowed: Kind.NOT_NOW}
    return Refused(refusal.detail, kind=kinds.get(type(refusal), Kind.INVALID))


async def perform(operation: Operation[Any, Any], call: Call, given: Any) -> Any:
    """Check that the caller may, then do it. Raises Refused, Unavailable."""
    await access.authorise(call.desk.store, call.caller, operation, given)
    call.relied |= access.domains_of(operation.rule.target(given))
    call.operation = operation.name
    return await operation.run(call, given)
