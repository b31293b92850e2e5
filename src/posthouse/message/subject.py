"""The base subject, for sorting and threads (RFC 5256 §2.1). Room: message.

The input is the decoded subject. Every step consumes or ends, so time is linear. Tests:
``tests/unit/message/test_message_words.py``.
"""

from __future__ import annotations

import re

# subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" ; subj-blob = "[" *BLOBCHAR "]" *WSP   (RFC 5256 §5)
_LEADER = re.compile(r"(?:\[[^\[\]]*+\][ \t]*+)*+(?:re|fwd?)[ \t]*+(?:\[[^\[\]]*+\][ \t]*+)?:[ \t]*+", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*+\][ \t]*+")
_TRAILER = re.compile(r"\(fwd\)\Z", re.IGNORECASE)
_NEEDS_WORK = re.compile(r"[\[(:]|[ \t\r\n]{2}|[\t\r\n]|\A | \Z")


def base_subject(subject: str) -> str:
    """Return the base subject, white space collapsed and leaders and trailers removed; its case is kept."""
    if _NEEDS_WORK.search(subject) is None:
        return subject
    text = " ".join(subject.split())
    while True:
        text = _without_trailers(text)
        text = _without_leaders(text)
        # [Fwd: ...] is unwrapped and treated again (RFC 5256 §2.1 step 6)
        if len(text) > 5 and text[:5].lower() == "[fwd:" and text[-1] == "]":
            text = text[5:-1].strip()
        else:
            return text


def _without_trailers(text: str) -> str:
    text = text.rstrip()
    while _TRAILER.search(text[-5:]):
        text = text[:-5].rstrip()
    return text


def _without_leaders(text: str) -> str:
    position = 0
    while True:
        match = _LEADER.match(text, position)
        if match is None:
            # a blob goes only where something remains (RFC 5256 §2.1 step 4)
            match = _BLOB.match(text, position)
            if match is None or match.end() >= len(text):
                return text[position:]
        position = match.end()
