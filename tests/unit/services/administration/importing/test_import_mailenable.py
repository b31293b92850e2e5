"""MailEnable's TAB files."""

from __future__ import annotations

import pytest

from posthouse.services.administration.importing.mailenable import read_mailenable
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAddress,
    ImportedAlias,
    ImportedDomain,
    ImportedGroup,
    ImportedOffice,
    Unmapped,
)
from posthouse.services.administration.importing.source import FolderTree, Unreadable
from posthouse.store.directory_values import AccountState, Level

FILES = {
    "AUTH.TAB": "UserName\tPassword\tStatus\tAccount\tRights\tDescription\n"
    "anna@Acme Ltd\tgeheim\t1\tAcme Ltd\tADMIN\tAnna B\n"
    "bert@acme ltd\t0123456789ABCDEF0123456789ABCDEF\t1\tAcme Ltd\tUSER\t\n"
    "ghost@Acme Ltd\tx\t1\tAcme Ltd\tUSER\t\n",
    "POSTOFFICE.TAB": "Name\tStatus\nAcme Ltd\t1\n",
    "SMTP-DOMAINS.TAB": "DomainName\tAccountName\tStatus\tDomainRedirectionStatus\tDomainRedirectionHosts\n"
    "acme.example\tAcme Ltd\t1\t0\t\nold.example\tAcme Ltd\t0\t1\t192.0.2.1\n",
    # no first line of names: told by their look
    "ADDRESS-MAP.TAB": "Acme Ltd\t[SF:Acme Ltd/anna]\t[SMTP:anna@acme.example]\t0\n"
    "Acme Ltd\t[SF:Acme Ltd/anna]\t[SMTP:boss@acme.example]\t0\n"
    "Acme Ltd\t[SF:Acme Ltd/anna]\t[SMTP:*@acme.example]\t0\n"
    "Acme Ltd\t[SF:Acme Ltd/bert]\t[SMTP:b.b@acme.example]\t0\n"
    "Acme Ltd\t[SF:Acme Ltd/Staff]\t[SMTP:staff@acme.example]\t0\n"
    "Acme Ltd\t[SF:Acme Ltd/nobody]\t[SMTP:lost@acme.example]\t0\n"
    "Acme Ltd\t[LS:Acme Ltd/news]\t[SMTP:news@acme.example]\t0\n"
    "nothing\there\n",
    "Postoffices/Acme Ltd/MAILBOX.TAB": "Mailbox\tRedirectAddress\tRedirectStatus\tStatus\tLimit\tSize\n"
    "anna\t\t0\t1\t102400\t5\nbert\t[SMTP:b@elsewhere.example]\t1\t1\t-1\t5\ncarla\t\t0\t0\t0\t0\n",
    "Postoffices/Acme Ltd/GROUP.TAB": "GroupName\tRecipientAddress\tGroupStatus\nStaff\t\t1\nEmpty\t\t1\n",
    "Postoffices/Acme Ltd/Groups/Staff.TAB": "Address\n[SMTP:carl@elsewhere.example]\n[SF:Acme Ltd/anna]\n",
}


@pytest.fixture
def records(tmp_path):
    """Return the records of the files above."""
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace("\n", "\r\n").encode("utf-16" if name == "AUTH.TAB" else "cp1252"))
    return list(read_mailenable(FolderTree(tmp_path)))


def only(found, kind):
    return [record for record in found if isinstance(record, kind)]


def test_post_offices_and_domains(records):
    """With their state and catch-all."""
    assert [each.name for each in only(records, ImportedOffice)] == ["Acme Ltd"]
    assert [(each.name, each.office, each.catch_all, each.disabled) for each in only(records, ImportedDomain)] == [
        ("acme.example", "Acme Ltd", "anna@acme.example", False),
        ("old.example", "Acme Ltd", "", True),
    ]


def test_mailboxes(records):
    """Their first address is the one named as the mailbox, else the first mapped; limits are in KiB."""
    anna, bert, carla = only(records, ImportedAccount)
    assert (anna.address, anna.password, anna.quota_bytes, anna.level) == (
        "anna@acme.example", b"geheim", 102400 * 1024, Level.OFFICE)  # fmt: skip
    assert (bert.address, bert.password, bert.quota_bytes) == ("b.b@acme.example", None, 0)
    assert (carla.address, carla.state) == ("carla@acme.example", AccountState.DISABLED)
    assert [(each.address, each.account) for each in only(records, ImportedAddress)] == [
        ("boss@acme.example", "anna@acme.example")
    ]


def test_groups(records):
    """Their address is mapped like a mailbox's; members are addresses or mailboxes."""
    groups = only(records, ImportedGroup)
    assert [(each.address, each.name) for each in groups if not each.is_more] == [("staff@acme.example", "Staff")]
    assert [each.members for each in groups if each.is_more] == [("carl@elsewhere.example",), ("anna@acme.example",)]


def test_what_has_no_place_is_told(records):
    """Encrypted passwords without showing them, redirects, lists, logins and addresses that lead nowhere."""
    told = {each.what for each in only(records, Unmapped)}
    assert told == {
        "the password of b.b@acme.example",
        "b.b@acme.example is redirected to [SMTP:b@elsewhere.example]",
        "news@acme.example leads to [LS:Acme Ltd/news]",
        "the login ghost@acme ltd",
        "mail for old.example goes on to 192.0.2.1",
        "the group acme ltd/empty",
        "lost@acme.example leads to acme ltd/nobody",
    }
    assert [each.where for each in only(records, Flawed)] == ["ADDRESS-MAP.TAB:8"]


def test_an_address_of_another_system_is_an_alias(tmp_path):
    """[SMTP:] to [SMTP:] forwards."""
    (tmp_path / "MAILBOX.TAB").write_text("anna\t\t0\t1\t0\t0\tacme.example\n")
    (tmp_path / "ADDRESS-MAP.TAB").write_text(
        "SourceAddress\tDestinationAddress\n[SMTP:x@acme.example]\t[SMTP:y@z.example]\n"
    )
    found = list(read_mailenable(FolderTree(tmp_path)))
    assert [(each.address, each.targets) for each in only(found, ImportedAlias)] == [
        ("x@acme.example", ("y@z.example",))
    ]
    assert [each.address for each in only(found, ImportedAccount)] == ["anna@acme.example"]


def test_a_folder_that_is_another(tmp_path):
    """One error that says which folder is meant."""
    with pytest.raises(Unreadable, match=r"neither AUTH.TAB nor MAILBOX.TAB"):
        list(read_mailenable(FolderTree(tmp_path)))
