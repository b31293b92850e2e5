"""The table of all checks for ``docs/check.md``, made from the checks themselves.

``python -m posthouse.services.administration.diagnosis.manual`` renews it in the file below the current directory; a
test fails where the committed table is another.
Tests: ``tests/unit/services/administration/diagnosis/test_catalogue_of_checks.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from posthouse.services.administration.diagnosis.catalogue import CHECKS
from posthouse.services.administration.diagnosis.check import Check

PAGE: Final = Path("docs/check.md")
BEGIN: Final = "<!-- checks: made by posthouse.services.administration.diagnosis.manual -->"
END: Final = "<!-- end of checks -->"


def table() -> str:
    """Return the table, with the two lines that enclose it."""
    rows = ["| id | looks at | why | remedy |", "|---|---|---|---|", *map(_row, CHECKS)]
    return "\n".join([BEGIN, *rows, END])


def _row(check: Check) -> str:
    needs = ", ".join(sorted(need.value for need in check.needs))
    scope = " Each domain." if check.per_domain else ""
    needed = f" Needs {needs}." if needs else ""
    cells = (f"`{check.id}`", check.title, f"{check.explanation}{scope}{needed}", check.remedy)
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def renewed(text: str) -> str:
    """Return a page with its table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return before + table() + rest.partition(END)[2]


def main() -> None:
    """Write the page."""
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE} written\n")


if __name__ == "__main__":
    main()
