"""LDIF, and entries of LDAP and Active Directory as people and groups."""

from __future__ import annotations

import base64

import pytest

from posthouse.services.administration.importing import ldif as ldif_module
from posthouse.services.administration.importing.ldap_entries import LdapMapping, read_ldap
from posthouse.services.administration.importing.ldif import read_ldif
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAddress,
    ImportedDomain,
    ImportedGroup,
    Unmapped,
)
from posthouse.services.administration.importing.source import Unreadable, file_of
from posthouse.store.directory_values import AccountState

HASH = "{SSHA512}" + "A" * 86 + "=="
LDIF = f"""version: 1
# people
dn: uid=anna,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: anna
cn:: {base64.b64encode("Änna B".encode()).decode()}
givenName: Anna
sn: B
mail: anna@example.org
mail: a.b@example.org
mailQuota: 1G
userPassword:: {base64.b64encode(HASH.encode()).decode()}
description: a long
  line
jpegPhoto:< file:///etc/passwd

dn: CN=Bert,CN=Users,DC=example,DC=org
objectClass: user
sAMAccountName: bert
proxyAddresses: smtp:old@example.net
proxyAddresses: SMTP:bert@example.org
proxyAddresses: X400:whatever
userAccountControl: 514

dn: cn=staff,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: Staff
mail: staff@example.org
member: uid=anna, ou=people, dc=Example,dc=org
member: cn=board,ou=groups,dc=example,dc=org
member: cn=ghost,dc=example,dc=org

dn: cn=board,ou=groups,dc=example,dc=org
objectClass: group
displayName: Board
mail: board@example.org
member: CN=Bert,CN=Users,DC=example,DC=org

dn: cn=admins,ou=groups,dc=example,dc=org
objectClass: group
cn: admins
member: uid=anna,ou=people,dc=example,dc=org

dn: cn=PC1,dc=example,dc=org
objectClass: computer
mail: pc@example.org

dn: uid=carl,dc=example,dc=org
objectClass: posixAccount
uid: carl
"""


def entries(text=LDIF):
    raw = text if isinstance(text, bytes) else text.encode()
    return read_ldif(file_of("d.ldif", raw))


def records(**mapping):
    return list(read_ldap(entries, LdapMapping(**mapping)))


def only(found, kind):
    return [record for record in found if isinstance(record, kind)]


def test_ldif_is_read():
    """Base64, folded lines, comments; a value by URL is not fetched (RFC 2849 §2)."""
    first = next(iter(entries()))
    assert (first.dn, first.where) == ("uid=anna,ou=people,dc=example,dc=org", "d.ldif:3")
    assert first.text("CN") == "Änna B"
    assert first.text("description") == "a long line"
    assert first.text("jpegphoto") == ""
    assert len(list(entries())) == 7


def test_people():
    """First and further addresses, names, quota, password, whether disabled."""
    found = records()
    anna, bert = only(found, ImportedAccount)
    assert (anna.address, anna.name, anna.quota_bytes, anna.password_hash) == (
        "anna@example.org", "Änna B", 1024**3, HASH)  # fmt: skip
    assert (bert.address, bert.state) == ("bert@example.org", AccountState.DISABLED)
    assert [(each.address, each.account) for each in only(found, ImportedAddress)] == [
        ("a.b@example.org", "anna@example.org"),
        ("old@example.net", "bert@example.org"),
    ]
    assert {each.name for each in only(found, ImportedDomain)} == {"example.org", "example.net"}


def test_groups():
    """Members are found by their names, whichever way they are written; nested groups by their address."""
    found = records()
    assert [(each.address, each.name, each.members) for each in only(found, ImportedGroup)] == [
        ("staff@example.org", "Staff", ("anna@example.org", "board@example.org")),
        ("board@example.org", "Board", ("bert@example.org",)),
    ]
    told = [each.what for each in only(found, Unmapped)]
    assert told == [
        "cn=ghost,dc=example,dc=org as a member of staff@example.org",
        "the group cn=admins,ou=groups,dc=example,dc=org",
    ]


def test_a_domain_for_those_without_an_address():
    """Their login and that domain make one."""
    assert "carl@example.org" in {each.address for each in only(records(domain="example.org"), ImportedAccount)}


def test_people_of_a_sign_in_source_keep_their_password_there():
    """Nothing is taken over but who they are."""
    anna = only(records(source="corp"), ImportedAccount)[0]
    assert (anna.password_hash, anna.source, anna.external_id) == ("", "corp", "anna")


STATES = [
    pytest.param("userAccountControl: 512", AccountState.ACTIVE, id="active"),
    pytest.param("nsAccountLock: TRUE", AccountState.SIGN_IN_DISABLED, id="389"),
    pytest.param("accountStatus: disabled", AccountState.DISABLED, id="qmail-ldap"),
    pytest.param("mailQuota: 100S", None, id="nothing said"),
]


@pytest.mark.parametrize(("line", "state"), STATES)
def test_whether_an_entry_is_disabled(line, state):
    """As each directory says it."""
    text = f"dn: cn=x\nobjectClass: person\nmail: x@example.org\n{line}\n"
    (account,) = only(read_ldap(lambda: entries(text)), ImportedAccount)
    assert account.state is state


def test_a_quota_that_is_none_is_told():
    """The entry is left, the others are read."""
    text = "dn: cn=x\nmail: x@example.org\nquota: lots\n"
    assert "is not a size" in only(read_ldap(lambda: entries(text)), Flawed)[0].why


BAD = [
    pytest.param("cn: x\n", "d.ldif:1: an entry does not begin with its dn", id="no dn"),
    pytest.param("dn: x\nnonsense\n", "d.ldif:2: the line is no attribute", id="no colon"),
    pytest.param("dn: x\ncn:: ???\n", "d.ldif:2: the value of cn is no base64", id="base64"),
    pytest.param("dn: x\nchangetype: modify\ncn: y\n", "changes, not entries", id="changes"),
    pytest.param(b"dn: x\ncn: \0\n", "NUL", id="NUL"),
]


@pytest.mark.parametrize(("text", "why"), BAD)
def test_what_is_no_ldif_is_told(text, why):
    """With its line."""
    with pytest.raises(Unreadable, match=why):
        list(entries(text))


def test_an_entry_has_a_bound(monkeypatch):
    """Memory is bounded."""
    monkeypatch.setattr(ldif_module, "ENTRY_MAX", 1000)
    with pytest.raises(Unreadable, match="the entry has more than"):
        list(entries("dn: x\n" + "member: cn=somebody\n" * 100))
