"""Secrets sealed under the key of the home."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from posthouse.core.errors import Unavailable
from posthouse.services.identity.sealing import KEY_FILE, Sealing, sealing_of


def test_a_secret_comes_back(tmp_path: Path):
    """What was sealed opens with the same key and purpose, also after a restart."""
    sealed = sealing_of(tmp_path).seal("s3cret\N{SNOWMAN}", "route:*")
    assert "s3cret" not in sealed
    assert sealing_of(tmp_path).open(sealed, "route:*") == "s3cret\N{SNOWMAN}"
    assert sealing_of(tmp_path).seal("", "route:*") == ""


@pytest.mark.parametrize("sealed", ["v1:", "v1:AAAA", "v1:!!", "nonsense", "v1:" + "A" * 100])
def test_what_was_not_sealed_is_refused(sealed: str, tmp_path: Path):
    """Anything else is a fault with a remedy, never a wrong secret."""
    with pytest.raises(Unavailable, match="cannot be opened"):
        sealing_of(tmp_path).open(sealed, "x")


def test_a_secret_is_bound_to_its_purpose():
    """The secret of one thing cannot be put in the place of another's."""
    sealing = Sealing(b"k" * 32)
    with pytest.raises(Unavailable):
        sealing.open(sealing.seal("secret", "route:*"), "source:ldap")


def test_the_key_is_for_the_owner_alone(tmp_path: Path):
    """The key is made once, with mode 600, and a damaged one is told."""
    sealing_of(tmp_path)
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == [KEY_FILE]
    path.write_bytes(b"short")
    with pytest.raises(Unavailable, match="damaged"):
        sealing_of(tmp_path)
