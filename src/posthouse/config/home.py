"""Where things lie below the home folder (``--home``, ``POSTHOUSE_HOME``, ``/var/lib/posthouse``).

Paths only; nothing is opened here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "POSTHOUSE_HOME"
DEFAULT_HOME = Path("/var/lib/posthouse")


@dataclass(frozen=True, slots=True)
class Home:
    """One home; ``path`` is absolute."""

    path: Path

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.path / "posthouse.toml"

    @property
    def run(self) -> Path:
        """Locks and sockets."""
        return self.path / "run"

    @property
    def log(self) -> Path:
        """Log files."""
        return self.path / "log"

    @property
    def spool(self) -> Path:
        """Large messages on their way in."""
        return self.path / "spool"

    @property
    def tls(self) -> Path:
        """The certificate and key that a new home starts with."""
        return self.path / "tls"

    def control_socket(self, worker: int) -> Path:
        """The socket on which a worker answers ``status`` and ``log tail``."""
        return self.run / f"control.{worker}.sock"

    def folders(self) -> tuple[Path, ...]:
        """Everything that must exist before a server can start."""
        return (self.path, self.run, self.log, self.spool, self.tls)
