"""Settings: text to value and back, and what is said of a wrong one."""

from __future__ import annotations

import pytest

from posthouse.config.definitions import DEFINITIONS, TOPICS
from posthouse.config.faults import SettingFault
from posthouse.config.setting import (
    PER_ACCOUNT,
    Kind,
    bool_setting,
    choice_setting,
    duration_setting,
    int_setting,
    list_setting,
    parse_duration,
    size_setting,
    text_setting,
)

FLAG = bool_setting("t.flag", False, "A flag.")
COUNT = int_setting("t.count", 5, "A count.", unit="things", minimum=1, maximum=10)
SIZE = size_setting("t.size", 1024, "A size.", minimum=0)
SPAN = duration_setting("t.span", 60, "A span.", maximum=86400)
TEXT = text_setting("t.text", "x", "A text.")
WORDS = list_setting("t.words", ("a", "b"), "Words.")
SPANS = list_setting("t.spans", ("1m",), "Spans.", item=parse_duration, items="durations such as 5m")
SOME = list_setting("t.some", ("a",), "Some of them.", choices=("a", "b"))
CHOICE = choice_setting("t.choice", "red", ("red", "blue"), "A choice.")

GOOD = {
    "yes": (FLAG, "yes", True),
    "On": (FLAG, " On ", True),
    "0": (FLAG, "0", False),
    "number": (COUNT, "10", 10),
    "octets": (SIZE, "1500", 1500),
    "mebibytes": (SIZE, "50 MiB", 50 << 20),
    "short": (SIZE, "2k", 2048),
    "gigabytes": (SIZE, "1GB", 1 << 30),
    "seconds": (SPAN, "90", 90.0),
    "composed": (SPAN, "1h 30m", 5400.0),
    "milliseconds": (SPAN, "1500ms", 1.5),
    "nothing": (SPAN, "0s", 0.0),
    "text": (TEXT, " two words ", "two words"),
    "empty text": (TEXT, "", ""),
    "list": (WORDS, "a, b,,c ", ("a", "b", "c")),
    "empty list": (WORDS, " ", ()),
    "list of durations": (SPANS, "5m, 1h30m", ("5m", "1h30m")),
    "name servers": (
        DEFINITIONS["dns.servers"],
        "192.0.2.1,192.0.2.1:5353,2001:db8::1,[2001:db8::1]:5353,[::1]",
        ("192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353", "[::1]"),
    ),
    "choice": (CHOICE, "Blue", "blue"),
    "some": (SOME, "b", ("b",)),
}
BAD = {
    "no flag": (FLAG, "maybe"),
    "no number": (COUNT, "five"),
    "too small": (COUNT, "0"),
    "too large": (COUNT, "11"),
    "other digits": (COUNT, "٣"),
    "fraction": (COUNT, "1.5"),
    "huge": (COUNT, "9" * 5000),
    "no size": (SIZE, "10 XiB"),
    "negative size": (SIZE, "-1"),
    "no span": (SPAN, "5 parsecs"),
    "empty span": (SPAN, ""),
    "long span": (SPAN, "2d"),
    "two lines": (TEXT, "a\nb"),
    "no choice": (CHOICE, "green"),
    "not one of them": (SOME, "a,c"),
    "an item that is no duration": (SPANS, "5m,soon"),
    "no address of a name server": (DEFINITIONS["dns.servers"], "192.0.2.1,ns.example.org"),
    "no port of a name server": (DEFINITIONS["dns.servers"], "192.0.2.1:port"),
}


@pytest.mark.parametrize(("setting", "text", "value"), GOOD.values(), ids=GOOD)
def test_what_people_write(setting, text, value) -> None:
    """Each form that people write gives its value, and the value's own form gives it back."""
    assert setting.parse(text) == value
    assert setting.parse(setting.format(value)) == value


@pytest.mark.parametrize(("setting", "text"), BAD.values(), ids=BAD)
def test_what_cannot_be_used(setting, text) -> None:
    """A wrong value names the setting and what is allowed, in one short line."""
    with pytest.raises(SettingFault) as caught:
        setting.parse(text)
    message = str(caught.value)
    assert message.startswith(setting.name)
    assert setting.allowed in message
    assert "\n" not in message
    assert len(message) < 250
    assert caught.value.exit_code == 65


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (COUNT, "a whole number of things, from 1 up to 10"),
        (SPAN, "seconds, or numbers with d, h, m, s or ms such as 1h30m, up to 1d"),
        (CHOICE, "one of red, blue"),
        (SOME, "words separated by commas, each one of a, b"),
        (SPANS, "durations such as 5m, separated by commas"),
        (FLAG, "yes or no"),
    ],
)
def test_what_is_allowed_is_said_in_words(setting, words) -> None:
    """The range reads as a sentence would."""
    assert setting.allowed == words


@pytest.mark.parametrize("setting", DEFINITIONS.values(), ids=DEFINITIONS)
def test_every_definition_is_whole(setting) -> None:
    """Name, explanation and default of every setting hold together."""
    topic, _, name = setting.name.partition(".")
    assert topic.isidentifier()
    assert name.isidentifier()
    assert setting.explanation.endswith(".")
    assert setting.explanation[0].isupper()
    assert setting.parse(setting.format(setting.default)) == setting.default
    assert setting.kind is not Kind.CHOICE or setting.default in setting.choices
    assert set(setting.scopes) <= set(PER_ACCOUNT)
    assert "server" in [scope.value for scope in setting.scopes]


def test_no_name_is_defined_twice() -> None:
    """Every topic's settings are in the registry, under names of their own."""
    assert len(DEFINITIONS) == sum(len(topic.SETTINGS) for topic in TOPICS)
    for topic in TOPICS:
        for setting in topic.SETTINGS:
            assert setting.name.startswith(topic.__name__.rpartition(".")[2] + ".")
