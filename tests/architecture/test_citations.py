"""RFC citations have one form, ``RFC 5321 §4.1.1.2``, so that a tool can gather them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "posthouse").rglob("*.py"))
# RFC822 written together is a word of the protocols (message/rfc822, RFC822.SIZE, rfc822; in DSNs), no citation
MENTION = re.compile(r"\bRFC(?!822)[\s_-]*\d+[^\n]{0,24}", re.IGNORECASE)
WELL_FORMED = re.compile(
    r"RFC (\d{3,5})(?:(?: (?:§(?:\d+|[A-Z])(?:\.\d+)*(?:-(?:MUST|SHOULD|MAY)(?:-\d+)?)?(?:[-,] ?(?:§)?(?:\d+|[A-Z])(?:\.\d+)*)*|App\. [A-Z]))|(?! ?(?:section|sec\.|Section)))"
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_citations_are_well_formed(path):
    """Every mention of an RFC in a source file matches the one form."""
    for match in MENTION.finditer(path.read_text()):
        line = path.read_text().count("\n", 0, match.start()) + 1
        assert WELL_FORMED.match(match.group()), f"line {line}: {match.group()!r}"
