"""Settings of the SMTP and LMTP doors, and of what they accept."""

from __future__ import annotations

from posthouse.config.setting import (
    PER_ACCOUNT,
    PER_DOMAIN,
    Authority,
    bool_setting,
    duration_setting,
    int_setting,
    size_setting,
    text_setting,
)
from posthouse.core import limits

MESSAGE_SIZE = size_setting(
    "smtp.message_size",
    limits.SMTP_MESSAGE_SIZE,
    "The largest message that is accepted. It is announced in EHLO, checked against SIZE= of MAIL, and against what "
    "really comes. Set for a post office, a domain or an account, it is the largest that may be sent from there and to "
    "there; more than the server takes nobody gets.",
    minimum=64 * limits.KIB,
    maximum=4 * 1024 * limits.MIB,
    scopes=PER_ACCOUNT,
    rfc="RFC 1870 §6",
    is_ceiling=True,
)
RECIPIENTS = int_setting(
    "smtp.recipients",
    limits.SMTP_RECIPIENTS,
    "How many recipients one message may have; those beyond are told to wait for the next transaction.",
    unit="recipients",
    minimum=100,
    maximum=100_000,
    rfc="RFC 5321 §4.5.3.1.8",
)
RECEIVED_HOPS = int_setting(
    "smtp.received_hops",
    limits.RECEIVED_HOPS,
    "How many Received lines a message may carry before it is taken to go round in circles and is refused.",
    unit="lines",
    minimum=10,
    maximum=1_000,
    rfc="RFC 5321 §6.3",
)
IDLE_TIMEOUT = duration_setting(
    "smtp.idle_timeout",
    300,
    "How long a client may send nothing before its session is ended with 421.",
    minimum=5,
    maximum=86_400,
    rfc="RFC 5321 §4.5.3.2.7",
)
DATA_TIMEOUT = duration_setting(
    "smtp.data_timeout",
    3_600,
    "How long one message may take to come in, however steadily its octets drip.",
    minimum=30,
    maximum=86_400,
    rfc="RFC 5321 §4.5.3.2.5",
)
SENDER_MUST_OWN = bool_setting(
    "smtp.sender_must_own",
    True,
    "Whether a client that signed in may send only from addresses that lead to its account: its own, with a detail, "
    "and aliases.",
    scopes=PER_DOMAIN,
    rfc="RFC 6409 §6.1",
    authority=Authority.SERVER,
)
REFUSE_UNPROVEN_SENDER = bool_setting(
    "smtp.refuse_unproven_sender",
    False,
    "Whether the mail exchange refuses a stranger who gives an address of this domain as sender. Forwarders and "
    "mailing lists that keep the sender are then refused too.",
    scopes=PER_DOMAIN,
    rfc="RFC 7208 §1",
)
AUTH_ON_MX = bool_setting(
    "smtp.auth_on_mx",
    False,
    "Whether clients may sign in on listeners of class `mx` too (port 25). Mail programs should use a submission "
    "listener; this is for those that cannot be changed.",
    rfc="RFC 6409 §3.1",
)
BANNER = text_setting(
    "smtp.banner",
    "Posthouse",
    "The words that follow the host name in the greeting. {hostname} and {version} are replaced. Empty says nothing of "
    "the software.",
    rfc="RFC 5321 §4.2",
)
HIDE_CLIENT = bool_setting(
    "smtp.hide_client",
    False,
    "Whether the Received line of mail that an account submits leaves out from which address it came. The log and the "
    "journey keep it.",
    scopes=PER_DOMAIN,
    rfc="RFC 5321 §4.4",
)

SETTINGS = (
    BANNER,
    HIDE_CLIENT,
    MESSAGE_SIZE,
    RECIPIENTS,
    RECEIVED_HOPS,
    IDLE_TIMEOUT,
    DATA_TIMEOUT,
    SENDER_MUST_OWN,
    REFUSE_UNPROVEN_SENDER,
    AUTH_ON_MX,
)
