"""any bytes give records or a finding of which kind of nothing, in bounded memory, never another exception.

The data is what a name server answers, behind the id of our question; so is the data with the question in front.
"""

from __future__ import annotations

import dns.message
import dns.name
import dns.rdatatype

from posthouse.services.resolver.contract import Finding
from posthouse.services.resolver.dns import MAX_RECORDS, MAX_TTL, read_records
from posthouse.services.resolver.exchange import read_answer

_NAME = dns.name.from_text("a.test.")
_ID = 4711


def target(data: bytes) -> None:
    """Read the data as an answer to a question for MX and to one for AAAA."""
    for kind in (dns.rdatatype.MX, dns.rdatatype.AAAA):
        query = dns.message.make_query(_NAME, kind, id=_ID)
        wire = query.to_wire()
        head = _ID.to_bytes(2, "big")
        asked = head + data[:4] + wire[4:6] + data[4:10] + wire[12:] + data[10:]
        for message in (head + data, asked):
            answer = read_answer(query, message)
            if answer is not None:
                records = read_records(answer, kind)
                assert len(records.rdatas) <= MAX_RECORDS
                assert 0 <= records.ttl <= MAX_TTL
                assert bool(records.rdatas) is (records.finding is Finding.FOUND)
