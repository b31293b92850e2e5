"""App passwords: one for each program, made by us, shown once, each with a scope and an end.

They hold 95 bits of chance, so that a plain digest is enough to keep them by, and looking one up is one read. The
digest covers the account's id: the same text would be another password elsewhere. Written in groups of five letters
and read without regard to case, spaces and hyphens, since people type them into telephones.

Tests: ``tests/unit/services/identity/test_app_passwords.py``.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

from posthouse.core.ids import AccountId

# Without letters and digits that look alike. 20 of 27 signs: 95 bits.
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz2345"
LENGTH: Final = 20
GROUP: Final = 5
SCOPES: Final = ("imap", "pop3", "smtp", "api")
_FORM: Final = re.compile(rb"[%s]{%d}" % (ALPHABET.encode(), LENGTH))


def new_app_password() -> str:
    """Return a new app password, as people see it: ``abcde-fghjk-mnpqr-stuvw``."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def app_password_verifier(account: AccountId, secret: bytes) -> str:
    """Return what a credential is found by; "" where the text cannot be an app password."""
    bare = secret.translate(None, b" -").lower()
    if not _FORM.fullmatch(bare):
        return ""
    return hashlib.sha256(b"posthouse app password\0%d\0" % account + bare).hexdigest()


def allows(scopes: str, protocol: str) -> bool:
    """Whether scopes, words separated by spaces, cover a protocol; ``mail`` covers IMAP, POP3 and SMTP."""
    words = scopes.split()
    return protocol in words or ("mail" in words and protocol in {"imap", "pop3", "smtp"})
