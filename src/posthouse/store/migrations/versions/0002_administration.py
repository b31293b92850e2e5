"""Post offices, groups, shares, credentials and records; one namespace of addresses, and an index that finds them.

Who administered stays administrator of the server; what was disabled stays so. Domains belong to no post office.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from posthouse.store.sqlite.folding import entry_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ENTRY_BITS = 35
_ROWS = 5_000


def upgrade() -> None:
    _offices()
    _domains()
    _accounts()
    _aliases()
    _groups()
    _routes()
    _credentials()
    _records()
    _entries()


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, primary_key=True, nullable=False, autoincrement=False)


def _text_key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True, nullable=False)


def _number(name: str, default: int | None = 0) -> sa.Column[int]:
    return sa.Column(name, ID, nullable=False, server_default=None if default is None else sa.text(str(default)))


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=sa.text(f"'{default}'"))


def _moment(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=False, server_default=sa.text("0"))


def _unique(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, unique=True)


def _optional(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=True)


def _replace(table: str, columns: tuple[sa.Column[Any], ...], filled: dict[str, str], **options: Any) -> None:
    """Make a table anew with what it held; ``filled`` says what each column is filled from."""
    op.rename_table(table, f"{table}_before")
    op.create_table(table, *columns, **options)
    names, sources = ", ".join(filled), ", ".join(filled.values())
    op.execute(sa.text(f"INSERT INTO {table} ({names}) SELECT {sources} FROM {table}_before"))
    op.drop_table(f"{table}_before")


def _offices() -> None:
    op.create_table(
        "post_office",
        _key("id"),
        _unique("name"),
        _text("title"),
        _text("note"),
        _number("disabled"),
        _number("domains"),
        _number("accounts"),
        _number("aliases"),
        _number("groups"),
        _number("quota"),
        _number("revision"),
    )
    op.execute(
        "INSERT INTO post_office (id, name, domains, accounts, aliases, quota) SELECT 0, '',"
        " (SELECT count(*) FROM domain), (SELECT count(*) FROM account), (SELECT count(*) FROM alias),"
        " (SELECT coalesce(sum(quota_bytes), 0) FROM account)"
    )


def _domains() -> None:
    columns = (
        _key("id"),
        _unique("name"),
        _number("office_id"),
        _text("alias_of"),
        _number("disabled"),
        _text("catch_all"),
        _text("postmaster"),
        _text("abuse"),
        _text("note"),
        _number("accounts"),
        _number("aliases"),
        _number("groups"),
        _number("quota"),
        _number("next_entry", default=1),
        _number("revision"),
    )
    here = "FROM {} t WHERE t.domain_id = domain_before.id"
    filled = {name: name for name in ("id", "name", "alias_of", "disabled", "catch_all")} | {
        "accounts": f"(SELECT count(*) {here.format('account')})",
        "aliases": f"(SELECT count(*) {here.format('alias')})",
        "quota": f"(SELECT coalesce(sum(quota_bytes), 0) {here.format('account')})",
    }
    _replace("domain", columns, filled)
    op.create_index("domain_by_alias", "domain", ["alias_of", "name"])
    op.create_index("domain_by_office", "domain", ["office_id", "name"])


def _accounts() -> None:
    op.drop_index("account_by_domain", "account")
    columns = (
        _key("id"),
        _number("domain_id", default=None),
        _number("office_id"),
        _unique("address"),
        _text("display_name"),
        _text("password_hash"),
        _number("quota_bytes"),
        _text("state", "active"),
        _text("level", "user"),
        _text("kind", "person"),
        _text("given_name"),
        _text("family_name"),
        _text("note"),
        _text("language"),
        _number("quota_messages"),
        _moment("held_until"),
        _number("must_change_password"),
        _text("source"),
        _text("external_id"),
        _moment("created"),
        _number("revision"),
    )
    kept = ("id", "domain_id", "address", "display_name", "password_hash", "quota_bytes")
    filled = {name: name for name in kept} | {
        "state": "CASE WHEN disabled THEN 'disabled' ELSE 'active' END",
        "level": "CASE WHEN is_admin THEN 'server' ELSE 'user' END",
    }
    _replace("account", columns, filled)
    op.create_index("account_by_domain", "account", ["domain_id", "address"])
    op.create_index("account_by_hold", "account", ["held_until"], sqlite_where=sa.text("state = 'held'"))
    op.create_index("account_by_kind", "account", ["kind", "address"], sqlite_where=sa.text("kind != 'person'"))
    op.create_index("account_by_level", "account", ["level", "address"], sqlite_where=sa.text("level != 'user'"))
    op.create_index("account_by_office", "account", ["office_id", "address"])
    op.create_index("account_by_source", "account", ["source", "address"], sqlite_where=sa.text("source != ''"))
    op.create_index("account_by_state", "account", ["state", "address"], sqlite_where=sa.text("state != 'active'"))
    op.create_table("address", _key("account_id"), _text_key("address"), sqlite_with_rowid=False)


def _aliases() -> None:
    op.drop_index("alias_by_domain", "alias")
    columns = (
        _text_key("address"),
        _number("domain_id", default=None),
        _number("office_id"),
        _text("targets"),
        _text("kind", "forward"),
        _number("disabled"),
        _text("note"),
        _number("revision"),
    )
    filled = {name: name for name in ("address", "domain_id", "targets")}
    _replace("alias", columns, filled, sqlite_with_rowid=False)
    op.create_index("alias_by_domain", "alias", ["domain_id", "address"])
    op.create_index("alias_by_office", "alias", ["office_id", "address"])


def _groups() -> None:
    op.create_table(
        "mail_group",
        _text_key("address"),
        _number("domain_id", default=None),
        _number("office_id"),
        _text("display_name"),
        _text("note"),
        _text("senders", "anyone"),
        _text("listed", "[]"),
        _number("disabled"),
        _number("members"),
        _number("revision"),
        sqlite_with_rowid=False,
    )
    op.create_index("group_by_domain", "mail_group", ["domain_id", "address"])
    op.create_index("group_by_office", "mail_group", ["office_id", "address"])
    op.create_table("group_member", _text_key("group_address"), _text_key("member"), sqlite_with_rowid=False)
    op.create_index("group_by_member", "group_member", ["member", "group_address"])
    op.create_table(
        "share",
        _text_key("account"),
        _text_key("member"),
        _text("share_right", "read"),
        _number("send_as"),
        _number("send_on_behalf"),
        sqlite_with_rowid=False,
    )
    op.create_index("share_by_member", "share", ["member", "account"])


def _routes() -> None:
    columns = (
        _text_key("domain"),
        _text("host"),
        _number("port", default=25),
        _text("tls"),
        _number("recipients_local"),
        _number("mx_lookup"),
        _text("login"),
        _text("sealed_password"),
        _number("revision"),
    )
    filled = {name: name for name in ("domain", "host", "port", "tls", "recipients_local", "mx_lookup")}
    _replace("route", columns, filled, sqlite_with_rowid=False)
    op.create_table(
        "source",
        _text_key("name"),
        _text("kind"),
        _text("config", "{}"),
        _text("sealed"),
        _number("disabled"),
        _number("revision"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "wording",
        _text_key("scope"),
        _text_key("name"),
        _text_key("language"),
        _text("subject"),
        _text("text"),
        sqlite_with_rowid=False,
    )


def _credentials() -> None:
    op.create_table(
        "credential",
        _text_key("id"),
        _text("account"),
        _text("kind"),
        _text("name"),
        _text("verifier"),
        _text("scopes"),
        _moment("created"),
        _moment("expires"),
        _moment("last_used"),
        _text("last_address"),
        _text("details", "{}"),
        sqlite_with_rowid=False,
    )
    op.create_index("credential_by_account", "credential", ["account", "kind", "created"])
    op.create_index("credential_by_end", "credential", ["expires"], sqlite_where=sa.text("expires > 0"))
    op.create_index("credential_by_verifier", "credential", ["kind", "verifier"], unique=True)
    op.create_table("sign_in", _key("account_id"), _moment("at"), _text("address"), _text("protocol"))
    op.create_table(
        "ban",
        _text_key("network"),
        _text_key("account"),
        _text("reason"),
        _moment("since"),
        _moment("until"),
        _text("set_by"),
        sqlite_with_rowid=False,
    )


def _records() -> None:
    told = ("actor", "door", "address", "operation", "subject", "office", "domain")
    op.create_table(
        "audit",
        _key("number"),
        _moment("at"),
        *map(_text, told),
        _optional("before"),
        _optional("after"),
        _text("previous"),
        _text("digest"),
    )
    for column in ("domain", "office", "subject"):
        op.create_index(f"audit_by_{column}", "audit", [column, "number"])
    op.create_table(
        "job",
        _text_key("id"),
        _text("operation"),
        _text("office"),
        _text("domain"),
        _text("caller", "{}"),
        _text("input", "{}"),
        _text("state", "waiting"),
        _number("done"),
        _number("total"),
        _text("text"),
        _optional("result"),
        _text("owner"),
        _moment("until"),
        _moment("created"),
        _moment("changed"),
        sqlite_with_rowid=False,
    )
    op.create_index("job_by_age", "job", ["created", "id"])
    op.create_index("job_open", "job", ["state", "created"], sqlite_where=sa.text("state IN ('waiting', 'running')"))
    op.create_table(
        "kept_reply",
        _text_key("caller"),
        _text_key("request"),
        _text("fingerprint"),
        _moment("at"),
        _number("status"),
        sa.Column("body", sa.LargeBinary, nullable=False, server_default=sa.text("x''")),
        sqlite_with_rowid=False,
    )
    op.create_index("kept_reply_by_age", "kept_reply", ["at"])
    op.create_table("allowance", _text_key("holder"), _key("hour"), _number("spent"), sqlite_with_rowid=False)


def _entries() -> None:
    """Fill the namespace, domain by domain: each domain is its own first entry."""
    op.create_table(
        "entry", _key("id"), _text("kind"), _unique("address"), _text("name"), _number("owner"), _text("folded")
    )
    op.execute(
        "CREATE VIRTUAL TABLE find_index USING fts5("
        "folded, content='entry', content_rowid='id', columnsize=0, detail=none, tokenize='trigram')"
    )
    connection = op.get_bind()
    insert = sa.text(
        "INSERT INTO entry (id, kind, address, name, owner, folded)"
        " VALUES (:id, :kind, :address, :name, :owner, :folded)"
    )
    following: dict[int, int] = {}
    found = connection.execute(
        sa.text(
            "SELECT id, 'domain', name, '', 0 FROM domain"
            " UNION ALL SELECT domain_id, 'account', address, display_name, id FROM account"
            " UNION ALL SELECT domain_id, 'alias', address, '', 0 FROM alias"
        )
    )
    while rows := found.fetchmany(_ROWS):
        entries = []
        for domain, kind, address, name, owner in rows:
            number = following.get(domain, 1)
            following[domain] = number + 1
            text = entry_text(address, (name,) if name else (), 0)
            entries.append(
                {
                    "id": domain << ENTRY_BITS | number,
                    "kind": kind,
                    "address": address,
                    "name": name,
                    "owner": owner,
                    "folded": text,
                }
            )
        connection.execute(insert, entries)
    if following:
        connection.execute(
            sa.text("UPDATE domain SET next_entry = :following WHERE id = :id"),
            [{"id": domain, "following": number} for domain, number in following.items()],
        )
    op.execute("INSERT INTO find_index (find_index) VALUES ('rebuild')")
