"""The invariants of the store as statements: each finds the rows that break it. Run by ``verify``.

A statement answers ``(where, detail)`` for each breach. Mail of removed accounts that housekeeping has not yet taken
away is left out.
"""

from __future__ import annotations

from posthouse.store.sqlite.invariant import BACKUP, COUNT, LEAVE, Invariant
from posthouse.store.sqlite.invariants_directory import DIRECTORY_INVARIANTS

_EMAIL_ACCOUNT = "(e.id >> 36)"
_NOT_REMOVED = "NOT IN (SELECT account_id FROM removed_account)"

INVARIANTS = (
    Invariant(
        "mailbox counters match its messages",
        """
        SELECT 'account ' || b.account_id || ' mailbox ' || b.name,
               'counted ' || b.messages || '/' || b.unseen || '/' || b.deleted || '/' || b.size || ', there are '
               || coalesce(m.n, 0) || '/' || coalesce(m.u, 0) || '/' || coalesce(m.d, 0) || '/' || coalesce(m.s, 0)
        FROM mailbox b LEFT JOIN (
            SELECT account_id, mailbox_id, count(*) n, sum(flags & 1 = 0) u, sum(flags & 8 != 0) d, sum(size) s
            FROM message GROUP BY account_id, mailbox_id
        ) m ON m.account_id = b.account_id AND m.mailbox_id = b.id
        WHERE (b.messages, b.unseen, b.deleted, b.size)
              != (coalesce(m.n, 0), coalesce(m.u, 0), coalesce(m.d, 0), coalesce(m.s, 0))
              AND b.account_id NOT IN (SELECT account_id FROM removed_account)
        """,
        COUNT,
    ),
    Invariant(
        "account counters match its mailboxes",
        """
        SELECT 'account ' || s.account_id, 'counted ' || s.messages || '/' || s.octets || ', there are '
               || coalesce(sum(b.messages), 0) || '/' || coalesce(sum(b.size), 0)
        FROM account_state s LEFT JOIN mailbox b ON b.account_id = s.account_id GROUP BY s.account_id
        HAVING s.messages != coalesce(sum(b.messages), 0) OR s.octets != coalesce(sum(b.size), 0)
        """,
        COUNT,
    ),
    Invariant(
        "uidnext is above every UID",
        """
        SELECT 'account ' || b.account_id || ' mailbox ' || b.name, 'uidnext ' || b.uidnext || ', UID ' || max(m.uid)
        FROM mailbox b JOIN message m ON m.account_id = b.account_id AND m.mailbox_id = b.id
        GROUP BY b.account_id, b.id HAVING max(m.uid) >= b.uidnext
        UNION ALL
        SELECT 'account ' || b.account_id || ' mailbox ' || b.name,
               'uidnext ' || b.uidnext || ', expunged ' || x.last_uid
        FROM mailbox b JOIN expunged x ON x.account_id = b.account_id AND x.mailbox_id = b.id
        WHERE x.last_uid >= b.uidnext
        """,
        BACKUP,
    ),
    Invariant(
        "an expunged UID is not there",
        """
        SELECT 'account ' || m.account_id || ' mailbox ' || m.mailbox_id || ' UID ' || m.uid, 'expunged and there'
        FROM expunged x JOIN message m
          ON m.account_id = x.account_id AND m.mailbox_id = x.mailbox_id AND m.uid BETWEEN x.first_uid AND x.last_uid
        """,
        BACKUP,
    ),
    Invariant(
        "modseq orders every change",
        """
        SELECT 'account ' || b.account_id || ' mailbox ' || b.name,
               'highestmodseq ' || b.highestmodseq || ', row ' || q.top
        FROM mailbox b JOIN (
            SELECT account_id, mailbox_id, max(modseq) top FROM message GROUP BY account_id, mailbox_id
            UNION ALL SELECT account_id, mailbox_id, max(modseq) FROM change GROUP BY account_id, mailbox_id
            UNION ALL SELECT account_id, mailbox_id, max(modseq) FROM expunged GROUP BY account_id, mailbox_id
        ) q ON q.account_id = b.account_id AND q.mailbox_id = b.id WHERE q.top > b.highestmodseq
        UNION ALL
        SELECT 'account ' || s.account_id || ' mailbox ' || b.name, 'account modseq ' || s.modseq || ', mailbox '
               || b.highestmodseq
        FROM account_state s JOIN mailbox b ON b.account_id = s.account_id WHERE b.highestmodseq > s.modseq
        UNION ALL
        SELECT 'account ' || account_id || ' mailbox ' || mailbox_id || ' UID ' || uid, 'born ' || born || ' after '
               || before || ' of the UID before, modseq ' || modseq
        FROM (SELECT *, lag(born, 1, 0) OVER (PARTITION BY account_id, mailbox_id ORDER BY uid) before FROM message)
        WHERE born < before OR modseq < born
        """,
        BACKUP,
    ),
    Invariant(
        "a flag change is remembered",
        """
        SELECT 'account ' || m.account_id || ' mailbox ' || m.mailbox_id || ' UID ' || m.uid, 'modseq ' || m.modseq
        FROM message m JOIN mailbox b ON b.account_id = m.account_id AND b.id = m.mailbox_id
        WHERE m.modseq > m.born AND m.modseq > b.change_floor AND NOT EXISTS (
            SELECT 1 FROM change c WHERE c.account_id = m.account_id AND c.mailbox_id = m.mailbox_id
            AND c.modseq = m.modseq AND m.uid BETWEEN c.first_uid AND c.last_uid
        )
        """,
        BACKUP,
    ),
    Invariant(
        "a message has its mailbox and its email",
        f"""
        SELECT 'account ' || m.account_id || ' mailbox ' || m.mailbox_id || ' UID ' || m.uid,
               CASE WHEN b.id IS NULL THEN 'no mailbox' ELSE 'no email ' || m.email_id END
        FROM message m LEFT JOIN mailbox b ON b.account_id = m.account_id AND b.id = m.mailbox_id
        LEFT JOIN email e ON e.id = m.email_id
        WHERE (b.id IS NULL OR e.id IS NULL) AND m.account_id {_NOT_REMOVED}
        """,
        BACKUP,
    ),
    Invariant(
        "an email is shown in as many places as it counts",
        f"""
        SELECT 'email ' || e.id, 'counts ' || (e.places + coalesce(p.delta, 0)) || ', shown in ' || coalesce(m.n, 0)
        FROM email e LEFT JOIN place_change p ON p.email_id = e.id
        LEFT JOIN (SELECT email_id, count(*) n FROM message GROUP BY email_id) m ON m.email_id = e.id
        WHERE e.places + coalesce(p.delta, 0) != coalesce(m.n, 0) AND {_EMAIL_ACCOUNT} {_NOT_REMOVED}
        """,
        LEAVE,
    ),
    Invariant(
        "no email is without a place",
        f"""
        SELECT 'email ' || e.id, 'no place, and not noted for housekeeping' FROM email e
        LEFT JOIN place_change p ON p.email_id = e.id
        WHERE e.places <= 0 AND p.email_id IS NULL AND {_EMAIL_ACCOUNT} {_NOT_REMOVED}
        UNION ALL
        SELECT 'email ' || p.email_id, 'a change of places, but no email' FROM place_change p
        LEFT JOIN email e ON e.id = p.email_id WHERE e.id IS NULL AND (p.email_id >> 36) {_NOT_REMOVED}
        """,
        LEAVE,
    ),
    Invariant(
        "an email belongs to an account",
        f"""
        SELECT 'email ' || e.id, 'no account ' || {_EMAIL_ACCOUNT} FROM email e
        WHERE {_EMAIL_ACCOUNT} NOT IN (SELECT id FROM account) AND {_EMAIL_ACCOUNT} {_NOT_REMOVED}
        UNION ALL
        SELECT 'account ' || s.account_id, 'next email ' || s.next_email || ', there is ' || (max(e.id) & 68719476735)
        FROM account_state s JOIN email e ON e.id >= s.account_id << 36 AND e.id < (s.account_id + 1) << 36
        GROUP BY s.account_id HAVING (max(e.id) & 68719476735) >= s.next_email
        """,
        BACKUP,
    ),
    Invariant(
        "a body is there for every email and queued message",
        """
        SELECT 'email ' || e.id, 'no body ' || e.body_id FROM email e LEFT JOIN body b ON b.id = e.body_id
        WHERE b.id IS NULL
        UNION ALL
        SELECT 'queue message ' || q.queue_id, 'no body ' || q.body_id FROM queue_message q
        LEFT JOIN body b ON b.id = q.body_id WHERE b.id IS NULL
        """,
        BACKUP,
    ),
    Invariant(
        "a body has as many owners as it counts",
        """
        SELECT 'body ' || b.id, 'counts ' || coalesce(s.owners, 1) || ' owners, there are ' || coalesce(o.n, 0)
        FROM body b LEFT JOIN body_share s ON s.body_id = b.id
        LEFT JOIN (
            SELECT body_id, count(*) n FROM (SELECT body_id FROM email UNION ALL SELECT body_id FROM queue_message)
            GROUP BY body_id
        ) o ON o.body_id = b.id WHERE coalesce(s.owners, 1) != coalesce(o.n, 0)
        UNION ALL
        SELECT 'body ' || s.body_id, 'shared, but not there' FROM body_share s
        LEFT JOIN body b ON b.id = s.body_id WHERE b.id IS NULL
        """,
        LEAVE,
    ),
    Invariant(
        "sizes agree",
        """
        SELECT 'email ' || e.id, 'size ' || e.body_size || ', body ' || b.size
        FROM email e JOIN body b ON b.id = e.body_id WHERE e.body_size != b.size
        UNION ALL
        SELECT 'account ' || m.account_id || ' mailbox ' || m.mailbox_id || ' UID ' || m.uid, 'size ' || m.size
        FROM message m JOIN email e ON e.id = m.email_id WHERE m.size != e.body_size + length(m.prefix)
        """,
        BACKUP,
    ),
    Invariant(
        "no chunk is without a body",
        """
        SELECT DISTINCT 'body ' || c.body_id, 'chunks of no body' FROM body_chunk c
        WHERE c.body_id NOT IN (SELECT body_id FROM body_staging)
          AND c.body_id NOT IN (SELECT id FROM body WHERE codec = 1)
        UNION ALL
        SELECT 'body ' || s.body_id, 'staged, but delivered' FROM body_staging s JOIN body b ON b.id = s.body_id
        """,
        LEAVE,
    ),
    Invariant(
        "a queued recipient has its message",
        """
        SELECT 'queue ' || r.queue_id || ' recipient ' || r.number, 'no message' FROM queue_recipient r
        LEFT JOIN queue_message m ON m.queue_id = r.queue_id WHERE m.queue_id IS NULL
        UNION ALL
        SELECT 'queue ' || m.queue_id, 'no recipients' FROM queue_message m
        WHERE NOT EXISTS (SELECT 1 FROM queue_recipient r WHERE r.queue_id = m.queue_id)
        """,
        BACKUP,
    ),
    Invariant(
        "a waiting recipient is due some time",
        """
        SELECT 'queue ' || queue_id || ' recipient ' || number, state || ', due ' || coalesce(due, 'never')
        FROM queue_recipient
        WHERE state NOT IN ('waiting', 'held') OR (state = 'waiting') != (due IS NOT NULL)
              OR due > max(next_attempt, lease_until)
        """,
        BACKUP,
    ),
    Invariant(
        "a mailbox lies in its parent",
        f"""
        SELECT 'account ' || m.account_id || ' mailbox ' || m.name, 'parent ' || m.parent_id
               || CASE WHEN p.id IS NULL THEN ' is not there' ELSE ' is ' || p.name END
        FROM mailbox m LEFT JOIN mailbox p ON p.account_id = m.account_id AND p.id = m.parent_id
        WHERE m.account_id {_NOT_REMOVED} AND CASE WHEN m.parent_id = 0 THEN instr(m.name, '/') > 0 ELSE
              p.id IS NULL OR substr(m.name, 1, length(p.name) + 1) != p.name || '/'
              OR instr(substr(m.name, length(p.name) + 2), '/') > 0 END
        """,
        BACKUP,
    ),
    Invariant(
        "UIDVALIDITY is given once",
        """
        SELECT 'account ' || b.account_id || ' mailbox ' || max(b.name), 'uidvalidity ' || b.uidvalidity || ' of '
               || count(*) || ', last given ' || s.last_uidvalidity
        FROM mailbox b JOIN account_state s ON s.account_id = b.account_id GROUP BY b.account_id, b.uidvalidity
        HAVING count(*) > 1 OR b.uidvalidity > s.last_uidvalidity
        """,
        BACKUP,
    ),
    Invariant(
        "an account is whole",
        f"""
        SELECT 'account ' || a.address, 'no counters or no inbox' FROM account a
        LEFT JOIN account_state s ON s.account_id = a.id
        LEFT JOIN mailbox b ON b.account_id = a.id AND b.id = s.inbox_id AND b.name = 'INBOX' WHERE b.id IS NULL
        UNION ALL
        SELECT 'account ' || b.account_id, 'mailbox ' || b.name || ' of no account' FROM mailbox b
        WHERE b.account_id NOT IN (SELECT id FROM account) AND b.account_id {_NOT_REMOVED}
        UNION ALL
        SELECT 'account ' || a.address, 'no domain ' || a.domain_id FROM account a
        WHERE a.domain_id NOT IN (SELECT id FROM domain)
        UNION ALL
        SELECT 'alias ' || address, 'no domain ' || domain_id FROM alias
        WHERE domain_id NOT IN (SELECT id FROM domain)
        UNION ALL
        SELECT 'domain ' || name, 'alias of ' || alias_of || ', which is not there' FROM domain
        WHERE alias_of != '' AND alias_of NOT IN (SELECT name FROM domain)
        """,
        BACKUP,
    ),
    Invariant(
        "a number is given once",
        """
        SELECT 'counter ' || t.name, 'at ' || coalesce(c.value, 0) || ', there is ' || t.top FROM (
            SELECT 'body' name, max(id) top FROM body UNION ALL SELECT 'body', max(body_id) FROM body_chunk
            UNION ALL SELECT 'mailbox', max(id) FROM mailbox UNION ALL SELECT 'account', max(id) FROM account
            UNION ALL SELECT 'domain', max(id) FROM domain UNION ALL SELECT 'journey', max(id) FROM journey
            UNION ALL SELECT 'office', max(id) FROM post_office WHERE id > 0
            UNION ALL SELECT 'audit', max(number) FROM audit
        ) t LEFT JOIN counter c ON c.name = t.name WHERE t.top > coalesce(c.value, 0)
        """,
        BACKUP,
    ),
    Invariant(
        "a journey can be read",
        "SELECT 'journey ' || id, 'not JSON' FROM journey WHERE NOT json_valid(CAST(story AS TEXT))",
        LEAVE,
    ),
    *DIRECTORY_INVARIANTS,
)
