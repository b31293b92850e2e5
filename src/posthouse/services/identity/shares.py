"""What somebody may do in a shared mailbox: his own share, or that of a group he is in, whichever is more.

Tests: ``tests/unit/services/identity/test_shares.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from posthouse.store.contract import Store
from posthouse.store.directory_rows import ShareRow
from posthouse.store.directory_values import ShareRight

_ORDER: Final = list(ShareRight)


async def right_in(store: Store, shared: str, member: str) -> ShareRight | None:
    """Return the right of a member in a shared mailbox, addresses folded; None for none. Raises Unavailable."""
    rights = [row.right for row in await shares_of(store, member) if row.account == shared]
    return max(rights, key=_ORDER.index) if rights else None


async def shares_of(store: Store, member: str) -> Sequence[ShareRow]:
    """Return every share that a member has, by himself and through groups. Raises Unavailable."""
    return await store.shares(members=(member, *await store.groups_of(member, nested=True)))
