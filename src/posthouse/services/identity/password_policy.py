"""What a new password must be like, and passwords made at random.

Every rule is a setting with domain scope. ``failures`` names every rule that a password breaks, in plain words, so that
a person has to try twice at most. The file of stolen passwords is searched by bisection where it lies: some thirty
reads of it for a thousand million lines. A file that cannot be read is a failure of the server and is raised as such,
never passed over. Invariant: no password is logged or leaves the function it was given to.
Tests: ``tests/unit/services/identity/test_password_policy.py``.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from posthouse.config.definitions.auth import (
    PASSWORD_BREACHED_FILE,
    PASSWORD_CLASSES,
    PASSWORD_COMMON,
    PASSWORD_DICTIONARY,
    PASSWORD_LENGTH,
    PASSWORD_OWN_NAME,
)
from posthouse.config.settings import Settings
from posthouse.core.errors import Unavailable
from posthouse.services.identity.common_passwords import COMMON_PASSWORDS

LONGEST: Final = 1_024  # octets; as long as what is accepted at sign-in
OWN_PART: Final = 4  # shorter parts of a name are found by chance in good passwords
DICTIONARY_SIZE: Final = 64 * 1024 * 1024
LINE: Final = 128  # octets of one line of the hash file at most
SYLLABLES: Final = tuple(first + vowel for first in "bdfghjklmnprstvz" for vowel in "aiou")  # 64: six bits each


def make_password() -> str:
    """Return a random password that can be read aloud: four words of two to four syllables and two digits.

    Thirteen syllables of six bits and two digits are 84 bits.
    """
    words = ["".join(secrets.choice(SYLLABLES) for _ in range(count)) for count in (3, 3, 3, 4)]
    return "-".join(words) + f"-{secrets.randbelow(100):02d}"


class PasswordPolicy:
    """The rules for new passwords, as the settings have them now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def failures(self, password: str, *, address: str = "", names: Sequence[str] = ()) -> list[str]:
        """Return every rule the password breaks, in plain words; nothing where it may be used.

        Reads files: call it in a thread where these are set. Raises Unavailable: a file cannot be read.
        """
        domain = address.rpartition("@")[2]
        found = _form(password)
        least = self._settings.get(PASSWORD_LENGTH, domain=domain)
        if len(password) < least:
            found.append(f"it has {len(password)} characters; {least} are the least")
        kinds = self._settings.get(PASSWORD_CLASSES, domain=domain)
        if _kinds(password) < kinds:
            found.append(f"it has fewer than {kinds} of: small letters, capital letters, digits, other characters")
        if not self._settings.get(PASSWORD_OWN_NAME, domain=domain) and (part := _own_part(password, address, names)):
            found.append(f"it holds {part!r}, which is part of the account's address or name")
        return found + self._known(password, domain)

    def _known(self, password: str, domain: str) -> list[str]:
        found = []
        if not self._settings.get(PASSWORD_COMMON, domain=domain) and _bare_words(password) & COMMON_PASSWORDS:
            found.append("it is one of the commonest passwords in the world")
        dictionary = self._settings.get(PASSWORD_DICTIONARY, domain=domain)
        if dictionary and _in_dictionary(dictionary, password):
            found.append("it is a word of the dictionary, or one with digits after it")
        breached = self._settings.get(PASSWORD_BREACHED_FILE, domain=domain)
        if breached and is_breached(breached, password):
            found.append("it is known from a theft of passwords elsewhere")
        return found


def _form(password: str) -> list[str]:
    found = []
    if len(password.encode("utf-8", "surrogatepass")) > LONGEST:
        found.append(f"it is longer than {LONGEST} octets")
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in password):
        found.append("it holds control characters")
    return found


def _kinds(password: str) -> int:
    tests = (str.islower, str.isupper, str.isdigit, lambda letter: not letter.isalnum())
    return sum(any(test(letter) for letter in password) for test in tests)


def _own_part(password: str, address: str, names: Sequence[str]) -> str:
    """Return the longest part of the address or of the names that stands in the password; "" for none."""
    local_part, _, domain = address.casefold().partition("@")
    words = [local_part, *re.split(r"[._+-]+", local_part), *domain.split(".")[:-1]]
    for name in names:
        words += re.split(r"[\s,]+", name.casefold())
    folded = password.casefold()
    return max((word for word in words if len(word) >= OWN_PART and word in folded), key=len, default="")


def _bare_words(password: str) -> set[str]:
    """Return the password folded, and the same without digits and marks at its end."""
    folded = password.casefold()
    bare = re.sub(r"[\d\W_]+$", "", folded)
    return {folded, bare} - {""}


def _in_dictionary(path: str, password: str) -> bool:
    wanted = _bare_words(password)
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            if os.fstat(file.fileno()).st_size > DICTIONARY_SIZE:
                raise Unavailable(f"{path}: larger than {DICTIONARY_SIZE} octets", where="auth.password_dictionary")
            return any(line.strip().casefold() in wanted for line in file)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}", where="auth.password_dictionary") from error


def is_breached(path: str, password: str) -> bool:
    """Whether a password is in a sorted file of SHA-1 hashes. Raises Unavailable: the file cannot be read."""
    digest = hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with Path(path).open("rb") as file:
            return _has_line(file, digest)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}", where="auth.password_breached_file") from error


def _has_line(file: BinaryIO, digest: bytes) -> bool:
    """Bisect by octets: the line that begins after ``middle`` tells which half to go on with."""
    low, high = 0, os.fstat(file.fileno()).st_size
    while low < high:
        middle = (low + high) // 2
        at, line = _line_from(file, middle)
        if not line or line[:40].upper() > digest:
            high = middle
        elif line[:40].upper() == digest:
            return True
        else:
            low = at + len(line)
    return _line_from(file, low)[1][:40].upper() == digest


def _line_from(file: BinaryIO, position: int) -> tuple[int, bytes]:
    """Return the first line that begins at or after a position, and where it begins."""
    if position:
        file.seek(position - 1)
        while (skipped := file.readline(LINE)) and not skipped.endswith(b"\n"):
            pass
    else:
        file.seek(0)
    return file.tell(), file.readline(LINE)
