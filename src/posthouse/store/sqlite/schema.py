"""The tables, in SQLAlchemy Core: the language of schema for every engine.

Imported only to make a database, to upgrade one and by tests: opening an existing store does not need it. Hot
statements are SQL text in ``reads`` and ``writes``. ``migrations/versions`` must lead to exactly these tables
(``tests/unit/store/test_schema.py``).

How rows lie on disk: ``message`` and the tables beside it are clustered by account and mailbox (WITHOUT ROWID).
``email`` rows are long, for which SQLite wants a rowid; the id carries the account in its high bits
(``email_id``), so they lie together all the same. ``body``, ``journey`` and what is staged are appended.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

Id = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER PRIMARY KEY is the rowid itself

metadata = MetaData()


def _number(name: str, *, default: int | None = 0) -> Column[int]:
    return Column(name, Id, nullable=False, server_default=None if default is None else text(str(default)))


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


def _moment(name: str) -> Column[float]:
    return Column(name, Float, nullable=False, server_default=text("0"))


def _key(name: str) -> Column[int]:
    return Column(name, Id, primary_key=True, nullable=False, autoincrement=False)


def _text_key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True, nullable=False)


# ---- the directory, settings, duties --------------------------------------------------------------------------

# Numbers that are given out: body, account, mailbox, domain, journey; and the version of the directory.
Table("counter", metadata, _text_key("name"), _number("value"), sqlite_with_rowid=False)

Table(
    "domain",
    metadata,
    _key("id"),
    Column("name", Text, nullable=False, unique=True),
    _text("alias_of"),
    _number("disabled"),
    _text("catch_all"),
)
Table(
    "account",
    metadata,
    _key("id"),
    _number("domain_id", default=None),
    Column("address", Text, nullable=False, unique=True),
    _text("display_name"),
    _text("password_hash"),
    _number("quota_bytes"),
    _number("disabled"),
    _number("is_admin"),
    Index("account_by_domain", "domain_id", "address"),
)
# What every delivery changes, kept narrow and apart from the directory: ninety accounts to a page.
Table(
    "account_state",
    metadata,
    _key("account_id"),
    _number("modseq"),
    _number("next_email", default=1),
    _number("last_uidvalidity"),
    _number("inbox_id"),
    _number("octets"),
    _number("messages"),
)
Table("removed_account", metadata, _key("account_id"))
Table(
    "alias",
    metadata,
    _text_key("address"),
    _number("domain_id", default=None),
    _text("targets"),
    Index("alias_by_domain", "domain_id", "address"),
    sqlite_with_rowid=False,
)
Table(
    "route",
    metadata,
    _text_key("domain"),
    _text("host"),
    _number("port", default=25),
    _text("tls"),
    _number("recipients_local"),
    _number("mx_lookup"),
    sqlite_with_rowid=False,
)
Table(
    "setting",
    metadata,
    _text_key("scope"),
    _text_key("name"),
    _text("value"),
    _text("set_by"),
    _moment("set_at"),
    sqlite_with_rowid=False,
)
Table("duty", metadata, _text_key("name"), _text("owner"), _moment("until"), sqlite_with_rowid=False)

# ---- mail -----------------------------------------------------------------------------------------------------

Table(
    "mailbox",
    metadata,
    _key("account_id"),
    _key("id"),
    _number("parent_id"),  # 0 at the top
    Column("name", Text, nullable=False),
    _text("role"),
    _number("uidvalidity", default=None),
    _number("uidnext", default=1),
    _number("highestmodseq"),
    _number("messages"),
    _number("unseen"),
    _number("deleted"),
    _number("size"),
    _number("change_floor"),  # below this modseq the change table has forgotten; see reads.messages
    Index("mailbox_by_name", "account_id", "name", unique=True),
    Index("mailbox_by_parent", "account_id", "parent_id"),
    sqlite_with_rowid=False,
)
Table("subscription", metadata, _key("account_id"), _text_key("name"), sqlite_with_rowid=False)
Table(
    "message",
    metadata,
    _key("account_id"),
    _key("mailbox_id"),
    _key("uid"),
    _number("email_id", default=None),
    _number("flags"),
    _text("keywords"),
    _number("modseq", default=None),
    _number("born", default=None),  # the modseq with which it came; rises with uid
    _number("internal_date"),
    _number("save_date"),
    _number("size"),
    Column("prefix", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
# Ranges of UIDs whose flags changed. Arrivals are not here: ``message.born`` tells them.
Table(
    "change",
    metadata,
    _key("account_id"),
    _key("mailbox_id"),
    _key("modseq"),
    _key("first_uid"),
    _number("last_uid", default=None),
    sqlite_with_rowid=False,
)
Table(
    "expunged",
    metadata,
    _key("account_id"),
    _key("mailbox_id"),
    _key("modseq"),
    _key("first_uid"),
    _number("last_uid", default=None),
    sqlite_with_rowid=False,
)
Table(
    "email",
    metadata,
    _key("id"),
    _number("places", default=1),  # message rows that show it
    _number("body_id", default=None),
    _number("body_size", default=None),
    _number("header_size", default=None),
    Column("date", Id, nullable=True),
    _number("has_attachment"),
    _text("message_id"),
    _text("subject"),
    _text("base_subject"),
    _text("from_text"),
    _text("to_text"),
    _text("cc_text"),
    _text("preview"),
    _text("msg_references"),
    Column("envelope", LargeBinary, nullable=False),
    Column("bodystructure", LargeBinary, nullable=False),
)
# Changes of email.places that housekeeping has yet to apply, so that copying and expunging thousands of messages
# writes no email rows: places + delta is the number of message rows. At 0 the email goes, and its body with it.
Table("place_change", metadata, _key("email_id"), _number("delta", default=None))

# ---- bodies ---------------------------------------------------------------------------------------------------

Table(
    "body",
    metadata,
    _key("id"),
    _number("size", default=None),
    _number("codec"),  # 0: the octets are in content; 1: they are in body_chunk
    Column("hash", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=True),
)
Table(
    "body_chunk",
    metadata,
    _key("body_id"),
    _key("number"),
    Column("content", LargeBinary, nullable=False),
)
# Owners (emails, queue messages) of a body that has more than one; no row means one.
Table("body_share", metadata, _key("body_id"), _number("owners", default=None))
# Chunks that were written ahead of their delivery; those that stay are left by a crash.
Table("body_staging", metadata, _key("body_id"), _moment("since"))

# ---- queue ----------------------------------------------------------------------------------------------------

Table(
    "queue_message",
    metadata,
    _key("queue_id"),
    _number("body_id", default=None),
    _number("size", default=None),
    _text("reverse_path"),
    _text("ret"),
    _text("envid"),
    _text("body_type"),
    _number("smtputf8"),
    _moment("received"),
    _moment("expires"),
)
Table(
    "queue_recipient",
    metadata,
    _key("queue_id"),
    _key("number"),
    Column("due", Float, nullable=True),  # max(next_attempt, lease_until) where waiting, else NULL
    _text("address"),
    _text("destination"),
    _text("state"),
    _number("attempts"),
    _moment("next_attempt"),
    _text("lease_owner"),
    _moment("lease_until"),
    _text("last_reply"),
    _text("notify"),
    _text("orcpt"),
    _number("delay_notified"),
    Index("queue_by_due", "due", "destination", sqlite_where=text("due IS NOT NULL")),
    Index("queue_by_destination", "destination", "due", sqlite_where=text("due IS NOT NULL")),
    Index("queue_held", "destination", "next_attempt", sqlite_where=text("due IS NULL")),
    sqlite_with_rowid=False,
)

# ---- journey --------------------------------------------------------------------------------------------------

Table(
    "journey",
    metadata,
    _key("id"),
    _number("queue_id", default=None),
    Column("story", LargeBinary, nullable=False),  # JSON: [[at, step, record], ...]
    Index("journey_by_queue_id", "queue_id"),
)
# Hashes of keys, by day so that old ones go in one stroke; filled behind the deliveries from journey_fresh_key.
Table("journey_key", metadata, _key("day"), _key("hash"), _key("queue_id"), sqlite_with_rowid=False)
Table(
    "journey_fresh_key",
    metadata,
    _key("id"),
    _number("queue_id", default=None),
    Column("hashes", LargeBinary, nullable=False),
)


def statements() -> Iterator[str]:
    """Yield the statements that make every table and index in an empty SQLite database."""
    dialect = sqlite.dialect()
    for table in metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=dialect)).strip()
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield str(CreateIndex(index).compile(dialect=dialect)).strip()
