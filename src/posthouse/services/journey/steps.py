"""The steps of a message's story, as they are stored. Names never change meaning: old stories must stay readable.

Each step's record holds plain JSON values; the fields that ``journey.wording`` reads are listed here.
"""

from __future__ import annotations

from typing import Final

# from, client, port, helo, listener, protocol, account, size, message_id,
# recipients: [{to, rule, local: [address], remote: [[address, destination]]}]
RECEIVED: Final = "received"
REFUSED: Final = "refused"  # to (or "" for the whole message), outcome
# kind (failure | delay | success, or the name of a server message), about (queue id, "" for none), to, local, remote
NOTICE: Final = "notice"
ATTEMPTED: Final = "attempted"  # to, host, outcome: an attempt that will be repeated
DELIVERED: Final = "delivered"  # to, host, outcome
FAILED: Final = "failed"  # to, host, outcome: given up
EXPIRED: Final = "expired"  # to: kept for too long
DELAYED: Final = "delayed"  # to: the sender was told of the delay
HELD: Final = "held"  # to, by
RELEASED: Final = "released"  # to, by
REMOVED: Final = "removed"  # to, by

ALL: Final = (
    RECEIVED,
    REFUSED,
    NOTICE,
    ATTEMPTED,
    DELIVERED,
    FAILED,
    EXPIRED,
    DELAYED,
    HELD,
    RELEASED,
    REMOVED,
)
