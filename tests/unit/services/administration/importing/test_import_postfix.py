"""Postfix and Dovecot: main.cf, tables, passwd-file."""

from __future__ import annotations

import pytest

from posthouse.services.administration.importing.dovecot import read_passwd_file
from posthouse.services.administration.importing.postfix import PostfixOptions, read_postfix
from posthouse.services.administration.importing.records import (
    Flawed,
    ImportedAccount,
    ImportedAlias,
    ImportedDomain,
    ImportedRoute,
    ImportedSetting,
    Unmapped,
)
from posthouse.services.administration.importing.source import FolderTree, Unreadable, file_of
from posthouse.services.administration.importing.text_maps import MainCf, read_aliases, read_table
from posthouse.store.directory_values import AccountState, AliasKind

HASH = "{SSHA512}" + "A" * 86 + "=="
FILES = {
    "main.cf": """# a comment
myhostname = mail.example.org
mydestination = $myhostname, localhost.$mydomain,
    localhost
virtual_mailbox_domains = example.org
  example.net
virtual_alias_domains = lists.example
base = hash:/etc/postfix
virtual_mailbox_maps = ${base}/vmailbox
virtual_alias_maps = $base/virtual, regexp:/etc/postfix/regex
relay_domains = relayed.example partner.example
transport_maps = hash:/etc/postfix/transport
relocated_maps = hash:/etc/postfix/relocated
alias_maps = hash:/etc/aliases
relayhost = [smart.example]:submission
message_size_limit = 20480000
mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/24
recipient_delimiter = +-
maximal_queue_lifetime = 5d
canonical_maps = hash:/etc/postfix/canonical
smtpd_milters = inet:localhost:8891
""",
    "vmailbox": "anna@example.org  example.org/anna/\nbert@example.org x\n@example.net catch/\n",
    "virtual": """lists.example anything
info@example.org anna@example.org, bert@example.org
all@lists.example
   anna@example.org
   carl@elsewhere.example
anna@example.org anna@example.org copy@elsewhere.example
bert@example.org bert@example.org
@example.net anna@example.org
@old.example @example.org
postmaster anna@example.org
""",
    "transport": """partner.example smtp:[mx.partner.example]:2525
.sub.example relay:hub.example
local.example local:
person@example.org smtp:[x.example]
bad.example smtp:[x:y
""",
    "relocated": "gone@example.org new@elsewhere.example\nlost@example.org somewhere, I think\n",
    "aliases": 'root: anna\nprog: "|/usr/bin/vacation anna"\nlist: :include:/etc/postfix/members, "x y"@example.org\nfile: /var/mail/f\n',
    "members": "carl@elsewhere.example\n# nobody\n|evil\n",
    "users": f"anna@example.org:{HASH}:5000:5000:Anna B,Room 1:/home::userdb_quota_rule=*:storage=1G:messages=1000\n",
}


@pytest.fixture
def records(tmp_path):
    """Return the records of the files above."""
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return list(read_postfix(FolderTree(tmp_path), PostfixOptions(passwd_file="users")))


def only(records, kind):
    return [record for record in records if isinstance(record, kind)]


def test_domains(records):
    """Of all three classes, of aliases of domains, of catch-alls."""
    domains = only(records, ImportedDomain)
    found = {each.name: (each.alias_of, each.catch_all) for each in domains}
    assert len(found) == len(domains)  # each once: a second one of the name would be left out, with its catch-all
    assert found["example.net"] == ("", "anna@example.org")
    assert found["old.example"] == ("example.org", "")
    assert {"mail.example.org", "example.org", "lists.example"} <= set(found)
    assert "localhost" not in found
    assert "relayed.example" not in found


def test_accounts_have_dovecots_passwords(records):
    """Accounts of the passwd-file first, then those that only have a mailbox."""
    anna, bert = only(records, ImportedAccount)
    assert (anna.address, anna.password_hash, anna.name) == ("anna@example.org", HASH, "Anna B")
    assert (anna.quota_bytes, anna.quota_messages) == (1024**3, 1000)
    assert (bert.address, bert.password_hash) == ("bert@example.org", "")


def test_aliases(records):
    """With several targets, on several lines; identities say nothing; local ones are of mydomain."""
    found = {each.address: (each.targets, each.kind) for each in only(records, ImportedAlias)}
    assert found == {
        "info@example.org": (("anna@example.org", "bert@example.org"), AliasKind.FORWARD),
        "all@lists.example": (("anna@example.org", "carl@elsewhere.example"), AliasKind.FORWARD),
        "postmaster@example.org": (("anna@example.org",), AliasKind.FORWARD),
        "root@example.org": (("anna@example.org",), AliasKind.FORWARD),
        "list@example.org": (("carl@elsewhere.example", '"x y"@example.org'), AliasKind.FORWARD),
        "gone@example.org": (("new@elsewhere.example",), AliasKind.RELOCATED),
    }


def test_routes(records):
    """Brackets mean no MX; relayed domains let strangers send; relayhost is the smart host."""
    found = {
        each.domain: (each.host, each.port, each.mx_lookup, each.recipients_local)
        for each in only(records, ImportedRoute)
    }
    assert found == {
        "partner.example": ("mx.partner.example", 2525, False, True),
        ".sub.example": ("hub.example", 25, True, False),
        "relayed.example": ("relayed.example", 25, True, True),
        "*": ("smart.example", 587, False, False),
    }


def test_settings(records):
    """Those that main.cf sets itself."""
    assert {each.name: each.value for each in only(records, ImportedSetting)} == {
        "smtp.message_size": "20480000",
        "relay.networks": "127.0.0.0/8, ::1/128, 192.0.2.0/24",
        "address.extension_delimiter": "+",
        "queue.lifetime": "5d",
    }


def test_what_has_no_place_is_told(records):
    """Forwards of accounts, programs, files, tables without text, filters."""
    told = " | ".join(each.what for each in only(records, Unmapped))
    for part in (
        "anna@example.org forwards to copy@elsewhere.example",
        "virtual_alias_maps: regexp:/etc/postfix/regex",
        "|/usr/bin/vacation anna as a target of the alias prog",
        "/var/mail/f as a target of the alias file",
        "the transport of local.example",
        "the transport of person@example.org",
        "relocated_maps: lost@example.org",
        "canonical_maps",
        "smtpd_milters",
        "virtual_mailbox_maps: @example.net",
    ):
        assert part in told


EXPANSIONS = [
    pytest.param("$myhostname", "m.example", id="plain"),
    pytest.param("${myhostname}x $(myhostname)", "m.examplex m.example", id="braces"),
    pytest.param("${empty?set}${myhostname?yes}", "yes", id="if set"),
    pytest.param("${empty:unset}${myhostname:no}", "unset", id="unless set"),
    pytest.param("${empty?{a}:{b}}", "b", id="both"),
    pytest.param("$$x", "$x", id="a dollar"),
    pytest.param("$mydomain", "example", id="a default made of another"),
]


@pytest.mark.parametrize(("text", "expected"), EXPANSIONS)
def test_variables(text, expected):
    """As postconf(5) has them."""
    main = MainCf(file_of("main.cf", f"myhostname = m.example\nempty =\nv = {text}\n".encode()))
    assert main.value("v") == expected


@pytest.mark.parametrize("text", ["v = $v", "v = $w\nw = $v", "a = $b$b$b$b\n" + "\n".join(f"{x} = ${y}${y}${y}${y}" for x, y in zip("bcdefghijklmnop", "cdefghijklmnopq", strict=True)) + "\nq = xxxx\nv = $a"])  # fmt: skip
def test_variables_that_do_not_end(text):
    """Circles and bombs are errors."""
    with pytest.raises(Unreadable, match="variables"):
        MainCf(file_of("main.cf", f"{text}\n".encode())).value("v")


def test_a_main_cf_that_is_none():
    """It is told with its line."""
    with pytest.raises(Unreadable, match=r"main.cf:2: the line is no name = value"):
        MainCf(file_of("main.cf", b"a = b\nwhat is this\n"))


def test_no_main_cf(tmp_path):
    """The folder has to be Postfix's."""
    with pytest.raises(Unreadable, match=r"main.cf: is not there"):
        list(read_postfix(FolderTree(tmp_path), PostfixOptions()))


def test_keys_may_be_quoted():
    """A key with blanks stands in quotes."""
    assert list(read_table(file_of("t", b'"a b@x" c d\n  e\nk\tv\nalone\n'))) == [
        ("t:1", "a b@x", "c d e"), ("t:3", "k", "v"), ("t:4", "alone", "")]  # fmt: skip


def test_aliases_of_sendmail():
    """Quotes, several values, continuations; a line without a colon is passed over."""
    text = b'a: b, "c d",\n  e\n"f g": h\nnothing\n:include:/x\n'
    assert [(name, values) for _, name, values in read_aliases(file_of("aliases", text))] == [
        ("a", ("b", "c d", "e")),
        ("f g", ("h",)),
    ]


PASSWD = [
    pytest.param("a@b.example:{PLAIN}geheim", b"geheim", "", None, None, id="clear"),
    pytest.param(f"a@b.example:{HASH}:::::", None, HASH, None, None, id="hash"),
    pytest.param("a@b.example:!x::::::", None, "", AccountState.SIGN_IN_DISABLED, None, id="locked"),
    pytest.param("a@b.example:::::::nologin", None, "", AccountState.SIGN_IN_DISABLED, None, id="nologin"),
    pytest.param("a@b.example:::::::userdb_quota_rule=*:bytes=5M", None, "", None, 5 * 1024**2, id="bytes"),
    pytest.param("a@b.example:::::::userdb_quota_rule=*:storage=5", None, "", None, 5 * 1024, id="kilobytes"),
    pytest.param("a@b.example:::::::userdb_quota_rule2=Trash:storage=+5M", None, "", None, None, id="of a mailbox"),
]


@pytest.mark.parametrize(("line", "clear", "hashed", "state", "quota"), PASSWD)
def test_lines_of_a_passwd_file(line, clear, hashed, state, quota):
    """User, password, quota rule, lock."""
    (account,) = only(read_passwd_file(file_of("users", line.encode())), ImportedAccount)
    assert (account.password, account.password_hash, account.state, account.quota_bytes) == (
        clear,
        hashed,
        state,
        quota,
    )


def test_lines_of_a_passwd_file_that_make_no_sense():
    """They are told and left."""
    records = list(read_passwd_file(file_of("users", b"# c\n\n:x\nbare:x\nc@d.example:{WHAT}ever\n")))
    assert [each.where for each in only(records, Flawed)] == ["users:3", "users:4"]
    assert [each.what for each in only(records, Unmapped)] == ["the password of c@d.example"]
