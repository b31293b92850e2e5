"""Settings of relaying: who may send through us (``services.reception.relay_control``), and the outgoing client."""

from __future__ import annotations

from posthouse.config.setting import bool_setting, choice_setting, duration_setting, int_setting, list_setting

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
CONNECTIONS_PER_DESTINATION = int_setting(
    "relay.connections_per_destination",
    20,
    "How many connections one worker opens to one destination at most. It begins with a few and opens more while "
    "messages wait and transactions succeed.",
    unit="connections",
    minimum=1,
    maximum=1_000,
)
CONNECTIONS = int_setting(
    "relay.connections",
    500,
    "How many outgoing connections one worker holds open at once, over all destinations.",
    unit="connections",
    minimum=1,
    maximum=100_000,
)
IDLE_TIMEOUT = duration_setting(
    "relay.idle_timeout",
    5,
    "How long a connection without work is kept for the next message to the same destination.",
    minimum=0,
    maximum=300,
)
MESSAGES_PER_CONNECTION = int_setting(
    "relay.messages_per_connection",
    1_000,
    "How many messages are sent over one connection before a new one is opened.",
    unit="messages",
    minimum=1,
    maximum=1_000_000,
)
RECIPIENTS_PER_TRANSACTION = int_setting(
    "relay.recipients_per_transaction",
    100,
    "How many recipients of one message are sent in one transaction. Servers need not accept more than 100.",
    unit="recipients",
    minimum=1,
    maximum=10_000,
    rfc="RFC 5321 §4.5.3.1.8",
)
CONNECT_TIMEOUT = duration_setting(
    "relay.connect_timeout",
    30,
    "How long the connection to one address may take before the next address is tried.",
    minimum=1,
    maximum=600,
)
DEAD_HOST_PAUSE = duration_setting(
    "relay.dead_host_pause",
    60,
    "For how long an address that could not be reached is passed over, so that mail for a dead host does not hold up "
    "other mail. It doubles with every further failure, up to one hour.",
    minimum=1,
    maximum=3_600,
)
TLS = choice_setting(
    "relay.tls",
    "may",
    ("none", "may", "must"),
    "TLS towards mail exchangers that no route names. none: never; may: where the peer offers STARTTLS, and in the "
    "clear where that fails; must: never in the clear, mail waits instead. Certificates are not verified.",
    rfc="RFC 7435 §3",
)

SETTINGS = (
    NETWORKS,
    LOCAL_SENDER,
    CONNECTIONS_PER_DESTINATION,
    CONNECTIONS,
    IDLE_TIMEOUT,
    MESSAGES_PER_CONNECTION,
    RECIPIENTS_PER_TRANSACTION,
    CONNECT_TIMEOUT,
    DEAD_HOST_PAUSE,
    TLS,
)
