"""Dovecot's passwd-file: ``user:password:uid:gid:gecos:home:shell:extra fields``.

Tests: ``tests/unit/services/administration/importing/test_import_postfix.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing import schemes
from posthouse.services.administration.importing.records import Flawed, ImportedAccount, Record, Unmapped
from posthouse.services.administration.importing.source import Lines, SourceFile, survey
from posthouse.store.directory_values import AccountState

_FACTORS: Final = {"": 1024, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_RULE: Final = re.compile(r"(storage|bytes|messages)=(\d{1,15})([bkmgt]?)", re.IGNORECASE)


def read_passwd_file(file: SourceFile, domain: str = "") -> Iterator[Record]:
    """Yield the accounts of a passwd-file; ``domain`` is put behind names that have none. Raises Unreadable."""
    lines = Lines(file, survey(file).encoding)
    for raw in lines:
        line = raw.rstrip("\r\n")
        if not line.strip() or line.startswith("#"):
            continue
        try:
            yield from _entry(line, lines.where(), domain)
        except Refused as fault:
            yield Flawed(where=lines.where(), why=fault.detail, remedy=fault.remedy)


def _entry(line: str, where: str, domain: str) -> Iterator[Record]:
    fields = line.split(":", 7)
    user = fields[0].strip()
    if not user:
        raise Refused("the line has no user")
    address = user if "@" in user or not domain else f"{user}@{domain}"
    if "@" not in address:
        raise Refused(f"{user!r} has no domain, and none was given for such names")
    encoded = fields[1] if len(fields) > 1 else ""
    extra = dict(_extras(fields[7] if len(fields) > 7 else ""))
    is_locked = encoded.startswith(("!", "*")) or "nologin" in extra
    password: bytes | None = None
    hashed = ""
    if encoded and not encoded.startswith(("!", "*")):
        try:
            password, hashed = schemes.clear_or_hash(encoded)
        except Refused as fault:
            yield Unmapped(what=f"the password of {address}", where=where, why=fault.detail)
    octets, messages = _quota(extra)
    yield ImportedAccount(
        where=where,
        address=address,
        password=password,
        password_hash=hashed,
        name=(fields[4].split(",")[0].strip() if len(fields) > 4 else "") or None,
        quota_bytes=octets,
        quota_messages=messages,
        state=AccountState.SIGN_IN_DISABLED if is_locked else None,
    )
    if "allow_nets" in extra or "userdb_allow_nets" in extra:
        yield Unmapped(what=f"the networks {address} may come from", where=where, why="sign-in is from anywhere")
    if "nopassword" in extra:
        yield Unmapped(what=f"{address} needs no password", where=where, why="everybody needs one here")


def _extras(text: str) -> Iterator[tuple[str, str]]:
    for word in text.split():
        name, _, value = word.partition("=")
        yield name.lower(), value


def _quota(extra: dict[str, str]) -> tuple[int | None, int | None]:
    """``*:storage=1G:messages=1000``; without a unit storage counts KiB, bytes octets."""
    octets = messages = None
    for name, value in extra.items():
        if not re.fullmatch(r"(?:userdb_)?quota_rule\d?", name) or not value.startswith("*:"):
            continue
        for kind, number, unit in _RULE.findall(value):
            if kind.lower() == "messages":
                messages = int(number)
            else:
                octets = int(number) * (1 if kind.lower() == "bytes" and not unit else _FACTORS[unit.lower()])
    return octets, messages
