"""What the sign-in sources of a person say to a password, one after the other, and what else decides about a sign-in.

Asks as ``identity.authentication`` does, in the same order and with the same rules, and tells each answer instead of
the sum. It lets nobody in and counts nothing: the sign-in itself is made at the listener (``sign_in``).
Tests: ``tests/unit/services/administration/diagnosis/test_explainer.py``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from posthouse.config.definitions.auth import NEXT_SOURCE_AFTER, PROTOCOLS, SECOND_FACTOR_MAIL, SOURCE_BUDGET
from posthouse.config.settings import Settings
from posthouse.core.clock import Clock
from posthouse.services.administration.diagnosis.sign_in_steps import Step
from posthouse.services.identity.logins import Logins
from posthouse.services.identity.passwords import Passwords
from posthouse.services.identity.sources.contract import (
    OWN,
    Down,
    Granted,
    Login,
    SourceAnswer,
    SourcePerson,
    Unknown,
    Wrong,
    login_of,
)
from posthouse.services.identity.sources.registry import Sources
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import CredentialKind

_LOOPBACK: Final = ipaddress.ip_address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains; ``explain`` is ``DiagnosisParts.explain_sign_in``."""

    store: Store
    settings: Settings
    clock: Clock
    logins: Logins
    passwords: Passwords
    sources: Sources

    async def explain(self, login: str, password: bytes, protocol: str) -> Sequence[Step]:
        """Return the steps. Raises Unavailable."""
        account = await self.logins.account(login)
        domain = await self.logins.domain_of(account.address if account is not None else login)
        steps = [await self._ban_step(account.address if account is not None else login.lower())]
        steps += await self._source_steps(login, domain, password, protocol, account)
        if account is not None:
            steps += await self._policy_steps(account, domain, protocol)
        return steps

    # ---- bans -----------------------------------------------------------------------------------------------------

    async def _ban_step(self, name: str) -> Step:
        now = self.clock.now()
        bans = [ban for ban in await self.store.bans() if ban.until > now and ban.account in {"", name}]
        if not bans:
            return Step(name="bans", is_good=True, text="nobody is kept from signing in as it")
        here = [ban for ban in bans if _holds(ban.network)]
        # Who is kept out from every account was counted for the people of all domains: that is not told here.
        own = [f"{ban.network} ({ban.reason})" for ban in bans if ban.account][:5]
        others = sum(not ban.account for ban in bans)
        words = ", ".join([*own, *([f"{others} networks from every account"] if others else [])])
        return Step(
            name="bans",
            is_good=not here,
            text=f"kept out: {words}",
            remedy="A ban ends by itself; an administrator may lift it.",
        )

    # ---- sources --------------------------------------------------------------------------------------------------

    async def _source_steps(
        self, login: str, domain: str, password: bytes, protocol: str, account: AccountRow | None
    ) -> list[Step]:
        order = self.sources.order(domain)
        steps = [Step(name="sources", is_good=None, text=f"asked in this order: {', '.join(order)}")]
        name = account.address if account is not None else login
        asked = login_of(name, default_domain=domain, protocol=protocol)
        passes_on = self.settings.get(NEXT_SOURCE_AFTER, domain=domain)
        for source in order:
            answer = await self._ask(source, asked, password, account)
            steps.append(_source_step(source, answer))
            if isinstance(answer, Granted):
                return steps
            if isinstance(answer, Wrong) and "wrong" not in passes_on:
                break
            if isinstance(answer, Down) and "down" not in passes_on:
                break
        steps.append(Step(name="sources", is_good=False, text="nobody granted it, and no further source is asked"))
        return steps

    async def _ask(self, source: str, login: Login, password: bytes, account: AccountRow | None) -> SourceAnswer:
        if source != OWN:
            budget = self.settings.get(SOURCE_BUDGET)
            return await self.sources.ask_one(source, lambda each: each.check_password(login, password), budget)
        if account is None or not account.password_hash:
            return Unknown()
        if await self.passwords.verify(account.password_hash, password):
            return Granted(SourcePerson(address=account.address))
        return Wrong("the password is another")

    # ---- what else decides ----------------------------------------------------------------------------------------

    async def _policy_steps(self, account: AccountRow, domain: str, protocol: str) -> list[Step]:
        allowed = self.settings.get(PROTOCOLS, account=account.address)
        is_allowed = protocol in allowed
        value = ", ".join((*allowed, protocol))
        remedy = f"posthouse setting set auth.protocols '{value}' --scope account:{account.address}"
        words = "may be used" if is_allowed else f"may not be used, only {', '.join(allowed) or 'none'}"
        steps = [
            Step(name="protocol", is_good=is_allowed, text=f"{protocol} {words}", remedy="" if is_allowed else remedy)
        ]
        factors = await self.store.credentials(account.address, CredentialKind.TOTP)
        if factors and self.settings.get(SECOND_FACTOR_MAIL, domain=domain) == "app-password":
            text = "the account has a second factor: mail programs need an app password"
            steps.append(Step(name="second factor", is_good=None, text=text))
        if account.must_change_password:
            text = "the password has to be changed before mail programs may use it"
            steps.append(Step(name="password", is_good=False, text=text, remedy="Let its owner change it."))
        return steps


def _holds(network: str) -> bool:
    try:
        return _LOOPBACK in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _source_step(source: str, answer: SourceAnswer) -> Step:
    name = "source own" if source == OWN else f"source {source}"
    if isinstance(answer, Granted):
        return Step(name=name, is_good=True, text="granted")
    if isinstance(answer, Wrong):
        return Step(name=name, is_good=False, text=f"wrong: {answer.detail or 'the password is another'}")
    if isinstance(answer, Down):
        text = f"cannot say now: {answer.detail}"
        return Step(name=name, is_good=False, text=text, remedy=f"posthouse source test {source}")
    return Step(name=name, is_good=None, text="does not know the name")
