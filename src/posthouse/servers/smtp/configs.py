"""What a listener and the settings make of a session: ``SessionConfig`` values, made once for each combination.

Who may sign in: on submission always, on the mail exchange where ``smtp.auth_on_mx`` says so, in LMTP never. A
password may come in the clear where the listener says ``always``, or ``loopback`` (the default) and the peer is on
this machine (RFC 4954 §4, RFC 8314 §3). Tests: ``tests/unit/servers/smtp/test_smtp_door.py``.
"""

from __future__ import annotations

from typing import Final

import posthouse
from posthouse.config.definitions.smtp import AUTH_ON_MX, BANNER, MESSAGE_SIZE, RECIPIENTS
from posthouse.config.settings import Settings
from posthouse.protocols.sasl.exchange import offered_mechanisms
from posthouse.protocols.smtp.types import ServiceClass, SessionConfig
from posthouse.servers.door import DoorContext, ListenerInfo

BANNER_LENGTH: Final = 200  # octets; a greeting line has 512 with all else (RFC 5321 §4.5.3.1.5)


class SessionConfigs:
    """Makes and keeps the configs of one listener."""

    def __init__(self, listener: ListenerInfo) -> None:
        self._listener = listener
        self._service_class = service_class(listener)
        self._made: dict[tuple[object, ...], SessionConfig] = {}

    def get(self, context: DoorContext, *, is_loopback: bool) -> SessionConfig:
        """Return the config for a connection that begins now."""
        settings = context.settings
        key = (
            is_loopback,
            context.hostname,
            context.tls is None,
            settings.get(MESSAGE_SIZE),
            settings.get(RECIPIENTS),
            settings.get(AUTH_ON_MX),
            settings.get(BANNER),
            context.offers_tokens(),
        )
        config = self._made.get(key)
        if config is None:
            self._made.clear()  # settings change seldom; what was made for others is of no use
            config = self._made[key] = self._make(context, is_loopback)
        return config

    def _make(self, context: DoorContext, is_loopback: bool) -> SessionConfig:
        listener = self._listener
        settings = context.settings
        may_show = listener.plaintext_auth == "always" or (listener.plaintext_auth == "loopback" and is_loopback)
        return SessionConfig(
            hostname=context.hostname,
            banner=format_banner(settings.get(BANNER), context.hostname),
            service_class=self._service_class,
            max_size=settings.get(MESSAGE_SIZE),
            max_recipients=settings.get(RECIPIENTS),
            offers_tls=listener.tls == "starttls" and context.tls is not None,
            tls_active=listener.tls == "implicit",
            mechanisms=offered_mechanisms(tokens=context.offers_tokens()) if self._signs_in(settings) else (),
            auth_in_clear=may_show,
        )

    def _signs_in(self, settings: Settings) -> bool:
        if self._service_class is ServiceClass.MX:
            return settings.get(AUTH_ON_MX)
        return self._service_class is ServiceClass.SUBMISSION


def format_banner(text: str, hostname: str) -> str:
    """Return the greeting's words with their variables replaced: one line of printable ASCII (RFC 5321 §4.2)."""
    filled = text.replace("{hostname}", hostname).replace("{version}", posthouse.__version__)
    return "".join(letter if " " <= letter <= "~" else "?" for letter in filled)[:BANNER_LENGTH]


def service_class(listener: ListenerInfo) -> ServiceClass:
    """Return what a listener is for: its class, else what its protocol implies."""
    if listener.protocol == "lmtp" or listener.listener_class == "lmtp":
        return ServiceClass.LMTP
    return ServiceClass.SUBMISSION if listener.listener_class == "submission" else ServiceClass.MX
