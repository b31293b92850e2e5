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
    "app-password": ("app_password", "App passwords: one for each mail program, shown once."),
    "apply": ("snapshot", "Bring the directory and the settings to the state of a file."),
    "audit": ("audit", "The audit log: who did what, from where."),
    "ban": ("ban", "Bans: networks that may not sign in, and why."),
    "check": ("check", "Look for what is wrong, with remedies; the DNS records to publish."),
    "domain": ("domain", "Domains and alias domains."),
    "event": ("event", "Live events, as they happen."),
    "export": ("export", "Take accounts, domains, aliases, groups or a mailbox out, as files that others read."),
    "group": ("group", "Groups: addresses with members, for mail and for rights."),
    "job": ("job", "Long work that goes on by itself, and how far it is."),
    "import": ("import_", "Bring in what another mail system holds: a dry run says what would be."),
    "journey": ("journey", "What happened to messages, and why."),
    "notice": ("notice", "Messages to all users of the server, a post office, a domain or a group."),
    "office": ("office", "Post offices: customers with domains, administrators and limits of their own."),
    "queue": ("queue", "Mail that waits for other servers."),
    "passkey": ("passkey", "Passkeys: keys of a device or a browser as second factor."),
    "purge": ("purge", "Messages removed by age, mailbox and size."),
    "route": ("route", "Next hops: of a domain, of all below it, of everything (the smart host)."),
    "second-factor": ("second_factor", "Second factors: an authenticator, and recovery codes."),
    "session": ("session", "Connections that are open now."),
    "setting": ("setting", "Settings, with scope, explanation and history."),
    "shared": ("shared", "Shared mailboxes: reached by their members, with rights."),
    "snapshot": ("snapshot", "The directory and the settings as one readable file."),
    "status": ("status", "What runs, how many sessions, what waits."),
    "undo": ("snapshot", "Take back a change that the audit log tells of."),
    "source": ("source", "Sign-in sources: LDAP, SQL, PAM, OpenID, a web service."),
    "token": ("token", "Tokens of the API."),
    "wording": ("wording", "The words of messages that the server writes, in several languages."),
    "verify": ("verify", "Check every invariant of the store."),
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
