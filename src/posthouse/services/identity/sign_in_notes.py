"""When accounts and credentials were last used, kept in batches: a sign-in waits for no commit of its own.

A crash loses the last seconds of it, which changes nothing but what ``account show`` says. Tests:
``tests/unit/services/identity/test_sign_in_notes.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.clock import Clock
from posthouse.core.errors import Fault
from posthouse.core.ids import AccountId
from posthouse.store.contract import Store
from posthouse.store.directory_values import NoteSignIns

MOST: Final = 10_000  # between two flushes; what is more is not noted


class SignInNotes:
    """The sign-ins of one worker that are not in the store yet."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._accounts: dict[AccountId, tuple[float, str, str]] = {}
        self._credentials: dict[str, tuple[float, str]] = {}

    def account(self, account: AccountId, address: str, protocol: str) -> None:
        """Note that an account signed in."""
        if len(self._accounts) < MOST:
            self._accounts[account] = (self._clock.now(), address, protocol)

    def credential(self, credential: str, address: str) -> None:
        """Note that a credential was used."""
        if len(self._credentials) < MOST:
            self._credentials[credential] = (self._clock.now(), address)

    async def flush(self) -> None:
        """Write what was noted; what cannot be written now is kept for the next time."""
        if not self._accounts and not self._credentials:
            return
        accounts, credentials = self._accounts, self._credentials
        self._accounts, self._credentials = {}, {}
        value = NoteSignIns(
            accounts=tuple((account, *noted) for account, noted in accounts.items()),
            credentials=tuple((credential, *noted) for credential, noted in credentials.items()),
        )
        try:
            await self._store.commit(value)
        except Fault:
            self._accounts = {**accounts, **self._accounts}
            self._credentials = {**credentials, **self._credentials}
