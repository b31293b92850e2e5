"""``purge.messages``: messages removed by age, mailbox, size and whether they were read, over many accounts.

Bounded steps, each a commit of its own with its trace, so that it may be interrupted and called again; a dry run only
counts. What somebody flagged is kept unless it is asked for. Held accounts are left alone: they go as a whole.
Tests: ``tests/unit/services/administration/operations/test_purge_operation.py``.
"""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field as Described

from posthouse.core.flags import Flag
from posthouse.services.administration import access, words
from posthouse.services.administration.call import Call
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.fields import Octets, OfficeText, OptionalAddressText, Size
from posthouse.services.administration.operation import Effect, Input, Operation, Output, Rule, on_own, operation
from posthouse.services.administration.operations import reading
from posthouse.services.administration.writing import subject_of
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import AccountState
from posthouse.store.rows import Field, MailboxRow
from posthouse.store.values import Expunge, UidRanges

DAY: Final = 86_400.0
SLICE: Final = 5_000  # messages looked at, and at most removed, at a time
LISTED: Final = 1_000  # mailboxes named in the answer
_ACCOUNTS: Final = 500


class PurgeMessages(Input):
    """Which messages to remove; all that is given must hold."""

    account: OptionalAddressText = Described("", description="Of this account only.")
    domain: OptionalAddressText = Described("", description="Of the accounts of this domain only.")
    office: OfficeText = Described("", description="Of the accounts of this post office only.")
    mailbox: str = Described(
        "*", max_length=500, description="Of mailboxes whose name fits, such as `Trash` or `Junk*`."
    )
    older_than: int = Described(0, ge=0, le=36_500, description="That arrived more than this many days ago.")
    larger_than: Size = Described(0, description="That are larger than this, such as 10M.")
    seen: bool = Described(False, description="That were read.")
    flagged: bool = Described(False, description="Also those that somebody flagged.")
    everything: bool = Described(False, description="Needed where neither an age nor a size nor `seen` is given.")


class PurgedMailbox(Output):
    """What went from one mailbox."""

    account: str = Described(description="Whose it is.")
    mailbox: str = Described(description="Its name.")
    messages: int = Described(description="How many messages.")
    octets: Octets = Described(description="How large they were together.")


class Purged(Output):
    """What went, or would go."""

    accounts: int = Described(description="How many accounts were looked at.")
    messages: int = Described(description="How many messages went.")
    octets: Octets = Described(description="How large they were together.")
    mailboxes: list[PurgedMailbox] = Described(description=f"Where they were; the first {LISTED} mailboxes.")


@dataclass(slots=True)
class _Sum:
    accounts: int = 0
    messages: int = 0
    octets: int = 0


@operation(
    "purge",
    "messages",
    rule=Rule(Role.DOMAIN, on_own()),
    http="POST /purge/messages",
    effect=Effect.DESTROY,
    is_long=True,
    columns=("account", "mailbox", "messages", "octets"),
)
async def messages(call: Call, given: PurgeMessages) -> Purged:
    """Remove messages by age, mailbox, size, and whether they were read, for good.

    Without an account, a domain or a post office it looks at every account within your reach.
    """
    if not (given.older_than or given.larger_than or given.seen or given.everything):
        raise Refused(
            "that would remove every message",
            "Say an age, a size or --seen; or --everything, if you mean it.",
            field="everything",
        )
    total, where = _Sum(), list[PurgedMailbox]()
    async for account in _accounts(call, given):
        if call.cancelled():
            raise Refused("it was cancelled; what went is gone, the rest is untouched", kind=Kind.NOT_NOW)
        total.accounts += 1
        for mailbox in await call.desk.store.mailboxes(account.id):
            if mailbox.messages and fnmatch.fnmatchcase(mailbox.name.lower(), given.mailbox.lower()):
                gone = await _purge(call, given, account, mailbox)
                total.messages += gone.messages
                total.octets += gone.octets
                if gone.messages and len(where) < LISTED:
                    where.append(gone)
        call.progress(total.accounts, 0, f"{total.messages} messages of {total.accounts} accounts")
    return Purged(accounts=total.accounts, messages=total.messages, octets=total.octets, mailboxes=where)


async def _accounts(call: Call, given: PurgeMessages) -> AsyncIterator[AccountRow]:
    """Yield the accounts that are meant, all of them within the caller's reach and not above his level."""
    if given.account:
        await reading.within_reach(call, given.account)
        row = await reading.account_row(call, given.account, "account")
        access.require_over(call.caller, row)
        yield row
        return
    home = words.domain_name(given.domain, "domain") if given.domain else None
    domain, office = await reading.narrowed(call, home, given.office or None)
    after = ""
    while rows := await call.desk.store.accounts(domain=domain, office=office, after=after, limit=_ACCOUNTS):
        for row in rows:
            if row.state is not AccountState.HELD and Role.of(row.level) <= call.caller.role:
                yield row
        after = rows[-1].address


async def _purge(call: Call, given: PurgeMessages, account: AccountRow, mailbox: MailboxRow) -> PurgedMailbox:
    count = octets = 0
    first = 1
    while first < mailbox.uidnext:
        found = await call.desk.store.messages(
            account.id,
            mailbox.id,
            [(first, first + SLICE - 1)],
            (Field.UID, Field.INTERNAL_DATE, Field.SIZE, Field.FLAGS),
        )
        fitting = [(uid, size) for uid, date, size, flags in found if _fits(call, given, date, size, flags)]
        if fitting:
            count += len(fitting)
            octets += sum(size for _, size in fitting)
            await _expunge(call, account, mailbox, fitting)
        first += SLICE
    return PurgedMailbox(account=account.address, mailbox=mailbox.name, messages=count, octets=octets)


def _fits(call: Call, given: PurgeMessages, date: int, size: int, flags: int) -> bool:
    if flags & Flag.FLAGGED and not given.flagged:
        return False
    if given.seen and not flags & Flag.SEEN:
        return False
    if given.larger_than and size <= given.larger_than:
        return False
    return not given.older_than or date < call.desk.clock.now() - given.older_than * DAY


async def _expunge(call: Call, account: AccountRow, mailbox: MailboxRow, fitting: Sequence[tuple[int, int]]) -> None:
    if call.dry_run:
        return
    uids = [uid for uid, _ in fitting]
    await call.commit(
        Expunge(account=account.id, mailbox=mailbox.id, uids=_ranges(uids), only_deleted=False),
        subject=subject_of("account", account.address),
        before={"mailbox": mailbox.name, "messages": len(uids), "octets": sum(size for _, size in fitting)},
        after={"mailbox": mailbox.name, "purged": len(uids)},
        place=await reading.place_of(call, account.address),
    )


def _ranges(uids: Sequence[int]) -> UidRanges:
    """Return rising UIDs as inclusive pairs."""
    pairs: list[tuple[int, int]] = []
    for uid in uids:
        if pairs and pairs[-1][1] == uid - 1:
            pairs[-1] = (pairs[-1][0], uid)
        else:
            pairs.append((uid, uid))
    return pairs


OPERATIONS: tuple[Operation[Any, Any], ...] = (messages,)
