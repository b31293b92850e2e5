"""Settings that limit what post offices and domains may hold.

``services.administration.limits`` turns them into ceilings, which the store keeps inside the transaction that adds.
"""

from __future__ import annotations

from typing import Final

from posthouse.config.setting import PER_ACCOUNT, PER_DOMAIN, PER_OFFICE, int_setting, size_setting

NO_LIMIT: Final = -1
_MOST: Final = 1_000_000_000
_HOW = (
    " Set for a post office it counts all its domains together; set for a domain, that domain; set for the server, "
    "every domain that has no limit of its own. -1 means any number, 0 none."
)
_HOW_MUCH = (
    " Set for a post office it counts all its domains together; set for a domain, that domain; set for the server, "
    "every domain that has no limit of its own. 0 means any amount."
)

DOMAINS = int_setting(
    "limit.domains",
    NO_LIMIT,
    "How many domains a post office may have, alias domains included. Set for the server it holds for every post "
    "office that has no limit of its own. -1 means any number.",
    unit="domains",
    minimum=NO_LIMIT,
    maximum=_MOST,
    scopes=PER_OFFICE,
)
ACCOUNTS = int_setting(
    "limit.accounts",
    NO_LIMIT,
    "How many accounts there may be, shared mailboxes and those that are held included." + _HOW,
    unit="accounts",
    minimum=NO_LIMIT,
    maximum=_MOST,
    scopes=PER_DOMAIN,
    is_ceiling=True,
    unlimited=NO_LIMIT,
)
ALIASES = int_setting(
    "limit.aliases",
    NO_LIMIT,
    "How many aliases there may be." + _HOW,
    unit="aliases",
    minimum=NO_LIMIT,
    maximum=_MOST,
    scopes=PER_DOMAIN,
    is_ceiling=True,
    unlimited=NO_LIMIT,
)
GROUPS = int_setting(
    "limit.groups",
    NO_LIMIT,
    "How many groups there may be." + _HOW,
    unit="groups",
    minimum=NO_LIMIT,
    maximum=_MOST,
    scopes=PER_DOMAIN,
    is_ceiling=True,
    unlimited=NO_LIMIT,
)
TOTAL_QUOTA = size_setting(
    "limit.total_quota",
    0,
    "How much the quotas of all accounts may come to. Where it is set every account needs a quota." + _HOW_MUCH,
    minimum=0,
    maximum=1 << 60,
    scopes=PER_DOMAIN,
    is_ceiling=True,
    unlimited=0,
)
ACCOUNT_QUOTA = size_setting(
    "limit.account_quota",
    0,
    "How large the quota of one account may be at most. Where it is set every account needs a quota. 0 means any size.",
    minimum=0,
    maximum=1 << 60,
    scopes=PER_DOMAIN,
    is_ceiling=True,
    unlimited=0,
)

RECIPIENTS_PER_HOUR = int_setting(
    "limit.recipients_per_hour",
    NO_LIMIT,
    "How many recipients mail from people who signed in may have within an hour; what is more waits at the sender. Set "
    "for a post office it counts all its domains together; set for a domain, all its accounts together; set for an "
    "account, that account; set for the server, every account that has no number of its own. -1 means any number.",
    unit="recipients",
    minimum=NO_LIMIT,
    maximum=_MOST,
    scopes=PER_ACCOUNT,
    is_ceiling=True,
    unlimited=NO_LIMIT,
)

SETTINGS = (DOMAINS, ACCOUNTS, ALIASES, GROUPS, TOTAL_QUOTA, ACCOUNT_QUOTA, RECIPIENTS_PER_HOUR)
