"""Evaluate a search over the messages of a mailbox: from rows as far as rows can tell, from content only then.

The tree is compiled twice. ``_row_test`` answers True, False or None (unknown) from one row of cheap columns
(Kleene's three values), so that ``UNSEEN BODY x`` reads no body of a message that was seen; what stays unknown is
decided by ``_full_test`` with the message's content. Only the columns that the tree speaks of are read.

Long searches hand the loop back every ``SLICE`` seconds of work. Text matching is ``matching``.
Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from posthouse.core.clock import Clock
from posthouse.core.flags import Flag
from posthouse.core.ids import AccountId, MailboxId
from posthouse.services.mailstore import criteria as c
from posthouse.services.mailstore.columns import ColumnCache, Columns
from posthouse.services.mailstore.content import SOURCE_FIELDS, Contents, Source
from posthouse.services.mailstore.matching import Matter
from posthouse.services.mailstore.slices import ranges_from_uids, split_by_rows, split_by_size
from posthouse.store.contract import Store
from posthouse.store.rows import Field, MailboxRow

Row: TypeAlias = tuple[Any, ...]
RowTest: TypeAlias = Callable[[Row], bool | None]
FullTest: TypeAlias = Callable[[Row, Matter], bool]

SLICE = 0.020  # seconds of work between two breaths; others on the loop wait no longer
_COLUMNS = (Field.UID, Field.FLAGS, Field.KEYWORDS)  # first in all rows, and kept in memory by ``columns``
_EPOCH = dt.date(1970, 1, 1).toordinal()
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), start=1
    )
}
# The date as it was written is the first string of the ENVELOPE (RFC 3501 §7.4.2).
_WRITTEN_DAY = re.compile(rb'\("(?:[A-Za-z]{3,9}\s*,)?\s*(\d{1,2})[\s-]+([A-Za-z]{3})[A-Za-z]*[\s-]+(\d{2,4})')


@dataclass(slots=True)
class Plan:
    """A compiled search: the columns it needs and its two tests."""

    fields: list[Field] = field(default_factory=lambda: list(_COLUMNS))
    needs_rows: bool = False
    needs_content: bool = False
    needs_body: bool = False
    row_test: RowTest = field(default=lambda _row: True)
    full_test: FullTest = field(default=lambda _row, _matter: True)

    def column(self, wanted: Field) -> int:
        """Return the index of a column in the rows, asking for it where it was not."""
        self.needs_rows = True
        if wanted not in self.fields:
            self.fields.append(wanted)
        return self.fields.index(wanted)


def compile_search(criterion: c.Criterion) -> Plan:
    """Compile a tree; its depth was bounded by whoever parsed it."""
    plan = Plan()
    plan.row_test = _row_test(plan, criterion)
    plan.full_test = _full_test(plan, criterion)
    return plan


# ---- from rows ------------------------------------------------------------------------------------------------


def _row_test(plan: Plan, criterion: c.Criterion) -> RowTest:
    return _ROW_TESTS[type(criterion)](plan, criterion)


def _row_and(plan: Plan, criterion: c.And) -> RowTest:
    tests = [_row_test(plan, child) for child in criterion.children]
    if len(tests) == 2:
        return _row_and_two(*tests)

    def test(row: Row) -> bool | None:
        known: bool | None = True
        for each in tests:
            value = each(row)
            if value is False:
                return False
            if value is None:
                known = None
        return known

    return test


def _row_and_two(first: RowTest, second: RowTest) -> RowTest:
    def test(row: Row) -> bool | None:
        one = first(row)
        if one is False:
            return False
        two = second(row)
        return None if two is not False and one is None else two

    return test


def _row_or(plan: Plan, criterion: c.Or) -> RowTest:
    tests = [_row_test(plan, child) for child in criterion.children]

    def test(row: Row) -> bool | None:
        known: bool | None = False
        for each in tests:
            value = each(row)
            if value:
                return True
            if value is None:
                known = None
        return known

    return test


def _row_not(plan: Plan, criterion: c.Not) -> RowTest:
    child = _row_test(plan, criterion.child)

    def test(row: Row) -> bool | None:
        value = child(row)
        return None if value is None else not value

    return test


def _row_uids(_plan: Plan, criterion: c.Uids) -> RowTest:
    firsts = [first for first, _ in criterion.ranges]
    lasts = [last for _, last in criterion.ranges]
    if len(firsts) == 1:
        low, high = firsts[0], lasts[0]
        return lambda row: low <= row[0] <= high

    def test(row: Row) -> bool:
        place = bisect_right(firsts, row[0]) - 1
        return place >= 0 and row[0] <= lasts[place]

    return test


def _row_flag(plan: Plan, criterion: c.HasFlag) -> RowTest:
    index, mask = plan.column(Field.FLAGS), int(criterion.flag)
    return lambda row: row[index] & mask == mask


def _row_keyword(plan: Plan, criterion: c.HasKeyword) -> RowTest:
    index, keyword = plan.column(Field.KEYWORDS), criterion.keyword.lower()
    return lambda row: bool(row[index]) and keyword in row[index].lower().split()


def _row_between(plan: Plan, criterion: c.Between) -> RowTest:
    index = plan.column(criterion.field)
    low = -(1 << 63) if criterion.low is None else criterion.low
    high = 1 << 63 if criterion.high is None else criterion.high
    return lambda row: low <= row[index] < high


def _row_sent(plan: Plan, criterion: c.SentBetween) -> RowTest:
    index, date_index = plan.column(Field.ENVELOPE), plan.column(Field.DATE)
    low = -(1 << 62) if criterion.low is None else criterion.low
    high = 1 << 62 if criterion.high is None else criterion.high

    def test(row: Row) -> bool:
        day = written_day(row[index], row[date_index])
        return day is not None and low <= day < high

    return test


def written_day(envelope: bytes, date: int | None) -> int | None:
    """Return the day that the Date header names in its own zone, counted from 1970-01-01; None where there is none."""
    match = _WRITTEN_DAY.match(envelope)
    if match is not None and (month := _MONTHS.get(match[2].lower())) is not None:
        year = int(match[3])
        if year < 100:
            year += 2000 if year < 50 else 1900  # RFC 5322 §4.3
        try:
            return dt.date(year, month, int(match[1])).toordinal() - _EPOCH
        except ValueError:
            pass
    return None if date is None else date // 86400


def _row_header(plan: Plan, criterion: c.HeaderContains) -> RowTest:
    if criterion.name != "subject" or not criterion.text:
        plan.needs_content = True
        return _unknown
    index, text = plan.column(Field.SUBJECT), criterion.text.casefold()
    return lambda row: text in row[index].casefold()


def _row_text(plan: Plan, criterion: c.BodyContains | c.TextContains) -> RowTest:
    if not criterion.text:  # every string contains the empty one
        return lambda _row: True
    plan.needs_content = plan.needs_body = True
    return _unknown


def _unknown(_row: Row) -> None:
    return None


_ROW_TESTS: dict[type, Callable[[Plan, Any], RowTest]] = {
    c.Everything: lambda _plan, _criterion: lambda _row: True,
    c.And: _row_and,
    c.Or: _row_or,
    c.Not: _row_not,
    c.Uids: _row_uids,
    c.HasFlag: _row_flag,
    c.HasKeyword: _row_keyword,
    c.Between: _row_between,
    c.SentBetween: _row_sent,
    c.HeaderContains: _row_header,
    c.BodyContains: _row_text,
    c.TextContains: _row_text,
}


# ---- with content ---------------------------------------------------------------------------------------------


def _full_test(plan: Plan, criterion: c.Criterion) -> FullTest:
    if isinstance(criterion, c.And):
        tests = [_full_test(plan, child) for child in criterion.children]
        return lambda row, matter: all(test(row, matter) for test in tests)
    if isinstance(criterion, c.Or):
        tests = [_full_test(plan, child) for child in criterion.children]
        return lambda row, matter: any(test(row, matter) for test in tests)
    if isinstance(criterion, c.Not):
        child = _full_test(plan, criterion.child)
        return lambda row, matter: not child(row, matter)
    row_test = _row_test(plan, criterion)
    if row_test is not _unknown:
        return lambda row, _matter: bool(row_test(row))
    return _content_test(criterion)


def _content_test(criterion: c.Criterion) -> FullTest:
    if isinstance(criterion, c.HeaderContains):
        name, text = criterion.name, criterion.text
        return lambda _row, matter: matter.header_contains(name, text)
    assert isinstance(criterion, c.BodyContains | c.TextContains)
    needle = criterion.text
    if isinstance(criterion, c.BodyContains):
        return lambda _row, matter: matter.body_contains(needle)
    return lambda _row, matter: matter.text_contains(needle)


# ---- running --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: UIDs, rising, and the highest modseq among them (0 where it was not asked for)."""

    uids: list[int]
    modseq: int = 0


class Searcher:
    """Runs searches over one store."""

    def __init__(self, store: Store, clock: Clock, contents: Contents, columns: ColumnCache) -> None:
        """Only borrow what is given."""
        self._store = store
        self._clock = clock
        self._contents = contents
        self._columns = columns

    async def search(
        self,
        account: AccountId,
        mailbox: MailboxId,
        uids: Sequence[int],
        criterion: c.Criterion,
        *,
        with_modseq: bool = False,
    ) -> Found:
        """Return the messages, among the known ``uids`` (rising, without gaps), that match. Raises Unavailable."""
        plan = compile_search(criterion)
        modseq_index = plan.column(Field.MODSEQ) if with_modseq else 0
        if not plan.needs_rows and not plan.needs_content:
            test = plan.row_test
            return Found([uid for uid in uids if test((uid,))])
        columns: Columns | None = None
        if len(plan.fields) == len(_COLUMNS) and not plan.needs_content:
            state = await self._store.mailbox(account, mailbox)
            if state is None or _is_settled(criterion, state):
                return Found([])
            columns = await self._columns.get(account, mailbox, len(uids))
        found: list[int] = []
        modseq = 0
        breath = _Breath(self._clock)
        for ranges in split_by_rows([(uids[0], uids[-1])] if len(uids) else [], uids):
            if columns is not None:
                found += [row[0] for row in columns.rows(ranges) if plan.row_test(row)]
            else:
                rows = await self._store.messages(account, mailbox, ranges, plan.fields)
                matching = await self._decide(account, mailbox, rows, plan, breath)
                found += [row[0] for row in matching]
                modseq = max([modseq, *(row[modseq_index] for row in matching)]) if with_modseq else 0
            if breath.is_due():
                await breath.take()
        return Found(found, modseq)

    async def _decide(
        self, account: AccountId, mailbox: MailboxId, rows: list[Row], plan: Plan, breath: _Breath
    ) -> list[Row]:
        test = plan.row_test
        if not plan.needs_content:
            return [row for row in rows if test(row)]
        values = [test(row) for row in rows]
        unknown = {row[0]: row for row, value in zip(rows, values, strict=True) if value is None}
        if not unknown:
            return [row for row, value in zip(rows, values, strict=True) if value]
        matched = await self._read(account, mailbox, unknown, plan, breath)
        return [row for row, value in zip(rows, values, strict=True) if value or (value is None and row[0] in matched)]

    async def _read(
        self, account: AccountId, mailbox: MailboxId, unknown: dict[int, Row], plan: Plan, breath: _Breath
    ) -> set[int]:
        """Return which of the rows match once their content is seen."""
        matched: set[int] = set()
        full_test = plan.full_test
        ranges = ranges_from_uids(unknown)
        sizes = await self._store.messages(account, mailbox, ranges, (Field.UID, Field.SIZE))
        for piece in split_by_size(ranges, sizes):
            for uid, *columns in await self._store.messages(account, mailbox, piece, (Field.UID, *SOURCE_FIELDS)):
                matter = await self._contents.matter(Source(*columns), whole=plan.needs_body)
                if full_test(unknown[uid], matter):
                    matched.add(uid)
                matter.close()
                if breath.is_due():
                    await breath.take()
        return matched


def _is_settled(criterion: c.Criterion, row: MailboxRow) -> bool:
    """Whether the mailbox's counters alone tell that nothing matches."""
    if isinstance(criterion, c.And):
        return any(_is_settled(child, row) for child in criterion.children)
    if isinstance(criterion, c.Not) and isinstance(criterion.child, c.HasFlag):
        return criterion.child.flag is Flag.SEEN and not row.unseen
    return isinstance(criterion, c.HasFlag) and criterion.flag is Flag.DELETED and not row.deleted


class _Breath:
    """Counts the time of work since the loop last had its turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._deadline = clock.monotonic() + SLICE

    def is_due(self) -> bool:
        return self._clock.monotonic() >= self._deadline

    async def take(self) -> None:
        await asyncio.sleep(0)
        self._deadline = self._clock.monotonic() + SLICE
