"""Every setting there is, by name. A topic's settings live in the file of that name; it is listed here by hand.

To add a setting: define it in its topic's file, put it into that file's ``SETTINGS``, read it somewhere (the
architecture tests look), and run ``python -m posthouse.config.reference`` to renew ``docs/settings.md``.
"""

from __future__ import annotations

from typing import Any

from posthouse.config.definitions import (
    account,
    address,
    auth,
    check,
    dns,
    group,
    http,
    imap,
    limit,
    log,
    message,
    metrics,
    pop3,
    queue,
    relay,
    report,
    rest,
    server,
    smtp,
    tls,
)
from posthouse.config.setting import Setting

TOPICS = (
    server,
    tls,
    auth,
    address,
    account,
    group,
    limit,
    smtp,
    imap,
    pop3,
    queue,
    relay,
    dns,
    check,
    http,
    rest,
    log,
    message,
    report,
    metrics,
)

DEFINITIONS: dict[str, Setting[Any]] = {setting.name: setting for topic in TOPICS for setting in topic.SETTINGS}
