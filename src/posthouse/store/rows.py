"""What the store answers with: plain rows, no behaviour. Bulk reads are tuples in the order the caller asked for."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from posthouse.core.ids import AccountId, BodyId, MailboxId, QueueId
from posthouse.store.values import RecipientState, Role


class Field(enum.Enum):
    """A column of a message that ``Store.messages`` can read; the comment gives the Python type."""

    UID = "uid"  # int
    FLAGS = "flags"  # int, mask of core.flags.Flag
    KEYWORDS = "keywords"  # str, space-separated, "" for none
    MODSEQ = "modseq"  # int
    INTERNAL_DATE = "internal_date"  # int, seconds since the epoch
    SAVE_DATE = "save_date"  # int
    SIZE = "size"  # int, octets with the prefix
    PREFIX = "prefix"  # bytes, this recipient's own header lines
    EMAIL_ID = "email_id"  # int
    BODY_ID = "body_id"  # int
    BODY_SIZE = "body_size"  # int, octets without the prefix
    HEADER_SIZE = "header_size"  # int, octets of the header section without the prefix
    ENVELOPE = "envelope"  # bytes, ready to send
    BODYSTRUCTURE = "bodystructure"  # bytes, ready to send
    MESSAGE_ID = "message_id"  # str
    SUBJECT = "subject"  # str
    FROM = "from_text"  # str
    TO = "to_text"  # str
    CC = "cc_text"  # str
    DATE = "date"  # int | None, the Date header
    PREVIEW = "preview"  # str
    HAS_ATTACHMENT = "has_attachment"  # int, 0 or 1
    CONTENT = "content"  # bytes | None: the octets where they are stored inline, None where read_body must be used


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox with its counters, all of one moment."""

    account: AccountId
    id: MailboxId
    name: str
    role: Role | None
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    subscribed: bool
    has_children: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account uses: octets and messages, and its quota in octets (0: none)."""

    octets: int
    messages: int
    quota: int


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queued recipient with its message's envelope."""

    queue_id: QueueId
    number: int
    address: str
    destination: str
    state: RecipientState
    attempts: int
    next_attempt: float
    lease_owner: str
    lease_until: float
    last_reply: str
    notify: str
    orcpt: str
    delay_notified: bool
    reverse_path: str
    ret: str
    envid: str
    body_type: str
    smtputf8: bool
    received: float
    expires: float
    size: int
    body: BodyId


@dataclass(frozen=True, slots=True)
class JourneyRow:
    """One step of a message's story."""

    queue_id: QueueId
    at: float
    step: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that ``verify`` found: which invariant, where, what to do, and whether it was put right just now."""

    invariant: str
    where: str
    detail: str
    remedy: str
    repaired: bool = False
