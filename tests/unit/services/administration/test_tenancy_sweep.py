"""A sweep over the catalogue: every operation, every field, every way to name what belongs to another tenant.

Everything is rehearsed in the store. Of each call it is asked: would anything of the other tenant be written; does the
answer or the refusal hold anything of him that the call did not bring along; is what he has told from what nobody has.
An operation that is added is swept without a line here; one whose fields have new names needs a value in ``OWN``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from posthouse.core.errors import Fault
from posthouse.services.administration.call import Call, perform
from posthouse.services.administration.catalogue import all_operations
from posthouse.services.administration.faults import Refused
from posthouse.services.administration.jobs import start_job
from posthouse.services.administration.operation import Download, cursor_of
from posthouse.services.administration.operations import import_, token
from posthouse.store.directory_values import (
    AccountKind,
    Audit,
    ChangeMembers,
    PutAccount,
    PutAddress,
    PutAlias,
    PutCredential,
    PutDomain,
    PutGroup,
    PutOffice,
    PutSetting,
    PutShare,
    PutWording,
)
from tests.support.desks import caller_of, do, make_desk, people

CALLERS = ("boss@acme.test", "admin@acme.test", "anna@acme.test")
SECRET = "kumquat"  # stands in everything that the other tenant has
OPERATIONS = {each.name: each for each in all_operations()}

ADDRESSES = (
    "rita@rival.test", "RITA@Rival.TEST", '"rita"@rival.test', "rita+x@rival.test", "rita@rival.test.",
    " rita@rival.test ", "rita@rival.example", "door@acme.test", "list@rival.test", "team@rival.test", "box@rival.test",
    "rita@b\u00fccher.test", "rita@xn--bcher-kva.test", "rita@bu\u0308cher.test", "rita@rival.test@acme.test",
    '"rita@acme.test"@rival.test', "rita", "root@own.test", "",
)  # fmt: skip
DOMAINS = (
    "rival.test", "RIVAL.test", "rival.test.", " rival.test", "rival.example", "b\u00fccher.test",
    "xn--bcher-kva.test", "bu\u0308cher.test", "rival.test@acme.test", "rita@rival.test", "own.test", "",
)  # fmt: skip
OFFICES = ("rival", "RIVAL", " rival ", "rival.test", "")
SCOPES = ("server", "office:rival", "domain:rival.test", "domain:RIVAL.test", "account:rita@rival.test",
          "account:door@acme.test", "office:", "domain:rival.example", "")  # fmt: skip

# What a field is about, and what stands there in a call that is about one's own.
OWN: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "address": ("ben@acme.test", ADDRESSES),
    "account": ("ben@acme.test", ADDRESSES),
    "new_address": ("fresh@acme.test", ADDRESSES),
    "further": ("fresh@acme.test", ADDRESSES),
    "member": ("ben@acme.test", ADDRESSES),
    "group": ("team@acme.test", ADDRESSES),
    "sender": ("ben@acme.test", ADDRESSES),
    "domain": ("acme.test", DOMAINS),
    "alias_of": ("acme.test", DOMAINS),
    "office": ("acme", OFFICES),
    "scope": ("domain:acme.test", SCOPES),
    "catch_all": ("", ADDRESSES),
    "postmaster": ("", ADDRESSES),
    "abuse": ("", ADDRESSES),
    "targets": (["ben@acme.test"], tuple([each] for each in ADDRESSES)),
    "members": (["ben@acme.test"], tuple([each] for each in ADDRESSES)),
    "listed": ([], tuple([each] for each in (*ADDRESSES, *DOMAINS))),
    "cursor": ("", tuple(map(cursor_of, ("rita@rival.test", "rival", "5", "zzz", "\U0010ffff")))),
    "text": ("anna", ("rita", SECRET, "rival", "r", "@", "%", "*")),
    "what": ("", ("rita@rival.test", "<1@rival.test>", SECRET)),
    "subject": ("a subject", ("account:rita@rival.test", "domain:rival.test", "token:server:1")),
    "name": ("acme.test", (*DOMAINS, *OFFICES)),
    "after": (0, (0, 1)),
    "number": (1, tuple(range(1, 12))),
    "id": ("none", ()),  # the ids that the other has are put in
}
REQUIRED: dict[str, Any] = {
    "targets": ["ben@acme.test"], "members": ["ben@acme.test"], "password": "Quite-long-7777", "value": "9",
    "queue_id": "0000000000000", "code": "123456", "state": "x", "response": "{}", "kind": "ldap", "host": "h.test",
    "network": "192.0.2.0/24", "domains": ["acme.test"],
}  # fmt: skip
NAMES = {"office": "acme", "setting": "account.language", "wording": "welcome", "token": "x", "app-password": "x"}
ADDRESS_OF = {"alias": "list@acme.test", "group": "team@acme.test", "shared": "box@acme.test"}
WORDS = {(PutCredential, "name"), (PutWording, "subject")}  # what people write, and names nothing
# That a name is taken cannot be hidden from whoever asks for it; an id and a number are nobody's beforehand.
TOLD = {("domain.add", "name")}


class Rehearsing:
    """A store that writes nothing, and notes what would be."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.wanted: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *changes: Any, **_: Any) -> Any:
        """Rehearse."""
        found = await self._store.commit(*changes, rehearse=True)
        self.wanted += changes
        return found


class Live:
    """A running server on which the other tenant is busy."""

    async def ask(self, question: str, **_: Any) -> list[Any]:
        """Tell his session."""
        told = {"id": SECRET, "protocol": "imap", "listener": "imap", "account": "rita@rival.test"}
        more = {"address": "192.0.2.1", "since": 1.0, "tls": True, "received": 0, "sent": 0}
        return [{"sessions": [told | more]}] if question == "sessions" else []

    async def follow(self) -> AsyncIterator[Any]:
        """Tell of him."""
        for event in ({"account": "rita@rival.test"}, {"from": "<rita@rival.test>"}, {"domain": "rival.test"}, {}):
            yield {"event": "auth.granted", "level": "info", "ts": "", "what": SECRET, **event}


@pytest.fixture
async def desk(store, store_clock, tmp_path):
    """Return a desk on two post offices; the other one has one of everything."""
    await people(store)
    both = [
        change
        for name, word in (("acme.test", "ours"), ("rival.test", SECRET))
        for change in (
            PutAlias(address=f"list@{name}", targets=(f"{word}@example.org",)),
            PutGroup(address=f"team@{name}", display_name=word),
            PutAccount(address=f"box@{name}", kind=AccountKind.SHARED, display_name=word),
        )
    ]
    at = {"at": 1.0, "actor": SECRET, "door": "rest", "address": "", "operation": "account.set"}
    await store.commit(
        *both,
        PutOffice(name="rival", title=SECRET, must_be_new=False),
        PutDomain(name="rival.test", note=SECRET, must_be_new=False),
        PutDomain(name="rival.example", alias_of="rival.test"),
        PutDomain(name="b\u00fccher.test", office="rival"),
        PutAccount(address="rita@b\u00fccher.test", display_name=SECRET),
        PutAccount(address="rita@rival.test", display_name=SECRET, note=SECRET, must_be_new=False),
        PutAddress(address="door@acme.test", account="rita@rival.test"),
        ChangeMembers(group="team@rival.test", add=("ben@acme.test", "anna@acme.test")),
        PutShare(account="box@rival.test", member="rita@rival.test", send_as=True),
        PutSetting(name="account.language", value="la", scope="domain:rival.test"),
        *(Audit(subject="account:rita@rival.test", office="rival", domain="rival.test", **at) for _ in range(3)),
    )
    return make_desk(store, store_clock, tmp_path, live=Live())


async def ids_of_theirs(desk: Any) -> tuple[str, ...]:
    """Return the ids of a token and a job of the other tenant."""
    made = await do(desk, token.add, account="rita@rival.test", name=SECRET)
    chief = await caller_of(desk.store, "chief@rival.test")
    job = await start_job(Call(caller=chief, desk=desk), import_.csv, import_.csv.input())
    return made.id, job.id, "none"


def base_of(operation: Any) -> dict[str, Any]:
    """Return an input about one's own."""
    given: dict[str, Any] = {}
    for name, field in operation.input.model_fields.items():
        if name == "name" and operation.noun in NAMES:
            given[name] = NAMES[operation.noun]
        elif name == "address" and operation.verb == "add":
            given[name] = "fresh@acme.test"
        elif name == "address" and operation.noun in ADDRESS_OF:
            given[name] = ADDRESS_OF[operation.noun]
        elif field.is_required():
            given[name] = REQUIRED[name] if name in REQUIRED else OWN[name][0]
    if operation.noun in {"setting", "wording"} and "scope" in operation.input.model_fields:
        given["scope"] = "domain:acme.test"
    if operation.name == "purge.messages":
        given["everything"] = True
    return given


def attacks(operation: Any, ids: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield inputs that name what is the other's in one field, with that field."""
    base = base_of(operation)
    yield "", base
    for name in operation.input.model_fields:
        for value in ids if name == "id" else OWN.get(name, (None, ()))[1]:
            yield name, base | {name: value}


async def outcome(desk: Any, operation: Any, caller: Any, given: dict[str, Any]) -> tuple[Any, str]:
    """Return how a call ended (a kind of refusal, or None), and everything that was told."""
    call = Call(caller=caller, desk=desk)
    if operation.upload:
        call.upload = upload()
    try:
        answer = await perform(operation, call, operation.input(**given))
        if operation.streams:
            return None, "".join([each.model_dump_json() async for each in answer])
        if isinstance(answer, Download):
            return None, b"".join([each async for each in answer.chunks]).decode("utf-8", "replace")
        return None, answer.model_dump_json()
    except ValidationError:
        return "form", ""
    except Refused as refused:
        return refused.kind, f"{refused.detail} {refused.remedy}"
    except Fault as fault:
        return type(fault), fault.detail or ""


async def upload() -> AsyncIterator[bytes]:
    """Yield a file that names the other's."""
    yield b"address,name,level,aliases,groups\r\nrita@rival.test,Mine,user,own@acme.test,team@acme.test\r\n"
    yield b"ben@acme.test,Ben,user,own@rival.test,team@rival.test\r\ndoor@acme.test,Mine,user,,\r\n"


def theirs(change: Any) -> list[str]:
    """Return the fields that say whose a change is, where they say that it is the other tenant's."""
    whose = {"address", "account", "new_address", "domain", "office", "scope", "group", "name", "alias_of", "subject"}
    marks = ("rival.", "office:rival", "b\u00fccher", "bcher", "door@")
    return [
        f"{type(change).__name__}.{field.name}={value}"
        for field in dataclasses.fields(change)
        if field.name in whose and (type(change), field.name) not in WORDS
        if isinstance(value := getattr(change, field.name), str)
        if (field.name, value) == ("office", "rival") or any(mark in value for mark in marks)
    ]


@pytest.mark.parametrize("name", OPERATIONS)
async def test_nothing_of_another_tenant_is_written_or_told(desk, name):
    """By any field of the operation, for each role below the server's administrators."""
    operation, ids = OPERATIONS[name], await ids_of_theirs(desk)
    desk.store = Rehearsing(desk.store)
    for who in CALLERS:
        caller = await caller_of(desk.store, who)
        for field, given in attacks(operation, ids):
            desk.store.wanted.clear()
            ended, told = await outcome(desk, operation, caller, given)
            where = f"{who} {name} {field}={given.get(field)!r}: {ended} {told[:500]}"
            assert not [each for change in desk.store.wanted for each in theirs(change)], where
            assert SECRET not in told or SECRET in str(given), where
            if "door@" in str(given.get(field)):
                assert "rita" not in told, where


PAIRS = {
    "address": ("rita@rival.test", "rita@nobody.test"), "account": ("rita@rival.test", "rita@nobody.test"),
    "new_address": ("rita@rival.test", "rita@nobody.test"), "further": ("rita@rival.test", "rita@nobody.test"),
    "member": ("rita@rival.test", "rita@nobody.test"), "group": ("team@rival.test", "team@nobody.test"),
    "sender": ("rita@rival.test", "rita@nobody.test"), "domain": ("rival.test", "nobody.test"),
    "alias_of": ("rival.test", "nobody.test"), "office": ("rival", "nobody"), "name": ("rival.test", "nobody.test"),
    "scope": ("domain:rival.test", "domain:nobody.test"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
async def test_what_another_has_is_as_what_nobody_has(desk, name):
    """The same end in the same words, but for the name that was asked for."""
    operation = OPERATIONS[name]
    desk.store = Rehearsing(desk.store)
    for who in CALLERS:
        caller = await caller_of(desk.store, who)
        for field, pair in PAIRS.items():
            if field not in operation.input.model_fields or (name, field) in TOLD:
                continue
            ends = []
            for value in pair:
                ended, told = await outcome(desk, operation, caller, base_of(operation) | {field: value})
                ends.append((ended, told.replace("rival", "*").replace("nobody", "*")))
            if ends[0][0] is not None or ends[1][0] is not None:
                assert ends[0] == ends[1], f"{who} {name} {field}"


def test_the_sweep_does_reach_the_operations():
    """Calls about one's own are good inputs, so that what is refused is refused for what was put in."""
    for operation in OPERATIONS.values():
        assert operation.input(**base_of(operation)), operation.name
