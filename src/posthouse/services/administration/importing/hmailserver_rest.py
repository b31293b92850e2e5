"""What hMailServer keeps beside domains and accounts: routes, settings, and what is told and left out.

Tests: ``tests/unit/services/administration/importing/test_import_hmailserver.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from posthouse.services.administration.importing.records import ImportedRoute, ImportedSetting, Record, Unmapped
from posthouse.services.administration.importing.sql_dump import Row

# eConnectionSecurity: none, SSL/TLS from the start, STARTTLS where offered, STARTTLS demanded
_TLS: Final = {0: "may", 1: "must", 2: "may", 3: "must"}
LEFT_OUT: Final[Mapping[str, tuple[str, str]]] = {
    "hm_rules": ("rulename", "rules are not imported: write them anew"),
    "hm_fetchaccounts": ("faaccountname", "external accounts are not imported"),
    "hm_securityranges": ("rangename", "who may relay is relay.networks; protocols by network are not limited"),
    "hm_dnsbl": ("sbldnshost", "block lists are not imported"),
    "hm_surblservers": ("surblhost", "block lists of links are not imported"),
    "hm_greylisting_whiteaddresses": ("whiteipaddress", "greylisting is not imported"),
    "hm_whitelist": ("whitedescription", "white lists are not imported"),
    "hm_blocked_attachments": ("bawildcard", "blocked attachments are not imported"),
    "hm_tcpipports": ("portnumber", "ports are listeners in posthouse.toml"),
    "hm_sslcertificates": ("sslcertificatename", "certificates are files: name them in posthouse.toml"),
    "hm_incoming_relays": ("relayname", "trusted relays are not imported"),
}
SETTINGS_WANTED: Final = frozenset(
    {
        *("maxmessagesize", "welcomesmtp", "hostname", "smtprelayer", "smtprelayerport", "smtprelayerusername"),
        *("smtprelayerconnectionsecurity", "usesmtprelayerauthentication", "defaultdomain", "mirroremailaddress"),
        *("maxsmtprecipientsinbatch", "imaphierarchydelimiter", "adddeliveredtoheader"),
    }
)
_LEFT_SETTINGS: Final = {
    "hostname": "the name of the server is hostname in posthouse.toml",
    "mirroremailaddress": "a copy of all mail is not sent",
    "imaphierarchydelimiter": "it is always /",
}


def _word(row: Row | None, name: str) -> str:
    value = row.cells.get(name) if row else None
    return "" if value is None else str(value).strip()


def _count(row: Row | None, name: str) -> int:
    word = _word(row, name)
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 16 else 0


def left_out(row: Row) -> Iterator[Record]:
    """Say that a row of one of the tables ``LEFT_OUT`` is not imported."""
    column, why = LEFT_OUT[row.table]
    yield Unmapped(what=f"{row.table.removeprefix('hm_')}: {_word(row, column)}", where=row.where, why=why)


def route_record(row: Row) -> Iterator[Record]:
    """Yield the route that a row of ``hm_routes`` is. ``*`` in a domain is known to us only as the whole name."""
    domain = _word(row, "routedomainname").lower()
    if domain.startswith("*."):
        domain = domain[1:]
    if "*" in domain and domain != "*":
        why = "a route is for a domain, for .domain or for *"
        yield Unmapped(what=f"the route for {domain}", where=row.where, why=why)
        return
    security = _count(row, "routeconnectionsecurity")
    yield ImportedRoute(
        where=row.where,
        domain=domain,
        host=_word(row, "routetargetsmthost"),
        port=_count(row, "routetargetsmtport") or 25,
        tls=_TLS.get(security, "may"),
        recipients_local=bool(_count(row, "routetreatsecurityaslocal")) and domain != "*",
    )
    if _count(row, "routeuseauthentication"):
        login = _word(row, "routeauthenticationusername")
        why = "its password is not imported: set it with the route"
        yield Unmapped(what=f"the route for {domain} signs in as {login}", where=row.where, why=why)
    if _count(row, "routetreatsenderaslocaldomain"):
        what = f"senders of {domain} count as local"
        yield Unmapped(what=what, where=row.where, why="senders prove who they are by signing in")


def setting_records(settings: Mapping[str, Row]) -> Iterator[Record]:
    """Yield what ``hm_settings`` says that has an equal here, and name what was changed and has none."""
    if kilobytes := _count(settings.get("maxmessagesize"), "settinginteger"):
        value = f"{max(64, kilobytes)}K"
        yield ImportedSetting(where=settings["maxmessagesize"].where, name="smtp.message_size", value=value)
    if welcome := _word(settings.get("welcomesmtp"), "settingstring"):
        yield ImportedSetting(where=settings["welcomesmtp"].where, name="smtp.banner", value=welcome)
    if domain := _word(settings.get("defaultdomain"), "settingstring"):
        yield ImportedSetting(where=settings["defaultdomain"].where, name="address.default_domain", value=domain)
    yield from _smart_host(settings)
    for name, why in _LEFT_SETTINGS.items():
        value = _word(settings.get(name), "settingstring")
        if value and not (name == "imaphierarchydelimiter" and value == "/"):
            yield Unmapped(what=f"the setting {name} = {value}", where=settings[name].where, why=why)


def _smart_host(settings: Mapping[str, Row]) -> Iterator[Record]:
    host = _word(settings.get("smtprelayer"), "settingstring")
    if not host:
        return
    where = settings["smtprelayer"].where
    yield ImportedRoute(
        where=where,
        domain="*",
        host=host,
        port=_count(settings.get("smtprelayerport"), "settinginteger") or 25,
        tls=_TLS.get(_count(settings.get("smtprelayerconnectionsecurity"), "settinginteger"), "may"),
    )
    if _count(settings.get("usesmtprelayerauthentication"), "settinginteger"):
        login = _word(settings.get("smtprelayerusername"), "settingstring")
        why = "its password is not imported: set it with the route for *"
        yield Unmapped(what=f"the relayer {host} is signed in at as {login}", where=where, why=why)
