"""The one commit: body, emails, message rows, queue rows and journey of a Delivery.

Everything is checked before anything is gathered, and gathering cannot fail, so a refusal needs no savepoint. The
cost does not depend on how full the mailbox is.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from posthouse.core.errors import Bug
from posthouse.core.flags import Flag
from posthouse.core.ids import BodyId, QueueId, queue_id_time
from posthouse.message.facts import MessageFacts
from posthouse.store.contract import OverQuota
from posthouse.store.sqlite.group import EMAIL_BITS, AccountState, Group, MailboxState
from posthouse.store.sqlite.staging import StagedBody
from posthouse.store.sqlite.writes import journey
from posthouse.store.values import Delivered, Delivery, Filed, Filing, QueueEntry

_SEEN = Flag.SEEN.value
_DELETED = Flag.DELETED.value


def deliver(group: Group, value: Delivery, staged: StagedBody | None) -> Delivered:
    """Gather the rows of a Delivery. Raises Vanished, OverQuota before anything is gathered."""
    if value.queue is not None and value.queue_id is None:
        raise Bug("a queue entry needs a queue id", where="store.delivery")
    facts = value.email.facts
    places = [_place(group, filing) for filing in value.filings]
    if any(not filing.ranks_over_quota for filing in value.filings):
        _check_quota(value.filings, places, facts.size)
    body = 0
    filed: tuple[Filed, ...] = ()
    if places or value.queue is not None:
        emails = {account.id for account, _ in places}
        body = _gather_body(group, value, staged, len(emails) + (value.queue is not None))
        if places:
            filed = _file(group, value, places, body)
    if value.queue is not None and value.queue_id is not None:
        _gather_queue(group, value.queue_id, value.queue, body, facts.size)
    journey.tell(group, value.journey)
    return Delivered(BodyId(body), filed)


def _place(group: Group, filing: Filing) -> tuple[AccountState, MailboxState]:
    account = group.account(filing.account)
    return account, group.mailbox(filing.account, account.inbox if filing.mailbox is None else filing.mailbox)


def _check_quota(filings: Sequence[Filing], places: Sequence[tuple[AccountState, MailboxState]], size: int) -> None:
    added: dict[int, int] = {}
    count: dict[int, int] = {}
    for filing, (account, _) in zip(filings, places, strict=True):
        added[account.id] = added.get(account.id, 0) + size + len(filing.prefix)
        count[account.id] = count.get(account.id, 0) + 1
        if filing.ranks_over_quota:
            continue
        if account.quota and account.octets + added[account.id] > account.quota:
            raise OverQuota(f"account {account.id} would pass its quota of {account.quota} octets", where="store")
        if account.quota_messages and account.messages + count[account.id] > account.quota_messages:
            raise OverQuota(
                f"account {account.id} would pass its quota of {account.quota_messages} messages", where="store"
            )


def _gather_body(group: Group, value: Delivery, staged: StagedBody | None, owners: int) -> int:
    if staged is not None:
        body = staged.id
        group.execute("DELETE FROM body_staging WHERE body_id = ?", (body,))
        group.rows["body"].append((body, staged.size, 1, staged.hash, None))
    else:
        content = value.email.content
        if not isinstance(content, bytes):
            content = content.read(0, content.size)
        body = group.next_number("body")
        group.rows["body"].append((body, len(content), 0, sha256(content).digest(), content))
    if owners > 1:
        group.rows["share"].append((body, owners))
    return body


def _file(
    group: Group, value: Delivery, places: Sequence[tuple[AccountState, MailboxState]], body: int
) -> tuple[Filed, ...]:
    """Gather message and email rows; filings in one account share an email."""
    facts = value.email.facts
    now = int(group.now)
    emails: dict[int, int] = {}
    shown: dict[int, int] = {}
    filed = []
    add = group.rows["message"].append
    for filing, (account, mailbox) in zip(value.filings, places, strict=True):
        owner = account.id
        email = emails.get(owner)
        if email is None:
            email = emails[owner] = owner << EMAIL_BITS | account.next_email
            account.next_email += 1
        shown[email] = shown.get(email, 0) + 1
        flags = filing.flags.value
        size = facts.size + len(filing.prefix)
        uid = mailbox.uidnext
        mailbox.uidnext = uid + 1
        account.modseq = mailbox.highestmodseq = modseq = account.modseq + 1
        mailbox.messages += 1
        mailbox.unseen += not flags & _SEEN
        mailbox.deleted += flags & _DELETED != 0
        mailbox.size += size
        account.messages += 1
        account.octets += size
        keywords = " ".join(filing.keywords) if filing.keywords else ""
        add(
            (
                owner, mailbox.id, uid, email, flags, keywords, modseq, modseq, filing.internal_date or now, now, size,
                filing.prefix,
            )
        )  # fmt: skip
        filed.append(Filed(filing.account, mailbox.id, uid, mailbox.uidvalidity, modseq))
        group.touched.add(owner)
    _gather_emails(group, facts, shown, body)
    return tuple(filed)


def _gather_emails(group: Group, facts: MessageFacts, shown: dict[int, int], body: int) -> None:
    references = " ".join(facts.references)
    for email, places in shown.items():
        group.rows["email"].append(
            (
                email, places, body, facts.size, facts.header_size, facts.date, int(facts.has_attachment),
                facts.message_id, facts.subject, facts.base_subject, facts.from_text, facts.to_text, facts.cc_text,
                facts.preview, references, facts.envelope, facts.bodystructure,
            )
        )  # fmt: skip


def _gather_queue(group: Group, queue_id: QueueId, entry: QueueEntry, body: int, size: int) -> None:
    group.rows["queue_message"].append(
        (
            queue_id, body, size, entry.reverse_path, entry.ret, entry.envid, entry.body_type, int(entry.smtputf8),
            queue_id_time(queue_id), entry.expires,
        )
    )  # fmt: skip
    owner, until = entry.lease_owner, entry.lease_until if entry.lease_owner else 0.0
    group.rows["queue_recipient"].extend(
        (
            queue_id, number, max(who.next_attempt, until), who.address, who.destination, "waiting", who.next_attempt,
            owner, until, who.notify, who.orcpt,
        )
        for number, who in enumerate(entry.recipients)
    )  # fmt: skip
    if not owner:
        group.queue = True
