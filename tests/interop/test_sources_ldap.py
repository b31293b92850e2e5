"""LDAP as a sign-in source, against a real OpenLDAP server."""

from __future__ import annotations

import pytest

from posthouse.services.identity.sources.contract import Down, Granted, SourceDown, Unknown, Wrong, login_of
from posthouse.services.identity.sources.kinds import Parts, make_source
from posthouse.testing.clock import FakeClock
from tests.support.ldap import BASE, PASSWORD, LdapServer, why_not

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "slapd is there"),
]
PARTS = Parts(clock=FakeClock(), verify_hash=lambda encoded, password: False)
RIGHT = PASSWORD.encode()


@pytest.fixture(scope="module")
def server():
    """Return a directory with its four people and a thousand more than one page holds."""
    with LdapServer(more=700) as running:
        yield running


def source_of(server, **fields):
    """Return a source that searches as the searcher with StartTLS, unless said otherwise."""
    config = {
        "servers": server.url,
        "ca_file": server.ca_file,
        "base": f"ou=people,{BASE}",
        "group_base": f"ou=groups,{BASE}",
        "bind_dn": f"cn=searcher,{BASE}",
        "quota_attribute": "employeeNumber",
        "timeout": "3s",
    } | fields
    return make_source("ldap", "corp", config, {"bind_password": "searcher-secret"}, PARTS)


async def ask(source, name, password=RIGHT):
    """Return the answer, and close the source."""
    try:
        return await source.check_password(login_of(name, default_domain="example.test"), password)
    finally:
        await source.close()


WAYS = {
    "starttls": {},
    "ldaps": {"servers": "LDAPS"},
    "in clear": {"tls": "off"},
    "a searcher without a name": {"bind_dn": ""},
    "direct bind": {"bind_template": "uid={local},ou=people," + BASE},
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_right_password_is_granted_with_what_the_directory_knows(server, way) -> None:
    """By every way of reaching the server, the person comes with name, id, groups and quota."""
    fields = dict(WAYS[way])
    if fields.get("servers") == "LDAPS":
        fields["servers"] = server.tls_url
    answer = await ask(source_of(server, **fields), "Anna@Example.test")
    assert isinstance(answer, Granted), answer
    person = answer.person
    assert (person.address, person.display_name, person.given_name) == ("anna@example.test", "Anna Älv", "Anna")
    assert person.groups == ("staff",)
    assert len(person.external_id) == 36
    assert person.attributes == {"quota": "1048576"}


@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        pytest.param("anna", b"wrong", Wrong, id="a wrong password"),
        pytest.param("anna", b"", Wrong, id="an empty password, which the server itself would grant"),
        pytest.param("anna", b"\xff\xfe", Wrong, id="octets that are no text"),
        pytest.param("nobody", RIGHT, Unknown, id="an unknown name"),
        pytest.param("*", RIGHT, Unknown, id="a star is a star"),
        pytest.param("anna)(uid=*", RIGHT, Unknown, id="brackets are brackets"),
        pytest.param("anna,ou=people", RIGHT, Unknown, id="a comma is a comma"),
        pytest.param("ann\\61", RIGHT, Unknown, id="a backslash is a backslash"),
        pytest.param("twin", RIGHT, Wrong, id="two entries of one address"),
        pytest.param("nomail", RIGHT, Granted, id="an address made from the login"),
    ],
)
async def test_what_a_server_answers_becomes_one_of_four(server, name, password, expected) -> None:
    """Wrong, unknown and granted are told apart, and no name is more than a name."""
    assert isinstance(await ask(source_of(server), name, password), expected)


async def test_direct_bind_escapes_the_name(server) -> None:
    """A comma in a login stays inside its part of the name; an empty password is refused before it is sent."""
    direct = {"bind_template": "uid={local},ou=people," + BASE}
    assert isinstance(await ask(source_of(server, **direct), "anna,ou=people"), Wrong)
    assert isinstance(await ask(source_of(server, **direct), "anna", b""), Wrong)
    assert isinstance(await ask(source_of(server, **direct), "anna", b"wrong"), Wrong)


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"required_group": f"cn=staff,ou=groups,{BASE}"}, "anna", Granted),
        ({"required_group": f"CN=Staff, OU=groups,{BASE}"}, "anna", Granted),
        ({"required_group": f"cn=staff,ou=groups,{BASE}"}, "ben", Wrong),
        ({"required_group": f"cn=everybody,ou=groups,{BASE}", "group_filter": "(member={dn})"}, "anna", Granted),
        (
            {
                "required_group": f"cn=everybody,ou=groups,{BASE}",
                "group_filter": "(member={dn})",
                "nested_groups": "no",
            },
            "anna",
            Wrong,
        ),
    ],
)
async def test_a_group_may_be_required(server, fields, name, expected) -> None:
    """Membership is direct, or through groups within groups where that is wanted."""
    assert isinstance(await ask(source_of(server, **fields), name), expected)


async def test_people_and_groups_are_listed_in_pages(server) -> None:
    """All are read though the server hands out no more than 500 at once; members of groups within groups count."""
    source = source_of(server, page_size="100")
    people = [person async for person in source.people()]
    groups = {group.name: group.members async for group in source.groups()}
    found = await source.find("ben@example.test")
    nobody = await source.find("nobody@example.test")
    await source.close()
    assert len(people) == len({person.external_id for person in people}) == 704
    assert groups == {
        "staff": ("anna@example.test",),
        "everybody": ("ben@example.test", "anna@example.test"),
    }
    assert found is not None
    assert found.display_name == "Ben"
    assert nobody is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ca_file": ""}, "certificate"),
        ({"servers": "ldaps://127.0.0.1:1"}, "Connect call failed"),
        ({"bind_dn": f"cn=stranger,{BASE}"}, "may not bind"),
    ],
)
async def test_what_keeps_a_source_from_answering_is_said(server, fields, words) -> None:
    """A certificate that does not verify, no server, and a searcher who may not bind are Down, never Wrong."""
    source = source_of(server, **fields)
    finding = await source.test()
    answer = await ask(source, "anna")
    assert isinstance(answer, Down)
    assert words in answer.detail
    assert not finding.is_good
    assert finding.remedy


async def test_a_name_that_the_certificate_has_not_is_refused(server) -> None:
    """TLS says whose server it is: another name for the same address does not verify."""
    answer = await ask(source_of(server, servers=server.tls_url.replace("localhost", "ip6-localhost.invalid")), "anna")
    assert isinstance(answer, Down)


async def test_a_working_source_says_so(server) -> None:
    """The test of a source that works names somebody it found."""
    source = source_of(server)
    finding = await source.test()
    await source.close()
    assert finding.is_good
    assert "dc=example,dc=test" in finding.text


async def test_a_server_that_dies_is_down_and_the_next_one_answers(server) -> None:
    """Kept connections of a dead server are replaced; with no server the answer is Down; when it is back, granted."""
    with LdapServer() as other:
        alone = source_of(other)
        both = source_of(other, servers=f"{other.url}, {server.url}", ca_file=server.ca_file, tls="off")
        login = login_of("anna@example.test")
        assert isinstance(await alone.check_password(login, RIGHT), Granted)
        assert isinstance(await both.check_password(login, RIGHT), Granted)
        other.stop()
        assert isinstance(await alone.check_password(login, RIGHT), Down)
        assert isinstance(await both.check_password(login, RIGHT), Granted)
        with pytest.raises(SourceDown):
            await alone.find("anna@example.test")
        with pytest.raises(SourceDown):
            assert [person async for person in alone.people()]
        other.start()
        assert isinstance(await alone.check_password(login, RIGHT), Granted)
        await alone.close()
        await both.close()
