"""How many connections a worker holds: in total, and from one address.

The total is shared out equally among the workers. The limit for one address is each worker's own, because the kernel
may hand all connections of a peer to one worker. Peers on this machine are counted in the total only. An IPv6 peer
counts as its /64, which is what one customer is given. Tests: ``tests/unit/servers/test_limits.py``.
"""

from __future__ import annotations

from posthouse.config.definitions.server import CONNECTIONS, CONNECTIONS_PER_ADDRESS
from posthouse.config.settings import Settings


class ConnectionLimits:
    """Counts connections and says no.

    Args:
        settings: read at each connection, so that a reload holds from the next one on.
        workers: how many share the total.
    """

    def __init__(self, settings: Settings, workers: int = 1) -> None:
        self._settings = settings
        self._workers = max(1, workers)
        self._by_address: dict[str, int] = {}
        self.total = 0

    def admit(self, address: str, *, exempt: bool = False) -> str:
        """Count a connection and return ``""``, or leave it uncounted and return the reason it is refused.

        Args:
            address: text of the peer's IP address.
            exempt: whether the limit for one address does not apply.
        """
        if self.total >= -(-self._settings.get(CONNECTIONS) // self._workers):
            return CONNECTIONS.name
        if not exempt:
            key = _key(address)
            count = self._by_address.get(key, 0)
            if count >= self._settings.get(CONNECTIONS_PER_ADDRESS):
                return CONNECTIONS_PER_ADDRESS.name
            self._by_address[key] = count + 1
        self.total += 1
        return ""

    def release(self, address: str, *, exempt: bool = False) -> None:
        """Forget a connection that was admitted, with the same arguments."""
        self.total -= 1
        if exempt:
            return
        key = _key(address)
        count = self._by_address.get(key, 0) - 1
        if count > 0:
            self._by_address[key] = count
        else:
            self._by_address.pop(key, None)

    def held_by(self, address: str) -> int:
        """Return how many counted connections the address (or its /64) holds."""
        return self._by_address.get(_key(address), 0)


def _key(address: str) -> str:
    if ":" not in address:
        return address
    head, gap, _ = address.partition("::")
    groups = head.split(":") if head else []
    if not gap or len(groups) >= 4:
        return ":".join(groups[:4])
    # "2001:db8::1" has its zeros inside the first 64 bits as long as what follows the gap is short
    tail = address[len(head) + 2 :].split(":")
    missing = 8 - len(groups) - len(tail)
    return ":".join((groups + ["0"] * max(missing, 0) + tail)[:4])
