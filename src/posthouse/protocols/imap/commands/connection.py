"""Commands of any state and of a connection without a user: arguments to values (RFC 3501 §6.1, §6.2)."""

from __future__ import annotations

from posthouse.core.errors import LimitFault, SyntaxFault
from posthouse.protocols.imap.grammar.strings import astring, atom, end, expect, nstring, space, string, word
from posthouse.protocols.imap.types import commands

_MOST_ID_FIELDS = 60  # RFC 2971 §3.3 allows 30
_LONGEST_ID_VALUE = 1_024


def login(text: bytes) -> commands.Login:
    """``userid SP password`` (RFC 3501 §6.2.3)."""
    user, at = astring(text, 0)
    password, at = astring(text, space(text, at))
    end(text, at)
    return commands.Login(login=user, password=password)


def authenticate(text: bytes) -> commands.Authenticate:
    """``auth-type [SP (base64 / "=")]`` (RFC 3501 §6.2.2, RFC 4959 §3)."""
    name, at = word(text, 0)
    initial = None
    if at < len(text):
        initial = text[space(text, at) :]
        if not initial or b" " in initial:
            raise SyntaxFault("malformed initial response", where="imap.authenticate", offset=at)
    return commands.Authenticate(mechanism=name.decode("ascii"), initial=initial)


def identify(text: bytes) -> commands.Id:
    """``id-params-list = "(" *(string SP nstring) ")" / nil`` (RFC 2971 §4)."""
    if text.upper() == b"NIL":
        return commands.Id(parameters=())
    at = expect(text, 0, b"(")
    fields: list[tuple[str, str | None]] = []
    while not text.startswith(b")", at):
        if fields:
            at = space(text, at)
        name, at = string(text, at)
        value, at = nstring(text, space(text, at))
        fields.append((_printable(name).lower(), None if value is None else _printable(value)))
        if len(fields) > _MOST_ID_FIELDS:
            raise LimitFault("too many ID fields", where="imap.id")
    end(text, at + 1)
    return commands.Id(parameters=tuple(fields))


def _printable(data: bytes) -> str:
    text = data[:_LONGEST_ID_VALUE].decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def enable(text: bytes) -> commands.Enable:
    """``capability *(SP capability)`` (RFC 5161 §5)."""
    name, at = atom(text, 0)
    names = [name.upper()]
    while at < len(text):
        name, at = atom(text, space(text, at))
        names.append(name.upper())
    return commands.Enable(capabilities=tuple(names))
