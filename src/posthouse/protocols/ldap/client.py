"""The client's half of an LDAP session: requests in, octets out; octets in, answers out.

    send(request) -> id, output()          octets for the other side
    receive(data) -> [Answer...]           each joined to its request; the last one of a request ends it

Invariants: an answer of a kind that its request cannot have is a fault; answers to what was abandoned are passed over;
when TLS begins, nothing may be held that came in clear (RFC 4511 §4.14). Not here: sockets, time, pages of a search.
Tests: ``tests/unit/protocols/ldap/test_ldap_client.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from posthouse.core.errors import SequenceFault, SyntaxFault
from posthouse.protocols.ldap.messages import OTHERS, format_message, parse_message
from posthouse.protocols.ldap.types import (
    NOTICE_OF_DISCONNECTION,
    START_TLS,
    AbandonRequest,
    BindRequest,
    BindResponse,
    Control,
    ExtendedRequest,
    ExtendedResponse,
    IntermediateResponse,
    Message,
    OtherRequest,
    OtherResponse,
    Request,
    Response,
    Result,
    SearchDone,
    SearchEntry,
    SearchReference,
    SearchRequest,
    UnbindRequest,
)
from posthouse.protocols.ldap.wire import MESSAGE_SIZE, MessageSplitter

OPEN_REQUESTS: Final = 100
_ANSWERS: Final[dict[type[Request], tuple[type[Response], ...]]] = {
    BindRequest: (BindResponse,),
    SearchRequest: (SearchEntry, SearchReference, SearchDone, IntermediateResponse),
    ExtendedRequest: (ExtendedResponse, IntermediateResponse),
    OtherRequest: (OtherResponse,),
}
_LAST: Final = (BindResponse, SearchDone, ExtendedResponse, OtherResponse)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request; ``is_last`` says that no more will come for it."""

    id: int
    operation: Response
    controls: tuple[Control, ...]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """The server is about to hang up, and says why (RFC 4511 §4.4.1)."""

    result: Result


class LdapClient:
    """One session, without its socket."""

    def __init__(self, message_size: int = MESSAGE_SIZE) -> None:
        self._splitter = MessageSplitter(message_size)
        self._out = bytearray()
        self._next = 0
        self._open: dict[int, Request] = {}
        self._abandoned: set[int] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._open

    def output(self) -> bytes:
        """Return the octets to send, once."""
        octets = bytes(self._out)
        self._out.clear()
        return octets

    def send(self, request: Request, controls: tuple[Control, ...] = ()) -> int:
        """Begin an operation; return its id.

        Raises SequenceFault: too many are open, or a bind or StartTLS while another is (RFC 4511 §4.2.1, §4.14.1).
        """
        alone = isinstance(request, BindRequest) or (isinstance(request, ExtendedRequest) and request.name == START_TLS)
        if len(self._open) >= OPEN_REQUESTS or (alone and self._open):
            raise SequenceFault("other operations are under way", where="ldap.client")
        self._next = self._next % 2_000_000_000 + 1
        if type(request) in _ANSWERS:
            self._open[self._next] = request
        self._out += format_message(Message(self._next, request, controls))
        return self._next

    def abandon(self, number: int) -> None:
        """Ask the server to do no more for a request; what it still sends is passed over."""
        if self._open.pop(number, None) is not None:
            if len(self._abandoned) >= 10 * OPEN_REQUESTS:
                self._abandoned.clear()
            self._abandoned.add(number)
            self.send(AbandonRequest(number))

    def unbind(self) -> None:
        """Say good-bye; no answer comes."""
        self.send(UnbindRequest())

    def receive(self, data: bytes) -> list[Answer | Notice]:
        """Return what these octets answer. Raises SyntaxFault, LimitFault: the session cannot go on."""
        found: list[Answer | Notice] = []
        for octets in self._splitter.feed(data):
            event = self._answer(parse_message(octets))
            if event is not None:
                found.append(event)
        return found

    def tls_begins(self) -> None:
        """Check that nothing came in clear after the answer to StartTLS. Raises SyntaxFault."""
        if self._splitter.held or self._open:
            raise SyntaxFault("octets in clear before the handshake", where="ldap.client")

    def _answer(self, message: Message) -> Answer | Notice | None:
        operation = message.operation
        if message.id == 0:
            if isinstance(operation, ExtendedResponse):
                return Notice(operation.result) if operation.name == NOTICE_OF_DISCONNECTION else None
            raise SyntaxFault("an answer to nothing", where="ldap.client")
        request = self._open.get(message.id)
        if request is None:
            if message.id in self._abandoned:
                return None
            raise SyntaxFault("an answer to no request of ours", where="ldap.client")
        if not isinstance(operation, _ANSWERS[type(request)]):
            raise SyntaxFault(f"a {type(operation).__name__} to a {type(request).__name__}", where="ldap.client")
        if isinstance(request, OtherRequest) and getattr(operation, "tag", 0) != OTHERS[request.tag]:
            raise SyntaxFault("an answer of another kind", where="ldap.client")
        is_last = isinstance(operation, _LAST)
        if is_last:
            del self._open[message.id]
        return Answer(message.id, operation, message.controls, is_last)
