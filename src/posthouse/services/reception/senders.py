"""What MAIL gets: who may use which reverse-path (RFC 5321 §4.1.1.2, RFC 6409 §4, §6.1).

On submission listeners a client signs in first, and a client that signed in sends from addresses that are its
account's: its own and further ones, with a detail; aliases that lead to it (``address.alias_senders``); shared
mailboxes that let it send; groups it is in (``group.send_as``). On the mail exchange anyone may say anything, since a
reverse-path proves nothing there; a domain may choose to refuse strangers who use its own addresses.

Not here: SPF and its kin (checks of a later floor). Tests: ``tests/unit/services/reception/test_sender_rules.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.config.definitions.address import ALIAS_SENDERS
from posthouse.config.definitions.group import SEND_AS
from posthouse.config.definitions.smtp import MESSAGE_SIZE, REFUSE_UNPROVEN_SENDER, SENDER_MUST_OWN
from posthouse.config.settings import Settings
from posthouse.core import status
from posthouse.core.address import Address, parse_address
from posthouse.core.envelope import MailParameters
from posthouse.core.errors import SyntaxFault
from posthouse.core.outcome import Outcome, done, reject
from posthouse.services.identity.client import ClientInfo, ListenerClass
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.resolution import (
    AliasTargets,
    GroupMembers,
    LocalAccount,
    NotOurs,
    RelayDomain,
    Resolution,
)
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow

ALIAS_DEPTH: Final = 5
ALIAS_ADDRESSES: Final = 500

SENDER_OK = done("Sender ok", detail_code=status.ADDRESS_OTHER)
SIGN_IN_FIRST = reject(
    "Authentication required", code=530, detail_code=status.SECURITY_OTHER, rule="sender.authentication"
)
NOT_OWNER = reject(
    "Sender address is not yours",
    code=553,
    detail_code=status.NOT_AUTHORIZED,
    rule="sender.owner",
    setting="smtp.sender_must_own",
)
UNPROVEN = reject(
    "Sign in to send from this address",
    code=550,
    detail_code=status.NOT_AUTHORIZED,
    rule="sender.unproven",
    setting="smtp.refuse_unproven_sender",
)
TOO_BIG = reject(
    "Message exceeds the size limit",
    code=552,
    detail_code=status.MESSAGE_TOO_BIG,
    rule="size.announced",
    setting="smtp.message_size",
)


class SenderRules:
    """Judges reverse-paths."""

    def __init__(self, directory: Directory, store: Store, settings: Settings) -> None:
        self._directory = directory
        self._store = store
        self._settings = settings

    async def judge(self, client: ClientInfo, reverse_path: Address | None, parameters: MailParameters) -> Outcome:
        """Return the outcome of MAIL. Raises Unavailable where the directory cannot be read."""
        account = client.account
        sender = account.address if account is not None else ""
        if parameters.size is not None and parameters.size > self._settings.get(MESSAGE_SIZE, account=sender):
            return TOO_BIG
        if account is None:
            if client.listener_class is ListenerClass.SUBMISSION:
                return SIGN_IN_FIRST
            return await self._judge_stranger(client, reverse_path)
        if reverse_path is None:  # RFC 8098 §3: a mail program sends its MDN with the null path
            return SENDER_OK
        if not self._settings.get(SENDER_MUST_OWN, domain=account.address.rpartition("@")[2]):
            return SENDER_OK
        return SENDER_OK if await self.owns(account, reverse_path) else NOT_OWNER

    async def is_ours(self, address: Address | None) -> bool:
        """Whether an address is one that exists in a domain of ours."""
        if address is None:
            return False
        return isinstance(await self._directory.resolve(address), LocalAccount | AliasTargets | GroupMembers)

    async def owns(self, account: AccountRow, address: Address) -> bool:
        """Whether an account may send from an address. Raises Unavailable."""
        meaning = await self._directory.resolve(address)
        if isinstance(meaning, LocalAccount):
            return meaning.account.id == account.id or await self._shares(account, meaning.account)
        if isinstance(meaning, GroupMembers):
            group = meaning.group.address
            is_allowed = self._settings.get(SEND_AS, domain=group.rpartition("@")[2])
            return is_allowed and group in await self._directory.groups_of(account.address)
        if not isinstance(meaning, AliasTargets):
            return False
        allowed = self._settings.get(ALIAS_SENDERS, domain=address.domain)
        return allowed != "none" and await self._leads(account, address, meaning, alone=allowed == "sole")

    async def _shares(self, account: AccountRow, shared: AccountRow) -> bool:
        """Whether a member of a shared mailbox may send as it or on its behalf, also by a group the member is in."""
        shares = await self._store.shares(account=shared.address)
        allowed = {share.member for share in shares if share.send_as or share.send_on_behalf}
        if not allowed or account.address in allowed:
            return bool(allowed)
        return not allowed.isdisjoint(await self._directory.groups_of(account.address))

    async def _leads(self, account: AccountRow, address: Address, meaning: Resolution, *, alone: bool) -> bool:
        """Whether an alias leads to the account; with ``alone`` only where it leads to nobody else."""
        level, seen, is_found = [meaning], {address.folded}, False
        for _ in range(ALIAS_DEPTH):
            following: list[Resolution] = []
            for each in level:
                if isinstance(each, LocalAccount) and each.account.id == account.id:
                    is_found = True
                elif isinstance(each, AliasTargets):
                    fresh = _unseen(each.targets, seen)
                    following += [await self._directory.resolve(target) for target in fresh]
                elif alone:
                    return False
            if is_found and not alone:
                return True
            level = following
        return is_found and not level

    async def _judge_stranger(self, client: ClientInfo, reverse_path: Address | None) -> Outcome:
        if reverse_path is None or client.listener_class is not ListenerClass.MX:
            return SENDER_OK
        if not self._settings.get(REFUSE_UNPROVEN_SENDER, domain=reverse_path.domain):
            return SENDER_OK
        meaning = await self._directory.resolve(reverse_path)
        return SENDER_OK if isinstance(meaning, NotOurs | RelayDomain) else UNPROVEN


def _unseen(targets: tuple[str, ...], seen: set[str]) -> list[Address]:
    fresh: list[Address] = []
    for text in targets:
        try:
            address = parse_address(text)
        except SyntaxFault:
            continue
        if address.folded not in seen and len(seen) < ALIAS_ADDRESSES:
            seen.add(address.folded)
            fresh.append(address)
    return fresh
