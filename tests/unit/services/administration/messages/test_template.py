"""The small language of texts: what it reads, what it refuses, and that it reaches nothing."""

import pytest

from posthouse.services.administration.faults import Refused
from posthouse.services.administration.messages.definitions import MESSAGES
from posthouse.services.administration.messages.template import (
    SUBJECT_FILLED,
    TEXT_FILLED,
    TEXT_LONGEST,
    TooLong,
    check,
    fill,
)

WELCOME, FAILED = MESSAGES["welcome"], MESSAGES["delivery-failed"]

TAKEN = {
    "plain": "Hello.",
    "a variable": "Hello {{ name }}",
    "a filter": "Hello {{ name | upper }}",
    "a choice": "{% if quota %}{{ quota }}{% elif name %}x{% else %}y{% endif %}",
    "a comparison": "{% if quota == '1 GiB' or not name %}x{% endif %}",
    "in one line": "{{ quota if quota else 'any' }}",
    "a remark": "{# not shown #}Hello",
}
REFUSED = {
    "an unknown variable": ("{{ nane }}", "text, line 1: there is no variable 'nane'"),
    "the line": ("a\nb\n{{ nane }}", "line 3"),
    "an open brace": ("Hello {{ name", "text, line 1"),
    "an attribute": ("{{ name.__class__ }}", "there is no field"),
    "an item": ("{{ name['x'] }}", "getitem cannot be used"),
    "a call": ("{{ name.format(1) }}", "call cannot be used"),
    "a global": ("{{ range(9) }}", "call cannot be used"),
    "reckoning": ("{{ 9 ** 9 ** 9 }}", "pow cannot be used"),
    "repeating": ("{{ 'x' * 999999999 }}", "mul cannot be used"),
    "joining": ("{{ name ~ name }}", "concat cannot be used"),
    "setting": ("{% set x = 1 %}", "assign cannot be used"),
    "a macro": ("{% macro m() %}{% endmacro %}", "macro cannot be used"),
    "another file": ("{% include 'x' %}", "include cannot be used"),
    "inheriting": ("{% extends 'x' %}", "extends cannot be used"),
    "an unknown filter": ("{{ name | attr('x') }}", "the filter 'attr' cannot be used"),
    "a filter with a number": ("{{ name | indent(9999) }}", "the filter 'indent' cannot be used"),
    "a loop through nothing": ("{% for x in name %}{% endfor %}", "a loop goes through a list"),
    "a loop through a text": ("{% for x in 'abc' %}{% endfor %}", "a loop goes through a list"),
    "deep brackets": ("{{ " + "(" * 9_000 + "1" + ")" * 9_000 + " }}", "its brackets go too deep"),
    "deep blocks": ("{% if name %}" * 700 + "{% endif %}" * 700, "too deep"),
    "blocks deeper than Python reads": ("{% if name %}" * 110 + "x" + "{% endif %}" * 110, "cannot be filled in"),
    "too long": ("x" * (TEXT_LONGEST + 1), "characters"),
    "a comparison of unlike things": ("{% if name > 3 %}{% endif %}", "cannot be filled in"),
}
LOOPS = {
    "through recipients": ("{% for each in recipients %}{{ each.address }}{{ loop.index }}{% endfor %}", ""),
    "inside another": (
        "{% for a in recipients %}{% for b in recipients %}{% endfor %}{% endfor %}", "a loop cannot be inside another"
    ),
    "recursive": ("{% for a in recipients recursive %}{% endfor %}", "neither a condition"),
    "with a condition": ("{% for a in recipients if a %}{% endfor %}", "neither a condition"),
    "over a variable's name": ("{% for name in recipients %}{% endfor %}", "one new name"),
    "two names": ("{% for a, b in recipients %}{% endfor %}", "one new name"),
    "an unknown field": ("{% for a in recipients %}{{ a.passwort }}{% endfor %}", "there is no field 'passwort'"),
    "the loop's caller": ("{% for a in recipients %}{{ loop.cycle }}{% endfor %}", "there is no field 'cycle'"),
    "a row as a value": ("{% for a in recipients %}{{ a }}{% endfor %}", "a is no single value"),
    "a list as a value": ("{{ recipients }}", "recipients is no single value"),
    "after its loop": ("{% for a in recipients %}{% endfor %}{{ a.address }}", "there is no field"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name) -> None:
    """What a text needs is there."""
    check(WELCOME, "Welcome", TAKEN[name])


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name) -> None:
    """The refusal names the field, the line, and what is wrong."""
    text, said = REFUSED[name]
    with pytest.raises(Refused) as caught:
        check(WELCOME, "Welcome", text)
    assert said in caught.value.detail
    assert caught.value.field == "text"


@pytest.mark.parametrize("name", LOOPS)
def test_loops(name) -> None:
    """One goes through a list that the message has, and says its fields."""
    text, said = LOOPS[name]
    if not said:
        check(FAILED, "Failed", text)
        return
    with pytest.raises(Refused) as caught:
        check(FAILED, "Failed", text)
    assert said in caught.value.detail


@pytest.mark.parametrize("subject", ["", "   ", "two\nlines", "{{ nane }}", "x" * 301, "{% for x in y %}"])
def test_subjects_that_are_refused(subject) -> None:
    """A subject is one line of a text of its own."""
    with pytest.raises(Refused) as caught:
        check(WELCOME, subject, "text")
    assert caught.value.field == "subject"


def test_what_is_filled_in_is_not_read_again() -> None:
    """A value with braces stays what it is, and a subject stays one line."""
    values = WELCOME.samples | {"name": "{{ hostname }}\r\nBcc: x@y"}
    assert fill("Hi {{ name }}", "{{ name }}", values) == (
        "Hi {{ hostname }} Bcc: x@y",
        "{{ hostname }}\r\nBcc: x@y",
    )


def test_what_comes_out_is_bounded() -> None:
    """A long value said often is given up long before it fills the memory."""
    values = MESSAGES["notice"].samples | {"text": "x" * 100_000}
    with pytest.raises(TooLong):
        fill("s", "{{ text }}" * (TEXT_FILLED // 100_000 + 1), values)
    assert len(fill("x" * (SUBJECT_FILLED + 1), "", values)[0]) == SUBJECT_FILLED
