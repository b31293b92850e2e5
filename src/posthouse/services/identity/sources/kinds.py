"""The kinds of sign-in sources there are, and how one is made.

``make_source`` reads the texts that the store keeps for a source and returns it, unconnected; a source connects when
it is first asked. Each kind is imported when it is first needed. To add a kind: a module with its configuration and
its class, a maker here, its table in ``docs/sign-in.md``.
Tests: ``tests/unit/services/identity/sources/test_source_fields.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from posthouse.core.clock import Clock
from posthouse.services.identity.sources.contract import OWN, Source
from posthouse.services.identity.sources.fields import FieldInfo, SourceFault, fields_of, parse_config


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What sources are made with.

    Attributes:
        clock: for what is kept for a while.
        verify_hash: whether a password fits an encoded hash; run in a thread, few at once (SQL sources use it).
        pam_folder: a folder of PAM services used instead of ``/etc/pam.d``; "" for the system's.
    """

    clock: Clock
    verify_hash: Callable[[str, bytes], bool]
    pam_folder: str = ""


Maker = Callable[[str, Mapping[str, str], Mapping[str, str], Parts], Source]


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One kind: its word, what it is, its fields, and how one is made."""

    name: str
    summary: str
    fields: tuple[FieldInfo, ...]
    make: Maker


def _ldap() -> SourceKind:
    from posthouse.services.identity.sources.ldap.config import LdapConfig
    from posthouse.services.identity.sources.ldap.source import LdapSource

    def make(name: str, config: Mapping[str, str], secrets: Mapping[str, str], parts: Parts) -> Source:
        return LdapSource(name, parse_config(LdapConfig, config, secrets), parts.clock)

    return SourceKind("ldap", "an LDAP server or Active Directory", fields_of(LdapConfig), make)


def _sql() -> SourceKind:
    from posthouse.services.identity.sources.sql import SqlConfig, SqlSource

    def make(name: str, config: Mapping[str, str], secrets: Mapping[str, str], parts: Parts) -> Source:
        return SqlSource(name, parse_config(SqlConfig, config, secrets), parts.verify_hash)

    return SourceKind("sql", "a query to SQLite, PostgreSQL, MySQL or MariaDB", fields_of(SqlConfig), make)


def _pam() -> SourceKind:
    from posthouse.services.identity.sources.pam import PamConfig, PamSource

    def make(name: str, config: Mapping[str, str], secrets: Mapping[str, str], parts: Parts) -> Source:
        return PamSource(name, parse_config(PamConfig, config, secrets), folder=parts.pam_folder)

    return SourceKind("pam", "the people of this machine, by PAM", fields_of(PamConfig), make)


def _oidc() -> SourceKind:
    from posthouse.services.identity.sources.oidc.config import OidcConfig
    from posthouse.services.identity.sources.oidc.source import OidcSource

    def make(name: str, config: Mapping[str, str], secrets: Mapping[str, str], parts: Parts) -> Source:
        return OidcSource(name, parse_config(OidcConfig, config, secrets), parts.clock)

    return SourceKind("oidc", "tokens of an OpenID or OAuth 2.0 provider", fields_of(OidcConfig), make)


def _http() -> SourceKind:
    from posthouse.services.identity.sources.http import HttpConfig, HttpSource

    def make(name: str, config: Mapping[str, str], secrets: Mapping[str, str], parts: Parts) -> Source:
        return HttpSource(name, parse_config(HttpConfig, config, secrets), parts.clock)

    return SourceKind("http", "a call to a web service", fields_of(HttpConfig), make)


_KINDS: Mapping[str, Callable[[], SourceKind]] = {"ldap": _ldap, "sql": _sql, "pam": _pam, "oidc": _oidc, "http": _http}


def kind_names() -> tuple[str, ...]:
    """Return the words for the kinds of sources that can be made; ``own`` is always there and is not made."""
    return tuple(_KINDS)


def kind_of(name: str) -> SourceKind:
    """Return a kind by its word. Raises SourceFault."""
    find = _KINDS.get(name)
    if find is None:
        raise SourceFault(
            f"kind: there is no kind of source named {name[:40]!r}",
            field="kind",
            remedy=f"The kinds are: {', '.join(_KINDS)}.",
        )
    return find()


def make_source(kind: str, name: str, config: Mapping[str, str], secrets: Mapping[str, str], parts: Parts) -> Source:
    """Return a source, unconnected. Raises SourceFault: naming the field and the remedy."""
    if name == OWN:
        raise SourceFault("name: own is the server's own store", field="name", remedy="Choose another name.")
    return kind_of(kind).make(name, config, secrets, parts)
