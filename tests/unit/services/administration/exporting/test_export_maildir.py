"""Maildir++ names and tar headers."""

from __future__ import annotations

import pytest

from posthouse.core.flags import Flag
from posthouse.services.administration.exporting.maildir import Keywords, flag_letters, folder_of, header, padding

FOLDERS = [
    pytest.param("INBOX", "", id="inbox"),
    pytest.param("Sent", ".Sent/", id="one"),
    pytest.param("Work/2026", ".Work.2026/", id="below"),
    pytest.param("v1.2", ".v1&AC4-2/", id="a dot"),
    pytest.param("Entwürfe", ".Entw&APw-rfe/", id="modified UTF-7"),
]


@pytest.mark.parametrize(("mailbox", "folder"), FOLDERS)
def test_folders(mailbox, folder):
    """As Maildir++ has them."""
    assert folder_of(mailbox) == folder


def test_letters_of_flags_are_in_order():
    """D F R S T."""
    assert flag_letters(Flag.SEEN | Flag.ANSWERED | Flag.FLAGGED | Flag.DRAFT | Flag.DELETED) == "DFRST"
    assert flag_letters(Flag.NONE) == ""


def test_keywords_get_letters():
    """The first 26 of a mailbox, and a file that names them."""
    keywords = Keywords()
    assert keywords.letters("work $Junk") == "ab"
    assert keywords.letters("$Junk") == "b"
    assert keywords.file() == b"0 work\n1 $Junk\n"
    assert keywords.letters(" ".join(f"k{n}" for n in range(40))) == "cdefghijklmnopqrstuvwxyz"


def test_blocks_of_tar():
    """Headers and files fill blocks of 512 octets."""
    assert len(header("x", 5, 0)) == 512
    assert len(header("y" * 300, 5, 0)) % 512 == 0
    assert (len(padding(0)), len(padding(1)), len(padding(512))) == (0, 511, 0)
