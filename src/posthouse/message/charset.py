"""Octets to text under the charset names that real mail uses (RFC 2045 §5, RFC 2046 §4.1.2). Room: message.

Any octets under any name give text: unknown names and wrong octets are guessed at (UTF-8, else Windows-1252), never
refused. Codecs that are no charset, or that are slow on purpose-made input (punycode, idna), are not reached.

Tests: ``tests/unit/message/test_message_words.py``.
"""

from __future__ import annotations

import codecs
from encodings import normalize_encoding
from encodings.aliases import aliases
from functools import lru_cache

# Names seen in mail -> the codec that reads what people mean by them. The supersets are the web's (WHATWG) choice.
_MEANT = {
    "ascii": "utf-8",
    "us-ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "utf8": "utf-8",
    "utf-8": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "big5": "big5hkscs",
    "iso-2022-jp": "iso2022_jp_ext",
    "windows-874": "cp874",
    "x-unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "x-user-defined": "utf-8",
    "default": "utf-8",
}
# Only names that exist are looked up: the interpreter keeps every name it was ever asked for, and a peer chooses names.
_EXTRA = "cp720 cp737 cp856 cp874 cp875 cp1006 koi8_t koi8_u mac_arabic mac_croatian mac_farsi mac_romanian utf_8_sig"
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_KNOWN = (frozenset(aliases) | frozenset(aliases.values()) | frozenset(_EXTRA.split())) - _NOT_CHARSETS


@lru_cache(maxsize=512)
def codec_for(name: str) -> str:
    """Return the codec to use for a charset name, "" for one that is not known."""
    folded = name.strip("\"' \t").lower()
    folded = _MEANT.get(folded, folded)
    known = normalize_encoding(folded)
    if known not in _KNOWN and known.replace(".", "_") not in _KNOWN:
        return ""
    try:
        info = codecs.lookup(folded)
        b"a".decode(info.name, "ignore")  # LookupError where the codec is no text encoding
    except (LookupError, ValueError):
        return ""
    return "" if info.name.replace("-", "_") in _NOT_CHARSETS else info.name


def decode_guess(data: bytes) -> str:
    """Return octets of no known charset as text: UTF-8 where they are that, else Windows-1252."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def decode_charset(data: bytes, charset: str) -> str:
    """Return octets as text under a charset name, with U+FFFD for octets that do not belong."""
    codec = codec_for(charset) if charset else ""
    if codec == "utf-8" or not codec:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("utf-8", "replace") if codec and _mostly_utf8(data) else data.decode("cp1252", "replace")
    try:
        return data.decode(codec, "replace")
    except (UnicodeError, ValueError, LookupError):
        return decode_guess(data)


def _mostly_utf8(data: bytes) -> bool:
    # A cut-off last character or one stray octet does not make text Windows-1252.
    wrong = data.decode("utf-8", "replace").count("\ufffd")
    return wrong <= 3 or wrong * 20 < sum(1 for octet in data[:4096] if octet >= 0x80)
