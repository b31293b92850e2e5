"""Delivery status notifications (RFC 3464, RFC 6522, RFC 6533). Room: message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DsnRecipient:
    """What became of one recipient.

    Attributes:
        final_recipient: the address, without type.
        original_recipient: ORCPT as ``type;address`` decoded, "" where none.
        action: ``failed`` | ``delayed`` | ``delivered`` | ``relayed`` | ``expanded``.
        status: enhanced code such as ``5.1.1``.
        diagnostic: the remote reply, such as ``550 5.1.1 No such user``; "" for none.
        remote_mta: name of the host that replied; "" for none.
        last_attempt, will_retry_until: seconds since the epoch, or None.
    """

    final_recipient: str
    original_recipient: str = ""
    action: str
    status: str
    diagnostic: str = ""
    remote_mta: str = ""
    last_attempt: float | None = None
    will_retry_until: float | None = None


def compose_dsn(
    *,
    reporting_mta: str,
    from_address: str,
    to_address: str,
    envid: str,
    arrival: float,
    recipients: Sequence[DsnRecipient],
    original: bytes,
    full: bool,
    message_id: str,
    date: float,
    boundary: str,
    smtputf8: bool = False,
) -> bytes:
    """Return a whole multipart/report message. ``original`` is the message or its head; ``full`` returns it whole."""
    raise NotImplementedError
