"""Whether a caller may: role, reach and scopes, in one place.

The order of the questions: do the scopes of the credential cover the noun; is the role high enough; is the target
within reach. Outside one's reach the answer is the same whether or not the thing exists, so that nobody learns what
another customer has. Two guards that operations call: nobody touches an account above his own level, and nobody
grants more than he has. Tests: ``tests/unit/services/administration/test_access.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from posthouse.core.address import fold_domain
from posthouse.core.errors import SyntaxFault
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.reach import Reach, Target
from posthouse.store.contract import Store
from posthouse.store.directory_rows import AccountRow
from posthouse.store.directory_values import Level

if TYPE_CHECKING:
    from posthouse.services.administration.operation import Operation

_NEEDS = {
    Role.ACCOUNT: "an account",
    Role.DOMAIN: "an administrator of the domain",
    Role.OFFICE: "an administrator of the post office",
    Role.SERVER: "an administrator of the server",
}


async def authorise(store: Store, caller: Caller, operation: Operation[Any, Any], given: Any) -> None:
    """Return where the caller may call the operation with this input. Raises Refused: FORBIDDEN."""
    if not caller.allows(operation.noun, writes=operation.writes):
        kind = "write" if operation.writes else "read"
        raise Refused(
            f"this token may not {kind} {operation.noun}",
            f"Use one with the scope {operation.noun}:{kind}.",
            kind=Kind.FORBIDDEN,
        )
    require_role(caller, operation.rule.least, operation.name)
    if caller.role is not Role.SERVER:
        target = operation.rule.target(given)
        if not await reaches(store, caller, target):
            raise outside(target)


def require_role(caller: Caller, least: Role, what: str) -> None:
    """Raise Refused: FORBIDDEN, unless the caller has at least a role; ``what`` names what needs it."""
    if caller.role < least:
        raise Refused(f"{what} takes {_NEEDS[least]}", "Ask somebody who is.", kind=Kind.FORBIDDEN)


def require_over(caller: Caller, row: AccountRow) -> None:
    """Raise Refused: FORBIDDEN, where an account administers more than the caller does."""
    if Role.of(row.level) > caller.role:
        raise Refused(
            f"{row.address} administers more than you do",
            f"It takes {_NEEDS[Role.of(row.level)]}.",
            kind=Kind.FORBIDDEN,
        )


def require_above(caller: Caller, row: AccountRow, what: str) -> None:
    """Raise Refused: FORBIDDEN, unless the caller administers more than an account does, or the whole server.

    For what would let one administrator act as another of his own level, unseen by that one.
    """
    if caller.role is not Role.SERVER and Role.of(row.level) >= caller.role:
        raise Refused(
            f"{what} of {row.address} takes an administrator above that account",
            "Ask one, or its owner.",
            kind=Kind.FORBIDDEN,
        )


def require_grant(caller: Caller, level: Level) -> None:
    """Raise Refused: FORBIDDEN, where a level would be more than the caller has.

    Whoever administers may do all that his level may; a credential that may less makes no such account, and gives none
    a password.
    """
    if level is not Level.USER and "*" not in caller.scopes:
        raise Refused(
            f"an account of the level {level.value} may more than this token",
            "Use a token with the scope *.",
            kind=Kind.FORBIDDEN,
            field="level",
        )
    if Role.of(level) > caller.role:
        raise Refused(
            f"the level {level.value} is more than you have", "Nobody grants more.", kind=Kind.FORBIDDEN, field="level"
        )


def outside(target: Target) -> Refused:
    """Return the refusal of what is not within reach."""
    what = target.name or f"the {target.reach.value}"
    return Refused(f"{what} is outside what you administer", kind=Kind.FORBIDDEN)


async def reaches(store: Store, caller: Caller, target: Target) -> bool:
    """Whether a target is within a caller's reach."""
    if caller.role is Role.SERVER or target.reach is Reach.OWN:
        return True
    if target.reach is Reach.SERVER:
        return False
    if target.reach is Reach.OFFICE:
        return caller.role is Role.OFFICE and target.name == caller.office
    if target.reach is Reach.ACCOUNT and caller.role is Role.ACCOUNT:
        return target.name.lower() == caller.account
    if target.reach is Reach.ACCOUNT:
        return await _reaches_domain(store, caller, target.name.rpartition("@")[2])
    return await _reaches_domain(store, caller, target.name)


def domains_of(target: Target) -> set[str]:
    """Return the domain that a target is, or is in, folded; nothing where it names none."""
    if target.reach not in {Reach.DOMAIN, Reach.ACCOUNT}:
        return set()
    name = target.name.rpartition("@")[2] if target.reach is Reach.ACCOUNT else target.name
    try:
        return {fold_domain(name)} if name else set()
    except SyntaxFault:
        return set()


async def _reaches_domain(store: Store, caller: Caller, name: str) -> bool:
    """Whether a domain, or the one it is an alias of, is the caller's, or in his post office."""
    try:
        row = await store.domain(fold_domain(name))
    except SyntaxFault:
        return False
    if row is None:
        return False
    if caller.role is Role.DOMAIN:
        return caller.domain in {row.name, row.alias_of}
    return caller.role is Role.OFFICE and row.office == caller.office
