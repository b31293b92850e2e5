"""HTTP: connections that an ASGI application answers."""
