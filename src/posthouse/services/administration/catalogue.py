"""All operations, found by noun; a noun's file is imported when somebody asks for it.

Tests: ``tests/unit/services/administration/test_catalogue.py``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posthouse.services.administration.operation import Operation

# Noun -> file in ``operations`` and one line of help. A noun may share its file with another.
NOUNS: dict[str, tuple[str, str]] = {
    "account": ("account", "Accounts: people and their mailboxes."),
    "alias": ("alias", "Aliases: addresses that lead to others."),
    "apply": ("snapshot", "Bring the directory and the settings to the state of a file."),
    "audit": ("audit", "The audit log: who did what, from where."),
    "domain": ("domain", "Domains and alias domains."),
    "event": ("event", "Live events, as they happen."),
    "export": ("export", "Take accounts, domains, aliases, groups or a mailbox out, as files that others read."),
    "group": ("group", "Groups: addresses with members, for mail and for rights."),
    "job": ("job", "Long work that goes on by itself, and how far it is."),
    "import": ("import_", "Bring in what another mail system holds: a dry run says what would be."),
    "office": ("office", "Post offices: customers with domains, administrators and limits of their own."),
    "route": ("route", "Next hops: of a domain, of all below it, of everything (the smart host)."),
    "session": ("session", "Connections that are open now."),
    "setting": ("setting", "Settings, with scope, explanation and history."),
    "shared": ("shared", "Shared mailboxes: reached by their members, with rights."),
    "snapshot": ("snapshot", "The directory and the settings as one readable file."),
    "undo": ("snapshot", "Take back a change that the audit log tells of."),
    "token": ("token", "Tokens of the API."),
}


def operations_of(noun: str) -> tuple[Operation[Any, Any], ...]:
    """Return the operations of a noun; none where there is no such noun."""
    if noun not in NOUNS:
        return ()
    module = importlib.import_module(f"posthouse.services.administration.operations.{NOUNS[noun][0]}")
    return tuple(each for each in module.OPERATIONS if each.noun == noun)


def operation(name: str) -> Operation[Any, Any]:
    """Return an operation by its name ``noun.verb``. Raises KeyError."""
    for each in operations_of(name.partition(".")[0]):
        if each.name == name:
            return each
    raise KeyError(name)


def all_operations() -> Iterator[Operation[Any, Any]]:
    """Yield every operation, in order of noun."""
    for noun in sorted(NOUNS):
        yield from operations_of(noun)
