"""Accounts for people whom a sign-in source granted and the directory does not have: made at their first sign-in.

The domain must be ours and active, and the limits hold as for an account that an administrator adds. The entry in the
audit log names the source. Tests: ``tests/unit/services/administration/test_newcomers.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from posthouse.config.definitions.auth import NEWCOMERS
from posthouse.config.settings import Settings
from posthouse.core.address import format_local_part, parse_address
from posthouse.core.clock import Clock
from posthouse.core.errors import SyntaxFault
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.limits import ceilings, check_quota
from posthouse.services.administration.words import LARGEST, NAME_LONGEST
from posthouse.services.identity.defaults import quota_of
from posthouse.services.identity.sources.contract import SourcePerson
from posthouse.store.contract import AlreadyExists, Store, StoreRefusal
from posthouse.store.directory_rows import AccountRow, DomainRow
from posthouse.store.directory_values import Audit, PutAccount
from posthouse.telemetry.log import Telemetry

ID_LONGEST: Final = 1_000


class AccountsForNewcomers:
    """Makes them, for ``identity.authentication``."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        telemetry: Telemetry,
        *,
        greet: Callable[[AccountRow], Awaitable[None]] | None = None,
    ) -> None:
        """``greet`` welcomes an account that was made."""
        self._greet = greet
        self._store = store
        self._settings = settings
        self._clock = clock
        self._telemetry = telemetry

    async def welcome(self, person: SourcePerson, source: str) -> AccountRow | None:
        """Return the new account; None where there can be none, with an event that says why. Raises Unavailable."""
        try:
            own = await self._make(person, source)
        except AlreadyExists:
            # Two connections of a mail program at once: the other one was first. An alias or a group is no account.
            row = await self._store.account(str(parse_address(person.address)).lower())
            return row if row is not None and row.source == source else None
        except (SyntaxFault, StoreRefusal, Refused) as refusal:
            self._telemetry.event(
                "auth.newcomer_declined",
                level="warning",
                login=person.address[:320],
                source=source,
                reason=refusal.detail,
            )
            return None
        made = await self._store.account(own)
        if made is not None and self._greet is not None:
            await self._greet(made)
        return made

    async def _home(self, domain: str) -> DomainRow:
        home = await self._store.domain(domain)
        if home is None or home.disabled or home.alias_of:
            raise Refused(f"{domain} is no domain that takes accounts")
        if not self._settings.get(NEWCOMERS, domain=home.name):
            raise Refused(f"auth.newcomers is off for {domain}")
        return home

    async def _make(self, person: SourcePerson, source: str) -> str:
        address = parse_address(person.address)
        home = await self._home(address.domain)
        own = f"{format_local_part(address.local_part.lower())}@{home.name}"
        given = person.attributes.get("quota", "")
        is_size = given.isascii() and given.isdigit() and len(given) <= len(str(LARGEST))
        quota = min(int(given), LARGEST) if is_size else quota_of(self._settings, home.name)
        check_quota(self._settings, home, quota)
        now = self._clock.now()
        value = PutAccount(
            address=own,
            display_name=shown_name(person.display_name),
            given_name=shown_name(person.given_name),
            family_name=shown_name(person.family_name),
            quota_bytes=quota,
            source=source,
            external_id=person.external_id[:ID_LONGEST],
            created=now,
            ceilings=ceilings(self._settings, home),
        )
        trace = Audit(
            at=now,
            actor=f"source {source}",
            door="sign-in",
            address="",
            operation="account.add",
            subject=f"account:{own}",
            office=home.office,
            domain=home.name,
            after={"address": own, "source": source, "external_id": person.external_id, "quota_bytes": quota},
        )
        await self._store.commit(value, trace)
        self._telemetry.event("auth.newcomer", account=own, source=source)
        return own


def shown_name(text: str) -> str:
    """Return a name that a source gave, as one printable line of a length that people use."""
    return "".join(letter for letter in text if letter.isprintable())[:NAME_LONGEST].strip()
