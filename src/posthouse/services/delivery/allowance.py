"""How many recipients a person may send to within an hour, by himself, with his domain, with his post office.

Counted in the same commit as the message, by every worker together, so that calls at the same time cannot pass a limit.
Where no limit is set nothing is counted. Tests: ``tests/unit/services/delivery/test_allowance.py``.
"""

from __future__ import annotations

from posthouse.config.definitions.limit import NO_LIMIT, RECIPIENTS_PER_HOUR
from posthouse.config.settings import Settings
from posthouse.services.delivery.accepted import Accepted
from posthouse.store.directory_values import SpendAllowance
from posthouse.store.values import Change


class Allowances:
    """What mail from who signed in costs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def spent(self, accepted: Accepted) -> list[Change]:
        """Return what is to be counted with a message; nothing for mail of strangers, and where no limit is set."""
        account = accepted.client.account
        if account is None:
            return []
        limits = self._limits(account.address)
        return [SpendAllowance(recipients=len(accepted.recipients), at=accepted.at, limits=limits)] if limits else []

    def _limits(self, address: str) -> tuple[tuple[str, int], ...]:
        domain = address.rpartition("@")[2]
        scopes = self._settings.set_in(RECIPIENTS_PER_HOUR, domain=domain, account=address)
        own = scopes.get(f"account:{address}", scopes.get("server", RECIPIENTS_PER_HOUR.default))
        together = [(scope, most) for scope, most in scopes.items() if scope.startswith(("domain:", "office:"))]
        return tuple((holder, most) for holder, most in [(f"account:{address}", own), *together] if most != NO_LIMIT)
