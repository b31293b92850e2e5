"""An account's mail as one stream: mboxrd, or Maildir++ in a tar archive; flags kept, large messages in chunks.

Messages that go away meanwhile are left out. Nothing is marked as seen.
Tests: ``tests/unit/services/administration/exporting/test_export_mailboxes.py``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from posthouse.core.flags import Flag
from posthouse.services.administration.exporting import maildir as form
from posthouse.services.administration.exporting.mbox import Quoting, separator, status_fields
from posthouse.services.mailstore.content import SOURCE_FIELDS, Contents, Source
from posthouse.services.mailstore.sections import Octets
from posthouse.store.contract import Store, Vanished
from posthouse.store.directory_rows import AccountRow
from posthouse.store.rows import Field, MailboxRow

AT_ONCE: Final = 20  # rows with their bodies in memory
_FIELDS: Final = (*SOURCE_FIELDS, Field.UID, Field.FLAGS, Field.KEYWORDS, Field.INTERNAL_DATE)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class _Mail:
    mailbox: MailboxRow
    source: Source
    uid: int
    flags: Flag
    keywords: str
    when: int


class MailboxExport:
    """Exports accounts of one store. ``hostname`` goes into the names of maildir files."""

    def __init__(self, store: Store, hostname: str) -> None:
        self._store = store
        self._contents = Contents(store)
        self._hostname = hostname.replace("/", "-").replace(":", "-") or "localhost"

    async def mbox(
        self, account: AccountRow, mailbox: str = "", progress: Progress | None = None
    ) -> AsyncIterator[bytes]:
        """Yield all messages of an account, or of one mailbox, as mboxrd; their mailbox is in X-Mailbox."""
        async for mail in self._mails(account, mailbox, progress):
            sender = _return_path(mail.source.prefix)
            quoting = Quoting()
            fields = status_fields(mail.flags, mail.keywords, mail.mailbox.name)
            yield separator(sender, mail.when) + fields
            try:
                async for chunk in self._octets(mail.source):
                    yield quoting.feed(chunk)
            except Vanished:
                yield quoting.feed(b"\n[The rest of this message was removed while it was exported.]\n")
            yield quoting.end()

    async def maildir(
        self, account: AccountRow, mailbox: str = "", progress: Progress | None = None
    ) -> AsyncIterator[bytes]:
        """Yield a tar archive of the account's maildir."""
        folder, keywords = None, form.Keywords()
        for row in await self._boxes(account, mailbox):
            for part in ("", "cur/", "new/", "tmp/"):
                name = form.folder_of(row.name) + part
                if name:
                    yield form.header(name, 0, 0, is_folder=True)
            if row.name != "INBOX":
                yield form.header(f"{form.folder_of(row.name)}maildirfolder", 0, 0)
        async for mail in self._mails(account, mailbox, progress):
            if folder != mail.mailbox.name:
                if folder is not None:
                    yield _keyword_file(folder, keywords)
                folder, keywords = mail.mailbox.name, form.Keywords()
            async for piece in self._file(mail, keywords):
                yield piece
        if folder is not None:
            yield _keyword_file(folder, keywords)
        yield form.END

    async def _file(self, mail: _Mail, keywords: form.Keywords) -> AsyncIterator[bytes]:
        size = mail.source.size
        letters = form.flag_letters(mail.flags) + keywords.letters(mail.keywords)
        unique = f"{mail.when}.M{mail.uid}P{mail.mailbox.id}.{self._hostname},S={size}"
        yield form.header(f"{form.folder_of(mail.mailbox.name)}cur/{unique}:2,{letters}", size, mail.when)
        written = 0
        try:
            async for chunk in self._octets(mail.source):
                written += len(chunk)
                yield chunk
        except Vanished:
            # The header has promised so many octets: blanks keep the archive whole.
            yield b" " * (size - written)
        yield form.padding(size)

    async def _boxes(self, account: AccountRow, mailbox: str) -> list[MailboxRow]:
        rows = await self._store.mailboxes(account.id)
        return [row for row in rows if not mailbox or row.name == mailbox]

    async def _mails(self, account: AccountRow, mailbox: str, progress: Progress | None) -> AsyncIterator[_Mail]:
        boxes = await self._boxes(account, mailbox)
        total, done = sum(row.messages for row in boxes), 0
        for row in boxes:
            uids = await self._store.uids(account.id, row.id)
            for start in range(0, len(uids), AT_ONCE):
                span = (uids[start], uids[min(start + AT_ONCE, len(uids)) - 1])
                for columns in await self._store.messages(account.id, row.id, [span], _FIELDS):
                    yield _mail(row, columns)
                    done += 1
                if progress is not None:
                    progress(done, max(total, done), row.name)

    async def _octets(self, source: Source) -> AsyncIterator[bytes]:
        whole = Octets(source.prefix, 0, source.body_size)
        async for chunk in self._contents.chunks(source, whole):
            yield chunk


def _mail(row: MailboxRow, columns: tuple[Any, ...]) -> _Mail:
    source = Source(*columns[: len(SOURCE_FIELDS)])
    uid, flags, keywords, when = columns[len(SOURCE_FIELDS) :]
    return _Mail(row, source, uid, Flag(flags), keywords, when)


def _return_path(prefix: bytes) -> str:
    """The reverse-path that delivery wrote before the message."""
    for line in prefix.splitlines():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"return-path":
            return value.strip().strip(b"<>").decode("utf-8", "replace")
    return ""


def _keyword_file(mailbox: str, keywords: form.Keywords) -> bytes:
    content = keywords.file()
    if not content:
        return b""
    name = f"{form.folder_of(mailbox)}dovecot-keywords"
    return form.header(name, len(content), 0) + content + form.padding(len(content))
