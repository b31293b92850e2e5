"""APPEND: octets from the session into memory, or into the spool where they are many (RFC 3501 §6.3.11, RFC 4315 §3).

The mailbox and the quota are asked before the literal is accepted, so that nobody sends 50 MiB for a NO.
"""

from __future__ import annotations

from posthouse.core import limits
from posthouse.core.errors import Fault, Unavailable
from posthouse.protocols.imap.format.codes import appenduid
from posthouse.protocols.imap.types.events import AppendStarted
from posthouse.servers.imap.answers import OVER_QUOTA, TRY_CREATE
from posthouse.servers.imap.conversation import Conversation
from posthouse.servers.imap.rights import NO_PERMISSION, may_write
from posthouse.services.mailstore import append, mailboxes
from posthouse.store.rows import MailboxRow
from posthouse.store.spool import Spool


class Appending:
    """A message on its way in. ``close`` it, whatever happens."""

    def __init__(self, talk: Conversation, started: AppendStarted, mailbox: MailboxRow) -> None:
        """Expect ``started.size`` octets."""
        self._talk = talk
        self._started = started
        self._mailbox = mailbox
        self._chunks: list[bytes] = []
        self._spool: Spool | None = None
        self._failure: Fault | None = None
        self._placed = append.Placement(
            account=mailbox.account,
            mailbox=mailbox.id,
            internal_date=_internal_date(talk, started),
            flags=started.flags,
            keywords=started.keywords,
        )

    def take(self, data: bytes) -> None:
        """Keep some octets; a spool that fails makes ``finish`` fail."""
        if self._failure is not None:
            return
        if self._started.size <= limits.INLINE_BODY:
            self._chunks.append(data)
            return
        try:
            if self._spool is None:
                self._spool = self._talk.store.new_spool()
            self._spool.write(data)
        except Fault as fault:
            self._failure = fault
        except OSError as error:
            self._failure = Unavailable(str(error), where="imap.append", storage_short=True)

    async def finish(self, tag: bytes) -> None:
        """Store the message and complete the command."""
        if self._failure is not None:
            raise self._failure
        content = b"".join(self._chunks) if self._spool is None else self._spool
        self._chunks = []
        filed = await append.append(self._talk.store, content, self._placed)
        await self._talk.news(expunges=True)
        self._talk.done(tag, b"Append completed", appenduid(filed.uidvalidity, filed.uid))

    def close(self) -> None:
        """Give memory and disk space back."""
        self._chunks = []
        if self._spool is not None:
            self._spool.close()
            self._spool = None


def _internal_date(talk: Conversation, started: AppendStarted) -> int:
    """Return the date asked for; never 0, which stands for now in a filing (RFC 3501 §6.3.11)."""
    return int(talk.services.clock.now()) if started.internal_date is None else max(1, started.internal_date)


async def begin_append(talk: Conversation, started: AppendStarted) -> Appending | None:
    """Accept the literal or complete the command with the reason why not."""
    if not may_write(talk.right):
        talk.refuse(started.tag, NO_PERMISSION)
        return None
    mailbox = await mailboxes.named(talk.store, talk.account_id, started.mailbox)
    if mailbox is None:
        talk.refuse(started.tag, TRY_CREATE)
        return None
    usage = await talk.store.usage(talk.account_id)
    if usage is not None and usage.quota and usage.octets + started.size > usage.quota:
        talk.refuse(started.tag, OVER_QUOTA)
        return None
    talk.services.recent.first(mailbox)  # so that what comes now counts as recent
    talk.session.accept_append()
    return Appending(talk, started, mailbox)
