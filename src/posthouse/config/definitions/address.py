"""Settings of how addresses are read."""

from __future__ import annotations

from posthouse.config.setting import PER_DOMAIN, Authority, text_setting

EXTENSION_DELIMITER = text_setting(
    "address.extension_delimiter",
    "+",
    "What separates a user from a detail in a local part: with `+`, mail to `ann+lists@example.org` goes to "
    "`ann@example.org` unless somebody has that very address. Empty turns this off.",
    scopes=PER_DOMAIN,
    authority=Authority.OWN,
    rfc="RFC 5233 §1",
)
DEFAULT_DOMAIN = text_setting(
    "address.default_domain",
    "",
    "The domain of names without one: of the bare `postmaster`, and of short names at sign-in. Empty means the domain "
    "that was made first.",
    rfc="RFC 5321 §4.1.1.3",
)

SETTINGS = (EXTENSION_DELIMITER, DEFAULT_DOMAIN)
