"""Settings, as an administrator reads and changes them.

Every change is checked against its definition before it is stored. Tests:
``tests/unit/services/administration/test_setting_administration.py``.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from posthouse.config.definitions import DEFINITIONS
from posthouse.config.definitions.relay import NETWORKS
from posthouse.config.faults import SettingFault
from posthouse.config.setting import Scope, Setting
from posthouse.config.settings import Explanation
from posthouse.core.clock import Clock
from posthouse.services.administration import words
from posthouse.services.administration.diagnosis.relay_safety import review_networks
from posthouse.services.administration.faults import Refused
from posthouse.services.identity.inheritance import read_settings
from posthouse.store.contract import Store
from posthouse.store.directory_values import PutSetting

SERVER_SCOPE = "server"


class SettingAdministration:
    """The settings of a server."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def explain(self, name: str, scope: str = SERVER_SCOPE) -> tuple[Setting[object], Explanation]:
        """Return a setting's definition and what it is worth in a scope, with the scope that decided."""
        definition = _definition(name)
        domain, account = _place(await self._scope(definition, scope))
        settings = await read_settings(self._store)
        return definition, settings.explain(definition, domain=domain, account=account)

    async def list(self) -> list[Explanation]:
        """Return every setting with its value for the server, in order of name."""
        settings = await read_settings(self._store)
        return [settings.explain(DEFINITIONS[name]) for name in sorted(DEFINITIONS)]

    async def set(
        self, name: str, value: str, scope: str = SERVER_SCOPE, *, by: str = "", forced: bool = False
    ) -> Explanation:
        """Set a setting; ``forced`` allows an open relay. Raises Refused: naming the setting and what is allowed."""
        definition = _definition(name)
        place = await self._scope(definition, scope)
        try:
            parsed = definition.parse(value)
        except SettingFault as fault:
            raise Refused(fault.detail, fault.remedy) from None
        if definition is NETWORKS:
            _refuse_unsafe(NETWORKS.parse(value), forced=forced)
        text = definition.format(parsed)
        await self._store.commit(PutSetting(name=name, value=text, scope=place, by=by, at=self._clock.now()))
        return (await self.explain(name, scope))[1]

    async def unset(self, name: str, scope: str = SERVER_SCOPE, *, by: str = "") -> Explanation:
        """Take a setting back to what it inherits."""
        definition = _definition(name)
        place = await self._scope(definition, scope)
        await self._store.commit(PutSetting(name=name, value=None, scope=place, by=by, at=self._clock.now()))
        return (await self.explain(name, scope))[1]

    async def _scope(self, definition: Setting[object], text: str) -> str:
        kind, _, rest = text.partition(":")
        allowed = [scope.value for scope in definition.scopes]
        if kind not in {scope.value for scope in Scope} or (kind == SERVER_SCOPE) == bool(rest):
            raise Refused(f"{text!r} is not a scope", "Write server, domain:example.org or account:anna@example.org.")
        if kind not in allowed:
            raise Refused(
                f"{definition.name} cannot be set for one {kind}", f"It can be set for: {', '.join(allowed)}."
            )
        if kind == SERVER_SCOPE:
            return SERVER_SCOPE
        if kind == Scope.DOMAIN.value:
            name = words.domain_name(rest)
            if await self._store.domain(name) is None:
                raise Refused(f"there is no domain {name}")
            return f"domain:{name}"
        address = words.own_address(rest)
        if await self._store.account(address) is None:
            raise Refused(f"there is no account {address}")
        return f"account:{address}"


def _definition(name: str) -> Setting[object]:
    definition = DEFINITIONS.get(name)
    if definition is not None:
        return definition
    near = difflib.get_close_matches(name, DEFINITIONS, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`posthouse setting list` shows those there are."
    raise Refused(f"there is no setting {name}", hint)


def _refuse_unsafe(networks: Sequence[str], *, forced: bool) -> None:
    review = review_networks(networks)
    if review.unreadable:
        raise Refused(
            f"relay.networks: {review.unreadable[0]!r} is neither an IP address nor a network",
            "Write it like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48; several are separated by commas.",
        )
    if review.open and not forced:
        raise Refused(
            f"relay.networks: {', '.join(review.open)} would make this an open relay: anyone could send to anywhere",
            "Name the networks of your own machines only. --force sets it nevertheless.",
        )


def _place(scope: str) -> tuple[str, str]:
    kind, _, rest = scope.partition(":")
    return (rest if kind == "domain" else "", rest if kind == "account" else "")
