"""IDLE: news as they happen (RFC 2177 §3).

A notice is only a hint that the account changed; the selected mailbox is then looked at as NOOP does. Notices that
come while one look is under way lead to one more look, not to many.
"""

from __future__ import annotations

from collections.abc import Callable

from posthouse.servers.imap.conversation import Conversation


class Idling:
    """An IDLE under way; it looks for news at once and then at every notice.

    Args:
        talk: the connection.
        tag: of the IDLE, completed when DONE came.
        look: starts a look for news; the door runs it and then calls ``looked``.
    """

    def __init__(self, talk: Conversation, tag: bytes, look: Callable[[], None]) -> None:
        self._talk = talk
        self._tag = tag
        self._look = look
        self._is_looking = False
        self._look_again = False
        self._is_done = False
        talk.stop_watching = talk.services.watch.subscribe(talk.account_id, self.changed)

    def changed(self) -> None:
        """There may be news."""
        if self._is_looking:
            self._look_again = True
            return
        self._is_looking = True
        self._look()

    def looked(self) -> None:
        """A look has ended."""
        self._is_looking = False
        if self._is_done:
            self._finish()
        elif self._look_again:
            self._look_again = False
            self.changed()

    def done(self) -> None:
        """DONE came; the command is completed once no look is under way."""
        self._is_done = True
        if not self._is_looking:
            self._finish()

    def _finish(self) -> None:
        talk = self._talk
        if talk.stop_watching is not None:
            talk.stop_watching()
            talk.stop_watching = None
        talk.done(self._tag, b"Idle completed")
