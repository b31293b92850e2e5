"""Active Directory's ways and servers that misbehave, against a small server made of our own messages."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager

import pytest

from posthouse.protocols.ldap.filters import format_filter
from posthouse.protocols.ldap.messages import format_message, parse_message
from posthouse.protocols.ldap.types import (
    NOTICE_OF_DISCONNECTION,
    BindRequest,
    BindResponse,
    ExtendedResponse,
    Message,
    Result,
    SearchDone,
    SearchEntry,
    SearchReference,
    SearchRequest,
)
from posthouse.protocols.ldap.wire import MessageSplitter
from posthouse.services.identity.sources.contract import Down, Granted, Unknown, Wrong, login_of
from posthouse.services.identity.sources.kinds import Parts, make_source
from posthouse.services.identity.sources.ldap.config import LdapConfig
from posthouse.services.identity.sources.ldap.people import group_name, person_of
from posthouse.testing.clock import FakeClock

GUID = uuid.uuid4()
DN = "CN=Anna Älv,OU=Staff,DC=corp,DC=test"
STAFF = "CN=Staff,OU=Groups,DC=corp,DC=test"


def entry(**changes):
    """Return Anna's entry as Active Directory has it."""
    values = {
        "mail": b"Anna@corp.test",
        "displayName": "Anna Älv".encode(),
        "objectGUID": GUID.bytes_le,
        "userAccountControl": b"512",
        "memberOf": b"CN=Direct,DC=corp,DC=test",
    } | changes
    return SearchEntry(DN, tuple((name, (value,)) for name, value in values.items() if value is not None))


class Directory:
    """Answers binds by password, and searches by what a function says for the text of the filter."""

    def __init__(self, search) -> None:
        self.search = search
        self.filters: list[str] = []
        self.binds: list[str] = []
        self.raw: bytes | None = None

    async def serve(self, reader, writer) -> None:
        splitter = MessageSplitter()
        try:
            while data := await reader.read(65536):
                for octets in splitter.feed(data):
                    message = parse_message(octets)
                    for answer in self.answer(message.operation):
                        number = 0 if isinstance(answer, ExtendedResponse) else message.id
                        writer.write(format_message(Message(number, answer)))
                    if self.raw is not None:
                        writer.write(self.raw)
        finally:
            writer.close()

    def answer(self, operation):
        if isinstance(operation, BindRequest):
            self.binds.append(operation.name)
            good = operation.name == "" or operation.credentials.password == b"right"
            return [BindResponse(Result(0 if good else 49, message="80090308: data 52e"))]
        if isinstance(operation, SearchRequest):
            self.filters.append(format_filter(operation.filter))
            return self.search(self.filters[-1])
        return []


@asynccontextmanager
async def running(directory, **fields):
    """Yield a source of Active Directory's flavour, while the server runs."""
    server = await asyncio.start_server(directory.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = {
        "servers": f"ldap://127.0.0.1:{port}",
        "tls": "off",
        "flavour": "active-directory",
        "base": "DC=corp,DC=test",
        "timeout": "300ms",
    } | fields
    source = make_source(
        "ldap", "corp", config, {}, Parts(clock=FakeClock(), verify_hash=lambda encoded, password: False)
    )
    try:
        yield source
    finally:
        await source.close()
        server.close()


def anna(**changes):
    """Return a search that finds Anna by person, and Staff by membership; referrals come along."""

    def search(text):
        if "1.2.840.113556.1.4.1941" in text:
            return [SearchEntry(STAFF, ()), SearchDone(Result(0))]
        return [entry(**changes), SearchReference(("ldap://elsewhere.test/",)), SearchDone(Result(0))]

    return search


async def test_active_directory_is_asked_in_its_own_way() -> None:
    """By principal name, mail and account name; nested groups by the rule for chains; the GUID is the id."""
    directory = Directory(anna())
    async with running(directory) as source:
        answer = await source.check_password(login_of("anna@corp.test"), b"right")
        assert isinstance(answer, Granted), answer
        assert (await source.check_password(login_of("anna@corp.test"), b"wrong")).detail.endswith("data 52e")
    assert answer.person.external_id == str(GUID)
    assert answer.person.groups == ("Staff",)
    assert answer.person.address == "anna@corp.test"
    assert directory.filters[0] == (
        "(&(objectCategory=person)(objectClass=user)"
        "(|(userPrincipalName=anna@corp.test)(mail=anna@corp.test)(sAMAccountName=anna)))"
    )
    assert directory.filters[1] == f"(member:1.2.840.113556.1.4.1941:={DN})"
    assert directory.binds[0] == DN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"userAccountControl": b"514"}, Wrong, id="shut out"),
        pytest.param({"userAccountControl": b"66048"}, Granted, id="password never expires"),
        pytest.param({"userAccountControl": b"odd"}, Granted, id="a number that is none"),
        pytest.param({"mail": None}, Granted, id="no address: made from the login"),
    ],
)
async def test_what_the_entry_says(changes, expected) -> None:
    """Somebody who is shut out is refused though his password is right."""
    async with running(Directory(anna(**changes))) as source:
        assert isinstance(await source.check_password(login_of("anna@corp.test"), b"right"), expected)


async def test_direct_bind_by_principal_name() -> None:
    """The name that is bound is the login itself; the entry is read with the person's own rights."""
    directory = Directory(anna())
    async with running(directory, bind_template="{address}") as source:
        assert isinstance(await source.check_password(login_of("anna@corp.test"), b"right"), Granted)
        assert isinstance(await source.check_password(login_of("anna@corp.test"), b""), Wrong)
    assert directory.binds[0] == "anna@corp.test"
    assert directory.binds.count("anna@corp.test") == 1


@pytest.mark.parametrize(
    ("search", "raw", "expected"),
    [
        pytest.param(lambda text: [], None, "no answer within", id="silence"),
        pytest.param(lambda text: [SearchDone(Result(52, message="busy"))], None, "52 busy", id="unavailable"),
        pytest.param(lambda text: [entry()] * 50, None, "more entries", id="entries without end"),
        pytest.param(
            lambda text: [BindResponse(Result(0))], None, "BindResponse to a SearchRequest", id="another answer"
        ),
        pytest.param(lambda text: [], b"HTTP/1.1 400 Bad Request\r\n", "no LDAP", id="another protocol"),
        pytest.param(lambda text: [], b"\x30\x84\x7f\xff\xff\xff", "octets", id="a message of two gigabytes"),
        pytest.param(lambda text: [], b"\x30\x80\x00\x00", "no LDAP", id="a length without end"),
        pytest.param(
            lambda text: [ExtendedResponse(Result(52, message="going"), NOTICE_OF_DISCONNECTION)],
            None,
            "good-bye: going",
            id="a notice of disconnection",
        ),
    ],
)
async def test_a_server_that_misbehaves_is_down(search, raw, expected) -> None:
    """Never granted, never wrong, and soon."""
    directory = Directory(search)
    directory.raw = raw
    async with running(directory) as source:
        answer = await source.check_password(login_of("anna@corp.test"), b"right")
    assert isinstance(answer, Down)
    assert expected in answer.detail


async def test_nobody_and_no_such_place_are_unknown() -> None:
    """An empty answer, and a base that is not there."""
    for code in (0, 32):
        async with running(Directory(lambda text, code=code: [SearchDone(Result(code))])) as source:
            assert isinstance(await source.check_password(login_of("x@corp.test"), b"right"), Unknown)


def test_addresses_are_taken_as_directories_write_them() -> None:
    """The first of proxyAddresses is the one in capitals; an address may be missing."""
    config = LdapConfig(servers=("ldap://x",), address_attribute="proxyAddresses")
    found = SearchEntry(DN, (("proxyAddresses", (b"smtp:old@corp.test", b"SMTP:Anna@corp.test", b"x500:/o=corp")),))
    assert person_of(found, config, (), None).address == "anna@corp.test"
    assert person_of(SearchEntry(DN, ()), config, (), None).address == ""
    assert group_name("CN=Älte\\, Herren,DC=x") == "Älte, Herren"
    assert group_name("not a name") == "not a name"
