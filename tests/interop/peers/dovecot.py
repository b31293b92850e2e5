"""A private Dovecot from Debian on free loopback ports, for interop tests and benchmarks.

Every user name is accepted with the one password; mail is in Maildir++ below the given folder. Started as root, mail
belongs to the user ``nobody``.
"""

import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.interop.peers.postfix import free_port

MISSING = None if shutil.which("dovecot") else "Debian package dovecot-core is not installed"
if MISSING is None and os.geteuid() != 0:
    MISSING = "Dovecot is started as root only"

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
protocols = imap pop3 lmtp
listen = 127.0.0.1
mail_location = maildir:{folder}/mail/%u/Maildir
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
default_process_limit = 200
default_client_limit = 2000
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3_port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
namespace inbox {{
  inbox = yes
}}
{extra}
"""


class DovecotPeer:
    """One running instance; ``imap_port``, ``pop3_port`` and ``lmtp_port`` answer on 127.0.0.1."""

    password = "dovecot-password"

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.folder = folder
        self.log = folder / "log"
        self.imap_port, self.pop3_port, self.lmtp_port = free_port(), free_port(), free_port()
        self._extra = extra

    def maildir(self, user: str) -> Path:
        """Return a user's Maildir, made with cur, new and tmp if it is not there."""
        path = self.folder / "mail" / user / "Maildir"
        if not path.exists():
            owner = pwd.getpwnam("nobody")
            for name in ("cur", "new", "tmp"):
                (path / name).mkdir(parents=True)
            for place in [self.folder / "mail", path.parent, path, *path.iterdir()]:
                os.chown(place, owner.pw_uid, owner.pw_gid)
        return path

    def start(self) -> "DovecotPeer":
        """Start it and wait until it greets."""
        for ancestor in [self.folder, *self.folder.parents]:
            if ancestor.stat().st_uid == os.geteuid() and ancestor != Path("/"):
                ancestor.chmod(ancestor.stat().st_mode | 0o055)
        self.maildir("warm")
        self.config = self.folder / "dovecot.conf"
        self.config.write_text(
            CONFIG.format(
                folder=self.folder, password=self.password, imap_port=self.imap_port, pop3_port=self.pop3_port,
                lmtp_port=self.lmtp_port, extra=self._extra,
            )
        )  # fmt: skip
        # Into a file: the daemon keeps the descriptor, so that reading a pipe would wait for as long as it lives.
        with (self.folder / "start.log").open("wb") as said:
            subprocess.run(
                ["dovecot", "-c", self.config], check=True, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.imap_port), timeout=2) as probe:
                    if probe.recv(4) == b"* OK":
                        return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"Dovecot does not answer:\n{self.log.read_text() if self.log.exists() else ''}")

    def login(self, user: str) -> imaplib.IMAP4:
        """Return a signed-in IMAP connection."""
        client = imaplib.IMAP4("127.0.0.1", self.imap_port)
        client.login(user, self.password)
        return client

    def stop(self) -> None:
        """Stop it."""
        subprocess.run(["doveadm", "-c", self.config, "stop"], check=False, capture_output=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
