"""The tables of the directory, the settings, and the records kept of administration, in SQLAlchemy Core.

``entry`` is the one namespace: an address is an account's, a further one, an alias or a group, once. Its id carries the
domain in its high bits (``places.entry_id``), so that what is in a domain is one range of the find index.

As ``schema``, imported only to make a database, to upgrade one and by tests (``tests/unit/store/test_schema.py``).
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, text

from posthouse.store.sqlite.schema_columns import key, metadata, moment, number, octets, text_key, words

# Numbers that are given out: body, account, mailbox, domain, office, journey, audit; the versions of the directory and
# of the settings.
Table("counter", metadata, text_key("name"), number("value"), sqlite_with_rowid=False)

# ---- what is where ------------------------------------------------------------------------------------------------

# The row with id 0 and no name stands for the server's own domains.
Table(
    "post_office",
    metadata,
    key("id"),
    Column("name", Text, nullable=False, unique=True),
    words("title"),
    words("note"),
    number("disabled"),
    number("domains"),
    number("accounts"),
    number("aliases"),
    number("groups"),
    number("quota"),
    number("revision"),
)
Table(
    "domain",
    metadata,
    key("id"),
    Column("name", Text, nullable=False, unique=True),
    number("office_id"),
    words("alias_of"),
    number("disabled"),
    words("catch_all"),
    words("postmaster"),
    words("abuse"),
    words("note"),
    number("accounts"),
    number("aliases"),
    number("groups"),
    number("quota"),
    number("next_entry", default=1),
    number("revision"),
    Index("domain_by_office", "office_id", "name"),
    Index("domain_by_alias", "alias_of", "name"),
)
Table(
    "account",
    metadata,
    key("id"),
    number("domain_id", default=None),
    number("office_id"),
    Column("address", Text, nullable=False, unique=True),
    words("display_name"),
    words("password_hash"),
    number("quota_bytes"),
    words("state", default="active"),
    words("level", default="user"),
    words("kind", default="person"),
    words("given_name"),
    words("family_name"),
    words("note"),
    words("language"),
    number("quota_messages"),
    moment("held_until"),
    number("must_change_password"),
    words("source"),
    words("external_id"),
    moment("created"),
    number("revision"),
    Index("account_by_domain", "domain_id", "address"),
    Index("account_by_office", "office_id", "address"),
    Index("account_by_state", "state", "address", sqlite_where=text("state != 'active'")),
    Index("account_by_level", "level", "address", sqlite_where=text("level != 'user'")),
    Index("account_by_kind", "kind", "address", sqlite_where=text("kind != 'person'")),
    Index("account_by_source", "source", "address", sqlite_where=text("source != ''")),
    Index("account_by_hold", "held_until", sqlite_where=text("state = 'held'")),
)
# What every delivery changes, kept narrow and apart from the directory: ninety accounts to a page.
Table(
    "account_state",
    metadata,
    key("account_id"),
    number("modseq"),
    number("next_email", default=1),
    number("last_uidvalidity"),
    number("inbox_id"),
    number("octets"),
    number("messages"),
)
Table("removed_account", metadata, key("account_id"))
Table("address", metadata, key("account_id"), text_key("address"), sqlite_with_rowid=False)
Table(
    "alias",
    metadata,
    text_key("address"),
    number("domain_id", default=None),
    number("office_id"),
    words("targets"),
    words("kind", default="forward"),
    number("disabled"),
    words("note"),
    number("revision"),
    Index("alias_by_domain", "domain_id", "address"),
    Index("alias_by_office", "office_id", "address"),
    sqlite_with_rowid=False,
)
Table(
    "mail_group",
    metadata,
    text_key("address"),
    number("domain_id", default=None),
    number("office_id"),
    words("display_name"),
    words("note"),
    words("senders", default="anyone"),
    words("listed", default="[]"),
    number("disabled"),
    number("members"),
    number("revision"),
    Index("group_by_domain", "domain_id", "address"),
    Index("group_by_office", "office_id", "address"),
    sqlite_with_rowid=False,
)
Table(
    "group_member",
    metadata,
    text_key("group_address"),
    text_key("member"),
    Index("group_by_member", "member", "group_address"),
    sqlite_with_rowid=False,
)
Table(
    "share",
    metadata,
    text_key("account"),
    text_key("member"),
    words("share_right", default="read"),
    number("send_as"),
    number("send_on_behalf"),
    Index("share_by_member", "member", "account"),
    sqlite_with_rowid=False,
)
# ``folded`` is what the find index holds: address and names folded, between line feeds, and a mark of the post office.
Table(
    "entry",
    metadata,
    key("id"),
    words("kind"),
    Column("address", Text, nullable=False, unique=True),
    words("name"),
    number("owner"),
    words("folded"),
)
FIND_INDEX = (
    "CREATE VIRTUAL TABLE find_index USING fts5("
    "folded, content='entry', content_rowid='id', columnsize=0, detail=none, tokenize='trigram')"
)
SERVER_OFFICE = "INSERT INTO post_office (id, name) VALUES (0, '')"

# ---- routes and settings ------------------------------------------------------------------------------------------

Table(
    "route",
    metadata,
    text_key("domain"),
    words("host"),
    number("port", default=25),
    words("tls"),
    number("recipients_local"),
    number("mx_lookup"),
    words("login"),
    words("sealed_password"),
    number("revision"),
    sqlite_with_rowid=False,
)
Table(
    "setting",
    metadata,
    text_key("scope"),
    text_key("name"),
    words("value"),
    words("set_by"),
    moment("set_at"),
    sqlite_with_rowid=False,
)
Table(
    "source",
    metadata,
    text_key("name"),
    words("kind"),
    words("config", default="{}"),
    words("sealed"),
    number("disabled"),
    number("revision"),
    sqlite_with_rowid=False,
)
Table(
    "wording",
    metadata,
    text_key("scope"),
    text_key("name"),
    text_key("language"),
    words("subject"),
    words("text"),
    sqlite_with_rowid=False,
)
Table("duty", metadata, text_key("name"), words("owner"), moment("until"), sqlite_with_rowid=False)

# ---- proof of who someone is --------------------------------------------------------------------------------------

Table(
    "credential",
    metadata,
    text_key("id"),
    words("account"),
    words("kind"),
    words("name"),
    words("verifier"),
    words("scopes"),
    moment("created"),
    moment("expires"),
    moment("last_used"),
    words("last_address"),
    words("details", default="{}"),
    Index("credential_by_account", "account", "kind", "created"),
    Index("credential_by_verifier", "kind", "verifier", unique=True),
    Index("credential_by_end", "expires", sqlite_where=text("expires > 0")),
    sqlite_with_rowid=False,
)
Table("sign_in", metadata, key("account_id"), moment("at"), words("address"), words("protocol"))
Table(
    "ban",
    metadata,
    text_key("network"),
    text_key("account"),
    words("reason"),
    moment("since"),
    moment("until"),
    words("set_by"),
    sqlite_with_rowid=False,
)

# ---- records ------------------------------------------------------------------------------------------------------

Table(
    "audit",
    metadata,
    key("number"),
    moment("at"),
    words("actor"),
    words("door"),
    words("address"),
    words("operation"),
    words("subject"),
    words("office"),
    words("domain"),
    Column("before", Text, nullable=True),
    Column("after", Text, nullable=True),
    words("previous"),
    words("digest"),
    Index("audit_by_subject", "subject", "number"),
    Index("audit_by_office", "office", "number"),
    Index("audit_by_domain", "domain", "number"),
)
Table(
    "job",
    metadata,
    text_key("id"),
    words("operation"),
    words("office"),
    words("domain"),
    words("caller", default="{}"),
    words("input", default="{}"),
    words("state", default="waiting"),
    number("done"),
    number("total"),
    words("text"),
    Column("result", Text, nullable=True),
    words("owner"),
    moment("until"),
    moment("created"),
    moment("changed"),
    Index("job_by_age", "created", "id"),
    Index("job_open", "state", "created", sqlite_where=text("state IN ('waiting', 'running')")),
    sqlite_with_rowid=False,
)
# Recipients that were sent to, by who sent and clock hour (``directory_values.SpendAllowance``).
Table("allowance", metadata, text_key("holder"), key("hour"), number("spent"), sqlite_with_rowid=False)
Table(
    "kept_reply",
    metadata,
    text_key("caller"),
    text_key("request"),
    words("fingerprint"),
    moment("at"),
    number("status"),
    octets("body"),
    Index("kept_reply_by_age", "at"),
    sqlite_with_rowid=False,
)
