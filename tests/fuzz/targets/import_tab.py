"""any bytes as MailEnable's TAB files, or as CSV, give records or one fault, never another exception.

The first octet chooses which file the data is; the others are small and whole.
"""

from __future__ import annotations

from posthouse.services.administration.importing.csv_accounts import read_csv
from posthouse.services.administration.importing.mailenable import read_mailenable
from posthouse.services.administration.importing.plan import Plan
from posthouse.services.administration.importing.report import ImportReport
from posthouse.services.administration.importing.source import SourceFile, Unreadable, file_of

FILES = {
    "AUTH.TAB": b"UserName\tPassword\nanna@acme\tgeheim\n",
    "ADDRESS-MAP.TAB": b"acme\t[SF:acme/anna]\t[SMTP:anna@acme.example]\t0\n",
    "SMTP-DOMAINS.TAB": b"acme.example\tacme\t1\n",
    "Postoffices/acme/MAILBOX.TAB": b"anna\t\t0\t1\t1024\t0\n",
    "Postoffices/acme/GROUP.TAB": b"Staff\t[SMTP:staff@acme.example]\t1\n",
    "Postoffices/acme/Groups/Staff.TAB": b"[SF:acme/anna]\n",
}
NAMES = tuple(FILES)


class _Tree:
    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = [file_of(name, content) for name, content in files.items()]

    def files(self) -> list[SourceFile]:
        """Return all of them."""
        return self._files

    def find(self, name: str) -> SourceFile | None:
        """Return one."""
        return next((file for file in self._files if file.name == name), None)


def target(data: bytes) -> None:
    """Read the data as one of the files."""
    if not data:
        return
    which = data[0] % (len(NAMES) + 1)
    if which == len(NAMES):
        records = read_csv(file_of("d.csv", data[1:]))
    else:
        records = read_mailenable(_Tree(FILES | {NAMES[which]: data[1:]}))
    try:
        for step in Plan(ImportReport("d", "k")).steps(records):
            assert step.thing.where
    except Unreadable as fault:
        assert "\n" not in fault.detail
