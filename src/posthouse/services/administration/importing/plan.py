"""From the stream of a reader to the stream that is written: checked, each thing once, in an order that works.

Post offices, domains and accounts pass as they come (readers give domains before what is in them); what refers to
accounts waits until all are through. Within the source the first to claim an address has it. A domain that stands in
the source only behind addresses is made when the first of them turns out to be one.

Invariants: memory is bounded but for 16 to 32 octets an address and the names of domains; the order of what is
yielded depends on the source alone, so that a number of records done says where to go on.
Tests: ``tests/unit/services/administration/importing/test_import_plan.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing.checks import Checks
from posthouse.services.administration.importing.cycles import AliasGraph
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAddress,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    ImportedRoute,
    ImportedSetting,
    Record,
    Thing,
    Unmapped,
    subject_of,
)
from posthouse.services.administration.importing.report import ImportReport
from posthouse.services.administration.importing.seen import Seen
from posthouse.services.administration.importing.spool import Aside

Fence = Callable[[Thing], str]


def no_fence(_: Thing) -> str:
    """Let everything through."""
    return ""


@dataclass(frozen=True, slots=True)
class Step:
    """One record to write. ``is_twice``: its name stood in the source before (perhaps: see ``seen``)."""

    thing: Thing
    is_twice: bool = False


_STAGES = 7


def _stage(thing: Thing) -> int:
    """0 passes at once; the others wait for everything of a lower stage."""
    match thing:
        case ImportedDomain():
            return 1 if thing.alias_of else 0
        case ImportedOffice() | ImportedAccount():
            return 0
        case ImportedAddress():
            return 2
        case ImportedGroup():
            return 5 if thing.is_more else 3
        case ImportedAlias():
            return 4
        case ImportedRoute() | ImportedSetting():
            return 6


class Plan:
    """Makes the steps of one reading of a source; what is wrong or has no place goes into the report.

    Args:
        report: is told.
        fence: returns why a record is outside what the caller may write, "" where it is not.
        makes_domains: whether domains that stand in the source only behind addresses are made.
    """

    def __init__(self, report: ImportReport, *, fence: Fence = no_fence, makes_domains: bool = True) -> None:
        self._report = report
        self._fence = fence
        self._makes_domains = makes_domains
        self._checks = Checks()
        self._addresses = Seen()
        self._aliases = Seen()
        self._names: set[str] = set()
        self._implied: dict[str, ImportedDomain] = {}
        self._groups: set[str] = set()
        self._aside = [Aside() for _ in range(_STAGES)]
        self._graph = AliasGraph()

    def steps(self, records: Iterable[Record]) -> Generator[Step, None, None]:
        """Yield what is to be written, in order. Raises Unreadable, from the reader."""
        try:
            yield from self._all(records)
        finally:
            for aside in self._aside:
                aside.close()

    def _all(self, records: Iterable[Record]) -> Iterator[Step]:
        for record in records:
            if isinstance(record, Unmapped):
                self._report.leave_out(record)
            elif isinstance(record, Flawed):
                self._report.problem(record.where, record.why, record.remedy)
            elif isinstance(record, ImportedAccount):
                step = self._account(record)
                if step is not None:
                    if self._implied:
                        yield from self._home_of(step.thing)
                    yield step
            else:
                yield from self._take(record)
        for stage in range(1, _STAGES):
            for thing, is_twice in self._aside[stage].drain():
                if isinstance(thing, ImportedAlias) and (flaw := self._circle(thing)):
                    self._report.problem(thing.where, flaw, "Leave one of them out.")
                else:
                    yield Step(thing, is_twice)

    def _account(self, record: ImportedAccount) -> Step | None:
        """``_take`` for what there is a million of."""
        try:
            thing = self._checks.account(record)
            if refusal := self._fence(thing):
                raise Refused(refusal)
        except Refused as fault:
            self._report.problem(record.where, fault.detail, fault.remedy)
            return None
        return Step(thing, not self._addresses.add(thing.address))

    def _take(self, record: Thing) -> Iterator[Step]:
        try:
            thing = self._checks.checked(record)
            if refusal := self._fence(thing):
                raise Refused(refusal)
        except Refused as fault:
            if not (isinstance(record, ImportedDomain) and record.implied):  # told with the address it stands behind
                self._report.problem(record.where, fault.detail, fault.remedy)
            return
        if isinstance(thing, ImportedDomain) and thing.implied:
            if self._makes_domains and not self._is_twice(thing):
                self._implied[thing.name] = thing
            return
        if self._implied:
            yield from self._home_of(thing)
        stage = _stage(thing)
        if isinstance(thing, ImportedGroup):
            self._group(thing)
            return
        is_twice = self._is_twice(thing)
        if is_twice and isinstance(thing, ImportedDomain | ImportedOffice):
            self._report.problem(thing.where, f"{subject_of(thing)} stands twice in the source")
            return
        if stage == 0:
            yield Step(thing, is_twice)
        else:
            self._aside[stage].put(thing, is_twice=is_twice)

    def _home_of(self, thing: Thing) -> Iterator[Step]:
        """Yield the domain that a thing stands in, where it was not made yet."""
        if isinstance(thing, ImportedAccount | ImportedAddress | ImportedAlias | ImportedGroup):
            domain = self._implied.pop(thing.address.rpartition("@")[2], None)
            if domain is not None:
                yield Step(domain)

    def _is_twice(self, thing: Thing) -> bool:
        match thing:
            case ImportedAddress():
                return not self._addresses.add(thing.address)
            case ImportedAlias():
                self._aliases.add(thing.address)
                return not self._addresses.add(thing.address)
            case _:
                key = f"{type(thing).__name__} {subject_of(thing)}"
                if key in self._names:
                    return True
                self._names.add(key)
                return False

    def _group(self, group: ImportedGroup) -> None:
        """A group is made before anybody is put into it, also where the source names it only as one's group."""
        head = replace(group, members=(), is_more=False)
        if group.address not in self._groups:
            self._groups.add(group.address)
            self._aside[3].put(head, is_twice=not self._addresses.add(group.address))
        elif not group.is_more:
            self._aside[3].put(head, is_twice=True)
        if group.members:
            self._aside[5].put(replace(group, is_more=True), is_twice=False)

    def _circle(self, alias: ImportedAlias) -> str:
        return self._graph.flaw(
            alias.address, [each.lower() for each in alias.targets if each.lower() in self._aliases]
        )
