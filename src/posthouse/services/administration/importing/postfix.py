"""Postfix's domains, addresses and routes, found by way of main.cf, with Dovecot's passwd-file beside it (DI-11).

The source is a folder such as /etc/postfix or an archive of it; tables are read from the text they are made of
(``hash:/etc/postfix/virtual`` from ``/etc/postfix/virtual``). What no file holds (regexp, mysql, ldap ...) is told.

Not here: settings and what is left out (``postfix_rest``).
Tests: ``tests/unit/services/administration/importing/test_import_postfix.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from posthouse.services.administration.importing.dovecot import read_passwd_file
from posthouse.services.administration.importing.local_aliases import read_local_aliases
from posthouse.services.administration.importing.postfix_rest import left_out, route_of, setting_records
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAlias,
    ImportedDomain,
    ImportedRoute,
    Record,
    Unmapped,
)
from posthouse.services.administration.importing.seen import Seen
from posthouse.services.administration.importing.source import SourceFile, Tree, Unreadable
from posthouse.services.administration.importing.text_maps import TEXT_TABLES, MainCf, read_table, table_of
from posthouse.store.directory_values import AliasKind

MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PostfixOptions:
    """What main.cf does not say: the passwd-file of Dovecot ("" for ``users`` or ``passwd`` if there), a domain."""

    passwd_file: str = ""
    domain: str = ""


@dataclass(slots=True)
class _State:
    """What was met so far: names are folded to lower case."""

    main: MainCf
    tree: Tree
    home: str
    local: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    accounts: Seen = field(default_factory=Seen)
    whole: dict[str, str] = field(default_factory=dict)  # what `@domain` leads to


def read_postfix(tree: Tree, options: PostfixOptions) -> Iterator[Record]:
    """Yield the records of a Postfix configuration. Raises Unreadable."""
    file = tree.find("main.cf")
    if file is None:
        raise Unreadable("main.cf", "is not there", "Name Postfix's folder, or an archive of it.")
    main = MainCf(file)
    home = options.domain or main.value("mydomain")
    state = _State(main, tree, home)
    _note_whole_domains(state)
    yield from _domains(state)
    yield from _accounts(state, options)
    yield from _virtual_aliases(state)
    yield from _local_aliases(state)
    yield from _relocated(state)
    yield from _routes(state)
    yield from setting_records(main)
    yield from left_out(main)


def _tables(state: _State, name: str) -> Iterator[tuple[str, SourceFile] | Unmapped]:
    """The text files behind a parameter that lists tables."""
    for word in state.main.words(name):
        kind, path = table_of(word)
        where = state.main.where(name)
        if kind in TEXT_TABLES:
            file = state.tree.find(path)
            if file is not None:
                yield where, file
            else:
                yield Unmapped(what=f"{name}: {word}", where=where, why="the text it is made of is not in the source")
        elif kind:
            yield Unmapped(what=f"{name}: {word}", where=where, why=f"a table of type {kind} has no text to read")


def _entries(state: _State, name: str) -> Iterator[tuple[str, str, str] | Unmapped]:
    for table in _tables(state, name):
        if isinstance(table, Unmapped):
            yield table
        else:
            yield from read_table(table[1])


def _note_whole_domains(state: _State) -> None:
    """Note ``@here @there``, which makes one domain stand for another, and ``@here address``, which is a catch-all."""
    for entry in _entries(state, "virtual_alias_maps"):
        if isinstance(entry, Unmapped) or not entry[1].startswith("@"):
            continue
        where, key, value = entry
        targets = [_qualified(word, state.home) for word in re.split(r"[,\s]+", value) if word]
        if len(targets) == 1:
            if len(state.whole) >= MOST:
                raise Unreadable(where, f"there are more than {MOST} domains")
            state.whole[key[1:].lower()] = targets[0]


# -- domains ------------------------------------------------------------------------------------------------------


def _domains(state: _State) -> Iterator[Record]:
    main = state.main
    for name in ("mydestination", "virtual_mailbox_domains", "virtual_alias_domains"):
        if name == "virtual_alias_domains" and main.lists_itself(name, "virtual_alias_maps"):
            continue  # its keys are found with the aliases
        if name == "virtual_mailbox_domains" and main.lists_itself(name, "virtual_mailbox_maps"):
            continue
        for word in main.words(name):
            if word.startswith("/") or table_of(word)[0]:
                yield from _domain_table(state, name, word)
            elif not word.startswith("localhost") and "." in word:
                yield from _domain(state, main.where(name), word)
                if name == "mydestination":
                    state.local.add(word.lower())


def _domain_table(state: _State, name: str, word: str) -> Iterator[Record]:
    kind, path = table_of(word)
    where = state.main.where(name)
    file = state.tree.find(path) if kind in TEXT_TABLES or not kind else None
    if file is None:
        yield Unmapped(what=f"{name}: {word}", where=where, why="there is no text to read in the source")
        return
    for place, key, _ in read_table(file):
        yield from _domain(state, place, key)


def _domain(state: _State, where: str, name: str) -> Iterator[Record]:
    folded = name.lower()
    if folded not in state.domains:
        if len(state.domains) >= MOST:
            raise Unreadable(where, f"there are more than {MOST} domains")
        state.domains.add(folded)
        target = state.whole.get(folded, "")
        is_alias = target.startswith("@")
        yield ImportedDomain(
            where=where, name=name, alias_of=target[1:] if is_alias else "", catch_all="" if is_alias else target
        )


# -- accounts -----------------------------------------------------------------------------------------------------


def _accounts(state: _State, options: PostfixOptions) -> Iterator[Record]:
    names = [options.passwd_file] if options.passwd_file else ["dovecot/users", "users", "passwd.dovecot"]
    file = next((found for name in names if (found := state.tree.find(name)) is not None), None)
    if file is None and options.passwd_file:
        raise Unreadable(options.passwd_file, "is not there", "Name Dovecot's passwd-file.")
    if file is not None:
        for record in read_passwd_file(file, state.home):
            if isinstance(record, ImportedAccount):
                state.accounts.add(record.address.lower())
                yield from _domain(state, record.where, record.address.rpartition("@")[2])
            yield record
    for entry in _entries(state, "virtual_mailbox_maps"):
        if isinstance(entry, Unmapped):
            yield entry
            continue
        where, key, _ = entry
        if "@" not in key:
            yield from _domain(state, where, key)
        elif key.startswith("@"):
            why = "a mailbox for every address of a domain: set a catch-all"
            yield Unmapped(what=f"virtual_mailbox_maps: {key}", where=where, why=why)
        elif state.accounts.add(key.lower()):
            yield from _domain(state, where, key.rpartition("@")[2])
            yield ImportedAccount(where=where, address=key)


# -- aliases ------------------------------------------------------------------------------------------------------


def _virtual_aliases(state: _State) -> Iterator[Record]:
    for entry in _entries(state, "virtual_alias_maps"):
        if isinstance(entry, Unmapped):
            yield entry
            continue
        where, key, value = entry
        targets = tuple(_qualified(word, state.home) for word in re.split(r"[,\s]+", value) if word)
        if key.startswith("@"):
            if len(targets) == 1:
                yield from _domain(state, where, key[1:])
            else:
                what = f"virtual_alias_maps: {key} with {len(targets)} targets"
                yield Unmapped(what=what, where=where, why="a catch-all leads to one address: make it a group")
        elif "@" in key:
            yield from _alias(state, where, key, targets)
        elif "." in key and (key.lower() in state.domains or _is_marker(value)):
            yield from _domain(state, where, key)
        else:
            yield from _alias(state, where, f"{key}@{state.home}", targets)


def _is_marker(value: str) -> bool:
    """A domain in a table of aliases has a value that is not used, such as ``anything``."""
    return len(value.split()) <= 1 and "@" not in value


def _qualified(word: str, home: str) -> str:
    return word if "@" in word else f"{word}@{home}"


def _alias(state: _State, where: str, address: str, targets: tuple[str, ...]) -> Iterator[Record]:
    folded = address.lower()
    if not targets:
        yield Flawed(where=where, why=f"the alias {address} has no target")
    elif tuple(target.lower() for target in targets) == (folded,):
        return  # an identity mapping keeps a catch-all away from an address
    elif folded in state.accounts or folded in (target.lower() for target in targets):
        others = ", ".join(target for target in targets if target.lower() != folded)
        why = "forwards of an account come with its rules"
        yield Unmapped(what=f"{address} forwards to {others[:200]}", where=where, why=why)
    else:
        yield from _domain(state, where, address.rpartition("@")[2])
        yield ImportedAlias(where=where, address=address, targets=targets)


def _local_aliases(state: _State) -> Iterator[Record]:
    if "alias_maps" not in state.main and state.tree.find("aliases") is None:
        return
    for table in _tables(state, "alias_maps"):
        if isinstance(table, Unmapped):
            yield table
            continue
        if state.home.lower() not in state.domains:
            yield from _domain(state, table[0], state.home)
        for record in read_local_aliases(table[1], state.tree, state.home, ()):
            if isinstance(record, ImportedAlias) and record.address.lower() in state.accounts:
                yield from _alias(state, record.where, record.address, record.targets)
            else:
                yield record


def _relocated(state: _State) -> Iterator[Record]:
    for entry in _entries(state, "relocated_maps"):
        if isinstance(entry, Unmapped):
            yield entry
            continue
        where, key, value = entry
        if "@" in key[1:] and "@" in value and len(value.split()) == 1:
            yield from _domain(state, where, key.rpartition("@")[2])
            yield ImportedAlias(where=where, address=key, targets=(value,), kind=AliasKind.RELOCATED)
        else:
            why = "a relocated address has one new address"
            yield Unmapped(what=f"relocated_maps: {key} {value}"[:200], where=where, why=why)


# -- routes -------------------------------------------------------------------------------------------------------


def _routes(state: _State) -> Iterator[Record]:
    main = state.main
    relayed: dict[str, str] = {}
    for word in main.words("relay_domains"):
        if table_of(word)[0] or word.startswith("/"):
            for record in _domain_table(state, "relay_domains", word):
                if isinstance(record, ImportedDomain):
                    relayed[record.name.lower()] = record.where
                else:
                    yield record
        elif word.lower() not in state.domains:
            relayed[word.lower()] = main.where("relay_domains")
    for entry in _entries(state, "transport_maps"):
        if isinstance(entry, Unmapped):
            yield entry
            continue
        where, key, value = entry
        strangers = key.lower() in relayed
        for record in route_of(where, key, value, recipients_local=strangers):
            if isinstance(record, ImportedRoute):
                relayed.pop(key.lower(), None)
            yield record
    for domain, where in relayed.items():
        if "." not in domain:
            continue
        yield ImportedRoute(where=where, domain=domain, host=domain, mx_lookup=True, recipients_local=True)
    if host := main.value("relayhost"):
        yield from route_of(main.where("relayhost"), "*", f"smtp:{host}", recipients_local=False)
