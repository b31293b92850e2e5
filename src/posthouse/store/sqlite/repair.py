"""Putting right what ``verify`` finds, where the truth is still there: counts, orphans, indexes.

Rows of mail and of the directory are the truth; what was counted or derived from them is made anew, and what belongs to
nothing goes. What is lost is not invented: findings without a repair keep their remedy. Each repair is one value of a
group, written under the lock like any other change.
Tests: ``tests/contract/store/test_store_verify.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from posthouse.core.ids import AccountId
from posthouse.store.sqlite.folding import entry_text
from posthouse.store.sqlite.group import EMAIL_BITS, Group
from posthouse.store.sqlite.invariants_directory import (
    ADDRESSES,
    DOMAIN_TALLIES,
    MEMBERS,
    NAMED,
    NAMESPACE,
    OFFICE_OF,
    OFFICE_TALLIES,
)
from posthouse.store.sqlite.places import ENTRY_BITS
from posthouse.store.sqlite.verify import FIND_INDEX

SHOWN = "an email is shown in as many places as it counts"
_LOST = """
    SELECT e.id, e.body_size, e.date FROM email e LEFT JOIN place_change p ON p.email_id = e.id
    WHERE e.places + coalesce(p.delta, 0) > 0 AND (e.id >> 36) IN (SELECT id FROM account)
          AND e.id NOT IN (SELECT email_id FROM message)
"""
_OWNERS = """
    SELECT b.id, count(o.body_id) n FROM body b LEFT JOIN (
        SELECT body_id FROM email UNION ALL SELECT body_id FROM queue_message
    ) o ON o.body_id = b.id GROUP BY b.id
"""
_OFFICE_OF_DOMAIN = "(SELECT office_id FROM domain d WHERE d.id = {0}.domain_id)"

STATEMENTS: dict[str, tuple[str, ...]] = {
    "mailbox counters match its messages": (
        """
        UPDATE mailbox SET (messages, unseen, deleted, size) = (
            SELECT count(*), coalesce(sum(m.flags & 1 = 0), 0), coalesce(sum(m.flags & 8 != 0), 0),
                   coalesce(sum(m.size), 0)
            FROM message m WHERE m.account_id = mailbox.account_id AND m.mailbox_id = mailbox.id)
        """,
    ),
    "account counters match its mailboxes": (
        """
        UPDATE account_state SET (messages, octets) = (
            SELECT coalesce(sum(b.messages), 0), coalesce(sum(b.size), 0) FROM mailbox b
            WHERE b.account_id = account_state.account_id)
        """,
    ),
    "uidnext is above every UID": (
        """
        UPDATE mailbox SET uidnext = max(uidnext,
            (SELECT coalesce(max(m.uid), 0) + 1 FROM message m
             WHERE m.account_id = mailbox.account_id AND m.mailbox_id = mailbox.id),
            (SELECT coalesce(max(x.last_uid), 0) + 1 FROM expunged x
             WHERE x.account_id = mailbox.account_id AND x.mailbox_id = mailbox.id))
        """,
    ),
    "modseq orders every change": (
        """
        UPDATE mailbox SET highestmodseq = max(highestmodseq,
            (SELECT coalesce(max(m.modseq), 0) FROM message m
             WHERE m.account_id = mailbox.account_id AND m.mailbox_id = mailbox.id),
            (SELECT coalesce(max(c.modseq), 0) FROM change c
             WHERE c.account_id = mailbox.account_id AND c.mailbox_id = mailbox.id),
            (SELECT coalesce(max(x.modseq), 0) FROM expunged x
             WHERE x.account_id = mailbox.account_id AND x.mailbox_id = mailbox.id))
        """,
        """
        UPDATE account_state SET modseq = max(modseq,
            (SELECT coalesce(max(b.highestmodseq), 0) FROM mailbox b WHERE b.account_id = account_state.account_id))
        """,
    ),
    "a flag change is remembered": (
        """
        INSERT OR IGNORE INTO change (account_id, mailbox_id, modseq, first_uid, last_uid)
        SELECT m.account_id, m.mailbox_id, m.modseq, m.uid, m.uid
        FROM message m JOIN mailbox b ON b.account_id = m.account_id AND b.id = m.mailbox_id
        WHERE m.modseq > m.born AND m.modseq > b.change_floor AND NOT EXISTS (
            SELECT 1 FROM change c WHERE c.account_id = m.account_id AND c.mailbox_id = m.mailbox_id
            AND c.modseq = m.modseq AND m.uid BETWEEN c.first_uid AND c.last_uid)
        """,
    ),
    "UIDVALIDITY is given once": (
        """
        UPDATE account_state SET last_uidvalidity = max(last_uidvalidity,
            (SELECT coalesce(max(b.uidvalidity), 0) FROM mailbox b WHERE b.account_id = account_state.account_id))
        """,
    ),
    # The number of places is counted anew. What should be shown and is nowhere was given back to the inbox before.
    SHOWN: (
        "DELETE FROM place_change WHERE (email_id >> 36) NOT IN (SELECT account_id FROM removed_account)",
        """
        UPDATE email SET places = coalesce(
            (SELECT n FROM (SELECT email_id, count(*) n FROM message GROUP BY email_id) m
             WHERE m.email_id = email.id), 0)
        WHERE (id >> 36) NOT IN (SELECT account_id FROM removed_account)
        """,
        "INSERT OR IGNORE INTO place_change (email_id, delta) SELECT id, 0 FROM email WHERE places = 0",
    ),
    "no email is without a place": (
        """
        DELETE FROM place_change WHERE email_id NOT IN (SELECT id FROM email)
            AND (email_id >> 36) NOT IN (SELECT account_id FROM removed_account)
        """,
        "INSERT OR IGNORE INTO place_change (email_id, delta) SELECT id, 0 FROM email WHERE places <= 0",
    ),
    "an email belongs to an account": (
        """
        UPDATE account_state SET next_email = max(next_email, (
            SELECT coalesce(max(e.id) & 68719476735, 0) + 1 FROM email e
            WHERE e.id >= account_id << 36 AND e.id < (account_id + 1) << 36))
        """,
    ),
    "a queued recipient has its message": (
        "DELETE FROM queue_message WHERE queue_id NOT IN (SELECT queue_id FROM queue_recipient)",
    ),
    "a waiting recipient is due some time": (
        "UPDATE queue_recipient SET due = max(next_attempt, lease_until) WHERE state = 'waiting'",
        "UPDATE queue_recipient SET due = NULL WHERE state = 'held'",
    ),
    "a body has as many owners as it counts": (
        "DELETE FROM body_share",
        f"INSERT INTO body_share (body_id, owners) SELECT id, n FROM ({_OWNERS}) WHERE n > 1",
        f"DELETE FROM body WHERE id IN (SELECT id FROM ({_OWNERS}) WHERE n = 0)",
    ),
    "no chunk is without a body": (
        "DELETE FROM body_staging WHERE body_id IN (SELECT id FROM body)",
        """
        DELETE FROM body_chunk WHERE body_id NOT IN (SELECT body_id FROM body_staging)
            AND body_id NOT IN (SELECT id FROM body WHERE codec = 1)
        """,
    ),
    "a number is given once": (
        """
        INSERT OR REPLACE INTO counter (name, value)
        SELECT t.name, max(t.top, coalesce((SELECT value FROM counter c WHERE c.name = t.name), 0)) FROM (
            SELECT 'body' name, max(coalesce((SELECT max(id) FROM body), 0),
                                    coalesce((SELECT max(body_id) FROM body_chunk), 0)) top
            UNION ALL SELECT 'mailbox', max(id) FROM mailbox UNION ALL SELECT 'account', max(id) FROM account
            UNION ALL SELECT 'domain', max(id) FROM domain UNION ALL SELECT 'journey', max(id) FROM journey
            UNION ALL SELECT 'office', max(id) FROM post_office UNION ALL SELECT 'audit', max(number) FROM audit
        ) t WHERE t.top > 0
        """,
    ),
    OFFICE_OF: (
        "UPDATE domain SET office_id = 0 WHERE office_id NOT IN (SELECT id FROM post_office)",
        *(
            f"UPDATE {table} SET office_id = {_OFFICE_OF_DOMAIN.format(table)}"
            f" WHERE office_id != {_OFFICE_OF_DOMAIN.format(table)}"
            for table in ("account", "alias", "mail_group")
        ),
    ),
    DOMAIN_TALLIES: (
        """
        UPDATE domain SET
            accounts = (SELECT count(*) FROM account a WHERE a.domain_id = domain.id),
            aliases = (SELECT count(*) FROM alias a WHERE a.domain_id = domain.id),
            groups = (SELECT count(*) FROM mail_group g WHERE g.domain_id = domain.id),
            quota = (SELECT coalesce(sum(a.quota_bytes), 0) FROM account a WHERE a.domain_id = domain.id),
            next_entry = max(next_entry, (SELECT coalesce(max(e.id) & 34359738367, 0) + 1 FROM entry e
                             WHERE e.id >= domain.id << 35 AND e.id < (domain.id + 1) << 35))
        """,
    ),
    OFFICE_TALLIES: (
        "INSERT OR IGNORE INTO post_office (id, name) VALUES (0, '')",
        """
        UPDATE post_office SET (domains, accounts, aliases, groups, quota) = (
            SELECT count(*), coalesce(sum(accounts), 0), coalesce(sum(aliases), 0), coalesce(sum(groups), 0),
                   coalesce(sum(quota), 0) FROM domain d WHERE d.office_id = post_office.id)
        """,
    ),
    MEMBERS: (
        "DELETE FROM group_member WHERE group_address NOT IN (SELECT address FROM mail_group)",
        """
        UPDATE mail_group SET members =
            (SELECT count(*) FROM group_member m WHERE m.group_address = mail_group.address)
        """,
    ),
    NAMED: (
        "DELETE FROM credential WHERE account != '' AND account NOT IN (SELECT address FROM account)",
        "DELETE FROM sign_in WHERE account_id NOT IN (SELECT id FROM account)",
        "DELETE FROM address WHERE account_id NOT IN (SELECT id FROM account)",
        """
        DELETE FROM share WHERE account NOT IN (SELECT address FROM account) OR member NOT IN
            (SELECT address FROM account UNION ALL SELECT address FROM mail_group)
        """,
    ),
}
# A later repair may count what an earlier one changed.
ORDER = (
    "mailbox counters match its messages",
    "account counters match its mailboxes",
    "uidnext is above every UID",
    "modseq orders every change",
    "a flag change is remembered",
    "UIDVALIDITY is given once",
    SHOWN,
    "no email is without a place",
    "an email belongs to an account",
    "a queued recipient has its message",
    "a waiting recipient is due some time",
    "a body has as many owners as it counts",
    "no chunk is without a body",
    "a number is given once",
    NAMED,
    OFFICE_OF,
    NAMESPACE,
    DOMAIN_TALLIES,
    OFFICE_TALLIES,
    MEMBERS,
    FIND_INDEX,
)
_FOLLOWS = {
    "mailbox counters match its messages": ("account counters match its mailboxes",),
    "a queued recipient has its message": ("a body has as many owners as it counts", "no chunk is without a body"),
    "a body has as many owners as it counts": ("no chunk is without a body",),
    NAMED: (NAMESPACE, FIND_INDEX),
    OFFICE_OF: (NAMESPACE, OFFICE_TALLIES, FIND_INDEX),
    NAMESPACE: (DOMAIN_TALLIES, FIND_INDEX),
    DOMAIN_TALLIES: (OFFICE_TALLIES,),
}


def repairs(broken: set[str]) -> list[tuple[str, Callable[[Group], bool]]]:
    """Return the repairs for broken invariants, by name in order, with what must be done because of them."""
    wanted = set(broken)
    for name in ORDER:
        if name in wanted:
            wanted.update(_FOLLOWS.get(name, ()))
    return [(name, _work(name)) for name in ORDER if name in wanted]


def _work(name: str) -> Callable[[Group], bool]:
    def work(group: Group) -> bool:
        group.flush()
        group.forget_all()
        if name == SHOWN:
            _give_back(group)
        if name == NAMESPACE:
            _rebuild_entries(group)
        elif name == FIND_INDEX:
            group.execute("INSERT INTO find_index (find_index) VALUES ('rebuild')")
        else:
            for statement in STATEMENTS[name]:
                group.execute(statement)
        group.settings_changed()
        return False

    return work


def _give_back(group: Group) -> None:
    """File emails whose message rows were lost in the inbox of their account."""
    now = int(group.now)
    for email, size, date in group.execute(_LOST).fetchall():
        account = group.account(AccountId(email >> EMAIL_BITS))
        inbox = group.mailbox(account.id, account.inbox)
        account.modseq = inbox.highestmodseq = modseq = account.modseq + 1
        group.rows["message"].append(
            (account.id, inbox.id, inbox.uidnext, email, 0, "", modseq, modseq, date or now, now, size, b"")
        )
        inbox.uidnext += 1
        inbox.messages += 1
        inbox.unseen += 1
        inbox.size += size
        account.messages += 1
        account.octets += size
        group.touched.add(account.id)
    group.flush()


def _rebuild_entries(group: Group) -> None:
    """Write the namespace anew from what has an address; of two things at one address the first stays in it."""
    group.execute("DELETE FROM entry")
    following: dict[int, int] = {}
    rows = group.execute(
        f"SELECT t.kind, t.address, t.owner, t.domain_id, t.display_name, d.office_id, a.given_name, a.family_name"
        f" FROM ({ADDRESSES}) t JOIN domain d ON d.id = t.domain_id"
        " LEFT JOIN account a ON t.kind = 'account' AND a.id = t.owner"
    ).fetchall()
    made = []
    for kind, address, owner, domain, display, office, given, family in rows:
        number = following.get(domain, 1)
        following[domain] = number + 1
        whole = f"{given or ''} {family or ''}".strip()
        text = entry_text(address, (display, whole), office)
        made.append((domain << ENTRY_BITS | number, kind, address, display or whole, owner, text))
    many = group.connection.executemany
    many("INSERT OR IGNORE INTO entry (id, kind, address, name, owner, folded) VALUES (?, ?, ?, ?, ?, ?)", made)
    many("UPDATE domain SET next_entry = max(next_entry, ?) WHERE id = ?", [(n, d) for d, n in following.items()])
