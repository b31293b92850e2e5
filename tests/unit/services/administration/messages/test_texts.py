"""Our own words: complete in every language, and fit to be filled in."""

import pytest

from posthouse.config.definitions.message import OCCASIONS
from posthouse.services.administration.messages.definitions import MESSAGES, OCCASIONAL
from posthouse.services.administration.messages.template import check, fill
from posthouse.services.administration.messages.texts import LANGUAGES, texts_in


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_in_every_language(language) -> None:
    """Each has a subject and a text that pass the check an administrator's words pass."""
    texts = texts_in(language)
    assert set(texts) == set(MESSAGES)
    for name, (subject, text) in texts.items():
        check(MESSAGES[name], subject, text)
        told, body = fill(subject, text, MESSAGES[name].samples)
        assert told.isprintable()
        assert "{" not in told + body, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_branches_of_a_text_can_all_be_filled_in(language) -> None:
    """Whatever the values are: on, off and changed, empty or given, in lists of none and of many."""
    rows = tuple(
        {"address": "a@b.test", "wanted": wanted, "kind": kind, "reply": "", "host": "", "status": "", "until": wanted}
        for kind in ("", "unknown", "full", "large", "silent", "refused")
        for wanted in ("", "x")
    )
    for name, (subject, text) in texts_in(language).items():
        samples = MESSAGES[name].samples
        for more in ({"change": "off"}, {"change": "changed"}, {"quota": "", "client": "", "expires": "x"},
                     {"recipients": rows, "whole": False}, {"recipients": ()}):  # fmt: skip
            values = {key: more.get(key, sample) for key, sample in samples.items()}
            assert fill(subject, text, values)[0]


def test_the_setting_names_the_occasions() -> None:
    """``message.send`` takes exactly the messages that are sent on occasions; variables have samples of their type."""
    assert OCCASIONS == OCCASIONAL
    for message in MESSAGES.values():
        names = [each.name for each in message.all_variables]
        assert len(names) == len(set(names))
        assert all(each.meaning.endswith(".") for each in message.variables)
