"""any bytes give entries or one fault with its line, never another exception; people and groups are made of them."""

from __future__ import annotations

from posthouse.services.administration.importing.ldap_entries import LdapMapping, read_ldap
from posthouse.services.administration.importing.ldif import read_ldif
from posthouse.services.administration.importing.plan import Plan
from posthouse.services.administration.importing.report import ImportReport
from posthouse.services.administration.importing.source import Unreadable, file_of


def target(data: bytes) -> None:
    """Read the data as LDIF, and plan what it holds."""
    file = file_of("d.ldif", data)
    report = ImportReport("d.ldif", "ldif")
    try:
        for step in Plan(report).steps(read_ldap(lambda: read_ldif(file), LdapMapping(domain="example.org"))):
            assert step.thing.where.startswith("d.ldif:")
    except Unreadable as fault:
        assert "\n" not in fault.detail
