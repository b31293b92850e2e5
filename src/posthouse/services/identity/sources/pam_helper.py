"""Ask PAM whether a name and a password go together: a program of its own, run for each question.

PAM modules may hang, fork or crash, so they never run inside a worker. Started by path with ``python -I -S``; it reads
one JSON object from standard input (service, folder, user, password, client) and prints one: ``code`` (PAM's number, -1
where there is no PAM), ``step`` and ``text``. It imports nothing of Posthouse. The password is never in argv.
Tests: ``tests/interop/test_sources_pam.py``.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import sys
from typing import Any

LIBRARIES = ("libpam.so.0", "libpam.so", "libpam.so.2", "libpam.dylib")
ECHO_OFF, ECHO_ON = 1, 2
RHOST, RUSER = 4, 8
SILENT = 0x8000
SUCCESS, BUFFER, CONVERSATION = 0, 5, 19


class _Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class _Response(ctypes.Structure):
    _fields_ = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


_Talk = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(_Message)),
    ctypes.POINTER(ctypes.POINTER(_Response)),
    ctypes.c_void_p,
)


class _Conversation(ctypes.Structure):
    _fields_ = [("talk", _Talk), ("data", ctypes.c_void_p)]


def load() -> Any:
    """Return the PAM library. Raises OSError: there is none."""
    for name in LIBRARIES:
        with contextlib.suppress(OSError):
            return ctypes.CDLL(name)
    raise OSError("there is no PAM library (libpam.so.0) on this machine")


def talk_with(password: bytes) -> Any:
    """Return PAM's callback that answers questions without echo with the password, and no others."""
    libc = ctypes.CDLL(None)
    libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p
    libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
    libc.strdup.argtypes = [ctypes.c_char_p]

    def talk(count: int, messages: Any, answers: Any, _data: Any) -> int:
        if not 1 <= count <= 32:
            return CONVERSATION
        room = libc.calloc(count, ctypes.sizeof(_Response))
        if not room:
            return BUFFER
        made = ctypes.cast(room, ctypes.POINTER(_Response))
        for index in range(count):
            if messages[index].contents.style == ECHO_OFF:
                made[index].text = libc.strdup(password)
            elif messages[index].contents.style == ECHO_ON:
                made[index].text = libc.strdup(b"")
        answers[0] = made
        return SUCCESS

    return _Talk(talk)


def ask(question: dict[str, str]) -> dict[str, object]:
    """Return what PAM says: authentication first, then whether the account may be used."""
    try:
        pam = load()
    except OSError as error:
        return {"code": -1, "step": "load", "text": str(error)}
    pam.pam_strerror.restype = ctypes.c_char_p
    pam.pam_strerror.argtypes = [ctypes.c_void_p, ctypes.c_int]
    handle = ctypes.c_void_p()
    conversation = _Conversation(talk_with(question["password"].encode("utf-8", "surrogateescape")), None)
    begin = (question["service"].encode(), question["user"].encode(), ctypes.byref(conversation))
    if question.get("folder"):
        if not hasattr(pam, "pam_start_confdir"):
            return {"code": -1, "step": "start", "text": "this PAM cannot read services from a folder of ours"}
        code = pam.pam_start_confdir(*begin, question["folder"].encode(), ctypes.byref(handle))
    else:
        code = pam.pam_start(*begin, ctypes.byref(handle))
    step = "start"
    if code == SUCCESS:
        if question.get("client"):
            pam.pam_set_item(handle, RHOST, ctypes.c_char_p(question["client"].encode()))
        step = "authenticate"
        code = pam.pam_authenticate(handle, SILENT)
        if code == SUCCESS:
            step = "account"
            code = pam.pam_acct_mgmt(handle, SILENT)
    text = (pam.pam_strerror(handle, code) or b"").decode("utf-8", "replace")
    if handle:
        pam.pam_end(handle, code)
    return {"code": code, "step": step, "text": text}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask(json.loads(sys.stdin.buffer.read(65_536)))))
