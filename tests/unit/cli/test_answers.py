"""Values as people read them."""

from __future__ import annotations

import io
import sys

import pytest

from posthouse.cli import answers
from posthouse.services.administration.operation import Download, Nothing, Page
from posthouse.services.administration.operations.account_models import Account, AccountDetail
from posthouse.services.administration.operations.status import Status

VALUES = [
    ("quota", 0, "none"),
    ("quota", 1 << 30, "1.0 GiB"),
    ("used", 0, "0 octets"),
    ("quota_messages", 0, "none"),
    ("has_password", True, "yes"),
    ("addresses", ["a@x.test", "b@x.test"], "a@x.test, b@x.test"),
    ("held_until", None, ""),
    ("created", "2026-11-21T10:00:00Z", "2026-11-21 10:00:00"),
    ("created", "odd", "odd"),
    ("last_sign_in", {"at": None, "address": "::1", "protocol": "imap"}, "at , address ::1, protocol imap"),
]


@pytest.mark.parametrize(("name", "value", "text"), VALUES)
def test_values_are_told_by_their_description(name, value, text, monkeypatch) -> None:
    """Octets are rounded, moments local, nothing is none."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert answers.text_of(value, AccountDetail.model_fields[name]) == text


def test_the_model_of_what_is_listed() -> None:
    """Of a page its items, of a file none."""
    assert answers.item_model(Page[Account]) is Account
    assert answers.item_model(Nothing) is Nothing
    assert answers.item_model(Download) is None
    assert answers.columns_of(Account, ("address",)) == ["address"]
    assert "listeners" not in answers.columns_of(Status, ())


def test_an_object_is_lines_and_tables(capsys) -> None:
    """What is empty says nothing; lists of objects come below."""
    answers.print_object({"address": "a@x.test", "name": "", "parts": [{"a": 1, "b": True}]}, None)
    assert capsys.readouterr().out == "address:  a@x.test\n\nParts\na  b\n1  yes\n"


def test_json_is_a_line_each(monkeypatch) -> None:
    """As it is."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert answers.print_lines([{"a": 1}, {"b": None}]) == 2
    assert out.getvalue() == '{"a":1}\n{"b":null}\n'
