"""What operations on the queue take and give. Tests: with ``operations.queue``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, create_model

from posthouse.services.administration.operation import Input, Output, PageInput

QUEUE_ID = "The message's queue id, 13 letters and digits as replies and logs show it."
_RECIPIENT = "Only this recipient: its number, as `queue show` tells it."


class ListQueue(PageInput):
    """Which recipients."""

    address: str = Field("", max_length=1_000, description="Only those from or to this address.")
    destination: str = Field("", max_length=1_000, description="Only those of this destination, as lists show it.")
    state: Literal["", "waiting", "active", "held"] = Field("", description="Only those in this state.")


class OneMessage(Input):
    """A message in the queue."""

    queue_id: str = Field(min_length=1, max_length=40, description=QUEUE_ID)


class Recipients(OneMessage):
    """Recipients of a message."""

    recipient: int | None = Field(None, ge=0, le=1_000_000, description=_RECIPIENT)


class RetryInput(Input):
    """What to try again."""

    queue_id: str = Field("", max_length=40, description=QUEUE_ID)
    recipient: int | None = Field(None, ge=0, le=1_000_000, description=_RECIPIENT)
    all: bool = Field(False, description="The whole queue.")


class _Waiting(Output):
    queue_id: str = Field(description=QUEUE_ID)
    number: int = Field(description="Which recipient of the message it is.")


class _Place(Output):
    to: str = Field(description="The recipient.")
    destination: str = Field(description="Where it goes: `mx:` looked up in the DNS, `host:` by a route.")
    state: str = Field(description="`waiting`, `active` (being tried at this moment) or `held`.")
    attempts: int = Field(description="How often it was tried.")
    received: float = Field(description="When the message came in, in seconds since the epoch.")
    next_attempt: float = Field(description="When it is tried next, in seconds since the epoch.")
    expires: float = Field(description="When it is given up, in seconds since the epoch.")
    size: int = Field(description="The size of the message.", json_schema_extra={"unit": "octets"})
    last_reply: str = Field(description="What the other server said last.")
    delay_notified: bool = Field(description="Whether the sender was told of the delay.")


_FROM = (str, Field(description="The reverse-path; empty for a notice."))

# The reverse-path is told as `from`, which is no name in Python.
QueuedRecipient = create_model("QueuedRecipient", __base__=(_Place, _Waiting), **{"from": _FROM})  # type: ignore[call-overload]
QueuedRecipient.__doc__ = "A recipient that waits in the queue."


class Summary(Output):
    """What waits for one destination."""

    destination: str = Field(description="Where it goes.")
    state: str = Field(description="`waiting`, `active` or `held`.")
    recipients: int = Field(description="How many recipients.")
    next_attempt: float = Field(description="The earliest next attempt, in seconds since the epoch.")


class _Message(Output):
    queue_id: str = Field(description=QUEUE_ID)


class _Envelope(Output):
    received: float = Field(description="When it came in, in seconds since the epoch.")
    expires: float = Field(description="When it is given up, in seconds since the epoch.")
    size: int = Field(description="Its size.", json_schema_extra={"unit": "octets"})
    envid: str = Field(description="The sender's own name for it (RFC 3461 §4.4).")
    recipients: list[QueuedRecipient] = Field(description="The recipients that wait.")  # type: ignore[valid-type]


QueuedMessage = create_model("QueuedMessage", __base__=(_Envelope, _Message), **{"from": _FROM})  # type: ignore[call-overload]
QueuedMessage.__doc__ = "A message with its recipients that wait in the queue."


class Steered(Output):
    """What was done."""

    recipients: int = Field(description="How many recipients it was done to.")
