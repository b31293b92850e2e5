"""A mail server of the plainest kind for tests: keeps what it is sent, and says what it was told to say.

``Sink(port)`` listens on a port of its own choice or a given one; ``messages`` are the (reverse-path, forward-paths,
content) it took. ``refusals`` maps a forward-path to the reply that it gets.
"""

from __future__ import annotations

import re
import socketserver
import threading
from typing import Self

PATH = re.compile(rb"(?:MAIL FROM|RCPT TO):<([^>]*)>", re.IGNORECASE)


class _Session(socketserver.StreamRequestHandler):
    timeout = 20
    server: _Server

    def handle(self):
        """Speak SMTP, as much of it as relaying needs."""
        self.say("220 sink.test ESMTP")
        sender, recipients = "", []
        while line := self.rfile.readline():
            verb = line[:4].upper()
            path = PATH.match(line)
            if verb == b"EHLO":
                self.say("250-sink.test", "250-PIPELINING", "250 8BITMIME")
            elif verb == b"MAIL" and path:
                sender, recipients = path[1].decode(), []
                self.say("250 2.1.0 Ok")
            elif verb == b"RCPT" and path:
                recipient = path[1].decode()
                refusal = self.server.refusals.get(recipient, "")
                recipients += [] if refusal else [recipient]
                self.say(refusal or "250 2.1.5 Ok")
            elif verb == b"DATA" and recipients:
                self.say("354 Go on")
                content = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.messages.append((sender, tuple(recipients), content))
                self.say("250 2.0.0 Taken")
            elif verb == b"QUIT":
                self.say("221 2.0.0 Bye")
                return
            else:
                self.say("250 2.0.0 Ok" if verb in {b"RSET", b"NOOP", b"HELO"} else "503 5.5.1 Not now")

    def say(self, *lines):
        """Reply."""
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int) -> None:
        super().__init__((host, port), _Session)
        self.messages: list[tuple[str, tuple[str, ...], bytes]] = []
        self.refusals: dict[str, str] = {}


class Sink:
    """One running sink; use as a context."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._server = _Server(host, port)
        self.port: int = self._server.server_address[1]
        self.messages = self._server.messages
        self.refusals = self._server.refusals
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
