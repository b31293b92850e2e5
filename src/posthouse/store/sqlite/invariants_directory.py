"""The invariants of the directory as statements, as in ``invariants``. Run by ``verify``."""

from __future__ import annotations

from posthouse.store.sqlite.invariant import BACKUP, LEAVE, TALLY, Invariant

DOMAIN_TALLIES = "a domain counts what it holds"
OFFICE_TALLIES = "a post office counts what it holds"
OFFICE_OF = "what is in a domain is in its post office"
NAMESPACE = "an address is one thing"
MEMBERS = "a group counts its members"
NAMED = "what names an account has its account"

_HELD = """
    SELECT d.id, d.name, d.office_id, d.accounts, d.aliases, d.groups, d.quota,
           (SELECT count(*) FROM account a WHERE a.domain_id = d.id) n_accounts,
           (SELECT count(*) FROM alias a WHERE a.domain_id = d.id) n_aliases,
           (SELECT count(*) FROM mail_group g WHERE g.domain_id = d.id) n_groups,
           (SELECT coalesce(sum(a.quota_bytes), 0) FROM account a WHERE a.domain_id = d.id) n_quota
    FROM domain d
"""
# Everything that has an address: what ``entry`` must hold, no more and no less.
ADDRESSES = """
    SELECT 'account' kind, address, id owner, domain_id, display_name FROM account
    UNION ALL SELECT 'address', f.address, f.account_id,
        (SELECT d.id FROM domain d WHERE d.name = substr(f.address, instr(f.address, '@') + 1)), '' FROM address f
    UNION ALL SELECT 'alias', address, 0, domain_id, '' FROM alias
    UNION ALL SELECT 'group', address, 0, domain_id, display_name FROM mail_group
    UNION ALL SELECT 'domain', name, 0, id, '' FROM domain
"""

DIRECTORY_INVARIANTS = (
    Invariant(
        DOMAIN_TALLIES,
        f"""
        SELECT 'domain ' || name, 'counts ' || accounts || '/' || aliases || '/' || groups || '/' || quota
               || ', there are ' || n_accounts || '/' || n_aliases || '/' || n_groups || '/' || n_quota
        FROM ({_HELD})
        WHERE (accounts, aliases, groups, quota) != (n_accounts, n_aliases, n_groups, n_quota)
        UNION ALL
        SELECT 'domain ' || d.name, 'next entry ' || d.next_entry || ', there is ' || (max(e.id) & 34359738367)
        FROM domain d JOIN entry e ON e.id >= d.id << 35 AND e.id < (d.id + 1) << 35
        GROUP BY d.id HAVING (max(e.id) & 34359738367) >= d.next_entry
        """,
        TALLY,
    ),
    Invariant(
        OFFICE_TALLIES,
        """
        SELECT 'post office ' || o.name, 'counts ' || o.domains || '/' || o.accounts || '/' || o.aliases || '/'
               || o.groups || '/' || o.quota || ', there are ' || count(d.id) || '/' || coalesce(sum(d.accounts), 0)
               || '/' || coalesce(sum(d.aliases), 0) || '/' || coalesce(sum(d.groups), 0) || '/'
               || coalesce(sum(d.quota), 0)
        FROM post_office o LEFT JOIN domain d ON d.office_id = o.id GROUP BY o.id
        HAVING (o.domains, o.accounts, o.aliases, o.groups, o.quota) != (count(d.id), coalesce(sum(d.accounts), 0),
               coalesce(sum(d.aliases), 0), coalesce(sum(d.groups), 0), coalesce(sum(d.quota), 0))
        """,
        TALLY,
    ),
    Invariant(
        OFFICE_OF,
        """
        SELECT 'domain ' || d.name, 'no post office ' || d.office_id FROM domain d
        WHERE d.office_id NOT IN (SELECT id FROM post_office)
        UNION ALL
        SELECT t.address, 'in post office ' || t.office_id || ', its domain in ' || d.office_id FROM (
            SELECT address, domain_id, office_id FROM account
            UNION ALL SELECT address, domain_id, office_id FROM alias
            UNION ALL SELECT address, domain_id, office_id FROM mail_group
        ) t JOIN domain d ON d.id = t.domain_id WHERE d.office_id != t.office_id
        """,
        TALLY,
    ),
    Invariant(
        NAMESPACE,
        f"""
        SELECT t.kind || ' ' || t.address, CASE WHEN e.id IS NULL THEN 'not in the namespace'
               ELSE 'in the namespace as ' || e.kind || ' of ' || e.owner || ' in domain ' || (e.id >> 35) END
        FROM ({ADDRESSES}) t LEFT JOIN entry e ON e.address = t.address
        WHERE e.id IS NULL OR e.kind != t.kind OR e.owner != t.owner OR e.id >> 35 IS NOT t.domain_id
        UNION ALL
        SELECT e.kind || ' ' || e.address, 'only in the namespace' FROM entry e WHERE CASE e.kind
            WHEN 'account' THEN e.address NOT IN (SELECT address FROM account)
            WHEN 'address' THEN NOT EXISTS
                (SELECT 1 FROM address f WHERE f.account_id = e.owner AND f.address = e.address)
            WHEN 'alias' THEN e.address NOT IN (SELECT address FROM alias)
            WHEN 'group' THEN e.address NOT IN (SELECT address FROM mail_group)
            ELSE e.address NOT IN (SELECT name FROM domain) END
        """,
        LEAVE,
    ),
    Invariant(
        MEMBERS,
        """
        SELECT 'group ' || g.address, 'counts ' || g.members || ', there are ' || count(m.member) FROM mail_group g
        LEFT JOIN group_member m ON m.group_address = g.address GROUP BY g.address HAVING g.members != count(m.member)
        UNION ALL
        SELECT 'group ' || group_address, 'members of no group' FROM group_member
        WHERE group_address NOT IN (SELECT address FROM mail_group) GROUP BY group_address
        UNION ALL
        SELECT 'group ' || address, 'in no domain' FROM mail_group WHERE domain_id NOT IN (SELECT id FROM domain)
        """,
        LEAVE,
    ),
    Invariant(
        NAMED,
        """
        SELECT 'credential ' || id, 'of no account ' || account FROM credential
        WHERE account != '' AND account NOT IN (SELECT address FROM account)
        UNION ALL
        SELECT 'sign-in', 'of no account ' || account_id FROM sign_in WHERE account_id NOT IN (SELECT id FROM account)
        UNION ALL
        SELECT 'address ' || address, 'of no account ' || account_id FROM address
        WHERE account_id NOT IN (SELECT id FROM account)
        UNION ALL
        SELECT 'share of ' || account, 'for ' || member || ', one of which is not there' FROM share
        WHERE account NOT IN (SELECT address FROM account) OR member NOT IN
              (SELECT address FROM account UNION ALL SELECT address FROM mail_group)
        """,
        LEAVE,
    ),
    Invariant(
        "an account's state can be read",
        """
        SELECT 'account ' || address, state || ', ' || level || ', ' || kind FROM account
        WHERE state NOT IN ('active', 'sign-in-disabled', 'disabled', 'held')
              OR level NOT IN ('user', 'domain', 'office', 'server') OR kind NOT IN ('person', 'shared')
        """,
        BACKUP,
    ),
)
