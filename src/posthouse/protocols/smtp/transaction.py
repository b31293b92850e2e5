"""One mail transaction: MAIL to the end of data (RFC 5321 §3.3). Reset means dropping it; nothing is blanked.

Tests: through ``tests/unit/protocols/smtp/test_smtp_session.py``.
"""

from __future__ import annotations

from posthouse.core.address import Address
from posthouse.core.envelope import Envelope, MailParameters, Recipient
from posthouse.protocols.smtp.data import ChunkReceiver, ContentGate, DataReceiver
from posthouse.protocols.smtp.types import SessionConfig


class Transaction:
    """What a session knows between MAIL and the answer to the data.

    Attributes:
        recipients: granted ones, in order.
        surplus: recipients refused because there were too many.
        data: receives the content of DATA, or None.
        chunks: receives the content of BDAT, or None.
    """

    __slots__ = ("chunks", "data", "parameters", "recipients", "reverse_path", "surplus")

    def __init__(self, reverse_path: Address | None, parameters: MailParameters) -> None:
        self.reverse_path = reverse_path
        self.parameters = parameters
        self.recipients: list[Recipient] = []
        self.surplus = 0
        self.data: DataReceiver | None = None
        self.chunks: ChunkReceiver | None = None

    def open_data(self, config: SessionConfig) -> None:
        """Make ready for the content of DATA."""
        self.data = DataReceiver(ContentGate(config.max_size, config.bare_newline))

    def open_chunks(self, config: SessionConfig) -> None:
        """Make ready for the content of BDAT commands."""
        self.chunks = ChunkReceiver(ContentGate(config.max_size, config.bare_newline))

    @property
    def envelope(self) -> Envelope:
        """The envelope as a value."""
        return Envelope(self.reverse_path, tuple(self.recipients), self.parameters)
