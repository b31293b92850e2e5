"""Password schemes: hashes made by other programs are verified, and costly or broken ones are refused with a reason."""

from __future__ import annotations

import argon2
import pytest

from posthouse.services.identity import crypt_library
from posthouse.services.identity.schemes import (
    is_weak,
    known_schemes,
    needs_upgrade,
    scheme_of,
    verify,
    why_unusable,
)

PASSWORD = "sécret ä".encode()
# made with doveadm pw, openssl passwd, htpasswd, mkpasswd and Django; hMailServer's by its rule
VECTORS = {
    "dovecot crypt": "{CRYPT}$2y$05$g8lQm4/6eBtP7Sn7FonUg.aqrnAN1nupwY9P1aP3cc0r72ZzbFWK6",
    "dovecot md5": "{MD5}$1$wJ3CrvgO$qW/v5mBiQoIawl/pOqDKs1",
    "dovecot md5-crypt": "{MD5-CRYPT}$1$I5oXkYBX$gXLhQmMnS0CM1XgnaA7CG1",
    "dovecot sha": "{SHA}CwGbHWWTXW68KFLl/0yJJP7ahQI=",
    "dovecot sha256": "{SHA256}cDPW2jBeHkxCZYVXv1av7pn/RS13vvFyOfYl+Wgs+ag=",
    "dovecot sha512": "{SHA512}5rlugfieOWVXSt/IRGB29+OVskXvzwTanqcTTvWqx/+qVqG/gZ4QlAyD9q1Z8ZTnhWhGrl+Wo6RbJfawaKpT6A==",
    "dovecot ssha": "{SSHA}ATyehhNP4leEYkdmYIiAkBu9hQL6sl7T",
    "dovecot ssha256": "{SSHA256}nrHlZlo6a8QNxvGBCbEcXzhp8dv+5R75XSlLYg9dmuT8PcbP",
    "dovecot smd5": "{SMD5}IxR3H0cu0o7NexUZYnDSG5Jahdg=",
    "dovecot plain-md5": "{PLAIN-MD5}0932167ae2ad0a6ca6ca501ac08280a6",
    "dovecot ldap-md5": "{LDAP-MD5}CTIWeuKtCmymylAawIKApg==",
    "dovecot pbkdf2": "{PBKDF2}$1$3LO05ekzdU43WtmI$5000$0492bbe59c1ea1f3211a3ab0cc142a12d93befc8",
    "dovecot blf-crypt": "{BLF-CRYPT}$2y$05$3ITPyFkFHQDpgRLDG43NU.DwO02hNI6XXQkI6GJp4a3CNkVxc47cO",
    "dovecot sha256-crypt": "{SHA256-CRYPT}$5$ENnsD8o66RDDbRic$YT2QRHaG3dGThlQCAdNcrR6qP3dD8E9lOYAynKQxkWD",
    "dovecot des-crypt": "{DES-CRYPT}51dDwv9cE4ZH.",
    "dovecot plain": "{PLAIN}sécret ä",
    "dovecot plain in base64": "{PLAIN.b64}c8OpY3JldCDDpA==",
    "dovecot ssha256 in hex": "{SSHA256.HEX}e838739445837f0841a10c711d3f199b5b66770f188a3e49354be753d2aa78c36b880dbc",
    "ldap cleartext": "{CLEARTEXT}sécret ä",
    "ours in braces": "{ARGON2ID}" + argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD),
    "ours": argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD),
    "hmailserver md5": "{HMAILSERVER-MD5}0932167ae2ad0a6ca6ca501ac08280a6",
    "openssl 6": "$6$Bn8K1F/bvKIRMZXu$zpPp4bJnCodQodQaxuVkupXD81P3bAvNBzu1qvF1Hrgj5x2ivZWAKRW6g0oxBjZAul0e14qJN89myQke6vlxF0",
    "openssl 5": "$5$zZa7R6vLsqnCMjyu$7tsAf5sfT7PEmeSfNrh/JxY2nzL84RrjjpC9rCQMkh/",
    "openssl 1": "$1$GWmQR2Zg$KhZqFyZhUSejTMmaUOLqf/",
    "openssl apr1": "$apr1$hWg5C53c$aZp0af2GJZywGUyuN/b/7.",
    "dovecot argon2i": "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$lh7rgD5Fo6Rbn+D3kmw8fg$XyR8g6u85ZC/XZUuXK4w654kLPsaZT4NGH34C0dsNWg",
    "dovecot ssha512": "{SSHA512}nEnh/ri48/Zc4oX6wano5sOFzh33SG2XFh+MOT1Ja134i58McHlEXi5SlMRFE/+icqOWtbjqExD/CbithXuaS6sMgYA=",
    "dovecot sha512-crypt": "{SHA512-CRYPT}$6$M9UPnxkfyu8NfSlf$/XkDj7fvtv0nLL2I3tGR7JegRu/7whkVNqBW8E.8lD6QS7d2gsdbWtTL74yTt3tLuBKPK2RNJEm5i1H9ortIV0",
    "dovecot scram-sha-1": "{SCRAM-SHA-1}4096,ToRlyNDLpLrqnzxXWBwp8w==,1+v6kqarGaGmNQjhLcnQzp3R2z8=,TDuSlnjuvKsym/WixvYhaozVREE=",
    "dovecot scram-sha-256": "{SCRAM-SHA-256}4096,jOckwgXqXk3tDIW+dzOVXA==,y7j8oRo5Q908n0zkPeWYzI27enthV8Lt7UAg53FqTL4=,27+Ru+Zj4dFUzK8FlcKCyRWyNvTcR2oxdensXaOvrpU=",
    "dovecot crypt.b64": "{CRYPT.B64}JDJ5JDA1JDZCb0RmUUR2S0gyNmh5UkxXYWJSQWVSclFMZ1BsN2E4bllqMHRNNUFSUUloeVlvelk3aUdD",
    "yescrypt of the C library": "$y$j9T$sOdnkcqqrQ1Q8XrE4ZgYv0$lNzxlrrRZMBef2z0XZmaLhh0k80ZU6RjmxF/utP1cy.",
    "hmailserver sha256": "{HMAILSERVER-SHA256}1a2b3ce46516b63bcbad86ded4e399fdf59c2f27fa7be0a250c910cf931051d6f310c3",
    "django": "pbkdf2_sha256$1000$salt$v8jTIXUEw3UUwadmYiP1f8kX3sPEI+0+ye+mpK38Nxo=",
    "django sha1": "pbkdf2_sha1$1000$n2uObHE80LU7$lWC07c3t29tN4hOo4cCj0cKvf00=",
}


@pytest.mark.parametrize("name", VECTORS)
def test_hashes_of_other_programs_are_verified(name) -> None:
    """The right password fits, another does not, nor does an empty one."""
    encoded = VECTORS[name]
    assert why_unusable(encoded) == ""
    assert verify(encoded, PASSWORD)
    assert not verify(encoded, b"x" + PASSWORD)  # in front: DES reads eight characters
    assert not verify(encoded, b"")
    assert scheme_of(encoded) in {scheme.name for scheme in known_schemes()}


@pytest.mark.parametrize(
    ("encoded", "words"),
    [
        ("$6$rounds=999999999$saltsalt$" + "a" * 86, "number of rounds"),
        ("$argon2id$v=19$m=67108864,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", "memory"),
        ("$argon2id$v=19$m=65536,t=9999,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", "passes"),
        ("$argon2id$v=19$m=262144,t=32,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", "memory times passes"),
        ("$argon2id$v=19$m=65536,t=3,p=9999$c2FsdHNhbHQ$aGFzaGhhc2g", "lanes"),
        ("$argon2id$nonsense", "well-formed"),
        ("{PBKDF2}$1$salt$999999999$00112233445566778899", "rounds"),
        ("{PBKDF2}$1$salt$0$00112233445566778899aabbccddeeff00112233", "rounds"),
        ("{PBKDF2}$1$salt$5000$001", "odd"),
        ("{PBKDF2}nonsense", "well-formed"),
        ("pbkdf2_sha256$99999999$salt$aGFzaGhhc2g=", "rounds"),
        ("pbkdf2_md5$1$salt$aGFzaGhhc2g=", "well-formed"),
        ("$2y$31$" + "a" * 53, "bcrypt cost"),
        ("$y$jZT$salt$" + "a" * 43, "no crypt"),
        ("{SSHA}AAAA", "length"),
        ("{SHA256}" + "A" * 100, "length"),
        ("{SSHA256}not base64 at all!", "base64"),
        ("{PLAIN.HEX}zz", "hex"),
        ("{PLAIN}", "no password"),
        ("{CRAM-MD5}00", "not known"),
        ("{HMAILSERVER-SHA256}00", "six digits"),
        ("{SCRAM-SHA-256}999999999,AA==,AA==,AA==", "rounds"),
        ("{SCRAM-SHA-256}x", "well-formed"),
        ("x" * 2_000, "longer"),
        ("*", "no scheme"),
        ("!", "no scheme"),
        ("secret in clear", "no scheme"),
    ],
)
def test_what_is_broken_or_too_costly_is_refused_with_a_reason(encoded, words) -> None:
    """Nothing is reckoned, whatever the password; the reason is for an administrator."""
    assert words in why_unusable(encoded)
    assert not verify(encoded, PASSWORD)
    assert not verify(encoded, encoded.encode())


def test_only_todays_argon2_is_not_made_anew() -> None:
    """Imported schemes and other costs are replaced at the next sign-in."""
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    assert not needs_upgrade(VECTORS["ours"], hasher)
    assert needs_upgrade(VECTORS["ours"], argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert needs_upgrade(VECTORS["dovecot blf-crypt"], hasher)
    assert needs_upgrade("$argon2id$nonsense", hasher)


def test_weak_schemes_are_known() -> None:
    """A thief of the store undoes plain digests in days, and hashes made to be slow not."""
    weak = {name for name, encoded in VECTORS.items() if is_weak(encoded)}
    assert {"dovecot plain", "dovecot ssha256", "dovecot md5", "hmailserver md5", "dovecot des-crypt"} <= weak
    assert not weak & {"ours", "ours in braces", "dovecot blf-crypt", "dovecot pbkdf2", "dovecot sha256-crypt"}
    assert is_weak("nonsense")


def test_a_nul_ends_no_password() -> None:
    """crypt(3) would read a password only up to it."""
    assert not verify(VECTORS["dovecot sha256-crypt"], PASSWORD + b"\x00more")


@pytest.mark.parametrize("name", ["dovecot md5-crypt", "dovecot sha256-crypt", "dovecot des-crypt"])
def test_without_the_crypt_library_the_slower_way_is_taken(name, monkeypatch) -> None:
    """What libpass knows it reckons; bcrypt is then unusable, with a reason."""
    monkeypatch.setattr(crypt_library, "system_crypt", lambda: None)
    assert verify(VECTORS[name], PASSWORD)
    assert not verify(VECTORS[name], b"wrong")
    assert crypt_library.crypt_hash(PASSWORD, "$2y$05$" + "a" * 53) == ""
    assert crypt_library.crypt_hash(PASSWORD, "$6$bad") == ""


def test_a_machine_without_any_crypt_library_has_none(monkeypatch) -> None:
    """The search ends without a result, not with an error."""
    monkeypatch.setattr(crypt_library, "LIBRARIES", ("libcrypt-of-nowhere.so",))
    crypt_library.system_crypt.cache_clear()
    assert crypt_library.system_crypt() is None
    crypt_library.system_crypt.cache_clear()
