"""Telling the owner of a mailbox that it fills, or that it is full: each level at most once a day.

Reception asks for it after a message was delivered, so nothing here may fail: what cannot be told is an event of the
log. Tests: ``tests/unit/services/administration/messages/test_warner.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.clock import Clock
from posthouse.core.errors import Fault
from posthouse.services.administration.messages.definitions import Value
from posthouse.services.administration.messages.once import claim, commit_once
from posthouse.services.administration.messages.post import ServerMail, size_text
from posthouse.services.reception.room import QuotaWarning
from posthouse.store.contract import Store
from posthouse.telemetry.log import Telemetry

PURPOSE: Final = "quota warning"
FULL: Final = 100  # per cent


class QuotaLetters:
    """Writes the warnings of one worker."""

    def __init__(self, store: Store, mail: ServerMail, clock: Clock, telemetry: Telemetry) -> None:
        self._store = store
        self._mail = mail
        self._clock = clock
        self._telemetry = telemetry

    async def warn(self, warning: QuotaWarning) -> None:
        """Tell the owner. Never raises."""
        try:
            await self._tell(warning)
        except Fault as fault:
            self._failed(fault.detail or str(fault))
        except Exception as error:  # the message that filled the mailbox is delivered; its sender is to hear so
            self._failed(repr(error))

    def _failed(self, error: str) -> None:
        self._telemetry.event("account.quota_warning_failed", level="warning", error=error)

    async def _tell(self, warning: QuotaWarning) -> None:
        account = warning.account
        name = "quota-full" if warning.percent >= FULL else "quota-warning"
        values: dict[str, Value] = {
            "percent": warning.percent,
            "used": size_text(warning.octets) or "0 octets",
            "quota": size_text(account.quota_bytes),
            "messages": warning.messages,
        }
        delivery = await self._mail.to_owner(name, account, values)
        if delivery is None:
            return
        key = f"{account.id} {warning.percent}"
        await commit_once(self._store, claim(PURPOSE, key, self._clock.now()), delivery)
