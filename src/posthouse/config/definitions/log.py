"""Settings of the log that hold at once, without a restart: which conversations are written down.

Where the log goes and when it is rotated is said in ``posthouse.toml``, because it is needed before the store is open.
"""

from __future__ import annotations

import ipaddress

from posthouse.config.setting import list_setting


def conversation_client(text: str) -> None:
    """Check an item of ``log.conversation_clients``. Raises ValueError: it is no network and no address of mail."""
    if "@" in text:
        local, _, domain = text.rpartition("@")
        if not domain or " " in text or local.startswith("@"):
            raise ValueError(text)
        return
    ipaddress.ip_network(text, strict=False)


CONVERSATION = list_setting(
    "log.conversation",
    (),
    "Which protocols have their conversations logged, line by line, as `conversation.*` events: what peers and we say "
    "in sessions that begin from now on (`relay` is what we say to other servers). Passwords and everything else that "
    "proves who somebody is are masked, and of messages only the number of octets is told. It costs speed and disk; "
    "turn it off when you have seen what you wanted.",
    choices=("smtp", "lmtp", "imap", "pop3", "relay"),
)
CONVERSATION_CLIENTS = list_setting(
    "log.conversation_clients",
    (),
    "Whose conversations are logged where `log.conversation` is on: networks such as 192.0.2.0/24 or 2001:db8::1, "
    "accounts such as anna@example.org, all of a domain as @example.org. Empty stands for everybody. A session is "
    "known to be an account's once it has signed in; what was said before is then logged as well.",
    item=conversation_client,
    items="networks or addresses",
)

SETTINGS = (CONVERSATION, CONVERSATION_CLIENTS)
