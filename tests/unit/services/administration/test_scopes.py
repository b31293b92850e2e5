"""Scopes as people write them."""

from __future__ import annotations

import pytest

from posthouse.config.definitions.address import EXTENSION_DELIMITER
from posthouse.config.setting import Scope
from posthouse.services.administration import scopes
from posthouse.services.administration.faults import Kind, Refused

WRITTEN = {
    "server": ("server", "server"),
    "an office": ("office:Acme", "office:acme"),
    "a domain": ("domain:EXAMPLE.org", "domain:example.org"),
    "an account": ("account:Anna@Example.org", "account:anna@example.org"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_scope_is_folded(name: str):
    """A scope is read whatever its case."""
    written, text = WRITTEN[name]
    assert scopes.place_of(written).text == text


@pytest.mark.parametrize(
    "text", ["", "server:x", "domain", "domain:", "account:anna", "host:x", "office:a b", "\x1b[2J"]
)
def test_what_is_no_scope_is_refused(text: str):
    """The refusal names the field and nothing in it can steer a terminal."""
    with pytest.raises(Refused) as refused:
        scopes.place_of(text)
    assert refused.value.detail.isprintable()


def test_a_setting_is_named_or_guessed():
    """A misspelt setting is refused with the one that was meant."""
    with pytest.raises(Refused, match=r"there is no setting 'smtp.mesage_size'") as refused:
        scopes.definition_of("smtp.mesage_size")
    assert "smtp.message_size" in refused.value.remedy
    assert refused.value.kind is Kind.MISSING


def test_a_setting_has_its_scopes():
    """A setting is refused where it cannot be set."""
    with pytest.raises(Refused, match="cannot be set for one account"):
        scopes.require_scope(EXTENSION_DELIMITER, scopes.Place(Scope.ACCOUNT, "a@b.test"))
