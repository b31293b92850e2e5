"""Who may send to a group: its policy asked with what is known of who sends.

A reverse-path proves nothing by itself. Of an address of ours it counts only from a client that signed in as its
account or that is in ``relay.networks``; a stranger's counts as it is told, so that a list may name people elsewhere.
A group that is reached as a member of another group of its own domain is not asked again: who may send to the whole
may send to its parts. Mail that the server itself sends is not asked.
Tests: ``tests/unit/services/routing/test_group_senders.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from posthouse.core import status
from posthouse.core.address import Address, format_local_part
from posthouse.core.outcome import Outcome, reject
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.resolution import LocalAccount, NotOurs, RelayDomain
from posthouse.store.directory_rows import AccountRow, GroupRow
from posthouse.store.directory_values import SenderPolicy

_WHY: Final = {
    SenderPolicy.SIGNED_IN: "only who has signed in may send to it",
    SenderPolicy.DOMAIN: "only accounts of its domain may send to it",
    SenderPolicy.MEMBERS: "only its members may send to it",
    SenderPolicy.LISTED: "only who is on its list may send to it",
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends. ``account`` is who signed in; ``is_trusted`` says that the client may speak for addresses of ours."""

    path: Address | None
    account: AccountRow | None = None
    is_trusted: bool = False


async def refusal_of(directory: Directory, group: GroupRow, sender: Sender) -> Outcome | None:
    """Return why a sender may not send to a group, or None where he may. Raises Unavailable."""
    if group.senders is SenderPolicy.ANYONE:
        return None
    proven = await _proven(directory, sender)
    if await _is_allowed(directory, group, sender, proven):
        return None
    return reject(
        f"Not allowed to send to this group: {_WHY[group.senders]}",
        detail_code=status.NOT_AUTHORIZED,
        rule="group.senders",
        setting=f"group {group.address} senders",
        detail=group.senders.value,
    )


async def _proven(directory: Directory, sender: Sender) -> frozenset[str]:
    """Return the addresses, folded, that count as the sender's."""
    account, path = sender.account, sender.path
    found = {account.address} if account is not None else set()
    if path is None:
        return frozenset(found)
    meaning = await directory.resolve(path)
    owner = meaning.account if isinstance(meaning, LocalAccount) else None
    if account is not None:
        counts = owner is not None and owner.id == account.id
    else:
        counts = sender.is_trusted or isinstance(meaning, NotOurs | RelayDomain)
    if counts:
        found.add(f"{format_local_part(path.local_part.lower())}@{path.domain}")
        if owner is not None:
            found.add(owner.address)
    return frozenset(found)


async def _is_allowed(directory: Directory, group: GroupRow, sender: Sender, proven: frozenset[str]) -> bool:
    policy = group.senders
    if policy is SenderPolicy.SIGNED_IN:
        return sender.account is not None or sender.is_trusted
    if policy is SenderPolicy.DOMAIN:
        home = group.address.rpartition("@")[2]
        return (sender.account is not None or sender.is_trusted) and any(
            address.rpartition("@")[2] == home for address in proven
        )
    if policy is SenderPolicy.LISTED:
        listed = frozenset(group.listed)
        return any(address in listed or address.rpartition("@")[2] in listed for address in proven)
    for address in proven:
        if group.address in await directory.groups_of(address):
            return True
    return False
