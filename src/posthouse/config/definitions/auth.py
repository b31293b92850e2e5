"""Settings of signing in."""

from __future__ import annotations

import ipaddress
import re

from posthouse.config.setting import (
    PER_ACCOUNT,
    PER_DOMAIN,
    Authority,
    bool_setting,
    choice_setting,
    duration_setting,
    int_setting,
    list_setting,
    text_setting,
)

_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def _source_name(text: str) -> None:
    if not _SOURCE_NAME.fullmatch(text):
        raise ValueError(text)


def _network(text: str) -> None:
    ipaddress.ip_network(text, strict=False)


FAILURE_LIMIT = int_setting(
    "auth.failure_limit",
    30,
    "How many different wrong passwords, for all accounts together, may come from one client address (for IPv6 one "
    "/64) within `auth.failure_window` before it is banned for `auth.ban_time`. The same wrong password again counts "
    "once, since mail programs repeat an old one for weeks.",
    unit="passwords",
    minimum=3,
    maximum=1_000,
)

ACCOUNT_FAILURE_LIMIT = int_setting(
    "auth.account_failure_limit",
    12,
    "How many different wrong passwords for one account may come from one client address (for IPv6 one /64) within "
    "`auth.failure_window` before that address is banned from this account.",
    unit="passwords",
    minimum=3,
    maximum=1_000,
)

FAILURE_WINDOW = duration_setting(
    "auth.failure_window",
    600,
    "How long a wrong password counts after the last one from the same address.",
    minimum=10,
    maximum=86_400,
)

BAN_TIME = duration_setting(
    "auth.ban_time",
    1_800,
    "How long an address stays banned that passed `auth.failure_limit` or `auth.account_failure_limit`. `posthouse ban "
    "list` shows the bans with their reasons; `posthouse ban remove` lifts one.",
    minimum=10,
    maximum=30 * 86_400,
)

TRUSTED_NETWORKS = list_setting(
    "auth.trusted_networks",
    (),
    "Networks that are never banned for wrong passwords, whatever comes from them: proxies and gateways behind which "
    "many people are. Wrong passwords from there are still refused.",
    item=_network,
    items="IP addresses or networks such as 192.0.2.0/24",
)

PROTOCOLS = list_setting(
    "auth.protocols",
    ("imap", "pop3", "smtp", "api"),
    "By which protocols an account may sign in. Mail arrives whatever is said here.",
    choices=("imap", "pop3", "smtp", "api"),
    scopes=PER_ACCOUNT,
)

NEWCOMERS = bool_setting(
    "auth.newcomers",
    True,
    "Whether somebody whom a source of `auth.sources` knows and this server does not gets an account when he first "
    "signs in.",
    scopes=PER_DOMAIN,
)

SECOND_FACTOR_MAIL = choice_setting(
    "auth.second_factor_mail",
    "app-password",
    ("app-password", "password"),
    "What mail programs sign in with, for an account that has a second factor: an app password of their own, or still "
    "the account's password, which then is worth no more than without the second factor.",
    scopes=PER_DOMAIN,
)

APP_PASSWORD_LIFETIME = duration_setting(
    "auth.app_password_lifetime",
    0,
    "For how long a new app password is valid at most. Zero: until it is revoked.",
    minimum=0,
    maximum=10 * 365 * 86_400,
    scopes=PER_DOMAIN,
    is_ceiling=True,
    unlimited=0,
)

APP_PASSWORD_COUNT = int_setting(
    "auth.app_password_count",
    50,
    "How many app passwords an account may have at the same time.",
    unit="app passwords",
    minimum=0,
    maximum=1_000,
    scopes=PER_DOMAIN,
    is_ceiling=True,
)

OAUTH = choice_setting(
    "auth.oauth",
    "auto",
    ("auto", "yes", "no"),
    "Whether mail programs are told that they may sign in with a token (OAUTHBEARER, XOAUTH2). `auto`: where a "
    "source of the kind `oidc` is in some `auth.sources`. Programs that see these words may prefer them to passwords.",
)

PASSKEY_DOMAIN = text_setting(
    "auth.passkey_domain",
    "",
    "The name that passkeys are made for: the host of the web pages, or a domain above it. Empty: this server's name. "
    "Passkeys made for another name stop working.",
)

PASSKEY_ORIGINS = list_setting(
    "auth.passkey_origins",
    (),
    "The web addresses from which passkeys may be used, such as https://mail.example.org. Empty: https:// and the name "
    "of `auth.passkey_domain`.",
    items="web addresses without a path",
)

SOURCES = list_setting(
    "auth.sources",
    ("own",),
    "Who is asked whether a name and a password go together, in this order. `own` is this server's store; other names "
    "are sources made with `posthouse source add`: LDAP, SQL, PAM, OIDC, HTTP. A source that does not know the name "
    "passes it on to the next.",
    scopes=PER_DOMAIN,
    item=_source_name,
    items="names of sources, in lower case",
    authority=Authority.SERVER,
)

NEXT_SOURCE_AFTER = list_setting(
    "auth.next_source_after",
    (),
    "After what else than an unknown name the next source is asked: `wrong`, a source knows the name and the password "
    "is another; `down`, a source cannot answer now. Where nobody granted and one could not answer, the sign-in is "
    "refused for now and not as wrong.",
    choices=("wrong", "down"),
    scopes=PER_DOMAIN,
)

SOURCE_BUDGET = duration_setting(
    "auth.source_budget",
    10,
    "How long all sources together may take to answer one sign-in; then it is refused for now.",
    minimum=0.5,
    maximum=120,
)

SOURCE_PAUSE = duration_setting(
    "auth.source_pause",
    5,
    "How long a source that did not answer is spared: meanwhile sign-ins that need it are refused for now at once.",
    minimum=0,
    maximum=3600,
)

SOURCE_GONE = choice_setting(
    "auth.source_gone",
    "keep",
    ("keep", "disable"),
    "What synchronising does with an account that was made from a source and whose person is no longer there.",
    scopes=PER_DOMAIN,
)

SOURCE_GONE_LIMIT = int_setting(
    "auth.source_gone_limit",
    20,
    "How many in a hundred of a source's accounts one synchronising may disable. Where more are missing, none is "
    "disabled: it is likelier that the source lost them than that they all left.",
    unit="per cent",
    minimum=1,
    maximum=100,
    scopes=PER_DOMAIN,
)

ALIAS_SIGN_IN = bool_setting(
    "auth.alias_sign_in",
    False,
    "Whether people may sign in with an alias that leads to their account and to nothing else. Further addresses of "
    "an account always sign in.",
    scopes=PER_DOMAIN,
)

PASSWORD_LENGTH = int_setting(
    "auth.password_length",
    8,
    "How many characters a new password has at least.",
    unit="characters",
    minimum=1,
    maximum=256,
    scopes=PER_DOMAIN,
)

PASSWORD_CLASSES = int_setting(
    "auth.password_classes",
    0,
    "How many kinds of characters a new password has at least, of: small letters, capital letters, digits, others. "
    "Zero asks for none; length is worth more.",
    unit="kinds",
    minimum=0,
    maximum=4,
    scopes=PER_DOMAIN,
)

PASSWORD_OWN_NAME = bool_setting(
    "auth.password_own_name",
    False,
    "Whether a new password may hold the account's own name, domain or a part of its owner's name.",
    scopes=PER_DOMAIN,
)

PASSWORD_COMMON = bool_setting(
    "auth.password_common",
    False,
    "Whether a new password may be one of the commonest in the world.",
    scopes=PER_DOMAIN,
)

PASSWORD_DICTIONARY = text_setting(
    "auth.password_dictionary",
    "",
    "A file of words, one a line, that a new password must not be, whatever the case of its letters and with or "
    "without digits at its end. Empty: none.",
    scopes=PER_DOMAIN,
    authority=Authority.SERVER,
)

PASSWORD_BREACHED_FILE = text_setting(
    "auth.password_breached_file",
    "",
    "A file of SHA-1 hashes of passwords that were stolen elsewhere, in upper case, sorted, one a line with a colon "
    "and a count after it: the download of Have I Been Pwned, ordered by hash. A new password must not be in it. "
    "It is searched on disk and may have any size. Empty: none.",
    scopes=PER_DOMAIN,
    authority=Authority.SERVER,
)

SETTINGS = (
    FAILURE_LIMIT,
    ACCOUNT_FAILURE_LIMIT,
    FAILURE_WINDOW,
    BAN_TIME,
    TRUSTED_NETWORKS,
    PROTOCOLS,
    SECOND_FACTOR_MAIL,
    APP_PASSWORD_LIFETIME,
    APP_PASSWORD_COUNT,
    OAUTH,
    PASSKEY_DOMAIN,
    PASSKEY_ORIGINS,
    NEWCOMERS,
    SOURCES,
    NEXT_SOURCE_AFTER,
    SOURCE_BUDGET,
    SOURCE_PAUSE,
    SOURCE_GONE,
    SOURCE_GONE_LIMIT,
    ALIAS_SIGN_IN,
    PASSWORD_LENGTH,
    PASSWORD_CLASSES,
    PASSWORD_OWN_NAME,
    PASSWORD_COMMON,
    PASSWORD_DICTIONARY,
    PASSWORD_BREACHED_FILE,
)
