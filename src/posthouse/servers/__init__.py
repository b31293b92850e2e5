"""Doors: what joins a socket to a protocol machine and to the services. asyncio, TLS, timeouts and limits live here."""
