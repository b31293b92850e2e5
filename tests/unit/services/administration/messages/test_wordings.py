"""Which words a reader gets: by language, then by scope."""

import pytest

from posthouse.services.administration.messages.definitions import MESSAGES
from posthouse.services.administration.messages.wordings import Wordings, languages_for, scopes_for
from posthouse.store.directory_values import PutWording

SAMPLES = MESSAGES["welcome"].samples
CHOSEN = {
    # the reader's language, the domain's, what was changed (scope, language), subject of the result
    "ours": ("en", "", (), "Welcome to Example Ltd"),
    "ours in German": ("de", "", (), "Willkommen bei Example Ltd"),
    "a kind of German": ("de-AT", "", (), "Willkommen bei Example Ltd"),
    "the domain's": ("", "fr", (), "Bienvenue chez Example Ltd"),
    "an unknown language": ("tlh", "fr", (), "Bienvenue chez Example Ltd"),
    "unknown everywhere": ("tlh", "sux", (), "Welcome to Example Ltd"),
    "changed for the server": ("en", "", (("server", "en"),), "server en"),
    "the nearest scope": ("en", "", (("server", "en"), ("domain:acme.test", "en"), ("office:acme", "en")),
                          "domain:acme.test en"),
    "the post office's": ("en", "", (("server", "en"), ("office:acme", "en")), "office:acme en"),
    "another domain's": ("en", "", (("domain:rival.test", "en"),), "Welcome to Example Ltd"),
    "another language": ("de", "", (("domain:acme.test", "en"),), "Willkommen bei Example Ltd"),
    "the nearer language": ("de-AT", "", (("domain:acme.test", "de"), ("server", "de-AT")), "server de-AT"),
    "a language that we lack": ("tlh", "", (("server", "tlh"),), "server tlh"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOSEN)
async def test_the_readers_language_then_the_nearest_scope(store, desk, settle, name) -> None:
    """A text that was changed reaches those who read its language."""
    own, of_domain, changed, subject = CHOSEN[name]
    if of_domain:
        await settle("account.language", of_domain, "domain:acme.test")
    for scope, language in changed:
        await store.commit(
            PutWording(scope=scope, name="welcome", language=language, subject=f"{scope} {language}", text="x")
        )
    languages = languages_for(desk.settings, own, "acme.test")
    found = await Wordings(store).filled("welcome", languages, scopes_for("acme.test", "acme"), SAMPLES)
    assert found[0] == subject


async def test_a_change_is_seen_at_once(store) -> None:
    """Texts are read anew when the directory's version moved."""
    words = Wordings(store)
    before = await words.filled("welcome", ("en",), ("server",), SAMPLES)
    await store.commit(PutWording(scope="server", name="welcome", language="en", subject="New", text="{{ name }}"))
    after = await words.filled("welcome", ("en",), ("server",), SAMPLES)
    assert (before[0], after) == ("Welcome to Example Ltd", ("New", "Anna Example", "en"))


@pytest.mark.parametrize("broken", ["{{ nane }}", "{{ name", "{{ name.x.y }}", "{% if 1 > name %}{% endif %}"])
async def test_words_that_cannot_be_filled_in_are_passed_over(store, broken) -> None:
    """Such may come with a snapshot; the reader gets the next best."""
    await store.commit(PutWording(scope="server", name="welcome", language="en", subject="New", text=broken))
    found = await Wordings(store).filled("welcome", ("en",), ("server",), SAMPLES)
    assert found[0] == "Welcome to Example Ltd"
