"""One group in one transaction: each call all or nothing, and the failure of one no other's affair.

A single value needs no savepoint, because every writer refuses before it writes, nor does a call that is alone in its
transaction. Several values together, and every call of a group in which something unexpected happened, run under one.
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
from posthouse.store.sqlite.writes import (
    accounts,
    aliases,
    copy,
    credentials,
    delivery,
    domains,
    duties,
    expunge,
    flags,
    groups,
    journey,
    mailboxes,
    queue,
    records,
    settings,
)

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
    directory_values.PutOffice: domains.put_office,
    directory_values.RemoveOffice: domains.remove_office,
    directory_values.PutDomain: domains.put_domain,
    directory_values.RemoveDomain: domains.remove_domain,
    directory_values.RequireReach: domains.require_reach,
    directory_values.PutAccount: accounts.put_account,
    directory_values.RenameAccount: accounts.rename_account,
    directory_values.RemoveAccount: accounts.remove_account,
    directory_values.PutAddress: accounts.put_address,
    directory_values.RemoveAddress: accounts.remove_address,
    directory_values.PutAlias: aliases.put_alias,
    directory_values.RemoveAlias: aliases.remove_alias,
    directory_values.PutGroup: groups.put_group,
    directory_values.RemoveGroup: groups.remove_group,
    directory_values.ChangeMembers: groups.change_members,
    directory_values.PutShare: groups.put_share,
    directory_values.RemoveShare: groups.remove_share,
    directory_values.PutRoute: settings.put_route,
    directory_values.RemoveRoute: settings.remove_route,
    directory_values.PutSetting: settings.put_setting,
    directory_values.PutSource: settings.put_source,
    directory_values.RemoveSource: settings.remove_source,
    directory_values.PutWording: settings.put_wording,
    directory_values.PutCredential: credentials.put_credential,
    directory_values.RemoveCredential: credentials.remove_credential,
    directory_values.AdvanceCredential: credentials.advance_credential,
    directory_values.NoteSignIns: credentials.note_sign_ins,
    directory_values.PutBan: credentials.put_ban,
    directory_values.RemoveBan: credentials.remove_ban,
    directory_values.Audit: records.add_audit,
    directory_values.PutJob: records.put_job,
    directory_values.ClaimJob: records.claim_job,
    directory_values.KeepReply: records.keep_reply,
    directory_values.SpendAllowance: records.spend_allowance,
    values.TakeDuty: duties.take_duty,
    staging.StageChunk: staging.stage_chunk,
    staging.DropStaged: staging.drop_staged,
    slices.Slice: slices.run_slice,
}


class Call:
    """One call of commit: its values, and what came of it."""

    __slots__ = ("changes", "error", "is_rehearsal", "result", "staged")

    def __init__(
        self, changes: Sequence[Any], staged: Sequence[StagedBody | None], *, is_rehearsal: bool = False
    ) -> None:
        self.changes = changes
        self.staged = staged
        self.is_rehearsal = is_rehearsal
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
        if len(calls) == 1 and not careful and not calls[0].is_rehearsal:
            _apply_alone(group, calls[0])
            calls = ()
        for call in calls:
            if call.is_rehearsal:
                _rehearse(group, call)
            elif careful:
                _apply_carefully(group, call)
            else:
                _apply(group, call)
        group.flush()
        connection.execute("COMMIT")
    except _Alone:
        connection.execute("ROLLBACK")
        return Group(connection, now)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return group


class _Alone(Exception):  # noqa: N818  (it is no error: the refusal is in the call)
    """The only call of a transaction was refused: what it wrote goes with the transaction."""


def _apply_alone(group: Group, call: Call) -> None:
    """Apply the only call of a transaction. A savepoint would keep a copy of every page that the call changes."""
    call.result = call.error = None
    try:
        results = tuple(map(_write, [group] * len(call.changes), call.changes, call.staged))
    except StoreRefusal as refusal:
        call.error = refusal
        raise _Alone from None
    call.result = results if len(results) > 1 else results[0]


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


def _apply_carefully(group: Group, call: Call, *, keep: bool = True) -> None:
    """Apply a call so that whatever it raises, short of trouble with the engine, fails it alone."""
    call.result = call.error = None
    group.flush()
    group.execute("SAVEPOINT one_call")
    try:
        results = tuple(map(_write, [group] * len(call.changes), call.changes, call.staged))
        group.flush()
        call.result = results if len(results) > 1 else results[0]
        if not keep:
            _take_back(group)
    except Exception as error:
        if is_trouble(error):
            raise
        fault = as_fault(error, "store.commit")
        fault.__cause__ = None if fault is error else error
        _undo(group, call, fault)
    group.execute("RELEASE one_call")


def _rehearse(group: Group, call: Call) -> None:
    """Apply a call, keep what came of it, and take everything back, what it would have told others included."""
    told = set(group.touched), group.directory, group.queue, group.retry
    _apply_carefully(group, call, keep=False)
    group.touched, group.directory, group.queue, group.retry = told


def _undo(group: Group, call: Call, fault: Fault) -> None:
    _take_back(group)
    call.result, call.error = None, fault


def _take_back(group: Group) -> None:
    group.execute("ROLLBACK TO one_call")
    group.forget_all()


def _write(group: Group, value: Any, staged: StagedBody | None) -> Any:
    if type(value) is values.Delivery:
        return delivery.deliver(group, value, staged)
    return WRITERS[type(value)](group, value)
