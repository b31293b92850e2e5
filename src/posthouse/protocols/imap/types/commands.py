"""One value per command, as the session hands them to its driver (RFC 3501 §6 and the extensions).

Mailbox names are decoded, folded and valid. ``uid`` tells the UID form of a command from the plain one.
Commands that the session answers alone (CAPABILITY, LOGOUT, ID, ENABLE, NAMESPACE) or turns into events of their own
(LOGIN, AUTHENTICATE, STARTTLS, APPEND) are here too where they carry arguments, because the dispatch table makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from posthouse.core.flags import Flag
from posthouse.protocols.imap.types.fetch import FetchItem
from posthouse.protocols.imap.types.flags import StoreMode
from posthouse.protocols.imap.types.listing import ListReturn, ListSelection, StatusItem
from posthouse.protocols.imap.types.search import SearchKey, SearchReturn
from posthouse.protocols.imap.types.sequence import SequenceSet

# ---- answered by the session alone ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Capability:
    """CAPABILITY (RFC 3501 §6.1.1)."""


@dataclass(frozen=True, slots=True)
class Logout:
    """LOGOUT (RFC 3501 §6.1.3)."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS (RFC 3501 §6.2.1)."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """NAMESPACE (RFC 2342 §5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Id:
    """ID (RFC 2971 §3.1); field names in lower case, values None for NIL."""

    parameters: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable:
    """ENABLE (RFC 5161 §3.1); names in upper case."""

    capabilities: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """AUTHENTICATE (RFC 3501 §6.2.2); ``initial`` is the base64 text of SASL-IR, b"=" for empty, None for none."""

    mechanism: str
    initial: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """LOGIN (RFC 3501 §6.2.3)."""

    login: bytes
    password: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """APPEND up to its message literal (RFC 3501 §6.3.11); ``internal_date`` in seconds since the epoch."""

    mailbox: str
    flags: Flag
    keywords: tuple[str, ...]
    internal_date: int | None


# ---- handed to the driver: any state, authenticated -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP (RFC 3501 §6.1.2): tell what is new, expunges too, then OK."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """SELECT, or EXAMINE where ``read_only`` (RFC 3501 §6.3.1, §6.3.2, RFC 7162 §3.1.8)."""

    mailbox: str
    read_only: bool = False
    condstore: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    r"""CREATE (RFC 3501 §6.3.3); ``special_use`` are attributes such as ``sent``: lower case, without backslash."""

    mailbox: str
    special_use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """DELETE (RFC 3501 §6.3.4)."""

    mailbox: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """RENAME (RFC 3501 §6.3.5)."""

    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """SUBSCRIBE (RFC 3501 §6.3.6)."""

    mailbox: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """UNSUBSCRIBE (RFC 3501 §6.3.7)."""

    mailbox: str


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """LIST (RFC 3501 §6.3.8, RFC 5258 §3, RFC 5819 §2).

    Attributes:
        reference: the reference name, decoded.
        patterns: the patterns with the reference already put before them, decoded; ``compile_pattern`` takes them.
            One pattern "" asks for the hierarchy delimiter alone (plain LIST only).
        extended: whether anything of RFC 5258 was used, which forbids the special meaning of the empty pattern.
        status: items of RETURN (STATUS (...)), () for none.
    """

    reference: str
    patterns: tuple[str, ...]
    selection: ListSelection = ListSelection.NONE
    returns: ListReturn = ListReturn.NONE
    status: tuple[StatusItem, ...] = ()
    extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lsub:
    """LSUB (RFC 3501 §6.3.9); ``pattern`` has the reference already put before it."""

    reference: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """STATUS (RFC 3501 §6.3.10)."""

    mailbox: str
    items: tuple[StatusItem, ...]


@dataclass(frozen=True, slots=True)
class Idle:
    """IDLE (RFC 2177 §3). The session has asked for DONE; ``events.IdleDone`` follows, then complete the tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetQuota:
    """GETQUOTA (RFC 9208 §4.1.1); the root's name as text."""

    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetQuotaRoot:
    """GETQUOTAROOT (RFC 9208 §4.1.2)."""

    mailbox: str


# ---- handed to the driver: selected ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """CHECK (RFC 3501 §6.4.1)."""


@dataclass(frozen=True, slots=True)
class Close:
    """CLOSE (RFC 3501 §6.4.2): expunge silently unless read-only, then unselect."""


@dataclass(frozen=True, slots=True)
class Unselect:
    """UNSELECT (RFC 3691 §2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expunge:
    """EXPUNGE, or UID EXPUNGE where ``uids`` is given (RFC 3501 §6.4.3, RFC 4315 §2.1)."""

    uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """SEARCH (RFC 3501 §6.4.4); ``returns`` None asks for the SEARCH response, else for ESEARCH (RFC 4731)."""

    key: SearchKey
    uid: bool = False
    returns: SearchReturn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """FETCH (RFC 3501 §6.4.5, RFC 7162 §3.1.4.1).

    ``items`` are in the order asked, macros expanded, doubles removed. For UID FETCH the UID item is always among
    them. With CHANGEDSINCE the MODSEQ item is always among them.
    """

    numbers: SequenceSet
    items: tuple[FetchItem, ...]
    uid: bool = False
    changed_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """STORE (RFC 3501 §6.4.6, RFC 7162 §3.1.3)."""

    numbers: SequenceSet
    mode: StoreMode
    flags: Flag
    keywords: tuple[str, ...]
    silent: bool = False
    uid: bool = False
    unchanged_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """COPY (RFC 3501 §6.4.7)."""

    numbers: SequenceSet
    mailbox: str
    uid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """MOVE (RFC 6851 §3)."""

    numbers: SequenceSet
    mailbox: str
    uid: bool = False


DriverCommand: TypeAlias = (
    Noop
    | Select
    | Create
    | Delete
    | Rename
    | Subscribe
    | Unsubscribe
    | List
    | Lsub
    | Status
    | Idle
    | GetQuota
    | GetQuotaRoot
    | Check
    | Close
    | Unselect
    | Expunge
    | Search
    | Fetch
    | Store
    | Copy
    | Move
)
SessionCommand: TypeAlias = Capability | Logout | StartTls | Namespace | Id | Enable | Authenticate | Login | Append
Command: TypeAlias = DriverCommand | SessionCommand
