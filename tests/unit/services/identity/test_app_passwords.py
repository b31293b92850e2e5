"""App passwords: their form, how they are found, and what their scopes cover."""

import re

import pytest

from posthouse.core.ids import AccountId
from posthouse.services.identity.app_passwords import allows, app_password_verifier, new_app_password

ONE, TWO = AccountId(1), AccountId(2)


def test_they_are_made_to_be_typed() -> None:
    """Four groups of five letters without look-alikes, each another."""
    made = {new_app_password() for _ in range(200)}
    assert len(made) == 200
    assert all(
        re.fullmatch(r"([abcdefghjkmnpqrstuvwxyz2345]{5}-){3}[abcdefghjkmnpqrstuvwxyz2345]{5}", each) for each in made
    )


@pytest.mark.parametrize("change", [str.upper, lambda text: text.replace("-", ""), lambda text: text.replace("-", " ")])
def test_case_spaces_and_hyphens_do_not_matter(change) -> None:
    """People type them into telephones."""
    made = new_app_password()
    assert app_password_verifier(ONE, change(made).encode()) == app_password_verifier(ONE, made.encode())


def test_the_same_text_is_another_one_elsewhere() -> None:
    """The account is part of the digest."""
    made = new_app_password().encode()
    assert app_password_verifier(ONE, made) != app_password_verifier(TWO, made)


@pytest.mark.parametrize(
    "secret", [b"", b"correct horse", b"a" * 19, b"a" * 21, b"\xff" * 20, b"abcde-fghjk-mnpqr-stuv1", b"-" * 9_000]
)
def test_other_texts_are_not_looked_up(secret) -> None:
    """A person's own password costs no read of the store."""
    assert app_password_verifier(ONE, secret) == ""


SCOPES = {
    ("mail", "imap"): True,
    ("mail", "pop3"): True,
    ("mail", "smtp"): True,
    ("mail", "api"): False,
    ("imap smtp", "smtp"): True,
    ("imap smtp", "pop3"): False,
    ("api", "imap"): False,
    ("", "imap"): False,
    ("mail", ""): False,
}


@pytest.mark.parametrize(("scopes", "protocol"), SCOPES)
def test_scopes(scopes, protocol) -> None:
    """What is not named is not covered."""
    assert allows(scopes, protocol) is SCOPES[scopes, protocol]
