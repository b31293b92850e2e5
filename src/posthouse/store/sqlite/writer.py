"""One group in one transaction: each call all or nothing, and the failure of one no other's affair.

A single value needs no savepoint, because every writer refuses before it writes. Several values together, and every
call of a group in which something unexpected happened, run under one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from posthouse.core.errors import Fault
from posthouse.store import directory_values, values
from posthouse.store.contract import StoreRefusal
from posthouse.store.sqlite import slices, staging
from posthouse.store.sqlite.connection import as_fault, is_trouble
from posthouse.store.sqlite.group import Group
from posthouse.store.sqlite.staging import StagedBody
from posthouse.store.sqlite.writes import copy, delivery, directory, duties, expunge, flags, journey, mailboxes, queue

Write = Callable[[Group, Any], Any]
WRITERS: dict[type, Write] = {
    values.FlagChange: flags.change_flags,
    values.Expunge: expunge.expunge,
    values.Copy: copy.copy,
    values.CreateMailbox: mailboxes.create,
    values.RenameMailbox: mailboxes.rename,
    values.DeleteMailbox: mailboxes.delete,
    values.Subscribe: mailboxes.subscribe,
    values.ClaimRecipients: queue.claim,
    values.QueueResult: queue.result,
    values.ReleaseLeases: queue.release,
    values.QueueControl: queue.control,
    values.Note: journey.note,
    directory_values.PutDomain: directory.put_domain,
    directory_values.RemoveDomain: directory.remove_domain,
    directory_values.PutAccount: directory.put_account,
    directory_values.RemoveAccount: directory.remove_account,
    directory_values.PutAlias: directory.put_alias,
    directory_values.RemoveAlias: directory.remove_alias,
    directory_values.PutRoute: directory.put_route,
    directory_values.RemoveRoute: directory.remove_route,
    directory_values.PutSetting: directory.put_setting,
    values.TakeDuty: duties.take_duty,
    staging.StageChunk: staging.stage_chunk,
    staging.DropStaged: staging.drop_staged,
    slices.Slice: slices.run_slice,
}


class Call:
    """One call of commit: its values, and what came of it."""

    __slots__ = ("changes", "error", "result", "staged")

    def __init__(self, changes: Sequence[Any], staged: Sequence[StagedBody | None]) -> None:
        self.changes = changes
        self.staged = staged
        self.result: Any = None
        self.error: Fault | None = None


def write_group(connection: sqlite3.Connection, calls: Sequence[Call], now: float) -> Group:
    """Write the calls in one transaction and set their results or refusals.

    Raises sqlite3.Error: where the engine cannot work; nothing is written then.
    """
    try:
        return _transaction(connection, calls, now, careful=False)
    except Exception as error:
        if is_trouble(error):
            raise
    return _transaction(connection, calls, now, careful=True)


def _transaction(connection: sqlite3.Connection, calls: Sequence[Call], now: float, *, careful: bool) -> Group:
    connection.execute("BEGIN IMMEDIATE")
    try:
        group = Group(connection, now)
        for call in calls:
            if careful:
                _apply_carefully(group, call)
            else:
                _apply(group, call)
        group.flush()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return group


def _apply(group: Group, call: Call) -> None:
    call.result = call.error = None
    if len(call.changes) == 1:
        try:
            call.result = _write(group, call.changes[0], call.staged[0])
        except StoreRefusal as refusal:
            call.error = refusal
    else:
        group.flush()
        group.execute("SAVEPOINT one_call")
        try:
            call.result = tuple(map(_write, [group] * len(call.changes), call.changes, call.staged))
        except StoreRefusal as refusal:
            _undo(group, call, refusal)
        group.flush()
        group.execute("RELEASE one_call")


def _apply_carefully(group: Group, call: Call) -> None:
    """Apply a call so that whatever it raises, short of trouble with the engine, fails it alone."""
    call.result = call.error = None
    group.flush()
    group.execute("SAVEPOINT one_call")
    try:
        results = tuple(map(_write, [group] * len(call.changes), call.changes, call.staged))
        group.flush()
        call.result = results if len(results) > 1 else results[0]
    except Exception as error:
        if is_trouble(error):
            raise
        fault = as_fault(error, "store.commit")
        fault.__cause__ = None if fault is error else error
        _undo(group, call, fault)
    group.execute("RELEASE one_call")


def _undo(group: Group, call: Call, fault: Fault) -> None:
    group.execute("ROLLBACK TO one_call")
    group.forget_all()
    call.result, call.error = None, fault


def _write(group: Group, value: Any, staged: StagedBody | None) -> Any:
    if type(value) is values.Delivery:
        return delivery.deliver(group, value, staged)
    return WRITERS[type(value)](group, value)
