"""A name server of the plainest kind for tests: answers from a table, over UDP on a loopback port.

``records`` maps (name, type) to texts of rdata, such as ``("far.test", "MX"): ["10 mx.far.test."]``. A name that is
in no key does not exist; for names in ``broken`` the answer is SERVFAIL. ``before`` is called before each answer.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = dict[tuple[str, str], list[str]]


class _Query(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self):
        """Answer one question."""
        data, link = self.request
        self.server.before()
        query = dns.message.from_wire(data)
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        records = self.server.records
        if name in self.server.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in records:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records[name, kind]))
        elif not any(known == name for known, _ in records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        link.sendto(answer.to_wire(), self.client_address)


class _Server(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, records: Records, before: Callable[[], object]) -> None:
        super().__init__(("127.0.0.1", 0), _Query)
        self.records = records
        self.before = before
        self.broken: set[str] = set()


class NameServer:
    """One running name server; use as a context."""

    def __init__(self, records: Records | None = None, before: Callable[[], object] = dict) -> None:
        self._server = _Server({} if records is None else records, before)
        self.port: int = self._server.server_address[1]
        self.records = self._server.records
        self.broken = self._server.broken
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
