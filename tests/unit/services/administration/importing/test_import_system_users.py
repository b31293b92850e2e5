"""passwd, shadow and aliases of a Unix system."""

from __future__ import annotations

import pytest

from posthouse.services.administration.importing.records import Flawed, ImportedAccount, ImportedAlias, Unmapped
from posthouse.services.administration.importing.source import FolderTree, Unreadable
from posthouse.services.administration.importing.system_users import SystemOptions, read_system_users
from posthouse.store.directory_values import AccountState

HASH = "$6$saltsalt$" + "A" * 86
FILES = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000:Anna B,,,:/home/anna:/bin/sh\n"
    "bert:x:1001:1001:& B:/home/bert:/bin/sh\nlow:x:999:1:x:/:/bin/sh\nbroken:x\n",
    "shadow": f"anna:{HASH}:19000:0:99999:7:::\nbert:!{HASH}:19000::::::\n",
    "aliases": "postmaster: root\nsales: anna, bert\nanna: elsewhere@example.net\n",
}
OPTIONS = SystemOptions(domain="example.org")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the files above."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def only(records, kind):
    return [record for record in records if isinstance(record, kind)]


def test_people_become_accounts(folder):
    """Those with a uid in the range, with their hash or locked."""
    anna, bert = only(read_system_users(FolderTree(folder), OPTIONS), ImportedAccount)
    assert (anna.address, anna.password_hash, anna.name) == ("anna@example.org", HASH, "Anna B")
    assert (bert.password_hash, bert.state, bert.name) == ("", AccountState.SIGN_IN_DISABLED, "Bert B")


def test_aliases_are_of_the_domain(folder):
    """Aliases of somebody's own name are forwards, and told."""
    records = list(read_system_users(FolderTree(folder), OPTIONS))
    assert [(each.address, each.targets) for each in only(records, ImportedAlias)] == [
        ("postmaster@example.org", ("root@example.org",)),
        ("sales@example.org", ("anna@example.org", "bert@example.org")),
    ]
    assert "anna@example.org forwards to elsewhere@example.net" in [each.what for each in only(records, Unmapped)]
    assert [each.where for each in only(records, Flawed)] == ["passwd:5"]


def test_without_shadow_there_are_no_passwords(folder):
    """It is told, and people are still made."""
    (folder / "shadow").unlink()
    records = list(read_system_users(FolderTree(folder), OPTIONS))
    assert next(each.what for each in only(records, Unmapped)) == "passwords"
    assert {each.password_hash for each in only(records, ImportedAccount)} == {""}


def test_without_passwd_there_is_nothing(tmp_path):
    """One error."""
    with pytest.raises(Unreadable, match="passwd: is not there"):
        list(read_system_users(FolderTree(tmp_path), OPTIONS))
