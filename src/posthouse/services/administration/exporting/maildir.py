"""Maildir++ as a tar archive, in pieces: ``cur/``, and a folder ``.Name`` for each other mailbox.

File names carry flags (``:2,FS``) as maildir has them; keywords get the letters a to z of ``dovecot-keywords``.
Messages keep their octets. Pure. Tests: ``tests/unit/services/administration/exporting/test_export_maildir.py``.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from typing import Final

from posthouse.core.flags import Flag
from posthouse.protocols.imap.types.mailbox_name import encode_name

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
# In the order of their letters, as maildir readers expect.
_LETTERS: Final = ((Flag.DRAFT, "D"), (Flag.FLAGGED, "F"), (Flag.ANSWERED, "R"), (Flag.SEEN, "S"), (Flag.DELETED, "T"))
KEYWORDS_MOST: Final = 26


def folder_of(mailbox: str) -> str:
    """Return the folder of a mailbox, with a slash at its end: "" for the inbox, ``.Work.2024/`` for Work/2024."""
    if mailbox == "INBOX":
        return ""
    levels = (encode_name(level).decode().replace(".", "&AC4-") for level in mailbox.split("/"))
    return f".{'.'.join(levels)}/"


@dataclass(slots=True)
class Keywords:
    """The letters that a mailbox's keywords got."""

    names: list[str] = field(default_factory=list)

    def letters(self, keywords: str) -> str:
        """Return the letters of a message's keywords; from the 27th of a mailbox on there are none."""
        found = []
        for word in keywords.split():
            if word not in self.names and len(self.names) < KEYWORDS_MOST:
                self.names.append(word)
            if word in self.names:
                found.append(chr(ord("a") + self.names.index(word)))
        return "".join(sorted(found))

    def file(self) -> bytes:
        """Return the content of ``dovecot-keywords``."""
        return "".join(f"{index} {name}\n" for index, name in enumerate(self.names)).encode()


def flag_letters(flags: Flag) -> str:
    """Return the letters of system flags."""
    return "".join(letter for flag, letter in _LETTERS if flags & flag)


def header(name: str, size: int, when: int, *, is_folder: bool = False) -> bytes:
    """Return the tar header of a file or folder; its octets follow, then ``padding``."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = size, max(0, when)
    entry.mode = 0o700 if is_folder else 0o600
    entry.type = tarfile.DIRTYPE if is_folder else tarfile.REGTYPE
    return entry.tobuf(tarfile.PAX_FORMAT)


def padding(size: int) -> bytes:
    """Return the zeros that fill a file's last block."""
    return bytes(-size % BLOCK)
