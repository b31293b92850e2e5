"""Users of a Unix system: passwd, shadow and aliases, given as files (DI-11).

Tests: ``tests/unit/services/administration/importing/test_import_system_users.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing import schemes
from posthouse.services.administration.importing.local_aliases import read_local_aliases
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedDomain,
    Record,
    Unmapped,
)
from posthouse.services.administration.importing.source import Lines, SourceFile, Tree, Unreadable, survey
from posthouse.store.directory_values import AccountState

USERS_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemOptions:
    """Which users become accounts: those with a uid in the range, of ``domain``."""

    domain: str
    lowest_uid: int = 1000
    highest_uid: int = 59999


def read_system_users(tree: Tree, options: SystemOptions) -> Iterator[Record]:
    """Yield the accounts of ``passwd`` with the hashes of ``shadow``, and ``aliases`` where there is one."""
    passwd = tree.find("passwd")
    if passwd is None:
        raise Unreadable("passwd", "is not there", "Name a folder or archive with passwd, shadow and aliases.")
    shadow = tree.find("shadow")
    hashes = _hashes(shadow) if shadow else {}
    domain = options.domain
    yield ImportedDomain(where=passwd.name, name=domain, implied=True)
    if shadow is None:
        yield Unmapped(what="passwords", where=passwd.name, why="there is no shadow file beside it")
    users: set[str] = set()
    for where, fields in _colons(passwd):
        if len(fields) < 7 or not fields[2].isdecimal():
            yield Flawed(where=where, why="the line is none of passwd(5)")
        elif options.lowest_uid <= int(fields[2][:10]) <= options.highest_uid:
            users.add(fields[0].lower())
            yield from _account(where, fields, hashes.get(fields[0], fields[1]), domain)
    aliases = tree.find("aliases")
    if aliases:
        yield from read_local_aliases(aliases, tree, domain, users)


def _account(where: str, fields: list[str], hashed: str, domain: str) -> Iterator[Record]:
    address = f"{fields[0]}@{domain}"
    locked = hashed.startswith(("!", "*")) or hashed == "x"
    encoded = ""
    if hashed and not locked:
        try:
            encoded = schemes.spelled(hashed)
        except Refused as fault:
            yield Unmapped(what=f"the password of {address}", where=where, why=fault.detail)
    yield ImportedAccount(
        where=where,
        address=address,
        password_hash=encoded,
        name=fields[4].split(",")[0].replace("&", fields[0].capitalize()).strip() or None,
        state=AccountState.SIGN_IN_DISABLED if hashed.startswith(("!", "*")) else None,
        external_id=fields[2],
    )


def _hashes(file: SourceFile) -> dict[str, str]:
    found: dict[str, str] = {}
    for where, fields in _colons(file):
        if len(fields) > 1:
            found[fields[0]] = fields[1]
        if len(found) > USERS_MAX:
            raise Unreadable(where, f"there are more than {USERS_MAX} users")
    return found


def _colons(file: SourceFile) -> Iterator[tuple[str, list[str]]]:
    lines = Lines(file, survey(file).encoding)
    for line in lines:
        if line.strip() and not line.startswith(("#", "+", "-")):
            yield lines.where(), line.rstrip("\r\n").split(":")
