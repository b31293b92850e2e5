"""What ``posthouse check`` says: one value for each thing that was looked at.

A finding about the DNS carries the records to publish, each as a value and as a line for a zone file. Severities, from
good to bad: ``ok``; ``notice``, worth knowing; ``warning``, wrong unless it is meant; ``error``, mail does not flow,
or strangers get in. Tests: ``tests/unit/services/administration/diagnosis/test_findings.py``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Severity(enum.Enum):
    """How bad a finding is; ``rank`` orders them."""

    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for ok to 3 for error."""
        return list(Severity).index(self)


_STRING: Final = 255  # octets of one string in a TXT record (RFC 1035 §3.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """One record to publish.

    Attributes:
        name: absolute, without the final dot, in A-labels.
        type: such as ``MX``.
        ttl: seconds.
        value: its data; host names in it are absolute with their final dot. For TXT the text alone, as the forms of
            DNS providers want it.
        check: the id of the check that looks at it, such as ``dns.spf``.
        purpose: what it is for, one line.
    """

    name: str
    type: str
    value: str
    check: str
    purpose: str
    ttl: int = 3600

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file (RFC 1035 §5.1)."""
        value = quoted(self.value) if self.type == "TXT" else self.value
        return f"{self.name}. {self.ttl} IN {self.type} {value}"


def quoted(text: str) -> str:
    """Return a text as the strings of a TXT record: quoted, none longer than 255 octets (RFC 1035 §5.1)."""
    octets = text.encode()
    pieces = [octets[start : start + _STRING] for start in range(0, len(octets), _STRING)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, piece))}"' for piece in pieces)


def _escaped(octet: int) -> str:
    if octet in b'"\\':
        return "\\" + chr(octet)
    return chr(octet) if 32 <= octet < 127 else f"\\{octet:03d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        id: of the check, such as ``dns.spf``; set by whoever runs the checks.
        severity: how bad it is.
        subject: what it is about: a domain, a listener, an account; "" for the server.
        what: the finding, one line.
        evidence: what was seen, such as an address, a path, an answer; "" where ``what`` says it all.
        remedy: what to do about it; "" where nothing is to be done.
        records: what to publish in the DNS.
    """

    severity: Severity
    what: str
    id: str = ""
    subject: str = ""
    evidence: str = ""
    remedy: str = ""
    records: tuple[DnsRecord, ...] = ()


def ok(what: str, evidence: str = "", *, subject: str = "") -> Finding:
    """Return a finding that all is well."""
    return Finding(severity=Severity.OK, what=what, evidence=evidence, subject=subject)


def notice(
    what: str, evidence: str = "", remedy: str = "", *, subject: str = "", records: tuple[DnsRecord, ...] = ()
) -> Finding:
    """Return a finding that is worth knowing."""
    return Finding(
        severity=Severity.NOTICE, what=what, evidence=evidence, remedy=remedy, subject=subject, records=records
    )


def warning(
    what: str, evidence: str, remedy: str, *, subject: str = "", records: tuple[DnsRecord, ...] = ()
) -> Finding:
    """Return a finding that is wrong unless it is meant."""
    return Finding(
        severity=Severity.WARNING, what=what, evidence=evidence, remedy=remedy, subject=subject, records=records
    )


def error(what: str, evidence: str, remedy: str, *, subject: str = "", records: tuple[DnsRecord, ...] = ()) -> Finding:
    """Return a finding that must be dealt with."""
    return Finding(
        severity=Severity.ERROR, what=what, evidence=evidence, remedy=remedy, subject=subject, records=records
    )
