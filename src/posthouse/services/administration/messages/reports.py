"""The words of bounces, notices of delay and confirmations, in the sender's language (QD-05).

A sender who has an account here reads them in his language; others in that of the server. English that nobody changed
is written by ``message.dsn`` itself, which says a little more than a text with variables can.
Tests: ``tests/unit/services/administration/messages/test_reports.py``.
"""

from __future__ import annotations

from typing import Final

from posthouse.config.settings import Settings
from posthouse.core.address import parse_address
from posthouse.core.errors import SyntaxFault
from posthouse.message.dates import format_date
from posthouse.message.dsn import DsnRecipient, DsnWords
from posthouse.services.administration.messages.definitions import Row, Value
from posthouse.services.administration.messages.post import Place, ServerMail
from posthouse.services.administration.messages.texts import FALLBACK
from posthouse.services.administration.messages.wordings import DEFAULT, languages_for, prepare, scopes_for
from posthouse.services.delivery.notice import Report
from posthouse.store.contract import Store

NAMES: Final = {"failed": "delivery-failed", "delayed": "delivery-delayed"}
CONFIRMED: Final = "delivery-confirmed"
MOST: Final = 1_000  # recipients; a report about more keeps our own words
LONGEST: Final = 900  # characters of what somebody said
# The detail of an enhanced status code (RFC 3463 §3) -> the field ``kind``.
KINDS: Final = {
    "1.1": "unknown",
    "2.2": "full",
    "2.3": "large",
    "3.4": "large",
    "4.1": "silent",
    "4.4": "silent",
    "4.7": "silent",
    "7.1": "refused",
}


class ReportWords:
    """Chooses the words of reports."""

    def __init__(self, store: Store, mail: ServerMail, settings: Settings) -> None:
        self._store = store
        self._mail = mail
        self._settings = settings

    async def words(self, report: Report) -> DsnWords | None:
        """Return the words of a report; None for those of ``message.dsn``. Raises Unavailable."""
        if len(report.recipients) > MOST:
            return None
        place, language, name = await self._reader(report.to)
        message = NAMES.get(report.recipients[0].action, CONFIRMED)
        values = self._values(report, place, name)
        languages = languages_for(self._settings, language, place.domain)
        return await self._filled(message, languages, scopes_for(place.domain, place.office), values)

    async def _filled(
        self, message: str, languages: tuple[str, ...], scopes: tuple[str, ...], values: dict[str, Value]
    ) -> DsnWords | None:
        await prepare()
        from posthouse.services.administration.messages.compose import flowed
        from posthouse.services.administration.messages.template import UNFILLABLE, fill

        for each in await self._mail.wordings.find(message, languages, scopes):
            if each.source == DEFAULT and each.language == FALLBACK:
                return None
            try:
                subject, text = fill(each.subject, each.text, values)
            except UNFILLABLE:
                continue
            return DsnWords(subject=subject, text=flowed(text))
        return None

    async def _reader(self, to: str) -> tuple[Place, str, str]:
        """Return where the sender is, his language, and his name; for a stranger those of the server."""
        try:
            address = parse_address(to)
        except SyntaxFault:
            return Place("", "", self._mail.hostname), "", to
        if await self._store.domain(address.domain) is None:
            return Place("", "", self._mail.hostname), "", to
        place = await self._mail.place_of(address.domain)
        account = await self._store.account(f"{address.local_part.lower()}@{place.domain}")
        if account is None:
            return place, "", to
        return place, account.language, account.display_name or to

    def _values(self, report: Report, place: Place, name: str) -> dict[str, Value]:
        sender = self._mail.sender_of(place) if place.domain else f"postmaster@{self._mail.hostname}"
        return {
            "recipients": tuple(_row(each) for each in report.recipients),
            "arrived": format_date(report.arrival),
            "whole": report.is_whole,
            "address": _said(report.to),
            "name": _said(name),
            "domain": place.domain or self._mail.hostname,
            "title": place.title,
            "hostname": self._mail.hostname,
            "postmaster": str(sender),
        }


def _row(recipient: DsnRecipient) -> Row:
    wanted = recipient.original_recipient.partition(";")[2]
    is_other = bool(wanted) and wanted.lower() != recipient.final_recipient.lower()
    until = recipient.will_retry_until
    return {
        "address": _said(recipient.final_recipient),
        "wanted": _said(wanted) if is_other else "",
        "kind": KINDS.get(recipient.status.partition(".")[2], ""),
        "reply": _said(recipient.diagnostic),
        "host": _said(recipient.remote_mta),
        "status": recipient.status,
        "until": format_date(until) if until is not None and recipient.action == "delayed" else "",
    }


def _said(text: str) -> str:
    """Return what somebody said as one line of bounded length."""
    return " ".join("".join(each if each.isprintable() else " " for each in text[:LONGEST]).split())
