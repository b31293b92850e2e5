"""The capabilities, by the state and the protection of the connection (RFC 3501 §6.1.1, §7.2.1)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from posthouse.protocols.sasl.exchange import SERVER_MECHANISMS

# In the order they are told. What a client may use before it has signed in:
_ALWAYS: Final = (b"IMAP4rev1", b"SASL-IR", b"LITERAL+", b"ID", b"ENABLE", b"IDLE")
# ... and what only the signed-in need to know of:
_SIGNED_IN: Final = (
    b"NAMESPACE",
    b"CHILDREN",
    b"UNSELECT",
    b"UIDPLUS",
    b"MOVE",
    b"ESEARCH",
    b"CONDSTORE",
    b"LIST-EXTENDED",
    b"LIST-STATUS",
    b"STATUS=SIZE",
    b"SPECIAL-USE",
    b"CREATE-SPECIAL-USE",
    b"QUOTA",
    b"QUOTA=RES-STORAGE",
)
ENABLED_BY_COMMAND: Final = (b"CONDSTORE",)


@lru_cache(maxsize=16)
def capability_data(
    *, signed_in: bool, starttls: bool, passwords: bool, mechanisms: tuple[str, ...] = tuple(SERVER_MECHANISMS)
) -> bytes:
    """Return ``CAPABILITY IMAP4rev1 ...`` without the star and the line end."""
    names = [b"CAPABILITY", *_ALWAYS]
    if signed_in:
        names += _SIGNED_IN
    else:
        names += [b"STARTTLS"] if starttls else []
        ways = [b"AUTH=" + name.encode("ascii") for name in mechanisms]
        names += ways if passwords else [b"LOGINDISABLED"]
    return b" ".join(names)
