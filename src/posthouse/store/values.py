"""Values that say what to write. A caller hands one (or several, all or nothing) to ``Store.commit``.

Values hold no behaviour: the committer of each engine turns a group of them into one transaction and one flush.
Times are seconds since the epoch. Ranges of UIDs are inclusive pairs in rising order without overlap. Mailbox names
are ``/``-separated text; the inbox is ``INBOX``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from posthouse.core.flags import Flag
from posthouse.core.ids import AccountId, BodyId, MailboxId, ModSeq, QueueId
from posthouse.message.facts import MessageFacts
from posthouse.store.directory_values import DirectoryChange
from posthouse.store.spool import Spool

UidRanges: TypeAlias = Sequence[tuple[int, int]]


# ---- mail -----------------------------------------------------------------------------------------------------


class Role(enum.Enum):
    """Special use of a mailbox (RFC 6154 §2); the value is the attribute's name in lower case."""

    INBOX = "inbox"
    ARCHIVE = "archive"
    DRAFTS = "drafts"
    JUNK = "junk"
    SENT = "sent"
    TRASH = "trash"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEmail:
    """A message to be stored once: its octets (or the spool that holds them) and what the scan found."""

    content: bytes | Spool
    facts: MessageFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """One place in a local mailbox.

    ``mailbox`` None means the account's inbox. ``prefix`` holds header lines of this recipient alone (Return-Path,
    Delivered-To), each ended by CRLF; they read as the first lines of the message and count in its size.
    ``ranks_over_quota`` False makes the write fail with ``OverQuota`` where the account's quota would be passed.
    """

    account: AccountId
    mailbox: MailboxId | None = None
    flags: Flag = Flag.NONE
    keywords: tuple[str, ...] = ()
    prefix: bytes = b""
    internal_date: int = 0
    ranks_over_quota: bool = True


class RecipientState(enum.Enum):
    """State of one queued recipient. Rows that reach DELIVERED, FAILED or REMOVED are deleted."""

    WAITING = "waiting"  # due at next_attempt
    HELD = "held"  # an administrator holds it
    DELIVERED = "delivered"
    FAILED = "failed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRecipient:
    """A remote recipient as it enters the queue.

    ``destination`` is the key that groups recipients by next hop: ``mx:example.org`` or ``host:relay.test:25``.
    ``notify`` is the text of NOTIFY= ("" where none was given); ``orcpt`` decoded ``type;address``.
    """

    address: str
    destination: str
    notify: str = ""
    orcpt: str = ""
    next_attempt: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """The envelope of a message with remote recipients. ``reverse_path`` "" is the null path."""

    reverse_path: str
    recipients: tuple[QueuedRecipient, ...]
    expires: float
    ret: str = ""
    envid: str = ""
    body_type: str = "7BIT"
    smtputf8: bool = False
    lease_owner: str = ""  # with lease_until: the writer already holds the recipients (hand-over without a claim)
    lease_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyEntry:
    """One step of a message's story. ``step`` is from ``services.journey``; ``record`` holds plain JSON values.

    ``keys`` are what the message may be found by beside its queue id and time: folded addresses, ``<message-id>``.
    """

    queue_id: QueueId
    at: float
    step: str
    record: Mapping[str, Any]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The one commit: the body once, a row for every mailbox, the queue rows, the journey. Returns ``Delivered``.

    Fails whole, with ``Vanished`` or ``OverQuota``, where a filing cannot be written; the rest of its group commits.
    An IMAP APPEND is a Delivery with one filing and neither queue entry nor journey.
    """

    email: NewEmail
    queue_id: QueueId | None = None
    filings: tuple[Filing, ...] = ()
    queue: QueueEntry | None = None
    journey: tuple[JourneyEntry, ...] = ()


class FlagMode(enum.Enum):
    """How STORE changes flags (RFC 3501 §6.4.6)."""

    REPLACE = "replace"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagChange:
    """Change flags of messages. Returns ``FlagsChanged``.

    Messages whose modseq is above ``unchanged_since`` are left alone and reported (RFC 7162 §3.1.3). A row that already
    has the flags keeps its modseq. UIDs that are not there are skipped.
    """

    account: AccountId
    mailbox: MailboxId
    uids: UidRanges
    mode: FlagMode
    flags: Flag = Flag.NONE
    keywords: tuple[str, ...] = ()
    unchanged_since: ModSeq | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expunge:
    """Remove messages for good. Returns ``Expunged``. ``only_deleted`` takes just those with the Deleted flag."""

    account: AccountId
    mailbox: MailboxId
    uids: UidRanges
    only_deleted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Copy or move messages to another mailbox of the same account, in order of UID. Returns ``Copied``."""

    account: AccountId
    mailbox: MailboxId
    uids: UidRanges
    target: MailboxId
    move: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMailbox:
    """Make a mailbox and any missing parents. Returns its ``MailboxId``. Fails with ``AlreadyExists``."""

    account: AccountId
    name: str
    role: Role | None = None
    subscribed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameMailbox:
    """Rename a mailbox with all below it; renaming INBOX moves its messages to a new one (RFC 3501 §6.3.5)."""

    account: AccountId
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMailbox:
    """Delete a mailbox with its messages. Fails with ``Vanished``, or ``NotAllowed`` for INBOX or one with children."""

    account: AccountId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Put a name on the account's list of subscriptions or take it off; the mailbox need not exist."""

    account: AccountId
    name: str
    subscribed: bool


# ---- queue ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRecipients:
    """Lease due recipients to ``owner``. Returns ``list[QueueRow]``, oldest due first, whole destinations together.

    Due: WAITING, next_attempt <= now, and no lease that lasts beyond now. At most ``limit`` rows.
    """

    owner: str
    now: float
    lease_until: float
    limit: int = 200
    skip_destinations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientResult:
    """What an attempt came to, for one recipient.

    DELIVERED, FAILED and REMOVED end it; WAITING sets the next attempt; ``reply`` is the last answer as people see it.
    """

    queue_id: QueueId
    number: int
    state: RecipientState
    next_attempt: float = 0.0
    reply: str = ""
    attempted: bool = True  # counts in ``attempts``
    delay_notified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueResult:
    """Results of attempts with their journey. A message with no recipients left is deleted, and its body if unused.

    Commit it together with the Delivery of a bounce, so that neither exists without the other.
    """

    results: tuple[RecipientResult, ...]
    journey: tuple[JourneyEntry, ...] = ()


EVERY_OWNER = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLeases:
    """Give back the leases of an owner (a worker that ended). Returns the number of recipients.

    ``EVERY_OWNER`` is for a server that starts and knows itself to be alone: whoever held leases is dead.
    """

    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueControl:
    """An administrator's hand on the queue. ``number`` None means all recipients of the message.

    WAITING releases or retries at ``next_attempt``; HELD holds; REMOVED removes. Returns the number of recipients
    changed; recipients under a lease are skipped for REMOVED, since an attempt is under way.
    """

    queue_id: QueueId
    state: RecipientState
    now: float
    number: int | None = None
    next_attempt: float = 0.0
    journey: tuple[JourneyEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Journey entries alone, such as a refusal that stored nothing."""

    journey: tuple[JourneyEntry, ...]


# ---- duties ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeDuty:
    """Take or renew a duty for ``owner``. Returns whether the owner holds it now."""

    name: str
    owner: str
    now: float
    until: float


Change: TypeAlias = (
    Delivery
    | FlagChange
    | Expunge
    | Copy
    | CreateMailbox
    | RenameMailbox
    | DeleteMailbox
    | Subscribe
    | ClaimRecipients
    | QueueResult
    | ReleaseLeases
    | QueueControl
    | Note
    | TakeDuty
    | DirectoryChange
)


# ---- results --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filed:
    """Where a filing went."""

    account: AccountId
    mailbox: MailboxId
    uid: int
    uidvalidity: int
    modseq: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """Result of a Delivery: one ``Filed`` for each filing, in order, and the body shared by all."""

    body: BodyId
    filed: tuple[Filed, ...]


@dataclass(frozen=True, slots=True)
class FlagsChanged:
    """Result of a FlagChange.

    ``changed`` rows are ``(uid, flags, keywords, modseq)`` after the change, in order of UID, including rows that
    already were as asked; ``keywords`` is text, space-separated. ``modified`` are UIDs left alone by unchanged_since.
    """

    changed: list[tuple[int, int, str, int]]
    modified: list[int]


@dataclass(frozen=True, slots=True)
class Expunged:
    """Result of an Expunge: the UIDs that went, rising, and the modseq of their going."""

    uids: list[int]
    modseq: int


@dataclass(frozen=True, slots=True)
class Copied:
    """Result of a Copy: source and target UIDs pair by pair; ``modseq`` of the move's expunges (0 for a copy)."""

    uidvalidity: int
    source: list[int]
    target: list[int]
    modseq: int = 0
