"""The database of hMailServer 5, as a dump (MySQL, PostgreSQL, SQLite) or an SQLite file, into records (DI-11).

Tables refer to each other by number and come in any order, so the source is read twice: once for domains, lists and
routes (thousands), once for what may be millions. Nothing is yielded before the first reading reached the end, so that
a dump that is cut off changes nothing. Column meanings are those of hMailServer's ``CreateTables*.sql``.

Tests: ``tests/unit/services/administration/importing/test_import_hmailserver.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing import schemes
from posthouse.services.administration.importing.hmailserver_rest import (
    LEFT_OUT,
    SETTINGS_WANTED,
    left_out,
    route_record,
    setting_records,
)
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    Record,
    Unmapped,
)
from posthouse.services.administration.importing.source import SourceFile, Unreadable, survey
from posthouse.services.administration.importing.sql_dump import Row, read_dump
from posthouse.services.administration.importing.sqlite_rows import is_sqlite, read_sqlite
from posthouse.store.directory_values import AccountState, Level, SenderPolicy

_FRAME: Final = ("hm_domains", "hm_domain_aliases", "hm_distributionlists", "hm_groups", "hm_routes", "hm_settings")
_BULK: Final = ("hm_accounts", "hm_aliases", "hm_distributionlistsrecipients", "hm_group_members", "hm_routeaddresses")
_LEVELS: Final = {0: Level.USER, 1: Level.DOMAIN, 2: Level.SERVER}
MIB: Final = 1024 * 1024
MOST_OF_ONE: Final = 1_000_000  # domains, lists or routes


def number(row: Row, name: str, default: int = 0) -> int:
    """Return a cell as a whole number. Raises Refused: where it is none."""
    value = row.cells.get(name, default)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise Refused(f"{name} is not a number") from None


def text(row: Row, name: str) -> str:
    """Return a cell as text without blanks around it, "" for NULL."""
    value = row.cells.get(name)
    return "" if value is None else str(value).strip()


@dataclass(slots=True)
class _Frame:
    """What the first reading gathers."""

    domains: dict[int, Row] = field(default_factory=dict)
    aliases: list[Row] = field(default_factory=list)
    lists: dict[int, Row] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    routes: dict[int, Row] = field(default_factory=dict)
    settings: dict[str, Row] = field(default_factory=dict)
    members: dict[int, int] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)

    def domain_name(self, row: Row, column: str) -> str:
        """Return the name of the domain a row refers to. Raises Refused: where it is not in the source."""
        domain = self.domains.get(number(row, column))
        if domain is None:
            raise Refused(f"{column} names a domain that is not in the source")
        return text(domain, "domainname")

    def take(self, row: Row) -> None:
        """Keep a row of one of the tables of the frame."""
        match row.table:
            case "hm_domains":
                self.domains[number(row, "domainid")] = row
            case "hm_domain_aliases":
                self.aliases.append(row)
            case "hm_distributionlists":
                self.lists[number(row, "distributionlistid")] = row
            case "hm_groups":
                self.groups[number(row, "groupid")] = text(row, "groupname")
            case "hm_routes":
                self.routes[number(row, "routeid")] = row
            case "hm_settings":
                if text(row, "settingname").lower() in SETTINGS_WANTED:
                    self.settings[text(row, "settingname").lower()] = row
        if max(len(self.domains), len(self.aliases), len(self.lists), len(self.routes)) > MOST_OF_ONE:
            raise Unreadable(row.where, f"more than {MOST_OF_ONE} of one kind")


Rows = Callable[[tuple[str, ...]], Iterator[Row]]


def read_hmailserver(file: SourceFile) -> Iterator[Record]:
    """Yield the records of an hMailServer database. Raises Unreadable."""
    rows = _rows_of(file)
    frame = _Frame()
    for row in rows(_FRAME):
        frame.tables.add(row.table)
        try:
            frame.take(row)
        except Refused as fault:
            raise Unreadable(row.where, fault.detail) from None
    if "hm_domains" not in frame.tables:
        raise Unreadable(file.name, "the table hm_domains has no rows here", "Is it a dump of hMailServer's database?")
    for domain in frame.domains.values():
        yield from _guarded(_domain, domain)
    for row in frame.aliases:
        yield from _guarded(lambda row: _domain_alias(row, frame), row)
    for row in frame.lists.values():
        yield from _guarded(_list, row)
    for row in frame.routes.values():
        yield from _guarded(route_record, row)
    yield from setting_records(frame.settings)
    makers: dict[str, Callable[[Row], Iterator[Record]]] = {
        "hm_accounts": _account,
        "hm_aliases": _alias,
        "hm_distributionlistsrecipients": lambda row: _list_member(row, frame),
        "hm_group_members": lambda row: _group_member(row, frame),
        "hm_routeaddresses": lambda row: _route_address(row, frame),
    }
    for row in rows((*_BULK, *LEFT_OUT)):
        maker = makers.get(row.table, left_out)
        yield from _guarded(maker, row)


def _rows_of(file: SourceFile) -> Rows:
    if is_sqlite(file):
        return lambda tables: read_sqlite(file, tables)
    encoding = survey(file).encoding
    return lambda tables: read_dump(file, encoding, tables)


def _guarded(maker: Callable[[Row], Iterator[Record]], row: Row) -> Iterator[Record]:
    """One row that makes no sense does not end the import."""
    try:
        yield from maker(row)
    except Refused as fault:
        yield Flawed(where=row.where, why=fault.detail, remedy=fault.remedy)


def _domain(row: Row) -> Iterator[Record]:
    name, where = text(row, "domainname"), row.where
    yield ImportedDomain(
        where=where,
        name=name,
        catch_all=text(row, "domainpostmaster"),
        disabled=not number(row, "domainactive", 1),
    )
    limits = number(row, "domainlimitationsenabled")
    ceilings = (
        ("domainmaxnoofaccounts", 1, "accounts"),
        ("domainmaxnoofaliases", 2, "aliases"),
        ("domainmaxnoofdistributionlists", 4, "lists"),
    )
    for column, bit, what in ceilings:
        if limits & bit:
            why = "set it as a limit of the domain"
            yield Unmapped(what=f"at most {number(row, column)} {what} in {name}", where=where, why=why)
    if number(row, "domainmaxsize"):
        why = "set it as a limit of the domain"
        yield Unmapped(what=f"at most {number(row, 'domainmaxsize')} MB in {name}", where=where, why=why)
    if number(row, "domainenablesignature"):
        yield Unmapped(what=f"the signature of {name}", where=where, why="signatures are not imported")
    if text(row, "domaindkimprivatekeyfile"):
        why = "the key is a file on the old server: bring it over, or publish a new one"
        yield Unmapped(what=f"the DKIM key of {name}", where=where, why=why)


def _domain_alias(row: Row, frame: _Frame) -> Iterator[Record]:
    yield ImportedDomain(where=row.where, name=text(row, "daalias"), alias_of=frame.domain_name(row, "dadomainid"))


def _account(row: Row) -> Iterator[Record]:
    address, where = text(row, "accountaddress"), row.where
    password: bytes | None = None
    encoded = ""
    is_foreign = number(row, "accountisad") != 0
    if not is_foreign:
        password_cell = row.cells.get("accountpassword")
        stored = "" if password_cell is None else str(password_cell)
        try:
            password, encoded = schemes.hmailserver(stored, number(row, "accountpwencryption"))
        except Refused as fault:
            yield Unmapped(what=f"the password of {address}", where=where, why=fault.detail)
    given, family = text(row, "accountpersonfirstname"), text(row, "accountpersonlastname")
    yield ImportedAccount(
        where=where,
        address=address,
        password=password,
        password_hash=encoded,
        name=f"{given} {family}".strip() or None,
        given_name=given or None,
        family_name=family or None,
        quota_bytes=number(row, "accountmaxsize") * MIB,
        state=AccountState.ACTIVE if number(row, "accountactive", 1) else AccountState.DISABLED,
        level=_LEVELS.get(number(row, "accountadminlevel"), Level.USER),
    )
    if is_foreign:
        who = f"{text(row, 'accountaddomain')}\\{text(row, 'accountadusername')}"
        why = "set up Active Directory as a sign-in source for the domain"
        yield Unmapped(what=f"{address} signs in as {who}", where=where, why=why)
    yield from _account_rest(row, address)


def _account_rest(row: Row, address: str) -> Iterator[Record]:
    if number(row, "accountforwardenabled"):
        kept = "with" if number(row, "accountforwardkeeporiginal") else "without"
        what = f"{address} forwards to {text(row, 'accountforwardaddress')}, {kept} a copy kept"
        yield Unmapped(what=what, where=row.where, why="forwards of an account come with its rules")
    if number(row, "accountvacationmessageon"):
        why = "the person sets it again"
        yield Unmapped(what=f"the automatic reply of {address}", where=row.where, why=why)
    if number(row, "accountenablesignature"):
        yield Unmapped(what=f"the signature of {address}", where=row.where, why="signatures are not imported")


def _alias(row: Row) -> Iterator[Record]:
    yield ImportedAlias(
        where=row.where,
        address=text(row, "aliasname"),
        targets=(text(row, "aliasvalue"),),
        disabled=not number(row, "aliasactive", 1),
    )


def _list(row: Row) -> Iterator[Record]:
    """Modes: 0 anyone may send, 1 members, 2 one address alone."""
    mode = number(row, "distributionlistmode")
    senders = {0: SenderPolicy.ANYONE, 1: SenderPolicy.MEMBERS, 2: SenderPolicy.LISTED}.get(mode, SenderPolicy.MEMBERS)
    if mode == 0 and number(row, "distributionlistrequireauth"):
        senders = SenderPolicy.SIGNED_IN
    owner = text(row, "distributionlistrequireaddress")
    yield ImportedGroup(
        where=row.where,
        address=text(row, "distributionlistaddress"),
        senders=senders,
        listed=(owner,) if senders is SenderPolicy.LISTED and owner else (),
        disabled=not number(row, "distributionlistenabled", 1),
    )


def _list_member(row: Row, frame: _Frame) -> Iterator[Record]:
    parent = frame.lists.get(number(row, "distributionlistrecipientlistid"))
    if parent is None:
        raise Refused("a recipient of a list that is not in the source")
    member = text(row, "distributionlistrecipientaddress")
    if member:
        address = text(parent, "distributionlistaddress")
        yield ImportedGroup(where=row.where, address=address, members=(member,), is_more=True)


def _group_member(row: Row, frame: _Frame) -> Iterator[Record]:
    """HMailServer's groups carry rights in public folders and have no address."""
    group = number(row, "membergroupid")
    frame.members[group] = frame.members.get(group, 0) + 1
    if frame.members[group] == 1:
        what = f"the group {frame.groups.get(group, str(group))}"
        why = "it has no address and carries rights in public folders: make a group with an address, share with it"
        yield Unmapped(what=what, where=row.where, why=why)


def _route_address(row: Row, frame: _Frame) -> Iterator[Record]:
    route = frame.routes.get(number(row, "routeaddressrouteid"))
    domain = text(route, "routedomainname") if route else "?"
    what = f"{text(row, 'routeaddressaddress')} as one of the addresses of the route for {domain}"
    yield Unmapped(what=what, where=row.where, why="a route is for every address of its domain")
