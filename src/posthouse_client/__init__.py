"""Posthouse from Python: everything an administrator does, over the REST API of a server. It needs no other package.

    from posthouse_client import Client

    with Client("https://mail.example.org", token="ph_...") as posthouse:
        posthouse.account.add(address="anna@example.org", password="...")
        for account in posthouse.account.list(domain="example.org"):
            print(account.address)

``posthouse_client.api`` is generated from the API's description. Tests: ``tests/unit/client``.
"""

from __future__ import annotations

from posthouse_client.client import Client
from posthouse_client.errors import JobFailed, PosthouseError, Refused, Unreachable
from posthouse_client.transport import Download, Transport

__all__ = ["Client", "Download", "JobFailed", "PosthouseError", "Refused", "Transport", "Unreachable"]
