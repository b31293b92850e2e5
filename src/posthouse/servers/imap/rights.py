"""What the right in a shared mailbox lets commands do; in his own account everybody may do everything.

Reading opens mailboxes as EXAMINE does; writing files messages, flags and removes them; managing makes, renames and
deletes mailboxes. RFC 5530 §3 (NOPERM). Tests: ``tests/interop/test_shared_mailboxes.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.protocols.imap.types import commands as wire
from posthouse.protocols.imap.types.state import NO
from posthouse.servers.imap.answers import Answer
from posthouse.store.directory_values import ShareRight

NO_PERMISSION: Final = Answer(NO, b"NOPERM", b"Your right in this shared mailbox does not allow that")
_MANAGING: Final = (wire.Create, wire.Delete, wire.Rename)
_WRITING: Final = (wire.Copy, wire.Move, wire.Subscribe, wire.Unsubscribe)


def may_run(right: ShareRight | None, command: object) -> bool:
    """Whether a command may run; what changes messages of an open mailbox is stopped by that being read-only."""
    if right is None or right is ShareRight.MANAGE:
        return True
    if isinstance(command, _MANAGING):
        return False
    return right is ShareRight.WRITE or not isinstance(command, _WRITING)


def may_write(right: ShareRight | None) -> bool:
    """Whether messages may be filed and changed."""
    return right is not ShareRight.READ
