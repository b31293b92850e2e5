"""Which function serves which command. IDLE is the door's own, because it outlives its function."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from posthouse.protocols.imap.types import commands as wire
from posthouse.servers.imap.conversation import Conversation
from posthouse.servers.imap.copy_move import do_copy, do_move
from posthouse.servers.imap.expunge import do_close, do_expunge, do_noop, do_unselect
from posthouse.servers.imap.fetch import do_fetch
from posthouse.servers.imap.listing import do_list, do_lsub
from posthouse.servers.imap.mailbox import do_create, do_delete, do_rename, do_subscribe, do_unsubscribe
from posthouse.servers.imap.quota import do_getquota, do_getquotaroot
from posthouse.servers.imap.search import do_search
from posthouse.servers.imap.select import do_select
from posthouse.servers.imap.status import do_status
from posthouse.servers.imap.store import do_store

COMMANDS: Final[dict[type, Callable[[Conversation, bytes, Any], Coroutine[Any, Any, None]]]] = {
    wire.Noop: do_noop,
    wire.Select: do_select,
    wire.Create: do_create,
    wire.Delete: do_delete,
    wire.Rename: do_rename,
    wire.Subscribe: do_subscribe,
    wire.Unsubscribe: do_unsubscribe,
    wire.List: do_list,
    wire.Lsub: do_lsub,
    wire.Status: do_status,
    wire.GetQuota: do_getquota,
    wire.GetQuotaRoot: do_getquotaroot,
    wire.Check: do_noop,
    wire.Close: do_close,
    wire.Unselect: do_unselect,
    wire.Expunge: do_expunge,
    wire.Search: do_search,
    wire.Fetch: do_fetch,
    wire.Store: do_store,
    wire.Copy: do_copy,
    wire.Move: do_move,
}
