"""What completes the values of arguments and options: settings, scopes, and what the directory of this machine holds.

Quick and silent: a completion that cannot be made is none. Servers elsewhere are not asked.
Tests: ``tests/unit/cli/test_completion.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from posthouse.cli.parameters import Completer
from posthouse.cli.target import said_in, target_of
from posthouse.config.home import Home
from posthouse.services.administration.operation import Operation

if TYPE_CHECKING:
    from posthouse.store.contract import Store

MOST: Final = 50
_ADDRESSES: Final = frozenset(
    {"address", "targets", "members", "member", "account", "catch_all", "postmaster", "abuse", "what"}
)
_DOMAINS: Final = frozenset({"domain", "alias_of"})
_KINDS: Final = ("server", "office:", "domain:", "account:")
Finder = Callable[["Store", str], Awaitable[list[str]]]


def completer_for(operation: Operation[Any, Any]) -> Callable[[str], Completer | None]:
    """Return what says what completes a field of an operation."""

    def completer(name: str) -> Completer | None:
        if name == "name" and operation.noun == "setting":
            return _settings
        if name == "scope":
            return _scopes
        if operation.verb == "add" and name in operation.arguments[:1]:
            return None  # it is to be new
        finder = _finder(operation.noun, name)
        return _from_store(finder) if finder is not None else None

    return completer


def _finder(noun: str, name: str) -> Finder | None:
    if name == "address" and noun in {"alias", "group"}:
        return _aliases if noun == "alias" else _groups
    if name in _ADDRESSES:
        return _accounts
    if name in _DOMAINS or (name == "name" and noun == "domain"):
        return _routes if noun == "route" else _domains
    if name == "office" or (name == "name" and noun == "office"):
        return _offices
    return None


def _from_store(finder: Finder) -> Completer:
    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(each) for each in _found(context, finder, incomplete)]

    return complete


def _settings(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from posthouse.config.definitions import DEFINITIONS

    return [CompletionItem(name) for name in sorted(DEFINITIONS) if name.startswith(incomplete)]


def _scopes(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    kind, colon, begun = incomplete.partition(":")
    finder = {"office": _offices, "domain": _domains, "account": _accounts}.get(kind)
    if not colon or finder is None:
        return [CompletionItem(each) for each in _KINDS if each.startswith(incomplete)]
    return [CompletionItem(f"{kind}:{each}") for each in _found(context, finder, begun)]


def _found(context: click.Context, finder: Finder, incomplete: str) -> list[str]:
    """Return up to a page of names that begin so, in lower case as the store keeps them."""
    try:
        target = target_of(said_in(context))
        if not isinstance(target, Home):
            return []
        begun = incomplete.lower()
        return [name for name in asyncio.run(_ask(target, finder, begun)) if name.startswith(begun)]
    except Exception:  # whatever it is, a person who presses Tab is not told
        return []


async def _ask(home: Home, finder: Finder, begun: str) -> list[str]:
    from posthouse.toolbox import opened_toolbox

    async with opened_toolbox(home) as tools:
        return await finder(tools.store, begun)


async def _accounts(store: Store, begun: str) -> list[str]:
    return [row.address for row in await store.accounts(after=begun, limit=MOST)]


async def _aliases(store: Store, begun: str) -> list[str]:
    return [row.address for row in await store.aliases(after=begun, limit=MOST)]


async def _groups(store: Store, begun: str) -> list[str]:
    return [row.address for row in await store.groups(after=begun, limit=MOST)]


async def _domains(store: Store, begun: str) -> list[str]:
    return [row.name for row in await store.domains(after=begun, limit=MOST)]


async def _offices(store: Store, begun: str) -> list[str]:
    return [row.name for row in await store.offices(after=begun, limit=MOST)]


async def _routes(store: Store, begun: str) -> list[str]:
    return [row.domain for row in await store.routes() if row.domain.startswith(begun)][:MOST]
