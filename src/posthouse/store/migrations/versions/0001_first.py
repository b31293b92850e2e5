"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _directory()
    _mailboxes()
    _emails()
    _queue()
    _journey()


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, ID, primary_key=True, nullable=False, autoincrement=False)


def _text_key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True, nullable=False)


def _number(name: str, default: int | None = 0) -> sa.Column[int]:
    return sa.Column(name, ID, nullable=False, server_default=None if default is None else sa.text(str(default)))


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''"))


def _moment(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=False, server_default=sa.text("0"))


def _directory() -> None:
    op.create_table("counter", _text_key("name"), _number("value"), sqlite_with_rowid=False)
    op.create_table(
        "domain",
        _key("id"),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        _text("alias_of"),
        _number("disabled"),
        _text("catch_all"),
    )
    op.create_table(
        "account",
        _key("id"),
        _number("domain_id", default=None),
        sa.Column("address", sa.Text, nullable=False, unique=True),
        _text("display_name"),
        _text("password_hash"),
        _number("quota_bytes"),
        _number("disabled"),
        _number("is_admin"),
    )
    op.create_index("account_by_domain", "account", ["domain_id", "address"])
    op.create_table(
        "account_state",
        _key("account_id"),
        _number("modseq"),
        _number("next_email", default=1),
        _number("last_uidvalidity"),
        _number("inbox_id"),
        _number("octets"),
        _number("messages"),
    )
    op.create_table("removed_account", _key("account_id"))
    op.create_table(
        "alias", _text_key("address"), _number("domain_id", default=None), _text("targets"), sqlite_with_rowid=False
    )
    op.create_index("alias_by_domain", "alias", ["domain_id", "address"])
    op.create_table(
        "route",
        _text_key("domain"),
        _text("host"),
        _number("port", default=25),
        _text("tls"),
        _number("recipients_local"),
        _number("mx_lookup"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "setting",
        _text_key("scope"),
        _text_key("name"),
        _text("value"),
        _text("set_by"),
        _moment("set_at"),
        sqlite_with_rowid=False,
    )
    op.create_table("duty", _text_key("name"), _text("owner"), _moment("until"), sqlite_with_rowid=False)


def _mailboxes() -> None:
    op.create_table(
        "mailbox",
        _key("account_id"),
        _key("id"),
        _number("parent_id"),
        sa.Column("name", sa.Text, nullable=False),
        _text("role"),
        _number("uidvalidity", default=None),
        _number("uidnext", default=1),
        _number("highestmodseq"),
        _number("messages"),
        _number("unseen"),
        _number("deleted"),
        _number("size"),
        _number("change_floor"),
        sqlite_with_rowid=False,
    )
    op.create_index("mailbox_by_name", "mailbox", ["account_id", "name"], unique=True)
    op.create_index("mailbox_by_parent", "mailbox", ["account_id", "parent_id"])
    op.create_table("subscription", _key("account_id"), _text_key("name"), sqlite_with_rowid=False)
    op.create_table(
        "message",
        _key("account_id"),
        _key("mailbox_id"),
        _key("uid"),
        _number("email_id", default=None),
        _number("flags"),
        _text("keywords"),
        _number("modseq", default=None),
        _number("born", default=None),
        _number("internal_date"),
        _number("save_date"),
        _number("size"),
        sa.Column("prefix", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "change",
        _key("account_id"),
        _key("mailbox_id"),
        _key("modseq"),
        _key("first_uid"),
        _number("last_uid", default=None),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "expunged",
        _key("account_id"),
        _key("mailbox_id"),
        _key("modseq"),
        _key("first_uid"),
        _number("last_uid", default=None),
        sqlite_with_rowid=False,
    )


def _emails() -> None:
    op.create_table(
        "email",
        _key("id"),
        _number("places", default=1),
        _number("body_id", default=None),
        _number("body_size", default=None),
        _number("header_size", default=None),
        sa.Column("date", ID, nullable=True),
        _number("has_attachment"),
        _text("message_id"),
        _text("subject"),
        _text("base_subject"),
        _text("from_text"),
        _text("to_text"),
        _text("cc_text"),
        _text("preview"),
        _text("msg_references"),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("bodystructure", sa.LargeBinary, nullable=False),
    )
    op.create_table("place_change", _key("email_id"), _number("delta", default=None))
    op.create_table(
        "body",
        _key("id"),
        _number("size", default=None),
        _number("codec"),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=True),
    )
    op.create_table("body_chunk", _key("body_id"), _key("number"), sa.Column("content", sa.LargeBinary, nullable=False))
    op.create_table("body_share", _key("body_id"), _number("owners", default=None))
    op.create_table("body_staging", _key("body_id"), _moment("since"))


def _queue() -> None:
    op.create_table(
        "queue_message",
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
    op.create_table(
        "queue_recipient",
        _key("queue_id"),
        _key("number"),
        sa.Column("due", sa.Float, nullable=True),
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
        sqlite_with_rowid=False,
    )
    op.create_index(
        "queue_by_destination", "queue_recipient", ["destination", "due"], sqlite_where=sa.text("due IS NOT NULL")
    )
    op.create_index("queue_by_due", "queue_recipient", ["due", "destination"], sqlite_where=sa.text("due IS NOT NULL"))
    op.create_index(
        "queue_held", "queue_recipient", ["destination", "next_attempt"], sqlite_where=sa.text("due IS NULL")
    )


def _journey() -> None:
    op.create_table(
        "journey", _key("id"), _number("queue_id", default=None), sa.Column("story", sa.LargeBinary, nullable=False)
    )
    op.create_index("journey_by_queue_id", "journey", ["queue_id"])
    op.create_table("journey_key", _key("day"), _key("hash"), _key("queue_id"), sqlite_with_rowid=False)
    op.create_table(
        "journey_fresh_key",
        _key("id"),
        _number("queue_id", default=None),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
