"""Password hashes of other systems."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import Blowfish
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.importing import schemes
from posthouse.services.identity.schemes import verify

MD5 = hashlib.md5(b"geheim123").hexdigest()
SHA256 = "a1b2c3" + hashlib.sha256(b"a1b2c3geheim123").hexdigest()
HASHES = [
    pytest.param(MD5, 2, id="md5"),
    pytest.param(SHA256, 3, id="salted sha256"),
]


@pytest.mark.parametrize(("stored", "encryption"), HASHES)
def test_hashes_of_hmailserver_go_on_working(stored, encryption):
    """What hMailServer kept can be signed in with."""
    clear, encoded = schemes.hmailserver(stored, encryption)
    assert clear is None
    assert verify(encoded, b"geheim123")
    assert not verify(encoded, b"geheim124")


@pytest.mark.parametrize(
    "secret", [b"Hejsan", b"dcidjea", b"exactly8", b"a longer one of 24 octets", b"gr\xc3\xbc\xc3\x9fe"]
)
def test_blowfish_of_hmailserver_is_undone(secret):
    """What it hides is hashed anew; hiding and showing are inverse."""
    assert schemes.hmailserver(schemes.blowfish_hidden(secret), 1) == (secret, "")


def test_blowfish_reads_words_with_the_low_octet_first():
    """A block is the standard cipher's with the octets of each half turned round."""
    plain = Cipher(Blowfish(b"THIS_KEY_IS_NOT_SECRET"), modes.ECB()).encryptor().update(b"dcbahgfe")
    assert schemes.blowfish_hidden(b"abcdefgh") == (plain[3::-1] + plain[:3:-1]).hex()


@pytest.mark.parametrize(
    ("stored", "encryption"),
    [("xyz", 2), (MD5, 3), ("00" * 7, 1), ("zz", 1), ("ff" * 8, 1), ("x", 9)],
)
def test_what_is_no_hash_is_refused_without_showing_it(stored, encryption):
    """The refusal names the kind, never the text."""
    with pytest.raises(Refused) as refusal:
        schemes.hmailserver(stored, encryption)
    assert stored not in refusal.value.detail or len(stored) < 3


def test_an_empty_password_is_none():
    """Nobody signs in without one."""
    assert schemes.hmailserver("", 3) == (None, "")


def test_clear_and_hashed_of_dovecot():
    """{PLAIN} is clear, the rest is a hash or refused."""
    assert schemes.clear_or_hash("{PLAIN}geheim") == (b"geheim", "")
    hashed = "$6$salt$" + "A" * 86
    assert schemes.clear_or_hash(hashed) == (None, hashed)
    with pytest.raises(Refused, match="cannot be used"):
        schemes.clear_or_hash("{UNHEARD}x")
    with pytest.raises(Refused, match="clear"):
        schemes.spelled("{PLAIN}geheim")


def test_a_quick_hash_can_be_signed_in_with():
    """It is salted, and checked like any other."""
    one, two = schemes.quick_hash(b"geheim123"), schemes.quick_hash(b"geheim123")
    assert one != two
    assert verify(one, b"geheim123")
    assert not verify(one, b"x")
