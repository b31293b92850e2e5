"""The tables, in SQLAlchemy Core: the language of schema for every engine.

Imported only to make a database, to upgrade one and by tests: opening an existing store does not need it. Hot
statements are SQL text in ``reads`` and ``writes``. ``migrations/versions`` must lead to exactly these tables
(``tests/unit/store/test_schema.py``).

How rows lie on disk: ``message`` and the tables beside it are clustered by account and mailbox (WITHOUT ROWID).
``email`` rows are long, for which SQLite wants a rowid; the id carries the account in its high bits
(``email_id``), so they lie together all the same. ``body``, ``journey`` and what is staged are appended. The
directory's tables are in ``schema_directory``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Float, Index, LargeBinary, Table, Text, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from posthouse.store.sqlite import schema_directory
from posthouse.store.sqlite.schema_columns import Id, key, metadata, moment, number, text_key, words

# ---- mail -----------------------------------------------------------------------------------------------------

Table(
    "mailbox",
    metadata,
    key("account_id"),
    key("id"),
    number("parent_id"),  # 0 at the top
    Column("name", Text, nullable=False),
    words("role"),
    number("uidvalidity", default=None),
    number("uidnext", default=1),
    number("highestmodseq"),
    number("messages"),
    number("unseen"),
    number("deleted"),
    number("size"),
    number("change_floor"),  # below this modseq the change table has forgotten; see reads.messages
    Index("mailbox_by_name", "account_id", "name", unique=True),
    Index("mailbox_by_parent", "account_id", "parent_id"),
    sqlite_with_rowid=False,
)
Table("subscription", metadata, key("account_id"), text_key("name"), sqlite_with_rowid=False)
Table(
    "message",
    metadata,
    key("account_id"),
    key("mailbox_id"),
    key("uid"),
    number("email_id", default=None),
    number("flags"),
    words("keywords"),
    number("modseq", default=None),
    number("born", default=None),  # the modseq with which it came; rises with uid
    number("internal_date"),
    number("save_date"),
    number("size"),
    Column("prefix", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
# Ranges of UIDs whose flags changed. Arrivals are not here: ``message.born`` tells them.
Table(
    "change",
    metadata,
    key("account_id"),
    key("mailbox_id"),
    key("modseq"),
    key("first_uid"),
    number("last_uid", default=None),
    sqlite_with_rowid=False,
)
Table(
    "expunged",
    metadata,
    key("account_id"),
    key("mailbox_id"),
    key("modseq"),
    key("first_uid"),
    number("last_uid", default=None),
    sqlite_with_rowid=False,
)
Table(
    "email",
    metadata,
    key("id"),
    number("places", default=1),  # message rows that show it
    number("body_id", default=None),
    number("body_size", default=None),
    number("header_size", default=None),
    Column("date", Id, nullable=True),
    number("has_attachment"),
    words("message_id"),
    words("subject"),
    words("base_subject"),
    words("from_text"),
    words("to_text"),
    words("cc_text"),
    words("preview"),
    words("msg_references"),
    Column("envelope", LargeBinary, nullable=False),
    Column("bodystructure", LargeBinary, nullable=False),
)
# Changes of email.places that housekeeping has yet to apply, so that copying and expunging thousands of messages
# writes no email rows: places + delta is the number of message rows. At 0 the email goes, and its body with it.
Table("place_change", metadata, key("email_id"), number("delta", default=None))

# ---- bodies ---------------------------------------------------------------------------------------------------

Table(
    "body",
    metadata,
    key("id"),
    number("size", default=None),
    number("codec"),  # 0: the octets are in content; 1: they are in body_chunk
    Column("hash", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=True),
)
Table(
    "body_chunk",
    metadata,
    key("body_id"),
    key("number"),
    Column("content", LargeBinary, nullable=False),
)
# Owners (emails, queue messages) of a body that has more than one; no row means one.
Table("body_share", metadata, key("body_id"), number("owners", default=None))
# Chunks that were written ahead of their delivery; those that stay are left by a crash.
Table("body_staging", metadata, key("body_id"), moment("since"))

# ---- queue ----------------------------------------------------------------------------------------------------

Table(
    "queue_message",
    metadata,
    key("queue_id"),
    number("body_id", default=None),
    number("size", default=None),
    words("reverse_path"),
    words("ret"),
    words("envid"),
    words("body_type"),
    number("smtputf8"),
    moment("received"),
    moment("expires"),
)
Table(
    "queue_recipient",
    metadata,
    key("queue_id"),
    key("number"),
    Column("due", Float, nullable=True),  # max(next_attempt, lease_until) where waiting, else NULL
    words("address"),
    words("destination"),
    words("state"),
    number("attempts"),
    moment("next_attempt"),
    words("lease_owner"),
    moment("lease_until"),
    words("last_reply"),
    words("notify"),
    words("orcpt"),
    number("delay_notified"),
    Index("queue_by_due", "due", "destination", sqlite_where=text("due IS NOT NULL")),
    Index("queue_by_destination", "destination", "due", sqlite_where=text("due IS NOT NULL")),
    Index("queue_held", "destination", "next_attempt", sqlite_where=text("due IS NULL")),
    sqlite_with_rowid=False,
)

# ---- journey --------------------------------------------------------------------------------------------------

Table(
    "journey",
    metadata,
    key("id"),
    number("queue_id", default=None),
    Column("story", LargeBinary, nullable=False),  # JSON: [[at, step, record], ...]
    Index("journey_by_queue_id", "queue_id"),
)
# Hashes of keys, by day so that old ones go in one stroke; filled behind the deliveries from journey_fresh_key.
Table("journey_key", metadata, key("day"), key("hash"), key("queue_id"), sqlite_with_rowid=False)
Table(
    "journey_fresh_key",
    metadata,
    key("id"),
    number("queue_id", default=None),
    Column("hashes", LargeBinary, nullable=False),
)


def statements() -> Iterator[str]:
    """Yield the statements that make every table and index, and the first rows, in an empty SQLite database."""
    dialect = sqlite.dialect()
    for table in metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=dialect)).strip()
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield str(CreateIndex(index).compile(dialect=dialect)).strip()
    yield schema_directory.FIND_INDEX
    yield schema_directory.SERVER_OFFICE
