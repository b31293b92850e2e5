"""A private Postfix from Debian on free loopback ports, for interop tests and benchmarks.

Everything it writes lives in one temporary folder. It must be started as root, as Postfix itself demands.
"""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

MISSING = None if shutil.which("postfix") else "Debian package postfix is not installed"
if MISSING is None and os.geteuid() != 0:
    MISSING = "Postfix is started as root only"

MASTER = """
{port}    inet  n  -  n  -  -    smtpd
pickup    unix  n  -  n  60 1    pickup
cleanup   unix  n  -  n  -  0    cleanup
qmgr      unix  n  -  n  300 1   qmgr
tlsmgr    unix  -  -  n  1000? 1 tlsmgr
rewrite   unix  -  -  n  -  -    trivial-rewrite
bounce    unix  -  -  n  -  0    bounce
defer     unix  -  -  n  -  0    bounce
trace     unix  -  -  n  -  0    bounce
verify    unix  -  -  n  -  1    verify
flush     unix  n  -  n  1000? 0 flush
proxymap  unix  -  -  n  -  -    proxymap
smtp      unix  -  -  n  -  -    smtp
relay     unix  -  -  n  -  -    smtp
showq     unix  n  -  n  -  -    showq
error     unix  -  -  n  -  -    error
retry     unix  -  -  n  -  -    error
discard   unix  -  -  n  -  -    discard
local     unix  -  n  n  -  -    local
virtual   unix  -  n  n  -  -    virtual
lmtp      unix  -  -  n  -  -    lmtp
anvil     unix  -  -  n  -  1    anvil
scache    unix  -  -  n  -  1    scache
postlog   unix-dgram n - n - 1   postlogd
"""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostfixPeer:
    """One running instance.

    ``settings`` are lines of main.cf on top of the loopback defaults; ``port`` answers SMTP; ``log`` is its log file.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "maillog"
        self.config = folder / "etc"
        self.queue = folder / "queue"
        self._settings = settings

    def start(self) -> "PostfixPeer":
        """Start it and wait until it greets."""
        owner = pwd.getpwnam("postfix")
        for ancestor in [self.folder, *self.folder.parents]:
            if ancestor.stat().st_uid == os.geteuid() and ancestor != Path("/"):
                ancestor.chmod(ancestor.stat().st_mode | 0o055)
        self.config.mkdir()
        self.queue.mkdir(mode=0o755)
        data = self.folder / "data"
        data.mkdir()
        os.chown(data, owner.pw_uid, owner.pw_gid)
        for name in [
            "active",
            "bounce",
            "corrupt",
            "defer",
            "deferred",
            "flush",
            "hold",
            "incoming",
            "private",
            "saved",
            "trace",
        ]:
            (self.queue / name).mkdir(mode=0o700)
            os.chown(self.queue / name, owner.pw_uid, 0)
        drop = grp.getgrnam("postdrop").gr_gid
        for name, mode in [("maildrop", 0o1730), ("public", 0o2710)]:
            (self.queue / name).mkdir()
            os.chown(self.queue / name, owner.pw_uid, drop)
            (self.queue / name).chmod(mode)
        (self.queue / "pid").mkdir(mode=0o755)
        lines = {
            "compatibility_level": "3.6",
            "queue_directory": str(self.queue),
            "data_directory": str(data),
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "maillog_file": str(self.log),
            "maillog_file_prefixes": "/var, /tmp, /dev/stdout, " + str(self.folder),
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "myhostname": "postfix.peer.test",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "alias_maps": "",
            "alias_database": "",
            "smtp_host_lookup": "native",
            "smtpd_peername_lookup": "no",
            "disable_dns_lookups": "yes",
            "local_recipient_maps": "",
        } | self._settings
        (self.config / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
        (self.config / "master.cf").write_text(MASTER.format(port=f"127.0.0.1:{self.port}"))
        subprocess.run(["postfix", "-c", self.config, "start"], check=True, capture_output=True)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=2) as probe:
                    if probe.recv(3) == b"220":
                        return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"Postfix does not answer:\n{self.log.read_text() if self.log.exists() else ''}")

    def queued(self) -> int:
        """Return how many messages are in its queue."""
        out = subprocess.run(["postqueue", "-c", self.config, "-p"], capture_output=True, text=True, check=False).stdout
        return sum(1 for line in out.splitlines() if line[:1].isalnum() and not line.startswith("Mail queue"))

    def stop(self) -> None:
        """Stop it and wait until its master has gone."""
        subprocess.run(["postfix", "-c", self.config, "stop"], check=False, capture_output=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
