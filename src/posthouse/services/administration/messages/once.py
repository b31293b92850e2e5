"""Doing a thing once, however many workers would do it: its key is claimed in the commit that does it.

The keys lie among those of requests that may be repeated, under names that no caller has, and are forgotten when they
are a day old, or ``keep`` seconds older. Tests: ``tests/unit/services/administration/messages/test_duties.py``.
"""

from __future__ import annotations

from posthouse.store.contract import AlreadyExists, Store
from posthouse.store.directory_values import KeepReply
from posthouse.store.values import Change


def claim(purpose: str, key: str, now: float, *, keep: float = 0.0) -> KeepReply:
    """Return the value that makes a commit fail with ``AlreadyExists`` where the key was claimed before."""
    return KeepReply(caller=f"({purpose})", key=key, fingerprint="", at=now + keep)


async def is_claimed(store: Store, purpose: str, key: str) -> bool:
    """Whether somebody did it. Raises Unavailable."""
    return await store.kept_reply(f"({purpose})", key) is not None


async def commit_once(store: Store, once: KeepReply, *changes: Change) -> bool:
    """Commit changes unless their key was claimed; return whether they were written. Raises as ``Store.commit``."""
    try:
        await store.commit(once, *changes)
    except AlreadyExists:
        return False
    return True
