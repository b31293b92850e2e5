"""Bringing in what other systems hold, as operations (DI-11).

The file comes with the call and is laid down in the home while it is read; folders come as a tar or zip archive. An
import that is interrupted goes on when the same file is imported again with the same options. Administrators of a
domain or a post office import CSV into domains that are theirs already.

Tests: ``tests/unit/services/administration/operations/test_import_operations.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from posthouse.core.errors import Unavailable
from posthouse.services.administration import access, limits, words
from posthouse.services.administration.call import Call, Traced
from posthouse.services.administration.caller import Role
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing.apply import Clear, Importer, Source
from posthouse.services.administration.importing.checkpoints import FileCheckpoints
from posthouse.services.administration.importing.csv_accounts import CsvOptions, read_csv
from posthouse.services.administration.importing.directory_sink import DirectorySink, Surroundings
from posthouse.services.administration.importing.hmailserver import read_hmailserver
from posthouse.services.administration.importing.ldap_entries import LdapMapping, read_ldap
from posthouse.services.administration.importing.ldif import read_ldif
from posthouse.services.administration.importing.mailenable import read_mailenable
from posthouse.services.administration.importing.pace import ALONE, BESIDE_MAIL
from posthouse.services.administration.importing.plan import Fence, no_fence
from posthouse.services.administration.importing.postfix import PostfixOptions, read_postfix
from posthouse.services.administration.importing.records import (
    KIND_NAMES,
    ImportedAccount,
    ImportedAddress,
    ImportedDomain,
    ImportedGroup,
    Record,
    Thing,
    subject_of,
)
from posthouse.services.administration.importing.source import SourceFile, Tree, file_at, survey, tree_at
from posthouse.services.administration.importing.system_users import SystemOptions, read_system_users
from posthouse.services.administration.operation import (
    Effect,
    Operation,
    Rule,
    on_own,
    on_server,
    operation,
)
from posthouse.services.administration.operations.import_models import (
    ImportCsv,
    Imported,
    ImportInput,
    ImportLdif,
    ImportPostfix,
    ImportSystem,
    as_imported,
)
from posthouse.services.identity.defaults import language_of, quota_of
from posthouse.services.identity.password_policy import PasswordPolicy
from posthouse.store.directory_values import Level
from posthouse.store.values import Change

FOLDER: Final = "imports"
NAME_LONGEST: Final = 100
PIECE: Final = 1024 * 1024  # of a file, written in one visit to a thread
Reader = Callable[[SourceFile], Iterator[Record]]
_KINDS: Final = {kind: f"{kind.__name__.removeprefix('Imported').lower()}:" for kind in KIND_NAMES}


@operation(
    "import",
    "csv",
    rule=Rule(Role.DOMAIN, on_own()),
    http="POST /import/csv",
    effect=Effect.CHANGE,
    is_long=True,
    upload="text/csv",
)
async def csv(call: Call, given: ImportCsv) -> Imported:
    """Import accounts from a CSV file.

    The columns are `address,password,quota`, or those that the first line names. Delimiter and encoding are found out.
    """
    options = CsvOptions(
        delimiter=given.delimiter, encoding=given.encoding, quota_unit=given.quota_unit, domain=given.domain
    )
    return await _import(call, given, "csv", lambda file: read_csv(file, options))


@operation(
    "import",
    "hmailserver",
    rule=Rule(Role.SERVER, on_server()),
    http="POST /import/hmailserver",
    effect=Effect.CHANGE,
    is_long=True,
    upload="application/sql",
)
async def hmailserver(call: Call, given: ImportInput) -> Imported:
    """Import the database of hMailServer: a dump of MySQL, PostgreSQL or SQLite, or an SQLite file."""
    return await _import(call, given, "hmailserver", read_hmailserver)


@operation(
    "import",
    "mailenable",
    rule=Rule(Role.SERVER, on_server()),
    http="POST /import/mailenable",
    effect=Effect.CHANGE,
    is_long=True,
    upload="application/zip",
)
async def mailenable(call: Call, given: ImportInput) -> Imported:
    """Import MailEnable's TAB files: its folder Config as a zip or tar archive."""
    return await _import(call, given, "mailenable", lambda file: read_mailenable(_tree(file)))


@operation(
    "import",
    "postfix",
    rule=Rule(Role.SERVER, on_server()),
    http="POST /import/postfix",
    effect=Effect.CHANGE,
    is_long=True,
    upload="application/x-tar",
)
async def postfix(call: Call, given: ImportPostfix) -> Imported:
    """Import Postfix's domains, aliases and routes, with a passwd-file of Dovecot: an archive of their folders."""
    options = PostfixOptions(passwd_file=given.passwd_file, domain=given.domain)
    return await _import(call, given, "postfix", lambda file: read_postfix(_tree(file), options))


@operation(
    "import",
    "system",
    rule=Rule(Role.SERVER, on_server()),
    http="POST /import/system",
    effect=Effect.CHANGE,
    is_long=True,
    upload="application/x-tar",
)
async def system(call: Call, given: ImportSystem) -> Imported:
    """Import the users of a Unix system: an archive of passwd, shadow and aliases."""
    options = SystemOptions(
        domain=words.domain_name(given.domain, "domain"),
        lowest_uid=given.lowest_uid,
        highest_uid=given.highest_uid,
    )
    return await _import(call, given, "system", lambda file: read_system_users(_tree(file), options))


@operation(
    "import",
    "ldif",
    rule=Rule(Role.SERVER, on_server()),
    http="POST /import/ldif",
    effect=Effect.CHANGE,
    is_long=True,
    upload="text/plain",
)
async def ldif(call: Call, given: ImportLdif) -> Imported:
    """Import people and groups of an LDAP directory or Active Directory from an LDIF file."""
    mapping = LdapMapping(domain=given.domain, quota_unit=given.quota_unit, source=given.source)
    return await _import(call, given, "ldif", lambda file: read_ldap(lambda: read_ldif(file), mapping))


# -- common -------------------------------------------------------------------------------------------------------


def _tree(file: SourceFile) -> Tree:
    if file.path is None:
        raise Refused("the archive cannot be opened", field="file")
    return tree_at(file.path)


async def _import(call: Call, given: ImportInput, kind: str, reader: Reader) -> Imported:
    """Lay the file down, import it, take it away again. Raises Refused, Unavailable."""
    fence = await _fence(call, given.clear)
    async with _laid_down(call) as path:
        name = words.printable(call.upload_name)[:NAME_LONGEST] or kind
        file = SourceFile(name, file_at(path).opener, path)
        known = await asyncio.to_thread(survey, file)
        # How far it is, is known by the file; what is another's to write with the same file is another import.
        owner = "" if call.caller.role is Role.SERVER else f" {call.caller.name}"
        source = Source(name=name, kind=kind, fingerprint=known.fingerprint + owner, records=lambda: reader(file))
        importer = Importer(
            _sink(call),
            call.desk.clock,
            call.desk.hash_password,
            checkpoints=FileCheckpoints(call.desk.home / FOLDER),
            progress=call.progress,
            cancelled=call.cancelled,
        )
        pace = ALONE if call.desk.live is None else BESIDE_MAIL
        options = given.options(is_dry_run=call.dry_run, fence=fence, pace=pace)
        return as_imported(await importer.run(source, options))


@contextlib.asynccontextmanager
async def _laid_down(call: Call) -> AsyncIterator[Path]:
    if call.upload is None:
        raise Refused("no file was given", "Name the file to import.", field="file")
    folder = call.desk.home / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-") as file:
            waiting, size = [], 0
            async for piece in call.upload:
                waiting.append(piece)
                size += len(piece)
                if size >= PIECE:
                    await asyncio.to_thread(file.writelines, waiting)
                    waiting, size = [], 0
            await asyncio.to_thread(file.writelines, waiting)
            file.flush()
            yield Path(file.name)
    except OSError as error:
        raise Unavailable(f"the file cannot be kept in {folder}: {error.strerror}", where="import") from None


def _sink(call: Call) -> DirectorySink:
    settings = call.desk.settings

    async def commit(changes: Sequence[Change], things: Sequence[Thing]) -> None:
        offices = {thing.name: thing.office for thing in things if isinstance(thing, ImportedDomain)}
        await call.commit_all([_traced(change, thing, offices) for change, thing in zip(changes, things, strict=True)])

    return DirectorySink(
        call.desk.store,
        call.desk.clock,
        Surroundings(
            commit=commit,
            ceilings=lambda home: limits.ceilings(settings, home),
            quota=lambda domain: quota_of(settings, domain),
            language=lambda domain: language_of(settings, domain),
            check_quota=lambda home, quota: limits.check_quota(settings, home, quota),
            check_over=lambda row: access.require_over(call.caller, row),
            seal=call.desk.sealing.seal,
        ),
    )


def _traced(change: Change, thing: Thing, offices: Mapping[str, str]) -> Traced:
    """A trace for each thing; what it was made from is in the file. ``offices``: of domains made in the same commit."""
    subject = subject_of(thing)
    domain = subject.rpartition("@")[2]
    return Traced(
        changes=(change,),
        subject=_KINDS[type(thing)] + subject,
        after={"imported": thing.where},
        place=(offices.get(domain, ""), domain),
    )


async def _fence(call: Call, clear: Clear) -> Fence:
    """Return what says why a record is beyond the caller: by domain, by level, by kind, by its password.

    Administrators of the server bring in the passwords that people have; who administers less sets new ones.
    """
    caller = call.caller
    if caller.role is Role.SERVER:
        return no_fence
    office = caller.office if caller.role is Role.OFFICE else None
    rows = await call.desk.store.domains(office=office)
    reach = {row.name for row in rows if office is not None or caller.domain in {row.name, row.alias_of}}
    settings, policy, above = call.desk.settings, PasswordPolicy(call.desk.settings), await _above(call)

    def refusal(thing: Thing) -> str:
        if not isinstance(thing, ImportedAccount | ImportedAddress | ImportedGroup | ImportedDomain):
            return f"{subject_of(thing)} takes an administrator of the server"
        name = subject_of(thing).rpartition("@")[2]
        whose = thing.account.rpartition("@")[2] if isinstance(thing, ImportedAddress) else name
        for each in (name, whose):
            if each not in reach:
                return f"{each} is outside what you administer"
        if limits.without_detail(settings, subject_of(thing)) in above:
            return f"{subject_of(thing)} is the address, with a detail, of somebody who administers more than you do"
        if isinstance(thing, ImportedDomain) and not thing.implied:
            return f"{name} takes an administrator of the server"
        return _of_account(thing) if isinstance(thing, ImportedAccount) else ""

    def _of_account(thing: ImportedAccount) -> str:
        if thing.level is not None:
            try:
                access.require_grant(caller, thing.level)
            except Refused as refused:
                return f"{thing.address}: {refused.detail}"
        if thing.password is None or clear is Clear.LEAVE:
            return ""
        bare, names = (
            thing.password.decode("utf-8", "surrogateescape"),
            (thing.name, thing.given_name, thing.family_name),
        )
        failures = policy.failures(bare, address=thing.address, names=[name for name in names if name])
        return f"the password of {thing.address} cannot be used: {'; '.join(failures)}" if failures else ""

    return refusal


async def _above(call: Call) -> frozenset[str]:
    """Return the addresses, within the caller's reach, of accounts that administer more than he does."""
    found: list[str] = []
    for level in Level:
        if Role.of(level) > call.caller.role:
            rows = await call.desk.store.accounts(domain=call.domain, office=call.office, level=level)
            found += [row.address for row in rows]
    return frozenset(found)


OPERATIONS: tuple[Operation[Any, Any], ...] = (csv, hmailserver, ldif, mailenable, postfix, system)
