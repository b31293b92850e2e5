"""What people are told of changes to their own accounts: planned beforehand, written in the same commit as the change.

So nobody is told of what was not done, and nothing is done behind anybody's back. The greeting of a new account comes
right after it, since there is no mailbox before; an account that cannot be greeted stands all the same.
Tests: ``tests/unit/services/administration/messages/test_occasions.py``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from posthouse.core.errors import Fault
from posthouse.services.administration.call import Call
from posthouse.services.administration.messages.definitions import Value
from posthouse.services.administration.messages.post import ServerMail, moment_text, server_mail, size_text
from posthouse.store.directory_rows import AccountRow
from posthouse.store.values import Delivery

Commit: TypeAlias = Callable[[Delivery], Awaitable[Any]]


async def tell_owner(call: Call, name: str, account: AccountRow, **values: Value) -> None:
    """Let the next commit of a call tell an account's owner what it does. Raises Unavailable."""
    delivery = await server_mail(call.desk).to_owner(name, account, {**values, **done_by(call)})
    if delivery is not None:
        call.along.append(delivery)


async def tell_postmaster(call: Call, name: str, domain: str, **values: Value) -> None:
    """Let the next commit of a call tell who answers for a domain what it does. Raises Unavailable."""
    delivery = await server_mail(call.desk).to_address(name, f"postmaster@{domain}", {**values, **done_by(call)})
    if delivery is not None:
        call.along.append(delivery)


def done_by(call: Call) -> dict[str, Value]:
    """Return the variables that say when, by whom and from where."""
    caller = call.caller
    return {"at": moment_text(call.desk.clock.now()), "by": caller.name, "client": caller.address}


async def welcome(call: Call, account: AccountRow) -> None:
    """Greet a new account that was just committed."""
    if not call.dry_run:
        await greet(server_mail(call.desk), account, call.desk.store.commit)


async def greet(mail: ServerMail, account: AccountRow, commit: Commit) -> None:
    """Greet a new account; what hinders it is no reason to say that the account was not made."""
    with contextlib.suppress(Fault):
        delivery = await mail.to_owner("welcome", account, {"quota": size_text(account.quota_bytes)})
        if delivery is not None:
            await commit(delivery)
