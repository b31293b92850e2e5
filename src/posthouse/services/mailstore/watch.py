"""Who waits for news of which account: one subscription to the store's notices for a whole worker.

A notice is a hint (``store.contract.Notices``): whoever is called looks for itself. With ten thousand idle sessions
a commit must cost what its own accounts' watchers cost, so they are kept by account.
Tests: ``tests/unit/services/mailstore/test_mailstore_pure.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from posthouse.core.ids import AccountId
from posthouse.store.contract import Notices


class Watch:
    """Watchers by account."""

    def __init__(self, notices: Notices) -> None:
        """Subscribe to the notices; ``close`` ends it."""
        self._watchers: dict[AccountId, dict[int, Callable[[], None]]] = {}
        self._next = 0
        self._end = notices.on_accounts(self._changed)

    def subscribe(self, account: AccountId, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back, on the event loop, whenever the account may have changed; returns what ends it."""
        key = self._next = self._next + 1
        self._watchers.setdefault(account, {})[key] = callback

        def end() -> None:
            watchers = self._watchers.get(account)
            if watchers is not None and watchers.pop(key, None) is not None and not watchers:
                del self._watchers[account]

        return end

    def _changed(self, accounts: Sequence[AccountId]) -> None:
        for account in accounts:
            for callback in tuple(self._watchers.get(account, {}).values()):
                callback()

    def close(self) -> None:
        """End the subscription to the store."""
        self._watchers.clear()
        self._end()
