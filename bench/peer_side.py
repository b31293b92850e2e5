"""The peers' side: Postfix that hands everything for ``bench.test`` to Dovecot over LMTP, both as Debian ships them."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from bench.imap_client import ImapClient
from tests.interop.peers.dovecot import DovecotPeer
from tests.interop.peers.postfix import PostfixPeer


class PostfixWithDovecot:
    """Both servers with ``accounts`` users of ``bench.test``; use as a context."""

    def __init__(self, accounts: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="peer-bench."))
        self.folder.chmod(0o755)
        self.addresses = [f"user{number}@bench.test" for number in range(accounts)]
        for name in ("dovecot", "postfix"):
            (self.folder / name).mkdir()
        self.dovecot = DovecotPeer(self.folder / "dovecot")
        self.postfix = PostfixPeer(
            self.folder / "postfix",
            virtual_mailbox_domains="bench.test",
            virtual_transport=f"lmtp:inet:127.0.0.1:{self.dovecot.lmtp_port}",
        )

    @property
    def port(self) -> int:
        """Where SMTP answers."""
        return self.postfix.port

    def delivered(self) -> int:
        """Return how many messages lie in the inboxes."""
        total = 0
        for address in self.addresses:
            maildir = self.dovecot.maildir(address)
            total += sum(len(os.listdir(maildir / name)) for name in ("new", "cur"))
        return total

    def fill(self, address: str, contents: list[bytes], count: int) -> None:
        """Put ``count`` messages into an inbox: hard links where contents repeat, as fast as the disk allows."""
        maildir = self.dovecot.maildir(address)
        originals = []
        for place, content in enumerate(contents):
            path = maildir / "tmp" / f"original.{place}"
            path.write_bytes(content)
            os.chown(path, maildir.stat().st_uid, maildir.stat().st_gid)
            originals.append((path, len(content)))
        for number in range(count):
            path, size = originals[number % len(originals)]
            os.link(path, maildir / "cur" / f"{1_700_000_000 + number}.M{number}P1.bench,S={size},W={size}:2,S")
        client = self.imap(address)
        client.command("SELECT INBOX")
        client.close()

    def imap(self, address: str) -> ImapClient:
        """Return a signed-in IMAP connection."""
        return ImapClient(self.dovecot.imap_port, address, self.dovecot.password)

    def start(self) -> float:
        """Start both; return the seconds until both greet."""
        began = time.monotonic()
        self.dovecot.start()
        self.postfix.start()
        return time.monotonic() - began

    def stop(self) -> None:
        """Stop both."""
        self.postfix.stop()
        self.dovecot.stop()

    def __enter__(self) -> "PostfixWithDovecot":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
