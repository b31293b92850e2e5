"""Whose account a name at sign-in means, in any state: what it may do is decided after its secret was right.

Accounts sign in with their first or a further address. A detail of plus-addressing, a catch-all or the postmaster by
default is nobody's name. A bare name is looked for in the default domain, then taken where only one domain has it.
Tests: ``tests/unit/services/identity/test_authentication.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.core.address import format_local_part, parse_address
from posthouse.core.errors import SyntaxFault
from posthouse.services.identity.directory import Directory
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow

DOMAINS_FOR_SHORT_NAME: Final = 200


async def account_named(login: str, directory: Directory, store: Store) -> AccountRow | None:
    """Return the account that a name means; None where it is nobody's. Raises Unavailable."""
    if "@" in login:
        return await _account_at(login, directory, store)
    domain = await directory.default_domain()
    if domain and (account := await _account_at(f"{login}@{domain}", directory, store)) is not None:
        return account
    return await _only_namesake(login, directory, store)


async def _account_at(text: str, directory: Directory, store: Store) -> AccountRow | None:
    try:
        address = parse_address(text)
    except SyntaxFault:
        return None
    domain = await directory.domain(address.domain)
    if domain is None or domain.disabled:
        return None
    return await store.account(f"{format_local_part(address.local_part.lower())}@{domain.name}")


async def _only_namesake(name: str, directory: Directory, store: Store) -> AccountRow | None:
    """The one account of that local part in all our domains; None where there are several or none."""
    found: dict[int, AccountRow] = {}
    for domain in await store.domains(limit=DOMAINS_FOR_SHORT_NAME):
        account = await _account_at(f"{name}@{domain.name}", directory, store)
        if account is not None:
            found[account.id] = account
    return next(iter(found.values())) if len(found) == 1 else None
