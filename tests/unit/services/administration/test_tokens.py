"""Tokens as texts: their form, their checksum, what is kept of them."""

import pytest

from posthouse.services.administration.tokens import is_well_formed, new_token, verifier_of


def test_tokens_are_all_different_and_well_formed() -> None:
    """Of one length, in letters and digits behind the prefix."""
    made = {new_token() for _ in range(200)}
    assert len(made) == 200
    assert {len(token) for token in made} == {52}
    assert all(is_well_formed(token) and token[3:].isalnum() for token in made)


@pytest.mark.parametrize("change", [0, 3, 20, 45, 51])
def test_a_misspelt_token_is_none(change) -> None:
    """One character more, less, or another one."""
    token = new_token()
    other = "a" if token[change] != "a" else "b"
    assert not is_well_formed(token[:change] + other + token[change + 1 :])
    assert not is_well_formed(token[:change] + token[change + 1 :])
    assert not is_well_formed(token + other)


@pytest.mark.parametrize("text", ["", "ph_", "x" * 52, "ph_" + "é" * 49, "ph_" + "0" * 49])
def test_any_text_has_an_answer(text) -> None:
    """No."""
    assert not is_well_formed(text)


def test_what_is_kept_does_not_tell_the_token() -> None:
    """A digest of it, always the same."""
    token = new_token()
    assert verifier_of(token) == verifier_of(token) != verifier_of(new_token())
    assert token not in verifier_of(token)
