"""A desk on a store of a test, callers of every role, and the API over it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from posthouse.config.file import Configuration
from posthouse.config.settings import Settings
from posthouse.services.administration.call import Call, perform
from posthouse.services.administration.caller import Caller, Role
from posthouse.services.administration.desk import Desk
from posthouse.services.administration.diagnosis.assemble import make_parts as make_diagnosis
from posthouse.services.administration.diagnosis.parts import DiagnosisParts
from posthouse.services.administration.jobs import JobRunner
from posthouse.services.identity.authentication import Authenticator
from posthouse.services.identity.directory import Directory
from posthouse.services.identity.passwords import Passwords
from posthouse.services.identity.sealing import Sealing
from posthouse.services.identity.sign_in_notes import SignInNotes
from posthouse.store.directory_values import Level, PutAccount, PutDomain, PutOffice
from posthouse.telemetry.log import null_telemetry
from posthouse.testing.resolver import FakeResolver
from posthouse.web.rest.application import make_application
from posthouse.web.rest.resource import RestParts
from posthouse.web.rest.signing_in import SignIn
from tests.support.asgi import AsgiClient


async def quick_hash(password: bytes) -> str:
    """Return what stands for a hash, without the cost of one."""
    return f"$test${password.hex()}"


def diagnosis_of(store: Any, clock: Any, home: Any) -> DiagnosisParts:
    """Return what diagnosis works with: no listener, no running server, a DNS without any name."""

    async def workers() -> list[dict[str, Any]]:
        return []

    configuration = Configuration(home=Path(home), hostname="mx.example.test", listeners=())
    made = make_diagnosis(configuration, Settings(), clock, workers, store=store)
    return replace(made, resolver=FakeResolver(), courier_resolver=FakeResolver())


def make_desk(store: Any, clock: Any, home: Any, **more: Any) -> Desk:
    """Return a desk."""
    more.setdefault("parts", {"diagnosis": lambda: diagnosis_of(store, clock, home)})
    return Desk(
        store=store,
        clock=clock,
        settings=Settings(),
        hostname="mx.example.test",
        home=home,
        hash_password=quick_hash,
        sealing=Sealing(bytes(32)),
        **more,
    )


ON_MACHINE = Caller.on_this_machine("root")


async def people(store: Any) -> None:
    """Make two post offices with a domain each, one domain of nobody, and an account of each level."""
    domains = (("acme.test", "acme"), ("sister.test", "acme"), ("rival.test", "rival"), ("own.test", ""))
    accounts = (
        ("root@own.test", Level.SERVER),
        ("boss@acme.test", Level.OFFICE),
        ("admin@acme.test", Level.DOMAIN),
        ("anna@acme.test", Level.USER),
        ("ben@acme.test", Level.USER),
        ("zoe@sister.test", Level.USER),
        ("rita@rival.test", Level.USER),
        ("chief@rival.test", Level.OFFICE),
    )
    await store.commit(
        PutOffice(name="acme"),
        PutOffice(name="rival"),
        *(PutDomain(name=name, office=office) for name, office in domains),
        *(
            PutAccount(address=address, level=level, display_name=address.partition("@")[0])
            for address, level in accounts
        ),
    )


async def caller_of(store: Any, address: str, **known: Any) -> Caller:
    """Return the caller behind an account."""
    row = await store.account(address)
    domain = await store.domain(address.rpartition("@")[2])
    return Caller.of_account(row, domain.office, **known)


async def do(desk: Desk, operation: Any, caller: Caller = ON_MACHINE, /, **fields: Any) -> Any:
    """Perform an operation, as a door would."""
    known = {name: fields.pop(name) for name in ("dry_run", "if_revision", "upload") if name in fields}
    call = Call(caller=caller, desk=desk, **known)
    return await perform(operation, call, operation.input(**fields))


def make_authenticator(desk: Desk) -> Authenticator:
    """Return an authenticator over the desk's store."""
    directory = Directory(desk.store, desk.clock, desk.settings, hostname=desk.hostname)
    return Authenticator(directory, Passwords(desk.clock, bytes(32)), desk.store, desk.settings, desk.clock)


def make_parts(desk: Desk, *, authenticator: Any = None, telemetry: Any = None) -> RestParts:
    """Return what the API is made of."""
    told = telemetry or null_telemetry()
    notes = SignInNotes(desk.store, desk.clock)
    return RestParts(
        desk=desk,
        sign_in=SignIn(desk, authenticator or make_authenticator(desk), notes, told),
        jobs=JobRunner(desk, "worker", told),
        telemetry=told,
    )


def make_api(desk: Desk, operations: Any = None, **more: Any) -> AsgiClient:
    """Return a client of the API over a desk."""
    return AsgiClient(make_application(make_parts(desk, **more), operations))


async def token_of(desk: Desk, address: str, *scopes: str) -> str:
    """Make a token of an account; return the Authorization field."""
    from posthouse.services.administration.operations import token

    made = await do(desk, token.add, account=address, name="test", scopes=list(scopes) or ["*"])
    return f"Bearer {made.token}"


__all__ = ["ON_MACHINE", "Role", "caller_of", "do", "make_api", "make_desk", "make_parts", "people", "token_of"]
