"""The words of bounces and of notices of delay."""

from email import message_from_bytes, policy

import pytest

from posthouse.message.dsn import DsnRecipient, compose_dsn
from posthouse.services.administration.messages.reports import MOST, ReportWords
from posthouse.services.delivery.notice import Report
from posthouse.store.directory_values import PutAccount, PutWording

FAILED = DsnRecipient(
    final_recipient="ben@far.test", action="failed", status="5.1.1", diagnostic="550 5.1.1 No such user",
    remote_mta="mx.far.test", original_recipient="rfc822;alias@acme.test",
)  # fmt: skip
DELAYED = DsnRecipient(
    final_recipient="ben@far.test", action="delayed", status="4.4.1", will_retry_until=1_700_000_000.0
)


def report(*recipients, to="anna@acme.test"):
    """Return what is to be put into words."""
    return Report(to=to, recipients=recipients or (FAILED,), arrival=1_700_000_000.0, is_whole=True)


@pytest.fixture
def words(store, mail, desk):
    """Return what chooses words."""
    return ReportWords(store, mail, desk.settings)


async def speak(store, language, address="anna@acme.test"):
    """Give an account a language."""
    await store.commit(PutAccount(address=address, language=language, must_be_new=False))


async def test_english_that_nobody_changed_is_the_bounce_s_own(words) -> None:
    """For people of ours and for strangers, and for what is no address."""
    for to in ("anna@acme.test", "nobody@acme.test", "x@far.test", "no address"):
        assert await words.words(report(to=to)) is None


async def test_the_senders_language(store, words) -> None:
    """A failure with its reason; the address written to where it was another."""
    await speak(store, "de")
    found = await words.words(report())
    assert found.subject == "Ihre Nachricht konnte nicht zugestellt werden"
    for part in ("(Sie schrieben an alias@acme.test)", "Die Adresse ist dort nicht bekannt.",
                 "mx.far.test: 550 5.1.1 No such user", "Sie ist diesem Bericht beigefügt."):  # fmt: skip
        assert part in found.text
    delayed = await words.words(report(DELAYED))
    assert delayed.subject == "Ihre Nachricht verzögert sich"
    assert "bis Tue, 14 Nov 2023 22:13:20 +0000 versucht" in delayed.text
    confirmed = await words.words(report(DsnRecipient(final_recipient="b@far.test", action="relayed", status="2.0.0")))
    assert confirmed.subject == "Ihre Nachricht wurde zugestellt"


async def test_the_administrators_words(store, words) -> None:
    """Of the domain for its people, of the server for strangers; ours where they cannot be filled in."""
    for scope, text in (("server", "server {{ address }}"), ("domain:acme.test", "acme {{ name }}")):
        await store.commit(PutWording(scope=scope, name="delivery-failed", language="en", subject="Oh", text=text))
    assert (await words.words(report())).text == "acme anna\n"
    assert (await words.words(report(to="x@far.test"))).text == "server x@far.test\n"
    await store.commit(
        PutWording(scope="server", name="delivery-failed", language="en", subject="Oh", text="{{ nane }}")
    )
    assert await words.words(report(to="x@far.test")) is None


async def test_what_a_peer_said_stays_one_line_and_is_no_template(store, words) -> None:
    """Braces and control characters in a reply are text."""
    await speak(store, "de")
    said = DsnRecipient(final_recipient="b@far.test", action="failed", status="5.7.1",
                        diagnostic="550 {{ hostname }}\r\nX: y\x00" + "z" * 10_000)  # fmt: skip
    found = await words.words(report(said))
    assert "550 {{ hostname }} X: y" in found.text
    assert "\x00" not in found.text
    assert await words.words(report(*[FAILED] * (MOST + 1))) is None


async def test_the_report_is_as_others_read_it(store, words) -> None:
    """The first part is text that flows in the sender's language; the part for programs is as before."""
    await speak(store, "pl")
    found = await words.words(report())
    content = compose_dsn(
        reporting_mta="mx.test", from_address="mailer-daemon@mx.test", to_address="anna@acme.test", envid="",
        arrival=1_700_000_000.0, recipients=[FAILED], original=b"Subject: x\r\n\r\nbody\r\n", full=True,
        message_id="1@mx.test", date=1_700_000_000.0, boundary="=_1.failure", words=found,
    )  # fmt: skip
    assert content.isascii()
    message = message_from_bytes(content, policy=policy.default)
    assert message["Subject"] == "Nie udało się doręczyć wiadomości"
    text, status, original = message.iter_parts()
    assert "Adres nie jest tam znany." in text.get_content()
    assert text.get_param("format") == "flowed"
    assert status.get_content_type() == "message/delivery-status"
    assert original.get_content_type() == "message/rfc822"
