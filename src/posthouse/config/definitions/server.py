"""Settings of the server as a whole: compatibility, connections, timeouts of sockets."""

from __future__ import annotations

from posthouse.config.setting import duration_setting, int_setting

CURRENT_LEVEL = 1

COMPATIBILITY_LEVEL = int_setting(
    "server.compatibility_level",
    CURRENT_LEVEL,
    "The level whose defaults are in force. When a later version changes a default, a server that sets an earlier "
    "level here keeps the old one, and `posthouse check` names each such setting.",
    minimum=1,
    maximum=CURRENT_LEVEL,
)
CONNECTIONS = int_setting(
    "server.connections",
    10_000,
    "How many connections the server holds open at once, over all protocols. Each worker takes an equal share; a "
    "connection beyond it is told to try again later.",
    unit="connections",
    minimum=10,
    maximum=1_000_000,
)
CONNECTIONS_PER_ADDRESS = int_setting(
    "server.connections_per_address",
    100,
    "How many connections one IP address may hold open at once with one worker. Peers on this machine, and those that "
    "come by a UNIX socket, are not counted.",
    unit="connections",
    minimum=1,
    maximum=1_000_000,
)
WRITE_TIMEOUT = duration_setting(
    "server.write_timeout",
    300,
    "How long a peer may leave what we send it unread before the connection is closed.",
    minimum=5,
    maximum=3600,
)
DRAIN_TIMEOUT = duration_setting(
    "server.drain_timeout",
    10,
    "How long a server that stops waits for sessions to finish what they are doing before it closes them.",
    minimum=0,
    maximum=3600,
)

SETTINGS = (COMPATIBILITY_LEVEL, CONNECTIONS, CONNECTIONS_PER_ADDRESS, WRITE_TIMEOUT, DRAIN_TIMEOUT)
