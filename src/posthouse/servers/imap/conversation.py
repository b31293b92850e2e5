"""What the commands of one connection share: the session, the services, who signed in, the selected mailbox.

A command writes through ``untagged`` (small answers) or ``push`` (bulk, with flow control) and ends with ``complete``,
exactly once. Tests: ``tests/dialogues/imap_server``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.core.ids import AccountId
from posthouse.protocols.imap.session import ImapSession
from posthouse.protocols.imap.types.state import OK
from posthouse.servers.imap.answers import Answer
from posthouse.servers.imap.opened import Opened, UidCache
from posthouse.servers.imap.recent import RecentMarks
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.client import ClientInfo
from posthouse.services.mailstore.columns import ColumnCache
from posthouse.services.mailstore.content import Contents
from posthouse.services.mailstore.search import Searcher
from posthouse.services.mailstore.watch import Watch
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import ShareRight
from posthouse.telemetry.log import Telemetry

if TYPE_CHECKING:
    from posthouse.servers.door import Door


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServices:
    """What all IMAP doors of a worker share. Make one with ``imap_services``."""

    store: Store
    clock: Clock
    settings: Settings
    authenticator: Authenticator
    watch: Watch
    contents: Contents
    columns: ColumnCache
    searcher: Searcher
    uid_cache: UidCache
    recent: RecentMarks


def imap_services(
    store: Store, clock: Clock, settings: Settings, authenticator: Authenticator, watch: Watch | None = None
) -> ImapServices:
    """Construct what the IMAP doors of a worker share; ``watch`` may be shared with other protocols."""
    contents, columns = Contents(store), ColumnCache(store)
    return ImapServices(
        store=store,
        clock=clock,
        settings=settings,
        authenticator=authenticator,
        watch=watch or Watch(store.notices),
        contents=contents,
        columns=columns,
        searcher=Searcher(store, clock, contents, columns),
        uid_cache=UidCache(),
        recent=RecentMarks(),
    )


class Conversation:
    """One connection as its commands see it.

    Attributes:
        account: whose mail it is; set before any command that needs it is let through.
        right: what who signed in may do in a shared mailbox; None in his own account.
        opened: the selected mailbox, or None.
        stop_watching: ends the subscription of an IDLE under way.
    """

    def __init__(self, door: Door, session: ImapSession, services: ImapServices, client: ClientInfo) -> None:
        self._door = door
        self.session = session
        self.services = services
        self.client = client
        self.account: AccountRow | None = None
        self.right: ShareRight | None = None
        self.opened: Opened | None = None
        self.failed_logins = 0
        self.stop_watching: Callable[[], None] | None = None
        self._condstore_told = False

    @property
    def store(self) -> Store:
        """The store."""
        return self.services.store

    @property
    def telemetry(self) -> Telemetry:
        """Where events of this connection are reported."""
        return self._door.telemetry

    @property
    def account_id(self) -> AccountId:
        """The account that signed in; the session lets no command through before."""
        assert self.account is not None, "the session asks for a sign-in first"
        return self.account.id

    @property
    def selected(self) -> Opened:
        """The selected mailbox; the session lets no command through that needs one where there is none."""
        assert self.opened is not None, "the session asks for a SELECT first"
        return self.opened

    def untagged(self, data: bytes) -> None:
        """Queue whole untagged responses."""
        self.session.untagged(data)

    async def push(self, data: bytes) -> None:
        """Send bulk and wait while the peer has too much unread. Raises ConnectionResetError."""
        door = self._door
        queued = self.session.data_to_send()
        if queued:
            door.send(queued)
        door.send(data)
        door.touch()
        if not door.is_writable or door.is_closing:
            await door.drained()

    def flush(self) -> None:
        """Send what is queued."""
        queued = self.session.data_to_send()
        if queued:
            self._door.send(queued)

    def cut(self, reason: str) -> None:
        """End the connection in the middle of a response that cannot be finished."""
        self._door.abort(reason)

    def done(self, tag: bytes, text: bytes, code: bytes | None = None) -> None:
        """Complete a command with OK."""
        self.session.complete(tag, OK, text, code)

    def refuse(self, tag: bytes, answer: Answer) -> None:
        """Complete a command with NO or BAD."""
        self.session.complete(tag, answer.condition, answer.text, answer.code)

    def deselect(self) -> None:
        """Forget the selected mailbox."""
        self.opened = None

    def enabled_condstore(self) -> None:
        """Say from where the client counts mod-sequences, once it asked for them in a mailbox (RFC 7162 §3.1)."""
        if not self._condstore_told:
            self._condstore_told = True
            if self.opened is not None:
                self.untagged(b"* OK [HIGHESTMODSEQ %d] Highest\r\n" % max(self.opened.view.modseq, 1))

    async def news(self, *, expunges: bool, uid: bool = False) -> None:
        """Tell what changed in the selected mailbox, if one is selected.

        Args:
            expunges: whether EXPUNGE may be told: not while a command that names sequence numbers is answered
                (RFC 3501 §7.4.1).
            uid: whether FETCH responses name the UID, as those to UID commands must (RFC 3501 §6.4.8).
        """
        opened = self.opened
        if opened is None:
            return
        if not await opened.sync(self.store, self.session, may_expunge=expunges, uid=uid):
            self.opened = None
            self.session.bye(b"The selected mailbox was deleted")

    def end(self) -> None:
        """Let go of what outlives a command."""
        self.opened = None
        if self.stop_watching is not None:
            self.stop_watching()
            self.stop_watching = None
