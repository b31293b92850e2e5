"""MailEnable's configuration in TAB files: the folder ``Config``, or an archive of it (DI-11).

``AUTH.TAB`` has names and passwords, ``ADDRESS-MAP.TAB`` which address (``[SMTP:anna@example.org]``) leads to which
mailbox (``[SF:postoffice/mailbox]``), ``POSTOFFICE.TAB`` and the domain table what there is, ``MAILBOX.TAB`` and
``GROUP.TAB`` below ``Postoffices/NAME`` the rest. Columns are those of MailEnable's objects; a first line that names
columns is believed before their order.

Passwords are taken where they are clear. Encrypted ones cannot be read by anybody but MailEnable and are told.
Tests: ``tests/unit/services/administration/importing/test_import_mailenable.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAddress,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    Record,
    Unmapped,
)
from posthouse.services.administration.importing.source import SourceFile, Tree, Unreadable
from posthouse.services.administration.importing.tab_file import TabRow, read_tab
from posthouse.store.directory_values import AccountState, Level

MOST: Final = 2_000_000
KIB: Final = 1024
_COLUMNS: Final = {
    "auth": ("username", "password", "status", "account", "rights", "description", "host"),
    "address-map": ("account", "destinationaddress", "sourceaddress", "scope", "status"),
    "postoffice": ("name", "status", "account", "host"),
    "domain": ("domainname", "accountname", "status", "domainredirectionstatus", "domainredirectionhosts"),
    "mailbox": ("mailbox", "redirectaddress", "redirectstatus", "status", "limit", "size", "postoffice"),
    "group": ("groupname", "recipientaddress", "groupstatus", "postoffice"),
    "members": ("address", "mailbox", "postoffice"),
}
_FILES: Final = (
    ("auth", re.compile(r"auth\.tab")),
    ("address-map", re.compile(r"address-?maps?\.tab")),
    ("postoffice", re.compile(r"postoffices?\.tab")),
    ("domain", re.compile(r"(?:smtp-?)?domains?\.tab")),
    ("mailbox", re.compile(r"mailbox(?:es)?\.tab")),
    ("group", re.compile(r"groups?\.tab")),
)
_SMTP: Final = re.compile(r"\[SMTP:([^\]]*)\]", re.IGNORECASE)
_STORE: Final = re.compile(r"\[SF:([^\]/]+)/([^\]]+)\]", re.IGNORECASE)
# What encryption leaves: long hexadecimal digits, or base64 with its padding. People's passwords are neither.
_HIDDEN: Final = re.compile(r"[0-9A-Fa-f]{32,}|[A-Za-z0-9+/]{22,}==?|\{[A-Z0-9-]+\}.*")
_LEVELS: Final = {"ADMIN": Level.OFFICE, "SYSADMIN": Level.SERVER, "USER": Level.USER}


@dataclass(slots=True)
class _Config:
    """What the tables say, keyed by ``postoffice/mailbox`` in lower case."""

    files: dict[str, list[SourceFile]] = field(default_factory=dict)
    members: list[SourceFile] = field(default_factory=list)
    domains: dict[str, tuple[str, TabRow]] = field(default_factory=dict)  # domain -> post office
    addresses: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # mailbox -> (address, where)
    catch_alls: dict[str, tuple[str, str]] = field(default_factory=dict)  # domain -> (mailbox or address, where)
    remote: list[tuple[str, str, str]] = field(default_factory=list)  # address -> address, where
    groups: dict[str, TabRow] = field(default_factory=dict)
    auth: dict[str, TabRow] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)  # mailbox -> first address

    def rows(self, kind: str) -> Iterator[tuple[str, TabRow]]:
        """Yield the rows of a table with the post office by whose folder they stand, "" for none."""
        for file in self.files.get(kind, ()):
            for row in read_tab(file, _COLUMNS[kind]):
                yield _office_of(file.name), row


def read_mailenable(tree: Tree) -> Iterator[Record]:
    """Yield the records of a MailEnable configuration. Raises Unreadable."""
    config = _Config()
    for file in tree.files():
        base = PurePosixPath(file.name).name.lower()
        folder = PurePosixPath(file.name).parent.name.lower()
        kind = next((kind for kind, pattern in _FILES if pattern.fullmatch(base)), "")
        if kind and folder not in {"groups", "lists"}:
            config.files.setdefault(kind, []).append(file)
        elif folder == "groups" and base.endswith(".tab"):
            config.members.append(file)
    if not {"auth", "mailbox"} & set(config.files):
        raise Unreadable("", "there is neither AUTH.TAB nor MAILBOX.TAB", "Name MailEnable's folder Config.")
    yield from _gather(config)
    yield from _offices(config)
    yield from _domains(config)
    yield from _mailboxes(config)
    yield from _aliases(config)
    yield from _groups(config)


def _office_of(name: str) -> str:
    parts = [part.lower() for part in PurePosixPath(name).parts]
    if "postoffices" in parts[:-2]:
        return PurePosixPath(name).parts[parts.index("postoffices") + 1]
    return ""


# -- reading ------------------------------------------------------------------------------------------------------


def _gather(config: _Config) -> Iterator[Record]:
    for office, row in config.rows("domain"):
        if row["domainname"]:
            config.domains[row["domainname"].lower()] = (row["accountname"] or office, row)
    for _, row in config.rows("address-map"):
        yield from _address_row(config, row)
    for office, row in config.rows("group"):
        config.groups[_key(row["postoffice"] or office, row["groupname"])] = row
    for _, row in config.rows("auth"):
        config.auth[row["username"].lower()] = row
    if max(len(config.addresses), len(config.auth), len(config.remote), len(config.domains)) > MOST:
        raise Unreadable("", f"there are more than {MOST} of one kind", "Import one post office at a time.")


def _key(office: str, mailbox: str) -> str:
    return f"{office}/{mailbox}".lower()


def _address_row(config: _Config, row: TabRow) -> Iterator[Record]:
    """Tell source and destination by their look: without named columns their order is not to be relied on."""
    cells = [row["sourceaddress"], row["destinationaddress"]]
    others = [cell for cell in row.fields.values() if cell.startswith("[") and cell not in cells]
    cells = [cell for cell in cells if cell.startswith("[")] + others
    source = next((cell for cell in cells if _SMTP.fullmatch(cell)), "")
    target = next((cell for cell in cells if cell != source), "")
    match = _SMTP.fullmatch(source)
    if match is None or not target:
        yield Flawed(where=row.where, why="the row maps no [SMTP:address] to anything")
        return
    address = match[1]
    stored, sent = _STORE.fullmatch(target), _SMTP.fullmatch(target)
    if stored is None and sent is None:
        yield Unmapped(what=f"{address} leads to {target[:100]}", where=row.where, why="lists are not imported")
        return
    if address.startswith("*@"):
        place = _key(stored[1], stored[2]) if stored else (sent[1] if sent else "")
        config.catch_alls[address[2:].lower()] = (place, row.where)
    elif stored:
        config.addresses.setdefault(_key(stored[1], stored[2]), []).append((address, row.where))
    elif sent:
        config.remote.append((address, sent[1], row.where))


# -- records ------------------------------------------------------------------------------------------------------


def _offices(config: _Config) -> Iterator[Record]:
    seen: set[str] = set()
    for _, row in config.rows("postoffice"):
        if row["name"] and row["name"].lower() not in seen:
            seen.add(row["name"].lower())
            yield ImportedOffice(where=row.where, name=row["name"], disabled=row["status"] == "0")
    for office, row in config.domains.values():
        if office and office.lower() not in seen:
            seen.add(office.lower())
            yield ImportedOffice(where=row.where, name=office)


def _first_address(config: _Config, office: str, mailbox: str) -> str:
    """The mailbox at a domain named as the post office, where that is mapped; else the first mapped; else a guess."""
    mapped = [address for address, _ in config.addresses.get(_key(office, mailbox), ())]
    for address in mapped:
        if address.lower() == f"{mailbox}@{office}".lower():
            return address
    for address in mapped:
        if address.lower().startswith(f"{mailbox.lower()}@"):
            return address
    if mapped:
        return mapped[0]
    domains = [domain for domain, (owner, _) in config.domains.items() if owner.lower() == office.lower()]
    home = office if "." in office and (office.lower() in domains or not domains) else next(iter(domains), "")
    return f"{mailbox}@{home}" if home else ""


def _domains(config: _Config) -> Iterator[Record]:
    for office, row in _mailbox_rows(config):
        key = _key(office, row["mailbox"])
        config.firsts[key] = _first_address(config, office, row["mailbox"])
    for domain, (office, row) in config.domains.items():
        catch, where = config.catch_alls.pop(domain, ("", ""))
        target = config.firsts.get(catch, catch)
        if catch and "@" not in target:
            yield Unmapped(what=f"the catch-all of {domain}: {catch}", where=where, why="there is no such mailbox")
            target = ""
        yield ImportedDomain(
            where=row.where, name=domain, office=office, catch_all=target, disabled=row["status"] == "0"
        )
        if row["domainredirectionstatus"] == "1":
            what = f"mail for {domain} goes on to {row['domainredirectionhosts'][:100]}"
            yield Unmapped(what=what, where=row.where, why="make a route for the domain")


def _mailbox_rows(config: _Config) -> Iterator[tuple[str, TabRow]]:
    for folder, row in config.rows("mailbox"):
        office = row["postoffice"] or folder
        if office and row["mailbox"]:
            yield office, row


def _mailboxes(config: _Config) -> Iterator[Record]:
    for office, row in _mailbox_rows(config):
        key = _key(office, row["mailbox"])
        first = config.firsts[key]
        if not first:
            why = "it has no address, and its post office has no domain"
            yield Unmapped(what=f"the mailbox {key}", where=row.where, why=why)
            continue
        yield from _account(config, row, first, f"{row['mailbox']}@{office}".lower())
        for address, where in config.addresses.pop(key, ()):
            if address.lower() != first.lower():
                yield ImportedAddress(where=where, address=address, account=first)


def _account(config: _Config, row: TabRow, address: str, login: str) -> Iterator[Record]:
    auth = config.auth.pop(login, None)
    secret = auth["password"] if auth else ""
    if secret and _HIDDEN.fullmatch(secret):
        why = "it looks encrypted: export the users from MailEnable with their passwords, or set new ones"
        yield Unmapped(what=f"the password of {address}", where=auth.where if auth else row.where, why=why)
        secret = ""
    limit = row["limit"].lstrip("-")
    state = AccountState.ACTIVE
    if row["status"] == "0":
        state = AccountState.DISABLED
    elif auth is None or auth["status"] == "0":
        state = AccountState.SIGN_IN_DISABLED
    yield ImportedAccount(
        where=row.where,
        address=address,
        password=secret.encode() if secret else None,
        name=(auth["description"] if auth else "") or None,
        quota_bytes=int(row["limit"]) * KIB if row["limit"].isdecimal() and len(limit) < 15 else 0,
        state=state,
        level=_LEVELS.get(auth["rights"].upper(), Level.USER) if auth else Level.USER,
    )
    if row["redirectstatus"] in {"1", "2"} and row["redirectaddress"]:
        what = f"{address} is redirected to {row['redirectaddress'][:200]}"
        yield Unmapped(what=what, where=row.where, why="forwards of an account come with its rules")


def _aliases(config: _Config) -> Iterator[Record]:
    for address, target, where in config.remote:
        yield ImportedAlias(where=where, address=address, targets=(target,))
    for login, row in config.auth.items():
        yield Unmapped(what=f"the login {login}", where=row.where, why="it has no mailbox in MAILBOX.TAB")
    for domain, (_, where) in config.catch_alls.items():
        yield Unmapped(what=f"the catch-all of {domain}", where=where, why="there is no such domain in the source")


def _groups(config: _Config) -> Iterator[Record]:
    addresses: dict[str, str] = {}
    for key, row in config.groups.items():
        match = _SMTP.fullmatch(row["recipientaddress"])
        mapped = config.addresses.pop(key, [])
        address = match[1] if match else (mapped[0][0] if mapped else "")
        if not address:
            yield Unmapped(what=f"the group {key}", where=row.where, why="no address leads to it")
            continue
        addresses[key] = address
        yield ImportedGroup(where=row.where, address=address, name=row["groupname"], disabled=row["groupstatus"] == "0")
    for file in config.members:
        group = addresses.get(_key(_office_of(file.name), PurePosixPath(file.name).stem))
        for row in read_tab(file, _COLUMNS["members"]):
            member = _member(config, row)
            if group and member:
                yield ImportedGroup(where=row.where, address=group, members=(member,), is_more=True)
            else:
                why = "its group or its address is not known"
                yield Unmapped(what=f"a member of {PurePosixPath(file.name).stem}", where=row.where, why=why)
    for key, mapped in config.addresses.items():
        for address, where in mapped:
            yield Unmapped(what=f"{address} leads to {key}", where=where, why="there is no such mailbox or group")


def _member(config: _Config, row: TabRow) -> str:
    for cell in row.fields.values():
        if match := _SMTP.fullmatch(cell):
            return match[1]
        if match := _STORE.fullmatch(cell):
            return config.firsts.get(_key(match[1], match[2]), "")
    return row["address"] if "@" in row["address"] else ""
