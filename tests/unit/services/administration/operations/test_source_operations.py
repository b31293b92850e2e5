"""Sign-in sources as operations: added, changed, shown without secrets, tried, removed where nobody asks them."""

from __future__ import annotations

import hashlib
import sqlite3

import pytest

from posthouse.services.administration.faults import Kind, Refused
from posthouse.services.administration.operations import setting, source
from tests.support.desks import do

SECRET = "s3cret-of-the-searcher"
LDAP = ["servers=ldaps://dc.acme.test", "base=dc=acme,dc=test", "bind_dn=cn=searcher,dc=acme,dc=test"]


async def add_ldap(desk, **more):
    """Add a source of a directory that nobody asks."""
    return await do(desk, source.add, name="corp", kind="ldap", config=LDAP, secret=SECRET, **more)


async def test_a_source_is_added_and_its_secret_never_shown(desk) -> None:
    """It is sealed in the store; the audit log says that there is one."""
    made = await add_ldap(desk)
    assert made.config["base"] == "dc=acme,dc=test"
    assert made.has_secret
    (row,) = await desk.store.sources()
    assert desk.sealing.open_source(row) == {"bind_password": SECRET}
    shown = await do(desk, source.show, name="CORP")
    listed = await do(desk, source.list_)
    assert SECRET not in f"{made}{shown}{listed}{await desk.store.audit()}{row}"


async def test_fields_are_changed_one_by_one(desk) -> None:
    """What is not named stays, an empty value takes a field back, the secret stays unless another is given."""
    await add_ldap(desk)
    after = await do(desk, source.set_, name="corp", config=["base=dc=new,dc=test", "bind_dn=", "timeout=9s"])
    assert after.config == {"servers": "ldaps://dc.acme.test", "base": "dc=new,dc=test", "timeout": "9s"}
    assert after.has_secret
    assert (await do(desk, source.set_, name="corp", disabled=True)).disabled
    await do(desk, source.set_, name="corp", secret="another")
    (row,) = await desk.store.sources()
    assert desk.sealing.open_source(row) == {"bind_password": "another"}
    assert (await do(desk, source.set_, name="corp", secret="")).has_secret is False


async def test_two_administrators_do_not_undo_each_other(desk) -> None:
    """A revision that is gone is refused; a dry run changes nothing."""
    made = await add_ldap(desk)
    await do(desk, source.set_, name="corp", config=["timeout=9s"], if_revision=made.revision)
    with pytest.raises(Refused) as caught:
        await do(desk, source.set_, name="corp", config=["timeout=8s"], if_revision=made.revision)
    assert caught.value.kind is Kind.CHANGED
    await do(desk, source.set_, name="corp", config=["timeout=8s"], dry_run=True)
    assert (await do(desk, source.show, name="corp")).config["timeout"] == "9s"


REFUSED = {
    "a kind that is none": ({"kind": "nis"}, "kind"),
    "a name that is none": ({"name": "Corp Ltd"}, "name"),
    "our own store's name": ({"name": "own"}, "name"),
    "a field that is none": ({"config": [*LDAP, "colour=red"]}, "config"),
    "a field twice": ({"config": [*LDAP, "base=x"]}, "config"),
    "no NAME=VALUE": ({"config": ["servers"]}, "config"),
    "a field that is missing": ({"config": ["base=dc=test"]}, "config"),
    "a value that cannot be used": ({"config": [*LDAP, "timeout=soon"]}, "config"),
    "control characters": ({"config": [*LDAP, "filter=(a=\x00)"]}, "config"),
    "a secret in clear": ({"config": [*LDAP, f"bind_password={SECRET}"]}, "config"),
    "a secret file that is not there": ({"config": [*LDAP, "bind_password_file=/nowhere"], "secret": None}, "config"),
    "a secret where there is none": ({"kind": "pam", "config": []}, "secret"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_sources_that_are_refused(desk, name) -> None:
    """The field is named, the secret is not repeated, nothing is written."""
    fields, field = REFUSED[name]
    with pytest.raises(Refused) as caught:
        await do(desk, source.add, **({"name": "corp", "kind": "ldap", "config": LDAP, "secret": SECRET} | fields))
    assert caught.value.field == field
    assert SECRET not in f"{caught.value.detail} {caught.value.remedy}"
    assert await desk.store.sources() == []


async def test_the_same_name_twice(desk) -> None:
    """It exists already."""
    await add_ldap(desk)
    with pytest.raises(Refused) as caught:
        await add_ldap(desk)
    assert caught.value.kind is Kind.EXISTS


async def test_a_source_that_is_asked_is_not_removed(desk) -> None:
    """The refusal says where it is named; then it goes."""
    await add_ldap(desk)
    await do(desk, setting.set_, name="auth.sources", value="own,corp", scope="domain:acme.test")
    assert (await do(desk, source.show, name="corp")).used_by == ["domain:acme.test"]
    with pytest.raises(Refused, match=r"auth.sources of domain:acme.test"):
        await do(desk, source.remove, name="corp")
    await do(desk, setting.unset, name="auth.sources", scope="domain:acme.test")
    await do(desk, source.remove, name="corp")
    assert await desk.store.sources() == []
    with pytest.raises(Refused) as caught:
        await do(desk, source.show, name="corp")
    assert caught.value.kind is Kind.MISSING


async def test_kinds_are_listed_with_their_fields(desk) -> None:
    """Each has at most one secret field, which is what ``secret`` means."""
    kinds = (await do(desk, source.kinds)).items
    assert [kind.name for kind in kinds] == ["http", "ldap", "oidc", "pam", "sql"]
    assert all(sum(field.secret for field in kind.fields) <= 1 for kind in kinds)


@pytest.fixture
async def people(desk, tmp_path):
    """Add a source that is a SQLite database with Anna."""
    path = tmp_path / "people.db"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE people (address, password, name)")
        digest = hashlib.sha256(b"right").hexdigest()
        base.execute("INSERT INTO people VALUES ('anna@acme.test', ?, 'Anna')", (f"{{SHA256.HEX}}{digest}",))
    base.close()
    fields = [
        f"url=sqlite:///{path}",
        "query=SELECT password, name AS display_name FROM people WHERE address = :address",
        "find_query=SELECT address, name AS display_name FROM people WHERE address = :address",
    ]
    await do(desk, source.add, name="db", kind="sql", config=fields)


async def test_a_source_is_tried(desk, people) -> None:
    """By itself, for a person, and with his password."""
    assert (await do(desk, source.test, name="db")).good
    known = await do(desk, source.test, name="db", address="anna@acme.test")
    assert (known.good, known.person["display_name"], known.password) == (True, "Anna", "")
    assert (await do(desk, source.test, name="db", address="ben@acme.test")).person == {}
    for password, word in (("right", "granted"), ("wrong", "wrong")):
        tried = await do(desk, source.test, name="db", address="anna@acme.test", password=password)
        assert (tried.password, tried.good) == (word, word == "granted")
    tried = await do(desk, source.test, name="db", address="ben@acme.test", password="right")
    assert tried.password == "unknown"
    with pytest.raises(Refused):
        await do(desk, source.test, name="db", password="right")


async def test_a_source_that_is_away_is_told_with_a_remedy(desk) -> None:
    """In bounded time."""
    await do(desk, source.add, name="gone", kind="sql", config=["url=sqlite:////nowhere/x.db", "query=SELECT 1"])
    tried = await do(desk, source.test, name="gone")
    assert not tried.good
    assert tried.remedy
