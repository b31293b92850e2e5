"""Settings of relaying: who may send through us (``services.reception.relay_control``), and the outgoing client."""

from __future__ import annotations

from posthouse.config.setting import bool_setting, list_setting

NETWORKS = list_setting(
    "relay.networks",
    (),
    "Client addresses and networks, such as `192.0.2.0/24` or `2001:db8::/32`, whose clients may send to anywhere "
    "without signing in. This machine is not among them unless it is listed. `0.0.0.0/0` would be an open relay.",
)
LOCAL_SENDER = bool_setting(
    "relay.local_sender",
    False,
    "Let anyone who gives one of our addresses as sender send to anywhere. A sender address proves nothing, so this "
    "is all but an open relay; it exists for moving from servers that worked so.",
)

SETTINGS = (NETWORKS, LOCAL_SENDER)
